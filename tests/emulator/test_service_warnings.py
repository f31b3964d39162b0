"""Warnings about the service's answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.emulator.service_warnings import ServiceWarnings, row_warning
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.rest import Rest
from tests.emulator.test_functions import deployed


def scored_twice(first: bytes, second: bytes, **other: str) -> list[str]:
    warnings = ServiceWarnings()
    scoring = {"deployment_id": "d", "name": "digits", "digest": "0", "body": b"rows"}
    warnings.check_repeat(**scoring, answer=first)
    warnings.check_repeat(**{**scoring, **other}, answer=second)
    return warnings.listed


def test_a_model_that_answers_by_chance_is_warned_of(archives):
    """Two identical scorings that differ warn once, with the deployment's name."""
    with EmbeddedWML() as app:
        rest = Rest(app)
        deployment_id = rest.create_deployment(rest.store(archives["by_chance"]), name="digits").json["metadata"]["id"]
        for _ in range(30):
            rest.score(deployment_id, {"values": [[1.0, 2.0, 3.0, 4.0]]})
        warnings = [warning for warning in app.warnings if "in two ways" in warning]
    assert warnings == [
        "Deployment 'digits' answered the same scoring in two ways: something in it is left to chance, such as "
        "dropout that was left on. A recording of it will not agree with the model."
    ]


def test_a_model_that_answers_alike_is_not_warned_of(archives):
    """The same scoring from many threads."""
    with EmbeddedWML() as app:
        rest = Rest(app)
        deployment_id = rest.ready(archives["classifier"])
        with ThreadPoolExecutor(16) as pool:
            scoring = {"values": [[[[0.1], [0.2]], [[0.3], [0.4]]]]}
            list(pool.map(lambda _: rest.score(deployment_id, scoring), range(64)))
        assert not [warning for warning in app.warnings if "in two ways" in warning]


def test_a_model_of_a_newer_tensorflow_is_warned_of(archives):
    """The specification runs TensorFlow 2.14, and cannot be relied on to read what a newer one wrote."""
    tf = pytest.importorskip("tensorflow")
    with EmbeddedWML() as app:
        rest = Rest(app)
        rest.ready(archives["classifier"])
        rest.ready(archives["classifier"])
        assert app.warnings == [
            f"The model was written by TensorFlow {tf.__version__}, and runtime-24.1-py3.11 runs TensorFlow 2.14."
        ]


def test_a_type_that_nobody_was_seen_to_store_is_warned_of(own):
    """Each pair of type and specification once, when it is stored; one that was seen is not."""
    for model_type in ("scikit-learn_1.5", "scikit-learn_1.5", "scikit-learn_1.6"):
        assert own.create_model(type=model_type, software_spec={"name": "runtime-25.1-py3.12"}).status_code == 201
    assert own.app.warnings == [
        "It is not known whether IBM's service stores models of type 'scikit-learn_1.5' with runtime-25.1-py3.12; "
        "the embedded service accepted one."
    ]


@pytest.mark.parametrize(
    ("first", "second", "warned"),
    [
        (b'{"values": [0.1234567]}', b'{"values": [0.1234568]}', False),
        (b'{"values": [NaN]}', b'{"values": [NaN ]}', False),
        (b'{"values": [0.5]}', b'{"values": [0.6]}', True),
        (b'{"values": [1]}', b'{"values": [2]}', True),
        (b'{"values": [1]}', b'{"values": [1, 1]}', True),
        (b'{"values": []}', b'{"other": []}', True),
        (b'"' + b"x" * (64 << 10) + b'"', b'"y"', False),
    ],
)
def test_the_last_bits_of_a_float_may_differ(first, second, warned):
    """Threads add in any order; what is more than that is chance. Long answers are not remembered."""
    assert bool(scored_twice(first, second)) is warned


@pytest.mark.parametrize("other", [{"body": b"other"}, {"deployment_id": "e"}, {"digest": "1"}])
def test_other_scorings_may_be_answered_otherwise(other):
    """Other rows, another deployment, another model under the same deployment."""
    assert scored_twice(b"[1]", b"[2]", **other) == []


def test_scorings_are_not_remembered_for_ever():
    """The oldest is forgotten."""
    warnings = ServiceWarnings()
    for number in (*range(100), 0):
        warnings.check_repeat("d", "digits", "0", b"%d" % number, b"[%d]" % number)
    assert len(warnings._answers) == 64
    assert warnings.listed == []


def test_a_pickle_tells_what_wrote_it(tmp_path):
    """The version of scikit-learn is in it, where it is not that of the one that reads it."""
    pytest.importorskip("sklearn")
    import pickle

    import sklearn
    from sklearn.linear_model import LinearRegression

    from pytest_wml.emulator.runtimes.scikit_learn import load

    model = pickle.dumps(LinearRegression().fit([[0.0]], [1.0]))
    version = sklearn.__version__.encode()
    other = b"0" * len(version)
    for content, expected in ((model, version), (model.replace(version, other), other)):
        (tmp_path / "model.pkl").write_bytes(content)
        assert load(tmp_path, trusted=True).written_by == f"scikit-learn {expected.decode()}"


def payload(*values, **more):
    return {"input_data": [{"values": each, **more} for each in values]}


def answered(*values, **more):
    return {"predictions": [{"values": each, **more} for each in values]}


ROWS = [[1], [2], [3]]


@pytest.mark.parametrize(
    ("asked", "answer", "told"),
    [
        (payload(ROWS), answered([[7]]), "3 rows, 1 answer"),
        (payload(ROWS), answered([]), "3 rows, 0 answers"),
        (payload([[1]]), answered([1, 2]), "1 row, 2 answers"),
        (
            payload(ROWS, fields=["text"]),
            answered([["x", 0.5]], fields=["prediction", "probability"]),
            "3 rows, 1 answer",
        ),
        (payload(ROWS), answered(0.5), "3 rows, 1 answer"),
        (payload([]), answered([1]), "0 rows, 1 answer"),
        (payload(ROWS, [[1], [2]]), answered([1, 2], [1, 2, 3]), "3 rows, 2 answers"),
        (
            payload(ROWS),
            {"predictions": [{"id": "y", "values": [1, 2, 3]}, {"id": "z", "values": [1]}]},
            "1 answer in 'z'",
        ),
        (payload(ROWS), {"predictions": []}, "3 rows, 0 answers"),
    ],
)
def test_more_or_fewer_answers_than_rows_are_warned_of(asked, answer, told):
    """Both are counted, and the deployment and the output are named."""
    warning = row_warning("digits", asked, answer)
    assert warning.startswith("Deployment 'digits': ")
    assert told in warning


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (payload(ROWS), answered([1, 2, 3])),
        (payload(ROWS), answered([1, 2, 3], [[1], [2], [3]])),
        (payload([]), answered([])),
        (payload(5), answered(7)),
        (payload([5]), answered(7)),
        (payload(ROWS, [[1], [2]]), answered([1, 2, 3], [1, 2])),
        (payload(ROWS, [[1], [2]]), answered([1, 2, 3, 4, 5])),
        ({"input_data": [{"id": "a", "values": ROWS}, {"id": "b", "values": ROWS}]}, answered([1, 2, 3])),
        ({"input_data": [{"id": "a", "values": ROWS}, {"id": "b", "values": [[1]]}]}, answered([1, 2, 3])),
        (payload({"text": "a", "more": "b"}), answered([1, 2])),
        (payload("text"), answered([1])),
        (payload(ROWS), {"error": "none"}),
        (payload(ROWS), None),
        (payload(ROWS), [1]),
        (payload(ROWS), {"predictions": "many"}),
        (payload(ROWS), {"predictions": [1]}),
        (payload(ROWS), {"predictions": [{"classes": [1]}]}),
    ],
)
def test_as_many_answers_as_rows_are_not_warned_of(asked, answer):
    """Nor is what cannot be compared: a function may take and answer anything."""
    assert row_warning("digits", asked, answer) is None


def test_a_deployment_is_warned_of_once_for_its_rows():
    """However many rows are sent."""
    with EmbeddedWML(allow_pickle=True) as app:
        rest = Rest(app)
        source = "def score(payload):\n    return {'predictions': [{'values': ['all']}]}"
        deployment_id = deployed(rest, source, name="text")["metadata"]["id"]
        for count in (1, 3, 4):
            assert rest.score(deployment_id, {"values": [["x"]] * count}).status_code == 200
        assert [warning for warning in app.warnings if "rows" in warning] == [
            "Deployment 'text': 3 rows, 1 answer. A model that scores each row by itself has an answer for each."
        ]


def test_a_job_is_warned_of_for_its_rows():
    """As an online scoring is."""
    with EmbeddedWML(allow_pickle=True) as app:
        rest = Rest(app)
        source = "def score(payload):\n    return {'predictions': [{'values': ['all']}]}"
        deployment_id = deployed(rest, source, name="text", online=None, batch={})["metadata"]["id"]
        body = {"name": "job", "space_id": DEFAULT_SPACE_ID, "deployment": {"id": deployment_id}}
        job = rest.send("POST", "/ml/v4/deployment_jobs", {**body, "scoring": payload(ROWS)}).json["metadata"]["id"]
        for _ in range(2):
            rest.space("GET", f"/ml/v4/deployment_jobs/{job}")
        assert "3 rows, 1 answer" in str(app.warnings)

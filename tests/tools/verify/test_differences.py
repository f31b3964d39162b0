"""What is a difference between two answers, and how much it matters."""

from __future__ import annotations

import copy
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wml.replay.cassette.tape import ArchiveContent
from pytest_wml.tools.verify.differences import ComparedAnswer, ComparisonTerms, differences, same_number
from pytest_wml.tools.verify.rules import RULES, DifferenceKind, DifferenceLevel

MADE, OTHER, THIRD = (f"{digit * 8}-1111-4111-8111-111111111111" for digit in "123")
TERMS = ComparisonTerms(known=frozenset({MADE}))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def answer(body, status=200, kind="application/json"):
    plain = isinstance(body, (bytes, ArchiveContent))
    return ComparedAnswer(status, kind, body if plain else json.dumps(body).encode())


def found(recorded, now, terms=TERMS):
    return [(str(one.level), one.path) for one in differences(answer(recorded), answer(now), terms)]


@given(JSON)
def test_an_answer_agrees_with_itself(value):
    """Whatever it is, NaN included."""
    assert found(value, copy.deepcopy(value)) == []


@given(JSON, JSON)
def test_another_answer_is_a_difference(one, other):
    """Nothing but floats within the tolerance is passed over."""
    exact = ComparisonTerms(0.0, 0.0)
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    signed = "-0.0" in json.dumps([one, other])  # which is 0.0
    assert signed or (found(one, other, exact) == []) == same


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1), st.floats(0, 1))
def test_floats_agree_within_the_tolerance(value, rtol, atol):
    """Of the recorded number, as numpy.isclose has it; a larger tolerance never finds more."""
    near = value + atol / 2 + rtol / 2 * abs(value)
    if math.isfinite(near):
        assert same_number(value, near, ComparisonTerms(rtol * 1.001, atol * 1.001))
        assert same_number(value, near, ComparisonTerms(1, 1)) or not same_number(
            value, near, ComparisonTerms(rtol, atol)
        )


def deployment(state="ready", **entity):
    return {"entity": {"asset": {"id": MADE}, "status": {"state": state}, **entity}, "metadata": {"id": MADE}}


def refusal(*codes, words="one"):
    return {"errors": [{"code": code, "message": words} for code in codes]}


STRANGER = {"metadata": {"id": OTHER}}
SCORE, STATE, ASSET = "predictions.1.values.0", "entity.status.state", "entity.asset.id"
PREDICTED = {"predictions": [{"id": "classes", "values": [5, 4]}, {"id": "scores", "values": [[0.25, 0.75]]}]}


def predicted(classes=(5, 4), scores=((0.25, 0.75),), **more):
    return {"predictions": [{"id": "classes", "values": classes, **more}, {"id": "scores", "values": scores}]}


@pytest.mark.parametrize(
    ("recorded", "now", "expected"),
    [
        # what the model says
        (PREDICTED, predicted(classes=[5, 7]), [("error", "predictions.0.values.1")]),
        (PREDICTED, predicted(classes=[5]), [("error", "predictions.0.values")]),
        (PREDICTED, predicted(classes=[4, 4]), [("error", "predictions.0.values.0")]),
        (PREDICTED, predicted(classes=[5.0, 4]), [("warn", "predictions.0.values.0")]),
        (PREDICTED, predicted(classes=["5", 4]), [("error", "predictions.0.values.0")]),
        (PREDICTED, predicted(scores=[[0.2500001, 0.7499999]]), []),
        (PREDICTED, predicted(scores=[[0.26, 0.74]]), [("error", f"{SCORE}.0"), ("error", f"{SCORE}.1")]),
        (PREDICTED, predicted(scores=[[math.nan, 0.75]]), [("error", f"{SCORE}.0")]),
        (PREDICTED, predicted(fields=["x"]), [("info", "predictions.0.fields")]),
        (PREDICTED, {"predictions": PREDICTED["predictions"][::-1]}, [("error", "predictions")]),
        (PREDICTED, {"predictions": PREDICTED["predictions"][:1]}, [("error", "predictions.1")]),
        (PREDICTED, {"predictions": []}, [("error", "predictions.0"), ("error", "predictions.1")]),
        ({"predictions": [{"values": [{"state": "ready"}]}]}, {"predictions": [{"values": [{"state": "active"}]}]},
         [("error", "predictions.0.values.0.state")]),
        # members and types
        ({"entity": {"a": 1}}, {"entity": {}}, [("error", "entity.a")]),
        ({"entity": {}}, {"entity": {"a": 1}}, [("info", "entity.a")]),
        ({"a": "1"}, {"a": 1}, [("error", "a")]),
        ({"a": True}, {"a": 1}, [("error", "a")]),
        ({"a": None}, {"a": {}}, [("error", "a")]),
        ({"a": "x"}, {"a": "y"}, [("error", "a")]),
        ({"tags": ["a", "b"]}, {"tags": ["b", "a"]}, [("info", "tags")]),
        ({"tags": ["a", "b"]}, {"tags": ["b"]}, [("error", "tags"), ("error", "tags.0")]),
        # states
        (deployment(), deployment("failed"), [("error", STATE)]),
        (deployment(), deployment("initializing"), [("error", STATE)]),
        (deployment(), deployment("hibernating"), [("warn", STATE)]),
        (deployment("initializing"), deployment(), [("info", STATE)]),
        (deployment("initializing"), deployment("failed"), [("error", STATE)]),
        # ids, dates, hosts
        (deployment(), deployment(asset={"id": OTHER}), [("error", ASSET)]),
        ({"a": OTHER}, {"a": THIRD}, [("info", "a")]),
        ({"created_at": "2000"}, {"created_at": "2026"}, [("info", "created_at")]),
        ({"trace": "0"}, {"trace": "1"}, [("info", "trace")]),
        ({"url": "https://a.example/x?y=1"}, {"url": "https://b.example/x?y=1"}, [("info", "url")]),
        ({"url": "https://a.example/x?y=1"}, {"url": "https://a.example/z?y=1"}, [("error", "url")]),
        # words
        (refusal("a"), refusal("a", words="two"), [("warn", "errors.0.message")]),
        (refusal("a"), refusal("b"), [("error", "errors.0.code")]),
        (refusal("a"), refusal("a", "b"), [("warn", "errors")]),
        (refusal("a", "b"), refusal("a"), [("error", "errors")]),
        # lists that hold strangers' things
        ({"resources": [], "total_count": 0}, {"resources": [deployment()], "total_count": 1},
         [("info", "resources.0"), ("info", "total_count")]),
        ({"resources": [deployment()]}, {"resources": []}, [("error", "resources.0")]),
        ({"resources": [STRANGER]}, {"resources": []}, [("info", "resources.0")]),
        ({"resources": [deployment()]}, {"resources": [STRANGER, deployment()]}, [("info", "resources.0")]),
        ({"resources": [deployment()]}, {"resources": [deployment(asset={})]}, [("error", f"resources.0.{ASSET}")]),
        # the account's own
        ({"entity": {"plan": {"id": "a"}}}, {"entity": {"plan": {"id": "b"}}}, [("info", "entity.plan.id")]),
        ({"entity": {"plan": {"id": "a"}}}, {"entity": {}}, [("error", "entity.plan")]),
    ],
)  # fmt: skip
def test_levels(recorded, now, expected):
    """How much each kind of difference matters, and where it is."""
    assert found(recorded, now) == expected


def test_what_only_ibm_cloud_has():
    """Members that a Cloud Pak for Data never had are not missed there, and in IBM Cloud they are."""
    model = {"metadata": {"resource_key": "a", "id": MADE}}
    bare = {"metadata": {"id": MADE}}
    assert found(model, bare) == [("error", "metadata.resource_key")]
    assert found(model, bare, TERMS._replace(other_kind=True)) == [("info", "metadata.resource_key")]
    assert found({"a": 1}, {}, TERMS._replace(other_kind=True)) == [("error", "a")]


def test_status_and_content_type():
    """Another class of status is all that is told; another status of one class is told with the rest."""
    refusal = {"errors": [{"code": "gone", "message": "It is gone."}]}
    (one,) = differences(answer({"a": 1}), answer(refusal, 404), TERMS)
    assert (one.level, one.path, one.recorded, one.now) == (
        DifferenceLevel.ERROR,
        "status",
        "200",
        "404 gone It is gone.",
    )
    found = list(differences(answer({"a": 1}, 200), answer({"a": 2}, 202, "text/plain"), TERMS))
    assert [(one.level, one.kind) for one in found] == [
        (DifferenceLevel.ERROR, DifferenceKind.STATUS),
        (DifferenceLevel.WARN, DifferenceKind.CONTENT_TYPE),
        (DifferenceLevel.ERROR, DifferenceKind.NUMBER),
    ]
    assert list(differences(answer(b"", 204, "text/plain"), answer(b"", 204, ""), TERMS)) == []


def test_bodies_that_are_no_json():
    """Text by its words, an archive by what the model computes."""
    assert found({"a": 1}, b"<html>") == [("error", "body")]
    assert found(b"one", b"two") == [("error", "body")]
    first = ArchiveContent("a" * 64, "b" * 64, "model", 9)
    other = ArchiveContent("c" * 64, "d" * 64, "model", 9)
    assert found(first, first) == []
    assert found(first, other) == [("error", "model")]
    assert found(first, {"a": 1}) == [("error", "body")]


def test_every_line_of_the_table_is_reached():
    """The last one fits whatever the others leave: no difference is without a level."""
    assert RULES[-1].level is DifferenceLevel.ERROR
    assert not RULES[-1].kinds
    assert RULES[-1].when is None

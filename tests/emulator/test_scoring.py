"""What is scored, and what is refused because it does not fit the model."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_wml.emulator.app import EmbeddedWML
from tests.emulator.rest import Rest, error_of, tarred

IMAGE = [[[0.0], [3.0]], [[0.0], [0.0]]]


def predictions(answer):
    assert answer.status_code == 200, answer.text
    return answer.json["predictions"]


def refusal(answer):
    assert answer.status_code == 400, answer.text
    error = error_of(answer)
    assert error["code"] == "invalid_input_data"
    return error["message"]


def test_numbers_come_back_as_tensorflow_has_them(rest, deployments, archives, tmp_path):
    """A float32 is written as the double that it is, to the last digit."""
    import tarfile

    import tensorflow as tf

    with tarfile.open(archives["classifier"]) as tar:
        tar.extractall(tmp_path, filter="data")
    loaded = tf.saved_model.load(str(tmp_path))
    expected = loaded.signatures["serving_default"](images=tf.constant([IMAGE]))["probabilities"]
    scored = predictions(rest.score(deployments["classifier"], {"values": [IMAGE]}))
    assert scored[1]["values"] == expected.numpy().tolist()


def test_outputs_are_sorted_by_key(rest, deployments):
    """One element for each output, its key as `id`."""
    scored = predictions(rest.score(deployments["classifier"], {"values": [IMAGE, IMAGE]}))
    assert [one["id"] for one in scored] == ["classes", "probabilities"]
    assert scored[0]["values"] == [1, 1]


def test_a_single_input_may_be_named(rest, deployments):
    """`id` is the input's key; `fields` is not read."""
    named = {"id": "images", "fields": ["pixels"], "values": [IMAGE]}
    assert predictions(rest.score(deployments["classifier"], named))[0]["values"] == [1]


def test_other_members_of_the_body_are_not_read(rest, deployments):
    """IBM's curl examples send the space along."""
    body = {"space_id": "any", "scoring_parameters": {}, "input_data": [{"values": [IMAGE]}]}
    path = f"/ml/v4/deployments/{deployments['classifier']}/predictions"
    assert rest.send("POST", path, body).status_code == 200


def test_several_inputs_are_told_apart_by_id(rest, deployments):
    """Elements may come in any order."""
    scored = rest.score(
        deployments["two_inputs"], {"id": "right", "values": [10]}, {"id": "left", "values": [[1, 2.5]]}
    )
    assert predictions(scored) == [{"id": "total", "values": [13.5]}]


def test_strings_are_scored(rest, deployments):
    """Text goes in and comes out as text."""
    scored = predictions(rest.score(deployments["words"], {"values": ["tea", "été"]}))
    assert scored == [{"id": "shouted", "values": ["TEA", "ÉTÉ"]}]


def test_flags_are_scored(rest, deployments):
    """Booleans are JSON's."""
    assert predictions(rest.score(deployments["flags"], {"values": [True, False]}))[0]["values"] == [False, True]


def test_a_signature_of_another_name_is_served_when_it_is_the_only_one(rest, deployments):
    """IBM's TensorFlow 1 sample has `predict_images` and no `serving_default`."""
    pixels = [0.0] * 784
    pixels[7] = 1.0
    assert predictions(rest.score(deployments["predict_images"], {"values": [pixels]})) == [
        {"id": "classes", "values": [7]}
    ]


def test_a_keras_export_is_served_by_its_default(rest, deployments):
    """Keras 3 writes `serve` and `serving_default`; its names are those of the answer."""
    (scored,) = predictions(rest.score(deployments["exported"], {"id": "pixels", "values": [[0, 0]]}))
    assert scored == {"id": "output_0", "values": [[0.5, 0.5]]}


def test_a_graph_that_breaks_is_a_500(rest, archives):
    """With TensorFlow's reason; it is the model that broke, not the service."""
    answer = rest.score(rest.ready(archives["reads_a_file"]), {"values": ["/nowhere/at all"]})
    assert answer.status_code == 500
    assert error_of(answer)["code"] == "scoring_failed"
    assert "No such file or directory" in error_of(answer)["message"]
    assert rest.app.crashes == []


def test_a_fixed_number_of_rows_is_kept_to(rest, deployments):
    """No fewer, no more."""
    assert predictions(rest.score(deployments["fixed_rows"], {"values": [[1, 2], [3, 4]]}))[0]["values"] == [3, 7]
    message = refusal(rest.score(deployments["fixed_rows"], {"values": [[1, 2]]}))
    assert "takes float32 of shape [2, 2]; got shape [1, 2]" in message
    assert "got shape [0]" in refusal(rest.score(deployments["fixed_rows"], {"values": []}))


def test_a_batch_of_zero_is_scored(rest, deployments):
    """No rows in, no rows out."""
    scored = predictions(rest.score(deployments["classifier"], {"values": []}))
    assert [one["values"] for one in scored] == [[], []]


def test_nan_of_a_float_is_scored(rest, deployments):
    """NaN goes in as both clients write it, bare or as null, and comes out bare."""
    path = f"/ml/v4/deployments/{deployments['not_a_number']}/predictions"
    for written in (b"NaN", b"null"):
        body = b'{"input_data": [{"values": [4.0, %s]}]}' % written
        values = json.loads(rest.send("POST", path, body).text)["predictions"][0]["values"]
        assert values[0] == 2.0
        assert math.isnan(values[1])


@pytest.mark.parametrize("reader", ["orjson", "json"])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"input_data": [{"values": [4.0]}]}', 200),
        (b'{"input_data": [{"values": [NaN]}]}', 200),
        (b'{"input_data": [{"values": [18446744073709551617]}]}', 200),
        (b'{"input_data": [{"values": [1e400]}]}', 200),
        (b'{"input_data": [{"values": ["\\ud800"]}]}', 400),
        (b'{"input_data": [{"values": [4.0]}]', 400),
        (b"[" * 5000, 400),
    ],
)
def test_either_reader_of_json_reads_alike(rest, deployments, monkeypatch, reader, body, status):
    """orjson is faster where it is installed, and changes no answer."""
    if reader == "orjson":
        pytest.importorskip("orjson")
    else:
        monkeypatch.setattr("pytest_wml.emulator.exchange._orjson", None)
    answer = rest.send("POST", f"/ml/v4/deployments/{deployments['not_a_number']}/predictions", body)
    assert answer.status_code == status, answer.text


def test_whole_numbers_are_floats_too(rest, deployments):
    """JSON of a float array often has no fractions."""
    assert predictions(rest.score(deployments["not_a_number"], {"values": [4, 9]}))[0]["values"] == [2, 3]


@pytest.mark.parametrize(
    ("model", "values", "message"),
    [
        ("classifier", [[1, 2, 3, 4]], "takes float32 of shape [?, 2, 2, 1]; got shape [1, 4]"),
        ("classifier", [[[[1]], [[2]]]], "got shape [1, 2, 1, 1]"),
        ("classifier", IMAGE, "got shape [2, 2, 1]"),
        ("classifier", 1.5, "got shape []"),
        ("classifier", "text", "got string values of shape []"),
        ("classifier", {"b64": "AAAA"}, "got object values of shape []"),
        ("classifier", [[[["1.5"], [0]], [[0], [0]]]], "got integer and string values"),
        ("classifier", [[[[True], [0.5]], [[0.5], [0.5]]]], "got boolean and float values"),
        ("classifier", [[[[1], [2]], [[3]]]], "ragged rows: lists of lengths 1, 2 at depth 3"),
        ("classifier", [[[[1], 2], [[3], [4]]]], "ragged rows: lists and single values side by side"),
        ("classifier", [[[[10**400], [0]], [[0], [0]]]], "out of its range"),
        ("classifier", [[[[1e39], [0]], [[0], [0]]]], "out of its range"),
        ("lookup", [0.0], "takes int64 of shape [?]; got float values of shape [1]"),
        ("lookup", [True], "got boolean values"),
        ("lookup", [None], "got null values"),
        ("lookup", [math.nan], "got float (among them NaN) values"),
        ("lookup", [2**63], "got a number outside -9223372036854775808 to 9223372036854775807"),
        ("lookup", [3], "The model refuses the input: assertion failed: [only 0, 1 and 2 are here]"),
        ("words", [1], "takes string of shape [?]; got integer values"),
        ("words", ["\ud800"], "half of a surrogate pair"),
        ("words", [["a"], ["b"]], "got shape [2, 1]"),
        ("flags", [1, 0], "takes bool of shape [?]; got integer values"),
    ],
)
def test_values_that_do_not_fit_are_refused(rest, deployments, model, values, message):
    """The message names what the input takes and what came; nothing is converted or reshaped."""
    assert message in refusal(rest.score(deployments[model], {"values": values}))


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ([], "a list that is not empty"),
        ([{"id": "left"}], "'input_data[0]' has no 'values'"),
        ([{"values": []}, 7], "'input_data[1]' must be an object"),
        ([{"values": [[1, 2]]}], "each element of input_data needs an 'id': left, right"),
        ([{"id": "left", "values": [[1, 2]]}], "Values are missing for: right"),
        ([{"id": "middle", "values": [1]}], "no input 'middle'; it has: left, right"),
        ([{"id": ["left"], "values": [1]}], "The 'id' of an element must be a string, one of: left, right"),
        ([{"id": "left", "values": [[1, 2]]}] * 2, "Input 'left' is given more than once"),
        (
            [{"id": "left", "values": [[1, 2]] * 2}, {"id": "right", "values": [1, 2, 3]}],
            "The model refuses the input",
        ),
    ],
)
def test_elements_that_do_not_fit_are_refused(rest, deployments, elements, message):
    """Elements are matched to inputs one to one."""
    assert message in refusal(rest.score(deployments["two_inputs"], *elements))


def test_an_unknown_id_of_a_single_input_is_refused(rest, deployments):
    """A name that is not the input's is more likely a mistake than a decoration."""
    assert "no input 'pixels'" in refusal(rest.score(deployments["classifier"], {"id": "pixels", "values": []}))


@pytest.mark.parametrize("body", [[], {}, "text", None, {"input_data": {}}, {"values": [1]}])
def test_a_body_without_input_data_is_refused(rest, deployments, body):
    """Whatever JSON it is."""
    path = f"/ml/v4/deployments/{deployments['classifier']}/predictions"
    refusal(rest.send("POST", path, json.dumps(body).encode()))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 5000, b"[" * 900 + b"]" * 900])
def test_a_body_that_is_no_json_is_refused(rest, deployments, body):
    """400 in the service's JSON, also for what would exhaust a parser."""
    answer = rest.send("POST", f"/ml/v4/deployments/{deployments['classifier']}/predictions", body)
    assert answer.status_code == 400
    error_of(answer)


def test_an_unknown_deployment_is_not_found(rest):
    """404 with the recorded code."""
    answer = rest.score("5ace0000-0000-4000-8000-00000000dead", {"values": []})
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "deployment_does_not_exist"


def failure_of(rest: Rest, archive) -> str:
    status = rest.deployment(rest.deploy(archive))["entity"]["status"]
    assert status["state"] == "failed"
    assert status["failure"]["trace"]
    return status["failure"]["errors"][0]["message"]


def test_an_archive_without_a_model_fails(rest):
    """The reason names what was looked for and what was found."""
    message = failure_of(rest, tarred(scikit_model__pkl=b"pickle"))
    assert "SavedModel file does not exist at: {saved_model.pbtxt|saved_model.pb}" in message
    assert "scikit_model.pkl" in message


def test_a_corrupted_archive_fails(rest, archives):
    """What cannot be unpacked cannot be loaded."""
    whole = archives["classifier"].read_bytes()
    assert "no readable archive" in failure_of(rest, whole[: len(whole) // 2])


def test_what_is_no_archive_fails(rest):
    """Any upload is stored; the deployment tells."""
    assert "no readable archive" in failure_of(rest, b"not an archive at all")


def test_a_member_that_must_not_be_unpacked_fails(rest):
    """The reason names it, and what is wrong with it."""
    message = failure_of(rest, tarred(**{"/../evil": b"x"}))
    assert "must not be unpacked. member: /../evil; reason: its path leads out of the archive" in message


def test_the_files_of_a_failed_model_do_not_stay(own):
    """What was unpacked is removed, although the service goes on."""
    failure_of(own, tarred(readme__txt=b"no model"))
    assert list(own.app._service.scorers._folder.glob("model-*")) == []


def test_what_json_cannot_carry_fails(rest, tmp_path):
    """An output that is ragged, a signature that takes nothing: told when the model is loaded."""
    import tensorflow as tf

    from tests.emulator.tiny_models import saved

    text = tf.TensorSpec([None], tf.string, name="text")
    ragged = saved(tmp_path / "ragged", lambda text: {"words": tf.strings.split(text)}, text)
    assert "Output 'words' is sparse or ragged" in failure_of(rest, ragged)
    constant = saved(tmp_path / "constant", lambda: {"y": tf.constant([1.0])})
    assert "The served signature has no inputs" in failure_of(rest, constant)


def test_an_error_that_nobody_expected_is_told(rest, archives, monkeypatch):
    """While a model of this process is loaded, and while it scores: the service itself did not crash."""
    from pytest_wml.emulator.runtimes import tensorflow

    def broken(*arguments: object, **more: object) -> None:
        raise MemoryError("none left")

    lookup = archives["lookup"].read_bytes()
    with EmbeddedWML() as app:
        scored = Rest(app)
        deployment_id = scored.ready(lookup)
        monkeypatch.setattr(tensorflow.ServedSavedModel, "score", broken)
        answer = scored.score(deployment_id, {"values": [1]})
        assert (answer.status_code, error_of(answer)["code"]) == (500, "scoring_failed")
        assert error_of(answer)["message"] == "The model broke while it scored. MemoryError: none left"
    with EmbeddedWML() as app:
        monkeypatch.setattr(tensorflow, "load", broken)
        assert failure_of(Rest(app), lookup) == "The model broke while it was loaded. MemoryError: none left"
        assert app.crashes == []


def test_a_corrupted_model_fails(rest):
    """TensorFlow's own reason, without the paths of this machine."""
    message = failure_of(rest, tarred(saved_model__pb=b"\x08\x96\x01junk"))
    assert message.startswith("TensorFlow cannot load the model. OSError: Cannot parse file")
    assert "/tmp" not in message


def test_a_choice_of_signatures_fails(rest, archives):
    """Several signatures without a default cannot be served."""
    assert "several signatures" in failure_of(rest, archives["undecided"])


def test_a_model_without_a_batch_axis_fails(rest, archives):
    """It takes a single value, and a request has rows."""
    message = failure_of(rest, archives["single_value"])
    assert "Input 'x' has no batch axis" in message


def test_a_model_without_content_fails(rest):
    """Deploying before uploading."""
    created = rest.create_deployment(rest.create_model().json["metadata"]["id"])
    status = rest.deployment(created.json["metadata"]["id"])["entity"]["status"]
    assert status["failure"]["errors"][0]["message"] == "The model has no content."


def test_a_failed_deployment_does_not_score(rest):
    """409: it exists, and is not ready."""
    answer = rest.score(rest.deploy(b"junk"), {"values": [1]})
    assert answer.status_code == 409
    assert error_of(answer)["code"] == "deployment_is_not_ready"


def test_scoring_waits_for_the_model(rest, archives):
    """Who scores before anybody asked for the state is answered all the same."""
    created = rest.create_deployment(rest.store(archives["lookup"]))
    assert created.json["entity"]["status"]["state"] == "initializing"
    scored = rest.score(created.json["metadata"]["id"], {"values": [2]})
    assert predictions(scored) == [{"id": "value", "values": [12.0]}]


def test_many_threads_score_at_once(rest, deployments):
    """Each gets the answer to what it asked."""

    def score(index: int) -> float:
        scored = rest.score(deployments["lookup"], {"values": [index % 3] * (index + 1)})
        return predictions(scored)[0]["values"]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(score, range(200)))
    assert answers == [[10.0 + index % 3] * (index + 1) for index in range(200)]


def test_many_threads_load_one_model_once(own, archives):
    """The first to ask loads, the others wait for it."""
    created = own.create_deployment(own.store(archives["classifier"]))
    deployment_id = created.json["metadata"]["id"]
    with ThreadPoolExecutor(16) as pool:
        states = list(pool.map(lambda _: own.deployment(deployment_id)["entity"]["status"]["state"], range(16)))
    assert states == ["ready"] * 16

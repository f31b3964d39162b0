"""Each check on a model that keeps the promise, and on one that really breaks it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from pytest_wml import contract
from pytest_wml.client.deployment import deployed
from pytest_wml.client.existing import unknown_archive
from pytest_wml.contract import BadContract, ContractBroken, Refused, Scoring
from pytest_wml.contract.files.document import read
from pytest_wml.contract.files.promises import promises
from pytest_wml.model.archive import read_archive
from tests.emulator.rest import tarred

ONE_EACH = np.eye(4, dtype=np.float32)
MANY = np.tile(ONE_EACH, (8, 1))
"""So many that chance does not make two answers of dropout alike."""


def test_every_digit_gets_its_class(sample, digits):
    """The sample network keeps its promises: no finding of any check."""
    few, labels = digits.images[::25], digits.labels[::25]
    assert contract.check_classes(sample, few, labels).holds
    assert contract.check_probabilities(sample, few).holds
    assert contract.check_parity(sample, few).holds
    assert contract.check_batch_consistency(sample, few).holds
    assert contract.check_repeatability(sample, few).holds
    assert contract.check_invariance(sample, few).holds
    assert contract.check_errors(sample).findings == ()
    assert contract.check_rest(sample, few).holds
    assert contract.check_signature(
        sample,
        inputs={"image": ("float32", [None, 784])},
        outputs={"classes": ("int64", [None]), "probabilities": (np.float32, [None, 10])},
    ).holds


def test_all_wrong_classes_are_found(models):
    """Two labels were exchanged: both rows are found, with their likeliest classes."""
    result = contract.check_classes(models("swapped"), ONE_EACH, ["0", "1", 2, 3.0])
    assert [finding.row for finding in result.findings] == [2, 3]
    assert result.findings[0].message.startswith("row 2: expected 2, got 3 (3: 0.9")
    assert result.findings[0].facts["top"][0][0] == 3
    np.testing.assert_array_equal(result.images[2], ONE_EACH[2])


def test_a_converted_classifier_is_checked_by_its_own_labels(client, tmp_path):
    """Labels 3 and 7, and probabilities as maps: columns are named by their labels, in findings too."""
    pytest.importorskip("onnxruntime")
    skl2onnx = pytest.importorskip("skl2onnx")
    linear_model = pytest.importorskip("sklearn.linear_model")
    model = linear_model.LogisticRegression().fit([[0.0], [1.0]], [3, 7])
    given = [("x", skl2onnx.common.data_types.FloatTensorType([None, 1]))]
    path = tmp_path / "model.tar.gz"
    converted = skl2onnx.to_onnx(model, initial_types=given, target_opset=13)
    path.write_bytes(tarred(model__onnx=converted.SerializeToString()))
    kind = {"model_type": "onnxruntime_1.16", "spec": "onnxruntime_opset_19"}
    rows = np.array([[9.0], [-9.0], [5.0]], dtype=np.float32)
    with deployed(client, read_archive(path), name="labels", mode="embedded", **kind) as deployment:
        assert contract.check_classes(deployment, rows, [7, 3, 7], how=Scoring(batch_size=1)).holds
        assert contract.check_probabilities(deployment, rows).holds
        assert contract.check_batch_consistency(deployment, rows).holds
        (finding,) = contract.check_classes(deployment, rows, [7, 3, 3]).findings
    assert finding.message.startswith("row 2: expected 3, got 7 (7: 0.881, 3: 0.119)")


def test_logits_are_no_probabilities(models):
    """Sums, bounds and NaN are separate findings of each row."""
    images = np.array([[1, 0, 0, 0], [0.25, 0, 0, 0], [-1, 1, 0, 0]], dtype=np.float32)
    found = [finding.message for finding in contract.check_probabilities(models("unnormalised"), images).findings]
    assert found == ["row 0: outside 0 to 1 for class 0: 2", "row 0: the sum is 2", *found[2:]]
    assert "row 2: not a finite number for class 0" in found


def test_dropout_is_not_repeatable(models):
    """A model that was exported as in training answers otherwise each time."""
    result = contract.check_repeatability(models("dropout"), MANY, n=4)
    assert result.findings
    assert "in answer 2, in answer 1" in result.findings[0].message
    assert result.measured["largest error"] > 0.01


def test_batch_statistics_are_found(models):
    """A model that normalises by the batch answers a row alone otherwise; in another order it is the same."""
    result = contract.check_batch_consistency(models("batch_statistics"), ONE_EACH)
    assert {finding.row for finding in result.findings} == {0, 1, 2, 3}
    assert all(" alone " in finding.message for finding in result.findings)
    assert result.measured["largest error in another order"] < 1e-6


def test_parity_shows_the_worst_row_first(models):
    """Dropout makes served and local answer differ: the row that is farthest off comes first."""
    findings = contract.check_parity(models("dropout"), MANY).findings
    errors = [finding.facts["error"] for finding in findings if np.isfinite(finding.facts["error"])]
    assert errors == sorted(errors, reverse=True)
    assert "in the local model" in findings[0].message


def test_a_shift_that_changes_the_class_is_found(models):
    """On four pixels a shift moves the brightest one away: each flip names its transform."""
    moved = contract.image_transforms(shape=(2, 2))
    result = contract.check_invariance(models("good"), ONE_EACH, moved)
    assert {finding.facts["transform"] for finding in result.findings} == {
        f"shift {direction}" for direction in ("up", "down", "left", "right")
    }
    assert contract.check_invariance(models("good"), ONE_EACH, moved, at_least=result.measured["least share"]).holds


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("{image: [2, 2]}", "row 0: shift up changes the class from 3 to 1"),
        ("{image: [2, 2], transforms: [darker]}", ""),
        ("{transforms: [noise]}", ""),
        ("{transforms: [shift up]}", "not images that can be shifted"),
        ("yes", "The built-in transforms are for images"),
    ],
)
def test_a_contract_file_gives_the_size_of_flat_images(models, said, found):
    """Flat rows are shifted as images of that size only."""
    text = f"model: good.tar.gz\nexamples: [input: [0, 0, 0, 1]]\ninvariance: {said}\n"
    (promise,) = promises(read(Path("/good.wml.yaml"), text.encode()))
    told = pytest.raises((ContractBroken, BadContract), match=found) if found else contextlib.nullcontext()
    with told:
        promise.check(contract.Contract(models("good")))


def test_a_brighter_pixel_raises_its_class(models):
    """A direction holds for the class that was made likelier, and is broken for another."""

    def brighter_first(images):
        images[:, 0] += 0.5
        return images

    assert contract.check_directional(models("good"), ONE_EACH, brighter_first, label=0, change="raises").holds
    assert contract.check_directional(models("good"), ONE_EACH, brighter_first, label=1, change="lowers").holds
    broken = contract.check_directional(models("good"), ONE_EACH, brighter_first, label=1, change="raises")
    assert len(broken.findings) == 4


def test_every_difference_of_the_signature_is_found(models):
    """Names, types and shapes of both sides, and the order of the answer's outputs."""
    messages = [
        finding.message
        for finding in contract.check_signature(
            models("good"),
            inputs=[("image", "float64", [None, 4]), ("mask", "bool", [None])],
            outputs={"probabilities": ("float32", [None, 3]), "classes": ("int64", [None])},
        ).findings
    ]
    assert messages == [
        "input 'image' is float32 instead of float64",
        "input 'mask' is promised, but the model does not have it",
        "output 'probabilities' has shape [None, 4] instead of [None, 3]",
        "output 'probabilities' is answered as [2, 4] for 2 rows of [None, 3]",
        "outputs are answered in the order classes, probabilities instead of probabilities, classes",
    ]


def test_a_refusal_with_another_status_or_code_is_found(models):
    """Cases can be added and left out; what is answered instead is told."""
    result = contract.check_errors(
        models("good"),
        {
            "no token": None,
            "bad token": Refused({}, 403, authorization="Bearer x"),
            "wrong shape": Refused({"input_data": []}, 400, "my_code"),
        },
    )
    assert [finding.message for finding in result.findings] == [
        "wrong shape: code invalid_input_data instead of my_code",
        "bad token: status 401 (authentication_token_not_valid) instead of 403",
    ]
    assert "no token" not in result.measured["answered"]


def test_a_bare_nan_is_no_json(models):
    """A program in another language cannot read an answer in which a number is none."""
    result = contract.check_rest(models("unnormalised"), -ONE_EACH)
    assert result.findings[0].message.startswith("the body is not standard JSON")


def test_latency_is_measured_at_each_concurrency(models):
    """Percentiles at each level, and a budget that nothing can keep is broken at each."""
    result = contract.check_latency(
        models("good"), ONE_EACH, requests=4, concurrency=[1, 2], budget={"p50": 1e-9}, max_growth=1000
    )
    levels = result.measured["levels"]
    assert [(level["concurrency"], len(level["seconds"])) for level in levels] == [(1, 4), (2, 4)]
    assert all(0 < level["p50"] <= level["p95"] <= level["p99"] for level in levels)
    assert [finding.facts["concurrency"] for finding in result.findings] == [1, 2]


def test_accuracy_has_a_floor_and_an_interval(models):
    """Half of the classes are exchanged: below a floor of 0.6, and the interval says how little four rows tell."""
    assert contract.check_accuracy(models("swapped"), ONE_EACH, range(4), floor=0.5).holds
    result = contract.check_accuracy(models("swapped"), ONE_EACH, range(4), floor=0.6)
    assert result.findings[0].message == "accuracy 0.5000 is below 0.6; 95 % interval 0.1500 to 0.8500"
    assert [finding.row for finding in result.findings[1:]] == [2, 3]
    assert result.measured["confusion"] == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    assert result.notes == ("the floor 0.6 lies within the interval: 4 rows are too few to be sure",)


def test_drift_counts_flips_by_class(models, tmp_path):
    """A reference of the good model, compared with the one whose labels were exchanged."""
    reference = tmp_path / "deep" / "tiny.reference.json"
    told = []

    def keep(path, text, new):
        told.append(new)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    assert contract.check_drift(models("swapped"), ONE_EACH, reference, record=keep).holds
    assert contract.check_drift(models("good"), ONE_EACH, reference, record=keep).holds
    assert told[0] == "there was none"
    assert re.fullmatch(r"2 of 4 rows have another class than on \d{4}-\d\d-\d\d", told[1])
    assert contract.check_drift(models("good"), ONE_EACH.astype(np.float64), reference).holds
    result = contract.check_drift(models("swapped"), ONE_EACH, reference)
    assert result.measured["flips by class"] == {"2 → 3": 1, "3 → 2": 1}
    assert contract.check_drift(models("swapped"), ONE_EACH, reference, at_most=0.5).holds
    with pytest.raises(BadContract, match="recorded with other images"):
        contract.check_drift(models("good"), ONE_EACH[:3], reference)
    reference.write_text(json.dumps({"format": 1}))
    with pytest.raises(BadContract, match="not a reference that this release can read"):
        contract.check_drift(models("good"), ONE_EACH, reference)


@pytest.mark.parametrize("model", ["sigmoid", "one_probability"])
def test_one_sigmoid_needs_a_threshold(models, model):
    """Without one the error says so; with one there are two classes and two probabilities."""
    with pytest.raises(BadContract, match=r"contains no classes, which the check classes needs[\s\S]*threshold=0.5"):
        contract.check_classes(models(model), ONE_EACH, [0, 0, 0, 0])
    how = Scoring(threshold=0.5)
    images = np.concatenate([ONE_EACH, np.ones_like(ONE_EACH)])
    assert contract.check_classes(models(model), images, [0] * 4 + [1] * 4, how=how).holds
    assert contract.check_probabilities(models(model), images, how=how).holds


@pytest.mark.parametrize("check", ["classes", "accuracy", "probabilities", "drift", "invariance"])
def test_a_regressor_has_no_classes(models, check, tmp_path):
    """A check that needs classes or probabilities says which, and which checks take any model."""
    rest = {
        "classes": ([1] * 4,),
        "accuracy": ([1] * 4,),
        "probabilities": (),
        "drift": (tmp_path / "x",),
        "invariance": ({"same": np.copy},),
    }[check]
    options = {"floor": 0.5} if check == "accuracy" else {"record": True} if check == "drift" else {}
    with pytest.raises(BadContract, match=rf"which the check {check} needs[\s\S]*parity"):
        getattr(contract, f"check_{check}")(models("regressor"), ONE_EACH * 0.3, *rest, **options)


def test_several_inputs_and_text(models):
    """A mapping of inputs, and a model of text, take the checks that need no classes."""
    pairs = {"left": np.arange(6, dtype=np.float32).reshape(3, 2), "right": np.array([1, 2, 3])}
    for inputs, model in ((pairs, models("two_inputs")), (["five", "four"], models("words"))):
        assert contract.check_parity(model, inputs).holds
        assert contract.check_batch_consistency(model, inputs).holds
        assert contract.check_repeatability(model, inputs).holds
        assert contract.check_rest(model, inputs).holds
        assert contract.check_signature(model).holds
        assert contract.check_errors(model).findings == ()


def test_a_large_set_is_scored_in_parts(sample, digits):
    """Rows are sent in requests of limited size, and progress is told."""
    told: list[str] = []
    result = contract.check_accuracy(
        sample, digits.images, digits.labels, floor=0.99, how=Scoring(batch_size=40, progress=told.append)
    )
    assert result.measured["accuracy"] == 1.0
    assert told == [f"sample: scored {number} of 100 rows" for number in (40, 80, 100)]


def test_a_broken_contract_raises_with_its_result(models):
    """`require` and the methods of `Contract` raise; the result goes with the error, and is kept for a report."""
    kept: list[contract.Result] = []
    promises = contract.Contract(models("swapped"), keep=kept.append)
    with pytest.raises(ContractBroken) as caught:
        promises.classes(ONE_EACH, range(4))
    assert caught.value.result is kept[0]
    assert isinstance(caught.value, AssertionError)
    assert promises.accuracy(ONE_EACH, range(4), floor=0.1) is kept[1]


def test_parity_with_another_model_names_the_number(models):
    """Two labels are exchanged in the local model: row and place are told, with both values."""
    served = dataclasses.replace(models("good"), archive=models("swapped").archive)
    messages = [finding.message for finding in contract.check_parity(served, ONE_EACH[2:3]).findings]
    assert messages[0] == "row 0: classes is 2, in the local model 3"
    assert messages[1].startswith("row 0: probabilities[2] is 0.947915, in the local model 0.01736")


def test_rows_of_a_fixed_batch_cannot_be_sent_alone(models):
    """A model of exactly two rows is no model of batches, and the error says how to export one."""
    with pytest.raises(BadContract, match=r"exactly 2 rows[\s\S]*any length"):
        contract.check_batch_consistency(models("fixed_rows"), np.ones((2, 2)))


NOBODY = "00000000-0000-4000-8000-000000000000"


def test_requests_that_fail_are_counted(models):
    """A load under which requests fail is no error of the test: how many, and what the first failed with."""
    gone = dataclasses.replace(models("good"), id=NOBODY)
    (finding,) = contract.check_latency(gone, ONE_EACH, requests=3, concurrency=2).findings
    failed = "at concurrency 2 3 of 3 requests failed: ApiRequestFailure: Failure during scoring. Status code: 404"
    assert finding.message.startswith(failed)


def test_a_scoring_url_that_answers_otherwise_is_found(models):
    """Status and code of what came instead of an answer, or the number that differs."""
    good, other = models("good"), models("swapped")
    lost = dataclasses.replace(good, scoring_url=good.scoring_url.replace(good.id, NOBODY))
    assert [finding.message for finding in contract.check_rest(lost, ONE_EACH).findings] == [
        "status 404 instead of 200: deployment_does_not_exist"
    ]
    crossed = dataclasses.replace(good, scoring_url=other.scoring_url)
    rows = {finding.row for finding in contract.check_rest(crossed, ONE_EACH).findings}
    assert rows == {2, 3}


def test_a_deployment_of_an_unknown_model(models):
    """One that existed before: what needs the model says so, everything else is checked."""
    stranger = dataclasses.replace(models("good"), archive=unknown_archive())
    with pytest.raises(BadContract, match=r"not available here[\s\S]*wml_model"):
        contract.check_parity(stranger, ONE_EACH)
    with pytest.raises(BadContract, match="the archive's signature is unknown"):
        contract.check_signature(stranger)
    promised = {"classes": ("int64", [None]), "probabilities": ("float32", [None, 4]), "extra": (str, [None])}
    assert "give images" in contract.check_signature(stranger, outputs=promised).notes[1]
    result = contract.check_signature(stranger, outputs=promised, images=ONE_EACH)
    assert [finding.message for finding in result.findings] == [
        "output 'extra' is missing from the answer, which has classes, probabilities"
    ]
    assert contract.check_errors(stranger).notes == ("no wrong shape was sent: the model's signature is unknown",)
    assert contract.check_classes(stranger, ONE_EACH, range(4)).holds


def test_types_and_extra_outputs_of_an_answer(models):
    """What JSON carries must be of the promised type, and nothing more than promised."""
    wrong = contract.check_signature(models("good"), outputs={"classes": ("string", [None])})
    assert [finding.message for finding in wrong.findings] == [
        "output 'classes' is int64 instead of string",
        "output 'probabilities' is not promised, but the model has it: probabilities: float32 [None, 4]",
        "output 'classes' is answered as int64 instead of string",
        "output 'probabilities' is answered but not promised",
    ]

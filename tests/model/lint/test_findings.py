"""What lint says of archives and of what they are to be deployed with."""

from __future__ import annotations

import datetime
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_wml.model.archive import read_archive
from pytest_wml.model.lint.findings import Basis, CannotLint, DeploymentRefused, LintFinding, LintLevel
from pytest_wml.model.lint.linter import lint
from pytest_wml.model.lint.report import before_live
from pytest_wml.model.lint.specification import LintTarget
from pytest_wml.model.members import Limits
from tests.model.lint import packing
from tests.model.lint.packing import TENSORFLOW, below, link, tarred, without, zipped

IN_2025 = replace(TENSORFLOW, today=datetime.date(2025, 6, 1))
SKLEARN = LintTarget("scikit-learn_1.3", "runtime-24.1-py3.11", IN_2025.today)


@pytest.fixture(scope="module")
def sample() -> packing.Files:
    return packing.unpacked(packing.sample_path())


@pytest.fixture
def linted(tmp_path):
    """Findings of an archive with these bytes, by their codes."""

    def found(content: bytes, target: LintTarget = IN_2025, name: str = "model.tar.gz", **more: object) -> dict:
        path = tmp_path / name
        path.write_bytes(content)
        return by_code(lint(path, target, **more))

    return found


def by_code(findings: list[LintFinding]) -> dict[str, LintFinding]:
    assert len({finding.code for finding in findings}) == len(findings), findings
    return {finding.code: finding for finding in findings}


def test_the_sample_has_no_errors():
    """It is told what it is, and that a newer TensorFlow wrote it than the specification runs."""
    found = by_code(lint(packing.sample_path(), IN_2025))
    assert {code: finding.level.value for code, finding in found.items()} == {
        "version": "warn",
        "removal-planned": "info",
        "size": "info",
        "signature": "info",
    }
    assert "runtime-24.1-py3.11 runs TensorFlow 2.14" in found["version"].found
    assert "image: float32 [None, 784]" in found["signature"].found


@pytest.mark.parametrize("folder", ["export", "a/b/00001"])
def test_a_model_in_a_folder_is_told_with_the_services_words(linted, sample, folder):
    """The most frequent mistake: where the graph is, what the service says to it and how that is known, the way on."""
    finding = linted(tarred(below(sample, folder)))["nested-model"]
    assert finding.level is LintLevel.ERROR
    assert finding.where == f"{folder}/saved_model.pb"
    assert finding.refusal.code == "load_model_failure"
    assert finding.refusal.message.startswith("SavedModel file does not exist at: {saved_model.pbtxt|saved_model.pb}")
    assert finding.refusal.basis is Basis.RECORDED
    assert finding.refusal.source == "cloud-annotations issue 45"
    assert finding.fix == f"pack the inner folder: tar -C {folder} -czf model.tar.gz ."


@pytest.mark.parametrize(
    ("member", "told"),
    [(link("current", "saved_model.pb"), "current"), (link("v", "/etc/passwd"), "v")],
)
def test_a_link_is_an_error(linted, sample, member, told):
    """Named, with the reason."""
    finding = linted(tarred(sample, "w:gz", member))["archive"]
    assert finding.level is LintLevel.ERROR
    assert finding.where == told
    assert "it is a link" in finding.found


@pytest.mark.parametrize("name", ["/etc/evil", "../evil", "a\\..\\evil", "C:evil"])
def test_a_path_that_leads_out_is_an_error(linted, sample, name):
    """Whatever system it is meant for."""
    assert linted(tarred({**sample, name: b"x"}))["archive"].where == name


def test_files_of_macos_are_a_warning(linted, sample):
    """With how to pack without them."""
    finding = linted(tarred({**sample, "._saved_model.pb": b"x", "__MACOSX/variables/._a": b"x"}))["mac-files"]
    assert finding.level is LintLevel.WARN
    assert "COPYFILE_DISABLE=1" in finding.fix


def test_foreign_files_are_named(linted, sample):
    """They are uploaded for nothing."""
    finding = linted(tarred({**sample, "train.py": b"x", "data/x.csv": b"y"}))["foreign-files"]
    assert (finding.level, finding.where) == (LintLevel.INFO, "data/x.csv, train.py")


def test_a_second_model_is_a_warning(linted, sample):
    """The one at the root is served."""
    assert linted(tarred({**sample, **below(sample, "2")}))["second-model"].level is LintLevel.WARN


@pytest.mark.parametrize(
    ("name", "mode", "code"),
    [("model.tar", "w", "tar"), ("model.zip", "w:gz", "name"), ("model.tar.gz", "w", "name")],
)
def test_an_unusual_form_is_a_warning(linted, sample, name, mode, code):
    """A tar that is not compressed, a name that says something else than the content."""
    assert linted(tarred(sample, mode), name=name)[code].level is LintLevel.WARN


def test_what_is_larger_than_allowed_is_an_error(linted, sample):
    """Counted while it is unpacked, whatever the headers say; members likewise."""
    assert "too large" in linted(tarred(sample), limits=Limits(total=1000))["archive"].found
    assert "too many members" in linted(tarred(sample), limits=Limits(members=2))["archive"].found


def test_every_finding_is_told_at_once(linted, sample):
    """What is wrong with the archive does not hide what is wrong with the specification."""
    target = LintTarget("tensorflow_2.7", "spark-mllib_3.0-py36")
    found = linted(tarred(without(sample, "variables/variables.index")), target)
    errors = {code for code, finding in found.items() if finding.level is LintLevel.ERROR}
    assert errors == {"checkpoint", "retired-specification", "type-does-not-fit"}


def test_a_retired_specification_is_refused_in_ibms_words():
    """As recorded, with the day or release and the source."""
    found = by_code(lint(packing.sample_path(), LintTarget("tensorflow_2.7", "runtime-22.1-py3.9")))
    finding = found["retired-specification"]
    assert (finding.refusal.request, finding.refusal.status) == ("POST /ml/v4/models", 400)
    assert finding.refusal.message == (
        "Invalid request entity: Unsupported software specification 'runtime-22.1-py3.9'."
    )
    assert finding.refusal.basis is Basis.RECORDED
    assert "Cloud Pak for Data 4.8.0" in finding.found
    assert finding.fix == "deploy with runtime-24.1-py3.11"


def test_a_deprecated_specification_is_a_warning():
    """With since when and what follows it."""
    finding = by_code(lint(packing.sample_path(), LintTarget("tensorflow_2.9", "runtime-22.2-py3.10")))
    assert finding["deprecated-specification"].level is LintLevel.WARN
    assert "deprecated since Cloud Pak for Data 4.8.4" in finding["deprecated-specification"].found


@pytest.mark.parametrize(("day", "level"), [("2026-08-19", LintLevel.INFO), ("2026-08-20", LintLevel.WARN)])
def test_a_planned_removal_becomes_a_warning_on_its_day(day, level):
    """Before that it is good to know."""
    target = replace(TENSORFLOW, today=datetime.date.fromisoformat(day))
    finding = by_code(lint(packing.sample_path(), target))["removal-planned"]
    assert finding.level is level
    assert "2026-08-20" in finding.found
    assert "pm_service_supported_frameworks.html" in finding.found


def test_a_type_that_does_not_fit_is_refused():
    """With the specification that takes the type."""
    target = replace(IN_2025, spec_name="spark-mllib_3.4")
    finding = by_code(lint(packing.sample_path(), target))["type-does-not-fit"]
    assert "Unsupported model type and software specification combination" in finding.refusal.message
    assert finding.refusal.basis is Basis.DOCUMENTED
    assert finding.fix == "with runtime-24.1-py3.11"


def test_a_type_that_nobody_was_seen_to_store_is_a_warning():
    """With the types of the framework that were stored, and where the type was."""
    target = LintTarget("tensorflow_2.12", "runtime-24.1-py3.11", IN_2025.today)
    finding = by_code(lint(packing.sample_path(), target))["type-not-seen"]
    assert finding.level is LintLevel.WARN
    assert finding.fix == "store it as tensorflow_2.14 or tensorflow_rt24.1, or with runtime-23.1-py3.10"


def test_a_specification_that_nobody_knows_is_an_error():
    """It may be the team's own: said so."""
    finding = by_code(lint(packing.sample_path(), LintTarget("tensorflow_2.14", "my-own")))["unknown-specification"]
    assert "one of your own" in finding.found
    assert not finding.certain


def test_a_pickle_stored_as_tensorflow_is_told_its_type(linted):
    """The type that the specification has for it."""
    finding = linted(tarred({"model.pkl": b"\x80\x04."}))["wrong-type"]
    assert finding.fix == "give the type of the model: scikit-learn_1.3"


@pytest.mark.parametrize(
    ("files", "model_type", "fix"),
    [
        ({"model.onnx": b"x"}, "scikit-learn_1.3", "pytorch-onnx_2.1"),
        ({"model.json": b'{"learner": {}}'}, "tensorflow_2.14", "xgboost_2.0"),
        ({"saved_model.pb": b""}, "scikit-learn_1.3", "tensorflow_2.14"),
        ({"model.xml": b"<PMML/>"}, "onnxruntime_1.17", "pmml_4.2.1"),
        ({"metadata/part-00000": b'{"sparkVersion": "3.4.1"}'}, "xgboost_2.0", "mllib_3.4"),
    ],
)
def test_a_type_of_another_kind_is_an_error(linted, files, model_type, fix):
    """Whatever the kind: with the type that the specification has for the model, or else the usual one."""
    finding = linted(tarred(files), LintTarget(model_type, "runtime-24.1-py3.11", IN_2025.today))["wrong-type"]
    assert finding.level is LintLevel.ERROR
    assert finding.fix == f"give the type of the model: {fix}"


def test_a_pickle_of_another_class_than_its_type_is_a_warning(linted):
    """The other way round is none: XGBoost's classes may be stored as scikit-learn's."""
    content = b"csklearn.linear_model._base\nLinearRegression\n."
    found = linted(tarred({"model.pkl": content}), LintTarget("xgboost_2.0", "runtime-24.1-py3.11", IN_2025.today))
    assert found["wrong-class"].level is LintLevel.WARN
    assert "sklearn.linear_model._base.LinearRegression" in found["wrong-class"].found
    assert "wrong-class" not in linted(tarred({"model.pkl": b"cxgboost.core\nBooster\n."}), SKLEARN)


PMML = b'<PMML version="%s" xmlns="http://www.dmg.org/PMML-4_2"><Header/></PMML>'


@pytest.mark.parametrize(
    ("content", "level", "code", "found"),
    [
        (PMML % b"4.2", LintLevel.INFO, "pmml", "It is PMML 4.2."),
        (PMML % b"4.4.1", LintLevel.WARN, "version", "pmml-3.0_4.3 takes PMML 3.0 to 4.3, and this is 4.4.1."),
        (PMML[:-4] % b"4.2", LintLevel.ERROR, "pmml-file", "model.xml is truncated or not an XML document: "),
        (b"<html/>", LintLevel.ERROR, "not-one-model", "The upload needs one PMML document"),
    ],
)
def test_a_pmml_document_is_read(linted, content, level, code, found):
    """Its version, and whether it is whole."""
    finding = linted(content, LintTarget("pmml_4.2.1", "pmml-3.0_4.3", IN_2025.today), "model.xml")[code]
    assert finding.level is level
    assert finding.found.startswith(found)


def test_a_pmml_document_is_not_said_to_be_packed(linted):
    """It is stored as it is."""
    assert "packed-alone" not in linted(PMML % b"4.2", LintTarget("pmml_4.2.1", "pmml-3.0_4.3"), "model.xml")


@pytest.mark.parametrize("protocol", range(2, 6))
def test_the_version_in_a_pickle_is_read_without_running_it(linted, protocol):
    """It stands in the bytes as text, as scikit-learn writes it."""
    content = pickle.dumps({"coef_": [1.5], "_sklearn_version": "1.9.1", "z": 1}, protocol)
    found = linted(tarred({"model.pkl": content}), SKLEARN)
    assert "written by scikit-learn 1.9.1, and runtime-24.1-py3.11 runs scikit-learn 1.3" in found["version"].found
    assert "program" in found["pickle"].found


def test_a_version_that_does_not_show_is_not_guessed(linted):
    """Said so."""
    found = linted(tarred({"model.pkl": b"\x80\x04N."}), SKLEARN)
    assert "cannot be read without running" in found["version-unknown"].found
    assert not [finding for finding in found.values() if finding.level is LintLevel.ERROR]


def test_two_pickles_are_an_error(linted):
    """One of them may be what macOS left."""
    finding = linted(tarred({"model.pkl": b"\x80\x04N.", "._model.pkl": b"x"}), SKLEARN)["not-one-model"]
    assert finding.refusal.message == "The archive needs one pickle at its root; found ._model.pkl, model.pkl."


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"learner": {}, "version": [3, 2, 0]}', "version"),
        (b'{"learner": {}, "version": [2, 0, 1]}', "written-by"),
        (b'{"learner": {}}', "written-by"),
        (b"{", "xgboost-file"),
        (b"[" * 100_000, "xgboost-file"),
        (b"[]", "xgboost-file"),
    ],
)
def test_xgboosts_json_tells_its_version(linted, content, code):
    """Or that it is none."""
    assert code in linted(content, LintTarget("xgboost_2.0", "runtime-24.1-py3.11", IN_2025.today), "model.json")


def test_a_type_that_is_not_looked_into_is_no_error(linted):
    """Such as a stream of SPSS."""
    found = linted(tarred({"metadata": b"{}"}), LintTarget("spss-modeler_18.2", "spss-modeler_18.2"))
    assert {finding.level for finding in found.values()} == {LintLevel.INFO}
    assert "not-read" in found


@pytest.mark.parametrize("name", ["nothing.tar.gz", "folder/nothing.tar.gz"])
def test_what_is_not_there_cannot_be_linted(tmp_path, name):
    """An error of its own, no finding."""
    with pytest.raises(CannotLint, match="cannot be read"):
        lint(tmp_path / name, TENSORFLOW)


GRAPH, INDEX = "saved_model.pb", "variables/variables.index"


@given(
    name=st.sampled_from([GRAPH, INDEX]),
    place=st.floats(0, 1, exclude_max=True),
    length=st.integers(0, 64),
    noise=st.binary(max_size=64),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_never_breaks_lint(sample, tmp_path_factory, name, place, length, noise):
    """Whatever comes out is a finding."""
    content = sample[name]
    start = int(place * len(content))
    damaged = content[:start] + noise + content[start + length :]
    path = tmp_path_factory.getbasetemp() / "damaged.tar"
    path.write_bytes(tarred({**sample, name: damaged}, "w"))
    assert all(isinstance(finding, LintFinding) for finding in lint(path, IN_2025))


@given(place=st.floats(0, 1, exclude_max=True), noise=st.binary(min_size=1, max_size=8), packed=st.booleans())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_archive_never_breaks_lint(sample, tmp_path_factory, place, noise, packed):
    """Tar and zip."""
    content = zipped(sample) if packed else tarred(sample, "w")
    start = int(place * len(content))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content[:start] + noise + content[start + len(noise) :])
    assert all(isinstance(finding, LintFinding) for finding in lint(path, IN_2025))


def test_a_folder_is_read_as_it_would_be_packed(sample, tmp_path: Path):
    """The same findings as for its archive, but for the size."""
    for name, content in sample.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (archived, there) = (lint(packing.sample_path(), IN_2025), lint(tmp_path, IN_2025))
    assert [finding for finding in there if finding.code != "size"] == [
        finding for finding in archived if finding.code != "size"
    ]


def test_a_live_deployment_of_what_is_refused_is_not_tried(sample, tmp_path):
    """With what the service would say; a good model is deployed, and its warnings are told."""
    path = tmp_path / "nested.tar.gz"
    path.write_bytes(tarred(below(sample, "export")))
    with pytest.raises(DeploymentRefused, match="not at its root") as caught:
        before_live(read_archive(path), TENSORFLOW.model_type, TENSORFLOW.spec_name)
    assert "load_model_failure" in caught.value.facts["the_service"]
    told = before_live(read_archive(packing.sample_path()), TENSORFLOW.model_type, TENSORFLOW.spec_name)
    assert any(line.startswith("warn version: The model was written by TensorFlow") for line in told)

"""Everything that lint knows, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pytest_wml.errors import BadArchive
from pytest_wml.model.kinds import GRAPH, KERAS, PICKLE, stored_as
from pytest_wml.model.lint import keras_files, layout, onnx_files, pickles, pmml_files, saved_model, specification
from pytest_wml.model.lint.findings import SPECIFICATION, LintFinding, LintLevel
from pytest_wml.model.lint.specification import LintTarget
from pytest_wml.model.lint.upload import Upload, opened
from pytest_wml.model.members import Limits
from pytest_wml.model.recognition import RecognisedModel, recognise
from pytest_wml.model.serving import LoadFailed, network_kind
from pytest_wml.model.storing import contradiction

_ORDER = list(LintLevel)


def lint(path: Path | str, target: LintTarget, limits: Limits | None = None) -> list[LintFinding]:
    """Look at a model that is to be stored and deployed; errors come first.

    Args:
        path: a .tar.gz, .tar or .zip, a model's folder, or a model that is one file.
        target: what it is to be deployed with.
        limits: how much an archive may hold.

    Raises:
        CannotLint: there is no such file, or it cannot be read.
    """
    with opened(path, limits) as upload:
        found = [*findings(upload, target)]
    return sorted(found, key=lambda finding: _ORDER.index(finding.level))


def findings(upload: Upload, target: LintTarget) -> Iterator[LintFinding]:
    """Yield everything that is to be said of an upload and of what it is to be deployed with."""
    yield from specification.findings(target)
    yield from layout.findings(upload)
    if not upload.damage:
        yield from _model(upload, target)


def _model(upload: Upload, target: LintTarget) -> Iterator[LintFinding]:
    found = _recognised(upload)
    problem = contradiction(found, target.model_type) if found else ""
    if found and problem:
        refusals = (finding.refusal for finding in _by_framework(upload, target, None) if finding.refusal)
        fitting = stored_as(found.kind.frameworks, "", target.spec_name).model_type
        fix = f"give the type of the model: {fitting}"
        yield LintFinding(LintLevel.ERROR, "wrong-type", problem, SPECIFICATION, fix, next(refusals, None))
    else:
        yield from _other_class(found, target)
        yield from _by_framework(upload, target, found)


def _other_class(found: RecognisedModel | None, target: LintTarget) -> Iterator[LintFinding]:
    """Yield a warning of a pickle that makes no XGBoost model; XGBoost's may be stored as scikit-learn's."""
    if found and found.kind is PICKLE and found.detail and target.framework == "xgboost":
        words = f"The pickle makes a {found.detail}, and the type {target.model_type} is for XGBoost's models."
        fix = f"give the type of the model: {stored_as(found.kind.frameworks, '', target.spec_name).model_type}"
        yield LintFinding(LintLevel.WARN, "wrong-class", words, found.where, fix)


def _recognised(upload: Upload) -> RecognisedModel | None:
    try:
        return recognise(upload.path)
    except BadArchive:
        return None


def _by_framework(upload: Upload, target: LintTarget, found: RecognisedModel | None) -> Iterator[LintFinding]:
    checks: dict[str, Callable[[Upload, LintTarget], Iterator[LintFinding]]] = {
        "tensorflow": _network,
        "scikit-learn": pickles.findings,
        "xgboost": pickles.xgboost_findings,
        "pytorch-onnx": onnx_files.findings,
        "onnxruntime": onnx_files.findings,
        "pmml": lambda upload, target: pmml_files.findings(upload, target, found),
    }
    if target.framework in checks:
        yield from checks[target.framework](upload, target)
        return
    words = f"Models of type {target.model_type} were not looked into."
    yield LintFinding(LintLevel.INFO, "not-read", words, upload.path.name)


def _network(upload: Upload, target: LintTarget) -> Iterator[LintFinding]:
    try:
        kind = network_kind(upload.root)
    except LoadFailed as failure:
        yield layout.no_model(upload, str(failure))
        return
    if kind is KERAS:
        yield from keras_files.findings(upload, target)
        return
    yield from layout.saved_model_findings(upload)
    if GRAPH in upload.files:
        yield from saved_model.findings(upload.files, target)

"""Everything that lint knows, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pytest_wml.embedded.runtimes.loading import kind_of
from pytest_wml.embedded.runtimes.protocol import LoadFailed
from pytest_wml.lint import keras_files, layout, onnx_files, pickles, saved_model, specification
from pytest_wml.lint.findings import SPECIFICATION, Finding, Level, fails_to_load
from pytest_wml.lint.reading import Upload, opened
from pytest_wml.lint.target import Target
from pytest_wml.model.digest import GRAPH
from pytest_wml.model.members import Limits

_ORDER = list(Level)
_BY_SUFFIX = (
    ((".pkl", ".pickle", ".joblib"), "scikit-learn"),
    ((".onnx",), "pytorch-onnx"),
    ((".ubj", ".json"), "xgboost"),
)


def lint(path: Path | str, target: Target, limits: Limits | None = None) -> list[Finding]:
    """Look at a model that is to be stored and deployed; errors come first.

    Args:
        path: a .tar.gz, .tar or .zip, a SavedModel's folder, or a model that is one file.
        target: what it is to be deployed with.
        limits: how much an archive may hold.

    Raises:
        CannotLint: there is no such file, or it cannot be read.
    """
    with opened(path, limits) as upload:
        found = [*findings(upload, target)]
    return sorted(found, key=lambda finding: _ORDER.index(finding.level))


def findings(upload: Upload, target: Target) -> Iterator[Finding]:
    """Yield everything that is to be said of an upload and of what it is to be deployed with."""
    yield from specification.findings(target)
    yield from layout.findings(upload)
    if not upload.damage:
        yield from _model(upload, target)


def _model(upload: Upload, target: Target) -> Iterator[Finding]:
    if target.framework == "tensorflow":
        yield from _network(upload, target)
        return
    by_framework: dict[str, Callable[[Upload, Target], Iterator[Finding]]] = {
        "scikit-learn": pickles.findings,
        "xgboost": pickles.xgboost_findings,
        "pytorch-onnx": onnx_files.findings,
        "onnxruntime": onnx_files.findings,
    }
    if target.framework in by_framework:
        yield from by_framework[target.framework](upload, target)
        return
    found = f"Models of type {target.model_type} were not looked into."
    yield Finding(Level.INFO, "not-read", found, upload.path.name)


def _network(upload: Upload, target: Target) -> Iterator[Finding]:
    try:
        kind = kind_of(target.framework, upload.root)
    except LoadFailed as failure:
        yield _other_kind(upload, target, str(failure)) or layout.no_model(upload, str(failure))
        return
    if kind.module == "keras":
        yield from keras_files.findings(upload, target)
        return
    yield from layout.saved_model_findings(upload)
    if GRAPH in upload.files:
        yield from saved_model.findings(upload.files, target)


def _other_kind(upload: Upload, target: Target, words: str) -> Finding | None:
    """The finding that the model is of another framework than its type says; None where that is not to be seen."""
    for suffixes, framework in _BY_SUFFIX:
        names = upload.at_root(suffixes)
        if names:
            types = specification.types_for(target.spec, framework)
            found = f"The archive holds {names[0]}, and type {target.model_type} is for TensorFlow and Keras."
            fix = f"give the type of the model: {types[0] if types else framework}"
            return Finding(Level.ERROR, "wrong-type", found, SPECIFICATION, fix, fails_to_load(words))
    return None

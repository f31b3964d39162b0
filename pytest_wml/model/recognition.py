"""Recognises which kind of model a path holds, by names and first bytes; nothing is loaded or run."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple
from xml.parsers import expat

from pytest_wml.errors import BadArchive
from pytest_wml.model import kinds
from pytest_wml.model.archive import missing_graph, nested_models, opened
from pytest_wml.model.kinds import ModelKind
from pytest_wml.model.members import Form, Limits, Member, form_of, members
from pytest_wml.model.pickles import class_of
from pytest_wml.model.streams import pieces

_POINTER = b"version https://git-lfs.github.com/spec/"
_PULL = "fetch the file itself: git lfs pull"
_SHOWN = 8
# XGBoost writes its key "learner" first.
_XGBOOST_HEAD = 4096
_OLD_XGBOOST = (b"binf", b"bs64")


class RecognisedModel(NamedTuple):
    """A model that was recognised.

    Args:
        kind: of the model.
        where: the file or folder in the archive by which it was.
        detail: the class in a pickle or of a Spark model, the version of a PMML document; empty where it is not known.
        damage: why the file cannot be loaded, as far as its start shows it; empty where nothing is wrong with it.
    """

    kind: ModelKind
    where: str
    detail: str = ""
    damage: str = ""


class UnknownModel(BadArchive):
    """No model was recognised, or several."""


def recognise(path: Path | str, limits: Limits | None = None) -> RecognisedModel:
    """Recognise the model in an archive, in a folder, or in a file that is one model.

    Of an archive no more is read than is needed.

    Raises:
        UnknownModel: no model is recognised, or several.
        BadArchive: there is no such file, it is damaged, or holds what must not be unpacked.
    """
    path = Path(path)
    if path.is_dir():
        return _chosen(path, members(path, limits))
    with opened(path) as stream:
        state = os.fstat(stream.fileno())
    return _of_file(path.absolute(), limits, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _of_file(path: Path, limits: Limits | None, size: int, changed: int) -> RecognisedModel:
    """The model in a file of this size and time: a run asks several times, and a large archive takes seconds."""
    del size, changed
    with opened(path) as stream:
        form = form_of_model(path.name, stream)
        if form == "file":
            found = _candidate(Member(path.name, pieces(stream), path))
            if found is None:
                raise _misnamed(path)
            return found
        if form is None:
            raise _no_archive(path, stream)
        return _chosen(path, members(stream, limits))


def form_of_model(name: str, stream: BinaryIO) -> Form | Literal["file"] | None:
    """What a file is: an archive, or `file` for a model that is one file; None for anything else.

    Raises:
        BadArchive: it starts as gzip and cannot be unpacked.
    """
    alone = name.lower().endswith(kinds.MODEL_FILES)
    try:
        form = form_of(stream)
    except BadArchive:
        if not alone:
            raise
        form = None  # joblib packs with gzip too
    # A .keras file is a zip itself.
    return "file" if alone and (form is None or name.lower().endswith(".keras")) else form


def _chosen(path: Path, found: Iterable[Member]) -> RecognisedModel:
    names, candidates = [], []
    for member in found:
        names.append(member.name)
        candidate = _candidate(member)
        if candidate and candidate.kind is kinds.SAVED_MODEL:
            return candidate
        if candidate:
            candidates.append(candidate)
    # An archive with a network may also hold pickles that prepare its inputs.
    chosen = [one for one in candidates if one.kind is kinds.KERAS][:1] or candidates
    if len(chosen) == 1:
        return chosen[0]
    raise _several(path, chosen) if chosen else _unknown(path, tuple(names))


def _candidate(member: Member) -> RecognisedModel | None:
    name = member.name
    if name in (kinds.GRAPH, kinds.TEXT_GRAPH):
        return RecognisedModel(kinds.SAVED_MODEL, name)
    if "/" in name:
        return _spark(member) if name.startswith("metadata/part-") else None
    # macOS leaves ._model.pkl beside model.pkl.
    if name.startswith(".") or not name.lower().endswith(kinds.MODEL_FILES):
        return None
    head = next(member.chunks, b"")
    if head.startswith(_POINTER):
        raise BadArchive(f"{name} is a Git LFS pointer.", fix=_PULL)
    return _file(name, head)


def _file(name: str, head: bytes) -> RecognisedModel | None:
    lower, damage = name.lower(), "" if head else "it is empty"
    if lower.endswith(kinds.KERAS_FILES):
        return RecognisedModel(kinds.KERAS, name, "", damage)
    if lower.endswith(kinds.ONNX_FILES):
        return RecognisedModel(kinds.ONNX, name, "", damage)
    if lower.endswith(kinds.PICKLES):
        return RecognisedModel(kinds.PICKLE, name, "", damage) if damage else _pickle(name, head)
    if lower.endswith(kinds.XGBOOST_FILES):
        return RecognisedModel(kinds.XGBOOST, name, "", damage) if damage or _is_xgboost(lower, head) else None
    version = _pmml_version(head)
    return None if version is None and not damage else RecognisedModel(kinds.PMML, name, version or "", damage)


def _pickle(name: str, head: bytes) -> RecognisedModel:
    try:
        made = class_of(head)
    except ValueError as problem:
        return RecognisedModel(kinds.PICKLE, name, "", str(problem).partition("\n")[0][:300])
    kind = kinds.PICKLED_XGBOOST if made.partition(".")[0] == "xgboost" else kinds.PICKLE
    return RecognisedModel(kind, name, made)


def _is_xgboost(name: str, head: bytes) -> bool:
    if head.lstrip()[:1] == b"{" and b"learner" in head[:_XGBOOST_HEAD]:
        return True
    return name.endswith((".model", ".bst")) and head.startswith(_OLD_XGBOOST)


def _spark(member: Member) -> RecognisedModel | None:
    try:
        described = json.loads(next(member.chunks, b""))
    except (ValueError, RecursionError):
        return None
    if not isinstance(described, dict) or "sparkVersion" not in described:
        return None
    return RecognisedModel(kinds.SPARK, "metadata", str(described.get("class", ""))[:200])


class _Root(Exception):
    """Ends the parser at the first element of a document, which it names."""


def _pmml_version(head: bytes) -> str | None:
    """The version of a PMML document; None for any other file."""

    def started(name: str, attributes: dict[str, str]) -> None:
        raise _Root(name, attributes.get("version", ""))

    # Only the first tag is looked at: no entity is ever expanded.
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = started
    try:
        parser.Parse(head, False)
    except _Root as root:
        name, version = root.args
        return version if name.rpartition(" ")[2] == "PMML" else None
    except (expat.ExpatError, ValueError, LookupError):
        return None
    return None


def _several(path: Path, found: list[RecognisedModel]) -> UnknownModel:
    return UnknownModel(
        f"Several models lie at the root of {path}.",
        found=", ".join(one.where for one in found[:_SHOWN]),
        fix="pack one model alone, or give wml_model_type",
    )


def _unknown(path: Path, names: tuple[str, ...]) -> UnknownModel:
    error, nested = missing_graph(path, names), nested_models(names)
    if nested and nested[0].endswith(f"/{kinds.GRAPH}"):
        return UnknownModel(error.problem, **error.facts, fix=error.fix)
    if nested:
        return UnknownModel(f"The model lies in a folder, not at the root of {path}.", **error.facts, fix=error.fix)
    problem = error.problem.removesuffix(".") + ", nor any other model that is recognised."
    return UnknownModel(problem, **error.facts, fix=f"{error.fix}\nor give wml_model_type, for a model of another kind")


def _misnamed(path: Path) -> UnknownModel:
    said = kinds.PMML if path.name.lower().endswith(kinds.PMML_FILES) else kinds.XGBOOST
    return UnknownModel(
        f"{path} is not {said.name}, as its name says.",
        fix="write the model again, or give wml_model_type, for a model of another kind",
    )


def _no_archive(path: Path, stream: BinaryIO) -> UnknownModel:
    stream.seek(0)
    if stream.read(len(_POINTER)) == _POINTER:
        return UnknownModel(f"{path} is a Git LFS pointer.", fix=_PULL)
    return UnknownModel(
        f"{path} is not a model that is recognised.",
        found="neither a .tar.gz, .tar or .zip archive nor a model file",
        fix=f"give an archive, a folder, or a file that ends in {', '.join(kinds.MODEL_FILES)}",
    )

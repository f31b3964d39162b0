"""How a model is stored in WML: as which archive, as which type, with which software specification."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from pytest_wml.errors import BadArchive, BadOption
from pytest_wml.model import kinds
from pytest_wml.model.archive import ModelArchive, opened, read_archive
from pytest_wml.model.kinds import StoredAs, framework_of, stored_as
from pytest_wml.model.packing import pack
from pytest_wml.model.recognition import RecognisedModel, UnknownModel, form_of_model, recognise

_KNOWN = {framework for kind in kinds.KINDS for framework in kind.frameworks}


def packed(path: Path, name: str, folder: Callable[[], Path]) -> ModelArchive:
    """The model at a path as `store_model` of IBM's clients takes it, whether or not it is recognised.

    That is an archive, as it is; a folder or a model file, packed; a PMML document, as it is, named `.xml`.

    Args:
        path: an archive, a folder, or a model that is one file.
        name: of the deployment, for the archive of a folder.
        folder: gives a temporary folder; only called when something has to be written.

    Raises:
        BadArchive: it is damaged, or cannot be packed.
    """
    if path.is_dir():
        return pack(path, folder() / f"{name}.tar.gz", unknown=True)
    with opened(path) as stream:
        form = form_of_model(path.name, stream)
    return _file(path, folder) if form == "file" else read_archive(path)


def _file(path: Path, folder: Callable[[], Path]) -> ModelArchive:
    if not path.name.lower().endswith(kinds.PMML_FILES):
        return pack(path, folder() / f"{path.name}.tar.gz")
    if path.suffix != ".xml":  # IBM's clients take no other ending
        path = Path(shutil.copyfile(path, folder() / f"{path.stem}.xml"))
    return read_archive(path)


def completed(path: Path, model_type: str, software_spec: str) -> StoredAs:
    """The type and the software specification of a model, inferred from its files where they are not given.

    Args:
        path: an archive, a folder, or a model that is one file.
        model_type: WML's; empty to infer it.
        software_spec: its name; empty to infer it.

    Raises:
        UnknownModel: no type is given, or that of a network, and no model is recognised, or several.
        BadArchive: no type is given, and the model is damaged.
        BadOption: the given type is for models of another kind.
    """
    try:
        found = recognise(path)
    except UnknownModel:
        if not model_type or framework_of(model_type) in kinds.SAVED_MODEL.frameworks:
            raise
        return stored_as((), model_type, software_spec)
    if not model_type and found.damage:
        raise BadArchive("The model is damaged.", file=path, member=found.where, cause=found.damage)
    problem = contradiction(found, model_type)
    if problem:
        fitting = stored_as(found.kind.frameworks).model_type
        raise BadOption(problem, model=path, fix=f"leave the type out, which infers it, or give {fitting}")
    return stored_as(found.kind.frameworks, model_type, software_spec)


def inferred(path: Path | str, model_type: str = "", software_spec: str = "") -> StoredAs:
    """As `completed`, but without errors: what is not recognised gets the type of a SavedModel."""
    try:
        frameworks = recognise(path).kind.frameworks
    except BadArchive:
        frameworks = kinds.SAVED_MODEL.frameworks
    return stored_as(frameworks, model_type, software_spec)


def contradiction(found: RecognisedModel, model_type: str) -> str:
    """Why a type cannot be that of a model; empty where it can be, and where either is not known well enough."""
    framework = framework_of(model_type)
    if framework not in _KNOWN or framework in found.kind.frameworks:
        return ""
    return f"{found.where} is {found.kind.name}, and the type {model_type} is for models of another kind."

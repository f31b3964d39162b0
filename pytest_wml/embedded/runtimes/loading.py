"""From an archive to a runtime."""

from __future__ import annotations

import importlib
from pathlib import Path

from pytest_wml.embedded.runtimes.protocol import Loader, LoadFailed, Runtime
from pytest_wml.errors import BadArchive

_TENSORFLOW = "pytest_wml.embedded.runtimes.tensorflow"
_SAVED_MODEL = ("saved_model.pb", "saved_model.pbtxt")


def load(archive: Path, folder: Path) -> Runtime:
    """Unpack an archive into `folder` and load what is in it.

    Args:
        archive: tar.gz, tar or zip, with `saved_model.pb` at its root.
        folder: empty; must stay as long as the runtime is used, which may read its files (vocabularies).

    Raises:
        LoadFailed: no archive, no model that the service knows, or a broken one.
    """
    # Imported by the first model: the service itself is up in a few milliseconds.
    from pytest_wml.model.archive import safe_extract

    try:
        safe_extract(archive, folder)
    except BadArchive as problem:
        raise LoadFailed(f"The content of the model is no readable archive. {problem.problem}") from problem
    if not any((folder / name).is_file() for name in _SAVED_MODEL):
        found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise LoadFailed(f"SavedModel file does not exist at: {{saved_model.pbtxt|saved_model.pb}}; found {found}.")
    return _loader(_TENSORFLOW, "TensorFlow")(folder)


def _loader(module: str, framework: str) -> Loader:
    # A framework takes seconds to import, so it is imported by the first model that needs it.
    try:
        loader: Loader = importlib.import_module(module).load
        return loader
    except ImportError as problem:
        raise LoadFailed(f"{framework} cannot be imported by the embedded service: {problem}") from problem

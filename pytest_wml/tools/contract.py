"""`pytest-wml contract`: drafts a contract file, and prints the schema for editors."""

from __future__ import annotations

import argparse
import io
import shlex
from pathlib import Path
from typing import Any

from pytest_wml.config.option_table import CONTRACT_FILE
from pytest_wml.errors import BadOption
from pytest_wml.tools.usage import help_of


def add_to(commands: Any) -> None:
    """Declare the command."""
    contract = commands.add_parser("contract", help="write a first contract file, or print the schema")
    contract.set_defaults(run=help_of(contract))
    tools = contract.add_subparsers(dest="tool", metavar="TOOL")
    init = tools.add_parser(
        "init",
        help="write a first contract file for a model",
        description="Write a first contract file from a model and a few labelled samples. Inputs and outputs of a "
        "SavedModel are read from its files; other models need samples. No code is run, and TensorFlow is not needed.",
        epilog="example: pytest-wml contract init model.tar.gz --samples images -o tests/model.wml.yaml",
    )
    init.add_argument(
        "archive",
        nargs="?",
        metavar="ARCHIVE",
        type=Path,
        help=".tar.gz, .zip, model folder or model file; default: the suite's model (wml_model)",
    )
    init.add_argument(
        "--samples",
        type=Path,
        metavar="PATH",
        help="folder of class/image.png or .npy, or an .npz with images (or an array for each input) and labels; "
        "default: MNIST digits if the inputs and outputs of the model fit them, else none",
    )
    init.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help=f"default: the model's name and {CONTRACT_FILE}"
    )
    init.add_argument("--force", action="store_true", help="overwrite existing files")
    init.set_defaults(run=_init)
    schema = tools.add_parser(
        "schema",
        help="print the JSON Schema of contract files, for editors",
        description="Print the JSON Schema of contract files, with which editors complete and check them.",
        epilog="example: pytest-wml contract schema > contract.schema.json",
    )
    schema.set_defaults(run=_schema)


def _schema(_: argparse.Namespace) -> int:
    from pytest_wml.contract.files import schema

    print(schema.shipped_schema(), end="")
    return 0


def _init(given: argparse.Namespace) -> int:
    from pytest_wml.contract.files import schema
    from pytest_wml.model.recognition import recognise

    archive: Path = given.archive or _suite_model()
    target: Path = given.output or Path(_name(archive) + CONTRACT_FILE)
    if not target.name.endswith(CONTRACT_FILE) or target.name == CONTRACT_FILE:
        raise BadOption(f"pytest would not find {target.name}.", fix=f"give a name that ends in {CONTRACT_FILE}")
    files = first_files(archive, archive, target, given.samples)
    _write(target.parent, files, force=given.force)
    if given.force or not (target.parent / schema.FILE_NAME).exists():
        _write(target.parent, {schema.FILE_NAME: schema.shipped_schema().encode()}, force=True)
    allow = " --wml-allow-pickle" if recognise(archive).kind.pickled else ""
    print(f"{target} written; check it with: pytest --wml=embedded{allow} {shlex.quote(str(target))}")
    return 0


def _suite_model() -> Path:
    """Return the only model of the suite.

    Raises:
        BadOption: the suite has no model, or several.
    """
    from pytest_wml.tools.doctor import settings

    suite = settings.read()
    settings.started(suite)
    found = settings.model_files(suite)
    if len(found) == 1:
        return Path(settings.shown(found[0]))
    raise BadOption(
        "The suite names several models." if found else "Neither the command nor the suite names a model that exists.",
        models=", ".join(map(settings.shown, found)),
        fix="pytest-wml contract init ARCHIVE",
    )


def first_files(archive: Path, named: Path, target: Path, samples: Path | None = None) -> dict[str, bytes]:
    """Draft a contract and its files: path relative to the contract's folder → content, with the contract last.

    Args:
        archive: path of the model.
        named: path of the model for the contract.
        target: path of the contract.
        samples: path of the user's samples, if there are any.

    Raises:
        BadArchive: the model cannot be read, or is not recognised.
        BadContract: the samples cannot be read.
    """
    from pytest_wml.contract.files.draft import draft_contract, is_digit_model
    from pytest_wml.contract.files.labelled_samples import packaged_digits, read_samples
    from pytest_wml.model.archive import read_archive
    from pytest_wml.model.storing import completed

    stored = completed(archive, "", "")
    signature = read_archive(archive).signature
    fits_digits = signature is not None and is_digit_model(signature)
    labelled = read_samples(samples) if samples else packaged_digits() if fits_digits else None
    draft = draft_contract(signature, named, stored, target, labelled, samples)
    return {path: _npy(array) for path, array in draft.arrays.items()} | {target.name: draft.text.encode()}


def _name(archive: Path) -> str:
    from pytest_wml.runner.configuration import named_after

    return named_after(archive.resolve())


def _npy(array: Any) -> bytes:
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def _write(folder: Path, files: dict[str, bytes], *, force: bool) -> None:
    """Write files atomically, in their order.

    Raises:
        BadOption: a file exists with another content.
    """
    from pytest_wml.replay.cassette.file import write_bytes

    present = [name for name in files if _differs(folder / name, files[name])]
    if present and not force:
        raise BadOption(f"{folder / present[0]} exists already.", fix="give another name with -o, or --force")
    for name, content in files.items():
        try:
            write_bytes(folder / name, content)
        except OSError as error:
            raise BadOption(f"{folder / name} cannot be written: {error.strerror}.") from None


def _differs(path: Path, content: bytes) -> bool:
    if not (path.exists() or path.is_symlink()):
        return False
    return not path.is_file() or path.read_bytes() != content

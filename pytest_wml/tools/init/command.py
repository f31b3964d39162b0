"""`pytest-wml init`: options and output."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_EXAMPLE = """\
examples:
  pytest-wml init pump                          a small model with its contract, tests, recording and CI
  cd pump && pytest                             passes without setup: replayed, without TensorFlow
  pytest-wml init fraud --model model.tar.gz    the same for your own model, with a drafted contract

exit status: 0 written, 2 nothing was written
"""


def add_to(commands: Any) -> None:
    """Declare the command."""
    init = commands.add_parser(
        "init",
        help="write a complete model repository to start from",
        description="Write a model repository to start from: model, contract, tests, conftest, recording, README,\n"
        "requirements, and CI for GitHub Actions and GitLab: replay on every push, embedded when the model changes,\n"
        "live at night. Existing files are not overwritten: all files are written, or none. Missing lines are added\n"
        "to an existing .gitignore, .gitattributes or requirements.txt; an existing README.md is not changed.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    init.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="FOLDER", help="default: the current folder"
    )
    init.add_argument(
        "--model",
        type=Path,
        metavar="MODEL",
        help="your own model: .tar.gz, .zip, model folder or model file; it is copied",
    )
    init.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    from pytest_wml.tools.init.files import (  # imported on first use, so that the command line starts faster
        around,
        complete,
    )
    from pytest_wml.tools.init.writing import write_files

    files = around(given.model, given.folder) if given.model else complete()
    done = write_files(files, given.folder)
    print(*_lines(given, {name: done[name].value for name in sorted(done)}), sep="\n")
    return 0


def _lines(given: argparse.Namespace, files: Mapping[str, str]) -> Iterator[str]:
    from pytest_wml.tools.merge import DRIVER

    yield f"written to {given.folder.resolve()}:"
    for name, remark in files.items():
        yield f"  {name}{f' ({remark})' if remark else ''}"
    yield ""
    yield "what to do next:"
    if given.folder.resolve() != Path.cwd():
        yield f"  cd {shlex.quote(str(given.folder))}"
    record = "pytest --wml=embedded --wml-record"
    if given.model:
        from pytest_wml.model.recognition import recognise

        kind = recognise(given.model).kind
        if kind.pickled:
            yield "  allow the pickle in pytest.ini         if you trust its author: wml_allow_pickle = yes"
        extra = f" (pytest-wml[{kind.extra}])" if kind.extra else ""
        yield f"  pytest --wml=embedded                 the first contract, scored here{extra}"
        yield f"  {record}    recorded: commit cassettes/, and every push can replay it"
        yield "  pytest                                replayed: no network, no credentials, no framework"
    else:
        yield "  pytest                                replayed: no network, no credentials, no TensorFlow"
        yield "  pytest --wml=embedded                 scored here (pytest-wml[tensorflow])"
        yield f"  {record}    after a change of the model; commit cassettes/"
    yield "  for git to merge and show recordings, once in each clone:"
    yield f'    git config merge.wml.driver "{DRIVER}"'
    yield '    git config diff.wml.textconv "pytest-wml cassette inspect --full"'
    yield "  for the nightly live run give your CI the secrets WML_APIKEY, WML_URL and WML_SPACE_ID"

"""`pytest-wml cassette`: list, inspect, diff, scan, prune, merge, verify."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_wml.config.environment_secrets import secrets_of_environment
from pytest_wml.redaction.known import Secrets
from pytest_wml.redaction.text import masked
from pytest_wml.replay.cassette.file import BadCassette, Cassette, load
from pytest_wml.replay.cassette.scan import hits
from pytest_wml.replay.cassette.search import NothingKnown, files
from pytest_wml.replay.cassette.show import differences, facts, lines, row
from pytest_wml.tools import merge as merging
from pytest_wml.tools import prune as pruning
from pytest_wml.tools.doctor import settings
from pytest_wml.tools.verify import command as verify_command

_DEFAULT = "default: the folder of the suite's recordings (wml_cassettes)"


def add_to(tools: Any) -> None:
    """Declare the tools."""
    everything = tools.add_parser(
        "list",
        help="one line a recording",
        description="When each recording was made, from where, and of which model.",
        epilog="example: pytest-wml cassette list tests/cassettes",
    )
    everything.add_argument("folder", nargs="?", help=_DEFAULT)
    everything.set_defaults(run=_list)

    one = tools.add_parser(
        "inspect",
        help="a recording as text; also as git's textconv",
        description="What was asked and answered, in its order.",
        epilog="example: pytest-wml cassette inspect --full cassettes/mnist_cnn.yaml",
    )
    one.add_argument("file", help="a cassette, or REVISION:path for one in git")
    one.add_argument("--full", action="store_true", help="lay the bodies out, line by line")
    one.set_defaults(run=_inspect)

    two = tools.add_parser(
        "diff",
        help="what changed between two recordings",
        description="Facts, requests and answers that differ; exit status 1 when there are any.",
        epilog="example: pytest-wml cassette diff HEAD~1:cassettes/mnist_cnn.yaml cassettes/mnist_cnn.yaml",
    )
    two.add_argument("old", help="a cassette, or REVISION:path for one in git")
    two.add_argument("new", help="likewise")
    two.set_defaults(run=_diff)

    scan = tools.add_parser(
        "scan",
        help="look for secrets and personal data; for a pre-commit hook",
        description="Tokens, keys and personal data in recordings, also those of stock vcrpy, with line and column; "
        "exit status 1 when there are any.",
        epilog="example: pytest-wml cassette scan cassettes tests/fixtures/old.yaml",
    )
    scan.add_argument("paths", nargs="*", help=f"files and folders; {_DEFAULT}")
    scan.set_defaults(run=_scan)

    prune = pruning.add_to(tools)
    prune.set_defaults(run=_prune)

    merge = merging.add_to(tools)
    merge.set_defaults(run=_merge)

    verify = verify_command.add_to(tools, _DEFAULT)
    for tool in (everything, one, two, scan, prune, merge, verify):
        tool.add_argument("--json", action="store_true", help="for machines")


def _show(given: argparse.Namespace, value: Any, text: Iterator[str] | Sequence[str]) -> None:
    if given.json:
        print(masked(json.dumps(value, indent=1, ensure_ascii=False)))
    else:
        for line in text:
            print(masked(line))


def _list(given: argparse.Namespace) -> int:
    good, bad = [], []
    folder = given.folder or settings.cassettes(settings.read())
    for path in files([folder], ("*.yaml",)):
        try:
            good.append(load(path))
        except BadCassette as error:
            bad.append(f"{path.name}: {error.problem}")
    value = {"cassettes": [facts(cassette) for cassette in good], "unusable": bad}
    _show(given, value, [*map(row, good), *bad] or [f"no cassettes in {folder}"])
    return 1 if bad else 0


def _inspect(given: argparse.Namespace) -> int:
    cassette = _load(given.file)
    _show(given, {**facts(cassette), "text": list(lines(cassette, full=True))}, lines(cassette, full=given.full))
    return 0


def _diff(given: argparse.Namespace) -> int:
    old, new = _load(given.old), _load(given.new)
    found = list(differences(old, new))
    if not found and old.interactions != new.interactions:
        found = [{"what": "fact", "name": "order", "old": "the same interactions", "new": "in another order"}]
    _show(given, found, [_difference(one) for one in found])
    return 1 if found else 0


def _difference(one: dict[str, str]) -> str:
    if one["what"] == "fact":
        return f"{one['name']}: {one['old']} → {one['new']}"
    return f"{one['what']}: {one['request']}" + (f"\n{one['diff']}" if "diff" in one else "")


def _scan(given: argparse.Namespace) -> int:
    secrets = Secrets(secrets_of_environment(os.environ))
    found = []
    paths = given.paths or [settings.cassettes(settings.read())]
    for path in files(paths, ("*.yaml", "*.yml", "*.json")):
        for hit in hits(path.read_text(encoding="utf-8", errors="replace"), secrets):
            found.append({"file": str(path), "line": hit.line, "column": hit.column, "kind": hit.kind})
    text = [f"{hit['file']}:{hit['line']}:{hit['column']}: {hit['kind']}" for hit in found]
    _show(given, found, text or ["no secrets found"])
    return 1 if found else 0


def _prune(given: argparse.Namespace) -> int:
    value, text = pruning.prune(given)
    _show(given, value, text)
    return 0


def _merge(given: argparse.Namespace) -> int:
    value, text = merging.merge(given)
    _show(given, value, text)
    return 0


def _load(name: str) -> Cassette:
    """A cassette by its path, or by `REVISION:path` in git."""
    path = Path(name)
    if path.exists() or ":" not in name:
        return load(path)
    shown = subprocess.run(["git", "show", name], capture_output=True, check=False)  # noqa: S603, S607 - the user's own git
    if shown.returncode:
        raise NothingKnown(f"git has no {name}.", reason=shown.stderr.decode("utf-8", "replace").strip())
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, Path(name.partition(":")[2]).name)
        copy.write_bytes(shown.stdout)
        return load(copy)

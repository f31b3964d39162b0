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
from pytest_wml.tools import merge, prune
from pytest_wml.tools.doctor import settings
from pytest_wml.tools.verify import command as verify_command

_DEFAULT = "default: the folder of the suite's recordings (wml_cassettes)"


def add_to(tools: Any) -> None:
    """Declare the tools."""
    list_tool = tools.add_parser(
        "list",
        help="list recordings, one line each",
        description="List the date, source and model of each recording.",
        epilog="example: pytest-wml cassette list tests/cassettes",
    )
    list_tool.add_argument("folder", nargs="?", help=_DEFAULT)
    list_tool.set_defaults(run=_list)

    inspect_tool = tools.add_parser(
        "inspect",
        help="show a recording as text; also as git's textconv",
        description="Show the requests and answers of a recording, in their order.",
        epilog="example: pytest-wml cassette inspect --full cassettes/mnist_cnn.yaml",
    )
    inspect_tool.add_argument("file", help="a cassette, or REVISION:path for one in git")
    inspect_tool.add_argument("--full", action="store_true", help="show the complete bodies, indented")
    inspect_tool.set_defaults(run=_inspect)

    diff_tool = tools.add_parser(
        "diff",
        help="show the differences between two recordings",
        description="Show facts, requests and answers that differ; exit status 1 if there are any.",
        epilog="example: pytest-wml cassette diff HEAD~1:cassettes/mnist_cnn.yaml cassettes/mnist_cnn.yaml",
    )
    diff_tool.add_argument("old", help="a cassette, or REVISION:path for one in git")
    diff_tool.add_argument("new", help="a cassette, or REVISION:path for one in git")
    diff_tool.set_defaults(run=_diff)

    scan_tool = tools.add_parser(
        "scan",
        help="search for secrets and personal data; for a pre-commit hook",
        description="Find tokens, keys and personal data in recordings, also in those of vcrpy, with line and column; "
        "exit status 1 if there are any.",
        epilog="example: pytest-wml cassette scan cassettes tests/fixtures/old.yaml",
    )
    scan_tool.add_argument("paths", nargs="*", help=f"files and folders; {_DEFAULT}")
    scan_tool.set_defaults(run=_scan)

    prune_tool = prune.add_to(tools)
    prune_tool.set_defaults(run=_prune)

    merge_tool = merge.add_to(tools)
    merge_tool.set_defaults(run=_merge)

    verify_tool = verify_command.add_to(tools, _DEFAULT)
    for tool in (list_tool, inspect_tool, diff_tool, scan_tool, prune_tool, merge_tool, verify_tool):
        tool.add_argument("--json", action="store_true", help="print JSON")


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
    _show(given, found, [_difference(difference) for difference in found])
    return 1 if found else 0


def _difference(difference: dict[str, str]) -> str:
    if difference["what"] == "fact":
        return f"{difference['name']}: {difference['old']} → {difference['new']}"
    return f"{difference['what']}: {difference['request']}" + (
        f"\n{difference['diff']}" if "diff" in difference else ""
    )


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
    value, text = prune.prune(given)
    _show(given, value, text)
    return 0


def _merge(given: argparse.Namespace) -> int:
    value, text = merge.merge(given)
    _show(given, value, text)
    return 0


def _load(name: str) -> Cassette:
    """Load a cassette by its path, or by `REVISION:path` in git."""
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

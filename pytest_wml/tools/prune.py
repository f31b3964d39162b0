"""`pytest-wml cassette prune`: take out of recordings what the last complete replay did not ask for."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_wml.config.table import CONTRACT_FILE
from pytest_wml.replay.cassette.batches import few_rows
from pytest_wml.replay.cassette.file import Cassette, dump, fingerprint, load, write
from pytest_wml.replay.cassette.search import NothingKnown
from pytest_wml.runner.staleness import INCOMPLETE, PLAYED, CompleteReplay, unused_interactions
from pytest_wml.tools.doctor import settings

_CACHE = ".pytest_cache"
_CONFIGURATION = frozenset(
    ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "pyproject.toml", "tox.ini", "setup.cfg")
)
_SHOWN = 3


def add_to(tools: Any) -> argparse.ArgumentParser:
    """Declare the tool."""
    prune: argparse.ArgumentParser = tools.add_parser(
        "prune",
        help="take out what the last complete replay did not ask for",
        description="Remove recordings, and parts of them, that the last complete replay did not ask for. A replay is\n"
        "complete if it ran every test of the project: started in the root folder, with no test selected,\n"
        "skipped or failed. It must be newer than the tests. A copy of each file is kept before it changes.",
        epilog="example, after a run of the whole suite: pytest-wml cassette prune --yes",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    prune.add_argument("folder", nargs="?", help="default: the folder that the last complete replay played")
    prune.add_argument("--yes", action="store_true", help="do it; otherwise it is only shown")
    return prune


@dataclass
class Pruning:
    """What is removed, and what is left alone.

    Args:
        files: recordings of which nothing was asked for.
        kept: path → what is left of the recordings of which a part was.
        interactions: what is removed from those, as lines.
        unknown: recordings that changed since the replay.
    """

    files: list[Path] = field(default_factory=list)
    kept: dict[Path, Cassette] = field(default_factory=dict)
    interactions: list[str] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)


def prune(given: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Remove what is unused, if `given.yes`; what was done, as a value and as lines.

    Raises:
        NothingKnown: no complete replay is known, or it is older than the tests.
        BadCassette: a recording cannot be read.
    """
    cache, replay = _last_complete_replay()
    root = cache.parent
    _check_age(root, replay)
    pruning = _unused(_folder(given.folder, root, replay), replay)
    copies = _do(pruning, cache) if given.yes else None
    value = {
        "done": given.yes,
        "files": [path.name for path in pruning.files],
        "interactions": pruning.interactions,
        "left_alone": [path.name for path in pruning.unknown],
        "copies": str(copies) if copies else None,
    }
    return value, list(_lines(value))


def _lines(value: dict[str, Any]) -> Iterator[str]:
    verb = "removed" if value["done"] else "would be removed (--yes does it)"
    for what in (*value["files"], *value["interactions"]):
        yield f"{verb}: {what}"
    for name in value["left_alone"]:
        yield f"left alone, since it is newer than the last complete replay: {name}"
    if value["copies"]:
        yield f"the files as they were: {value['copies']}"
    if not (value["files"] or value["interactions"]):
        yield "nothing to prune"


def _last_complete_replay() -> tuple[Path, CompleteReplay]:
    """pytest's cache of this project, and the replay that it knows.

    Raises:
        NothingKnown: it knows none.
    """
    here = Path.cwd()
    caches = [folder / _CACHE for folder in (here, *here.parents)]
    cache = next((each for each in caches if (each / "v" / "wml").is_dir()), None)
    if cache is None:
        cache = settings.started(settings.read()).root / _CACHE
    try:
        form = json.loads((cache / "v" / PLAYED).read_text(encoding="utf-8"))
        return cache, CompleteReplay.from_json(form)
    except (OSError, ValueError, KeyError, TypeError):
        raise NothingKnown(
            "No complete replay is known here.",
            looked_at=cache / "v" / PLAYED,
            last_replay=_last_replay(cache),
            fix=_again(cache.parent),
        ) from None


def _last_replay(cache: Path) -> str:
    """Why the last replay was not complete; empty if it was, or is not known."""
    try:
        reason = json.loads((cache / "v" / INCOMPLETE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return f"not complete: {reason}" if reason else ""


def _again(root: Path) -> str:
    place = "" if root == Path.cwd() else f"cd {root} && "
    return (
        f"run the whole suite once in replay: {place}pytest\n"
        "in its root folder, without -k, -m, --lf, paths or node ids; then prune. Folders that hold no tests of the\n"
        "project belong in the ini's norecursedirs, or are left out by its testpaths."
    )


def _check_age(root: Path, replay: CompleteReplay) -> None:
    """Check that no test has changed since the replay.

    Raises:
        NothingKnown: one has.
    """
    changed = sorted(_changed_since(root, replay), reverse=True)
    if changed:
        names = [path for _, path in changed[:_SHOWN]]
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        raise NothingKnown(
            "The last complete replay is older than the tests.",
            replayed=_time(replay.started),
            changed=f"{', '.join(names)}{more} ({_time(changed[0][0])})",
            last_replay=_last_replay(root / _CACHE),
            fix=_again(root),
        )


def _changed_since(root: Path, replay: CompleteReplay) -> Iterator[tuple[float, str]]:
    """Yield the Python files, contract files and settings of pytest that changed, each with the time of its change."""
    from pytest_wml.runner.completeness import files_below  # only here: the command line itself loads without pytest

    places = {root, *((root / place).resolve() for place in replay.suite)}
    for place in places:
        for path in files_below(place, replay.skipped) if place.is_dir() else [place]:
            of_pytest = path.parent == root and path.name in _CONFIGURATION
            if of_pytest or path.suffix == ".py" or path.name.endswith(CONTRACT_FILE):
                time = _changed_at(path)
                if time > replay.started:
                    yield time, os.path.relpath(path, root)


def _changed_at(path: Path) -> float:
    """When a file changed or came here: what is moved or unpacked keeps its own time, but not that of its inode."""
    try:
        known = path.stat()
    except OSError:  # a link that leads nowhere
        return 0.0
    return max(known.st_mtime, known.st_ctime)


def _time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds).astimezone().isoformat(" ", "seconds")


def _folder(given: str | None, root: Path, replay: CompleteReplay) -> Path:
    """The folder of the recordings.

    Raises:
        NothingKnown: another one than the replay's is given.
    """
    played = (root / replay.folder).resolve()
    if given is not None and Path(given).resolve() != played:
        raise NothingKnown(
            f"The last complete replay did not play the recordings in {given}.",
            played=played,
            fix="leave the folder out, or replay the suite whose recordings are there",
        )
    return played


def _unused(folder: Path, replay: CompleteReplay) -> Pruning:
    pruning = Pruning()
    for path in sorted(folder.glob("*.yaml")):
        if path.name.startswith("."):
            continue
        if replay.cassettes.get(path.stem) != fingerprint(path):
            pruning.unknown.append(path)
            continue
        cassette = load(path)
        idle = unused_interactions(cassette, replay.identities)
        if len(idle) == len(cassette.interactions):
            pruning.files.append(path)
        elif idle:
            gone = set(map(id, idle))
            kept = tuple(one for one in cassette.interactions if id(one) not in gone)
            pruning.kept[path] = Cassette(cassette.name, cassette.metadata, kept)
            pruning.interactions += [f"{path.name}: {one.request}{few_rows(one.request)}" for one in idle]
    return pruning


def _do(pruning: Pruning, cache: Path) -> Path | None:
    """Change the files; the folder that holds them as they were."""
    if not (pruning.files or pruning.kept):
        return None
    now = datetime.datetime.now(datetime.UTC)
    copies = cache / "wml-pruned" / now.strftime("%Y-%m-%dT%H-%M-%S.%fZ")
    copies.mkdir(parents=True)
    for path in (*pruning.files, *pruning.kept):
        shutil.copy2(path, copies / path.name)
    for path in pruning.files:
        path.unlink()
    for path, cassette in pruning.kept.items():
        write(path, dump(cassette))
    return copies

"""`pytest-wml cassette prune`: removes the parts of recordings that the last complete replay did not use."""

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

from pytest_wml.config.option_table import CONTRACT_FILE
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
        help="remove what the last complete replay did not use",
        description="Remove recordings, and parts of them, that the last complete replay did not use. A replay is\n"
        "complete if it ran every test of the project: started in the root folder, without test selection, and\n"
        "without skipped or failed tests. It must be newer than the tests. Each file is copied before it is changed.",
        epilog="example, after a run of the whole suite: pytest-wml cassette prune --yes",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    prune.add_argument("folder", nargs="?", help="default: the folder of the last complete replay")
    prune.add_argument("--yes", action="store_true", help="remove; without it the parts are only listed")
    return prune


@dataclass
class PrunePlan:
    """The parts of recordings to remove.

    Args:
        files: recordings of which no interaction was used.
        kept: path → the remaining content of partly used recordings.
        interactions: removed interactions of partly used recordings, as lines.
        unknown: recordings that changed since the replay; they are not pruned.
    """

    files: list[Path] = field(default_factory=list)
    kept: dict[Path, Cassette] = field(default_factory=dict)
    interactions: list[str] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)


def prune(given: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Find the unused parts, remove them if `given.yes`, and return the result as JSON and as lines.

    Raises:
        NothingKnown: no complete replay is known, or it is older than the tests.
        BadCassette: a recording cannot be read.
    """
    cache, replay = _last_complete_replay()
    root = cache.parent
    _check_age(root, replay)
    plan = _unused(_folder(given.folder, root, replay), replay)
    copies = _apply(plan, cache) if given.yes else None
    value = {
        "done": given.yes,
        "files": [path.name for path in plan.files],
        "interactions": plan.interactions,
        "left_alone": [path.name for path in plan.unknown],
        "copies": str(copies) if copies else None,
    }
    return value, list(_lines(value))


def _lines(value: dict[str, Any]) -> Iterator[str]:
    verb = "removed" if value["done"] else "would be removed (--yes does it)"
    for what in (*value["files"], *value["interactions"]):
        yield f"{verb}: {what}"
    for name in value["left_alone"]:
        yield f"not pruned, because it is newer than the last complete replay: {name}"
    if value["copies"]:
        yield f"copies of the original files: {value['copies']}"
    if not (value["files"] or value["interactions"]):
        yield "nothing to prune"


def _last_complete_replay() -> tuple[Path, CompleteReplay]:
    """The project's pytest cache, and the last complete replay in it.

    Raises:
        NothingKnown: the cache contains no complete replay.
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
    """The reason why the last replay was incomplete; empty if it was complete or is unknown."""
    try:
        reason = json.loads((cache / "v" / INCOMPLETE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return f"not complete: {reason}" if reason else ""


def _again(root: Path) -> str:
    place = "" if root == Path.cwd() else f"cd {root} && "
    return (
        f"run the whole suite once in replay: {place}pytest\n"
        "in its root folder, without -k, -m, --lf, paths or node ids; then prune. Exclude folders without tests of\n"
        "the project by norecursedirs or testpaths in the ini file."
    )


def _check_age(root: Path, replay: CompleteReplay) -> None:
    """Check that no test changed after the replay.

    Raises:
        NothingKnown: a test changed.
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
    """Yield the changed Python files, contract files and pytest settings, with the time of change."""
    # Imported on first use: the command line loads without pytest.
    from pytest_wml.runner.completeness import files_below

    paths = {root, *((root / place).resolve() for place in replay.suite)}
    for place in paths:
        for path in files_below(place, replay.skipped) if place.is_dir() else [place]:
            of_pytest = path.parent == root and path.name in _CONFIGURATION
            if of_pytest or path.suffix == ".py" or path.name.endswith(CONTRACT_FILE):
                time = _changed_at(path)
                if time > replay.started:
                    yield time, os.path.relpath(path, root)


def _changed_at(path: Path) -> float:
    """Time of the last change of a file's content or inode; moved and unpacked files keep their old content time."""
    try:
        status = path.stat()
    except OSError:  # a broken link
        return 0.0
    return max(status.st_mtime, status.st_ctime)


def _time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds).astimezone().isoformat(" ", "seconds")


def _folder(given: str | None, root: Path, replay: CompleteReplay) -> Path:
    """The folder of the recordings.

    Raises:
        NothingKnown: the given folder is not the folder of the replay.
    """
    played = (root / replay.folder).resolve()
    if given is not None and Path(given).resolve() != played:
        raise NothingKnown(
            f"The last complete replay did not use the recordings in {given}.",
            played=played,
            fix="leave the folder out, or replay the suite of these recordings",
        )
    return played


def _unused(folder: Path, replay: CompleteReplay) -> PrunePlan:
    plan = PrunePlan()
    for path in sorted(folder.glob("*.yaml")):
        if path.name.startswith("."):
            continue
        if replay.cassettes.get(path.stem) != fingerprint(path):
            plan.unknown.append(path)
            continue
        cassette = load(path)
        unused = unused_interactions(cassette, replay.identities)
        if len(unused) == len(cassette.interactions):
            plan.files.append(path)
        elif unused:
            removed = set(map(id, unused))
            kept = tuple(interaction for interaction in cassette.interactions if id(interaction) not in removed)
            plan.kept[path] = Cassette(cassette.name, cassette.metadata, kept)
            plan.interactions += [
                f"{path.name}: {interaction.request}{few_rows(interaction.request)}" for interaction in unused
            ]
    return plan


def _apply(plan: PrunePlan, cache: Path) -> Path | None:
    """Remove the unused parts; return the folder with copies of the original files."""
    if not (plan.files or plan.kept):
        return None
    now = datetime.datetime.now(datetime.UTC)
    copies = cache / "wml-pruned" / now.strftime("%Y-%m-%dT%H-%M-%S.%fZ")
    copies.mkdir(parents=True)
    for path in (*plan.files, *plan.kept):
        shutil.copy2(path, copies / path.name)
    for path in plan.files:
        path.unlink()
    for path, cassette in plan.kept.items():
        write(path, dump(cassette))
    return copies

"""`pytest-wml cassette merge`: merges recordings of two branches, as git's merge driver and by hand."""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from pytest_wml.errors import BadOption
from pytest_wml.replay.cassette.file import BadCassette, Cassette, dump, load, write
from pytest_wml.replay.cassette.search import NothingKnown
from pytest_wml.replay.cassette.three_way import CannotMerge, three_way

DRIVER = "pytest-wml cassette merge %O %A %B %P"
"""The command line of the merge driver in git's configuration."""

_DESCRIPTION = f"""\
Merge two recordings that two branches made of one. The result contains what either branch added, lacks what either
removed, and keeps the order in which the state of the service was changed. Both must be of the same model.

git calls it for each recording that both branches changed, if .gitattributes has the first line, which pytest-wml init
writes, and the second was run once in this clone:
  cassettes/*.yaml merge=wml
  git config merge.wml.driver "{DRIVER}"
"""

_EPILOG = """\
examples:
  pytest-wml cassette merge cassettes/model.yaml              resolve the conflict that git reports in this file
  pytest-wml cassette merge base.yaml ours.yaml theirs.yaml   the result is written to ours.yaml

exit status: 0 merged, 2 the recordings contradict each other, or cannot be read
"""


def add_to(tools: Any) -> argparse.ArgumentParser:
    """Declare the tool."""
    merge: argparse.ArgumentParser = tools.add_parser(
        "merge",
        help="merge the recordings of two branches; also as git's merge driver",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    merge.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="one file with a conflict in git; or BASE OURS THEIRS; or, as a merge driver, these and the file's path",
    )
    return merge


def merge(given: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Merge recordings, and return the result as JSON and as lines.

    Raises:
        CannotMerge: the recordings contradict each other.
        BadCassette: a recording is invalid.
        NothingKnown: git has no conflict in the file.
        BadOption: the number of files is wrong.
    """
    files = [Path(file) for file in given.files]
    if len(files) == 1:
        with tempfile.TemporaryDirectory() as folder:
            return _merged(*_stages(files[0], Path(folder)), result=files[0], shown=files[0])
    if len(files) == 3:
        return _merged(*files, result=files[1], shown=files[1])
    if len(files) == 4:
        base, ours, theirs, shown = files
        try:
            return _merged(base, ours, theirs, result=ours, shown=shown)
        except (CannotMerge, BadCassette):
            _mark_conflicts(base, ours, theirs)
            raise
    raise BadOption(f"cassette merge takes 1, 3 or 4 files, not {len(files)}.", fix="pytest-wml cassette merge --help")


def _merged(base: Path, ours: Path, theirs: Path, *, result: Path, shown: Path) -> tuple[dict[str, Any], list[str]]:
    name = shown.name.removesuffix(".yaml")
    # git passes an empty base if both branches added a file with this name.
    before = load(base, name) if base.stat().st_size else Cassette(name)
    mine, other = load(ours, name), load(theirs, name)
    merged = three_way(before, mine, other)
    write(result, dump(merged))
    added = len(set(merged.interactions) - set(mine.interactions))
    value = {"merged": str(shown), "interactions": len(merged.interactions), "from_theirs": added}
    return value, [f"{shown}: merged, {len(merged.interactions)} interactions, {added} of them from the other branch"]


def _stages(file: Path, folder: Path) -> tuple[Path, Path, Path]:
    """Write the three versions of a file with a conflict: common ancestor, ours and theirs.

    Raises:
        NothingKnown: git has no conflict in the file.
    """
    versions = []
    for stage in (1, 2, 3):
        shown = _git(file, "show", f":{stage}:./{file.name}")
        # There is no common ancestor if both branches added the file.
        if shown.returncode and stage > 1:
            raise NothingKnown(
                f"git has no conflict in {file}.",
                reason=shown.stderr.decode("utf-8", "replace").strip(),
                fix="give the three versions: pytest-wml cassette merge BASE OURS THEIRS",
            )
        versions.append(folder / f"{stage}.yaml")
        versions[-1].write_bytes(b"" if shown.returncode else shown.stdout)
    return versions[0], versions[1], versions[2]


def _git(file: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        command = ["git", "-C", str(file.parent), *arguments]
        return subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - the user's own git
    except FileNotFoundError:
        raise NothingKnown("git is not installed.", fix="pytest-wml cassette merge BASE OURS THEIRS") from None


def _mark_conflicts(base: Path, ours: Path, theirs: Path) -> None:
    """Write git's conflict markers into a file that cannot be merged."""
    labels = ("-L", "ours", "-L", "base", "-L", "theirs")
    _git(ours, "merge-file", *labels, *(str(path.resolve()) for path in (ours, base, theirs)))

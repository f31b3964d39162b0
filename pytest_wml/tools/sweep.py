"""`pytest-wml sweep`: what runs that were killed left in a deployment space."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from pytest_wml.errors import WMLTestError

if TYPE_CHECKING:
    from pytest_wml.live.leftovers import MarkedResource
    from pytest_wml.live.resource_journal import JournaledRun
    from pytest_wml.runner.run import Run

_EXAMPLE = """\
examples:
  pytest-wml sweep                       what is left in the space of WML_SPACE_ID, and what would be deleted
  pytest-wml sweep --yes                 delete it
  pytest-wml sweep --yes --run 3fa91c02  also what a run left that was killed on another machine and is not expired

Only what has a run's mark in its name (NAME-pytest-wml-RUN-EXPIRY) is ever looked at. Deleted is what has expired, and
what a run of this machine left that is not going on any more. exit status: 0 nothing is left, 1 something is, 2 it
cannot be told
"""


class NothingToSweep(WMLTestError):
    """The space cannot be looked at."""


class Judged(NamedTuple):
    """Something with a mark, and whether it may be deleted."""

    left: MarkedResource
    free: bool
    why: str

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        left = self.left
        facts = {"kind": left.kind, "id": left.id, "name": left.name, "run": left.mark.run}
        return {**facts, "expires": left.mark.expires.isoformat(), "leftover": self.free, "why": self.why}


def add_to(commands: Any) -> None:
    """Declare the command."""
    sweep = commands.add_parser(
        "sweep",
        help="list, and delete, what killed live runs left in a deployment space",
        description="List what live runs created in the deployment space and did not delete. Nothing is deleted "
        "without --yes, and never anything that no run of pytest-wml created.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sweep.add_argument("--yes", action="store_true", help="delete; otherwise it is only shown")
    sweep.add_argument(
        "--run", default="", dest="of_run", metavar="RUN", help="a run that is known to have ended, by its name"
    )
    sweep.add_argument("--wml-credentials", default="", metavar="FILE", help="as pytest takes it")
    sweep.add_argument("--wml-ca", default="", metavar="FILE", help="as pytest takes it")
    sweep.add_argument("--json", action="store_true", help="for machines")
    sweep.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    from pytest_wml.live.resource_journal import folder

    told = sys.stderr if given.json else sys.stdout
    dead = {journals.run: journals for journals in _dead(folder())}
    with _live(given) as run, _client(run) as client:
        found = _judged(client, run, dead, given.of_run)
        free = [one for one in found if one.free]
        problems = list(_deleted(client, free, told)) if given.yes else []
        elsewhere = list(_elsewhere(dead.values(), run))
        if given.yes and not problems:
            _forget(dead.values(), run)
    if given.json:
        listed = [one.as_json() for one in found]
        print(
            json.dumps({"deleted": given.yes, "found": listed, "problems": problems, "elsewhere": elsewhere}, indent=1)
        )
    else:
        print(*_lines(found, problems, deleted=given.yes), *elsewhere, sep="\n")
    return 1 if problems or (free and not given.yes) else 0


def _lines(found: list[Judged], problems: list[str], *, deleted: bool) -> Iterator[str]:
    for one in found:
        if not one.free:
            yield f"left alone: {one.left}: {one.why}"
        elif not deleted:
            yield f"would be deleted (--yes does it): {one.left}: {one.why}"
    yield from (f"not deleted: {problem}" for problem in problems)
    if not any(one.free for one in found):
        yield "nothing is left by a run that has ended"


@contextlib.contextmanager
def _live(given: argparse.Namespace) -> Iterator[Run]:
    """A live run, with the options of the suite in the working folder, that creates nothing."""
    from pytest_wml.runner.configuration import Configuration
    from pytest_wml.runner.run import Run
    from pytest_wml.tools.doctor import settings

    flags = {"--wml-credentials": given.wml_credentials, "--wml-ca": given.wml_ca}
    suite = settings.read(["--wml=live", *(f"{flag}={value}" for flag, value in flags.items() if value)])
    if suite.configuration is None:
        raise NothingToSweep(
            "pytest does not start here, and says where the credentials are.",
            reason=suite.problem[:500],
            fix="run pytest --collect-only here, and mend what it says, or go to another folder",
        )
    here = suite.configuration
    run = Run(Configuration(here.settings, here.root, os.environ, Path.cwd()))
    run.open()
    try:
        yield run
    finally:
        run.close()


@contextlib.contextmanager
def _client(run: Run) -> Iterator[Any]:
    """IBM's client, which keeps still."""
    from pytest_wml.runner import fixture_values

    with contextlib.redirect_stdout(io.StringIO()), fixture_values.client(run) as client:
        yield client


def _dead(place: Path) -> Iterator[JournaledRun]:
    """Yield the runs of this machine that were killed."""
    from pytest_wml.live.resource_journal import is_alive, journaled_runs

    for journals in journaled_runs(place):
        if journals.is_of_here and not is_alive(place, journals.run):
            yield journals


def _judged(client: Any, run: Run, dead: Mapping[str, JournaledRun], named: str) -> list[Judged]:
    from pytest_wml.live import leftovers, resource_names
    from pytest_wml.live.resource_journal import folder, is_alive

    now, found = resource_names.now(), []
    owed = {one.id for journals in dead.values() for one in journals.owed}
    with run.app.account.owned.as_it_is():
        everything = list(leftovers.listed(client))
    for left in leftovers.in_order(everything):
        until = f"{left.mark.expires:%Y-%m-%d %H:%M} UTC"
        if is_alive(folder(), left.mark.run):
            found.append(Judged(left, False, "its run on this machine is going on"))
        elif left.mark.expired(now):
            found.append(Judged(left, True, f"expired at {until}"))
        elif left.mark.run in dead or left.id in owed:
            found.append(Judged(left, True, "its run on this machine was killed"))
        elif left.mark.run == named:
            found.append(Judged(left, True, "named by --run"))
        elif left.mark.kept:
            found.append(Judged(left, False, f"kept for later runs until {until}"))
        else:
            found.append(Judged(left, False, f"its run may be going on; expires at {until}"))
    return found


def _deleted(client: Any, free: Iterable[Judged], told: TextIO) -> Iterator[str]:
    """Delete, telling what, and yield what could not be."""
    from pytest_wml.live import leftovers

    for one in free:
        try:
            leftovers.remove(client, one.left.kind, one.left.id)
        # IBM's client raises what it likes.
        except Exception as error:  # noqa: BLE001
            yield f"{one.left}: {' '.join(str(error).split())[:300]}"
        else:
            print(f"deleted: {one.left}: {one.why}", file=told, flush=True)


def _elsewhere(dead: Iterable[JournaledRun], run: Run) -> Iterator[str]:
    """Yield where killed runs of this machine have left something else."""
    here = run.configuration.credentials
    for journals in dead:
        spaces = {one.space or journals.space for one in journals.owed} - {here.space_id}
        if journals.url != here.url and journals.owed:
            yield f"not looked at: what run {journals.run} left at {journals.url}"
        elif spaces:
            yield f"not looked at: what run {journals.run} left in space {', '.join(sorted(spaces))} (set WML_SPACE_ID)"


def _forget(dead: Iterable[JournaledRun], run: Run) -> None:
    """Remove the journals of killed runs: what they had in this space is gone, and they had nothing in another."""
    here = run.configuration.credentials
    for journals in dead:
        spaces = {one.space or journals.space for one in journals.owed}
        if journals.url == here.url and spaces <= {here.space_id}:
            for file in journals.files:
                file.unlink(missing_ok=True)
            journals.files[0].with_name(f"{journals.run}.lock").unlink(missing_ok=True)

"""`pytest-wml sweep`: lists and deletes resources that killed runs left in a deployment space."""

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
  pytest-wml sweep                       list what is left in the space of WML_SPACE_ID, and what would be deleted
  pytest-wml sweep --yes                 delete it
  pytest-wml sweep --yes --run 3fa91c02  also resources of this run, killed on another machine, before they expire

Only resources with a run's mark in their name (NAME-pytest-wml-RUN-EXPIRY) are considered. Expired resources are
deleted, and resources of runs on this machine that have ended. exit status: 0 nothing is left, 1 something is left,
2 the space cannot be read
"""


class NothingToSweep(WMLTestError):
    """The space cannot be read."""


class SweepDecision(NamedTuple):
    """A resource with a run's mark, and whether it may be deleted."""

    left: MarkedResource
    deletable: bool
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Return the decision as JSON."""
        left = self.left
        facts = {"kind": left.kind, "id": left.id, "name": left.name, "run": left.mark.run}
        return {**facts, "expires": left.mark.expires.isoformat(), "leftover": self.deletable, "why": self.reason}


def add_to(commands: Any) -> None:
    """Declare the command."""
    sweep = commands.add_parser(
        "sweep",
        help="list and delete what killed live runs left in a deployment space",
        description="List the resources that live runs created in the deployment space and did not delete. Nothing is "
        "deleted without --yes; only resources that a run of pytest-wml created are ever deleted.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sweep.add_argument("--yes", action="store_true", help="delete; without it resources are only listed")
    sweep.add_argument("--run", default="", dest="of_run", metavar="RUN", help="name of a run that has ended")
    sweep.add_argument("--wml-credentials", default="", metavar="FILE", help="as for pytest")
    sweep.add_argument("--wml-ca", default="", metavar="FILE", help="as for pytest")
    sweep.add_argument("--json", action="store_true", help="print JSON")
    sweep.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    from pytest_wml.live.resource_journal import folder

    output = sys.stderr if given.json else sys.stdout
    killed_runs = {journals.run: journals for journals in _killed_runs(folder())}
    with _live(given) as run, _client(run) as client:
        found = _decisions(client, run, killed_runs, given.of_run)
        deletable = [each for each in found if each.deletable]
        problems = list(_delete(client, deletable, output)) if given.yes else []
        elsewhere = list(_elsewhere(killed_runs.values(), run))
        if given.yes and not problems:
            _remove_journals(killed_runs.values(), run)
    if given.json:
        listed = [each.as_json() for each in found]
        print(
            json.dumps({"deleted": given.yes, "found": listed, "problems": problems, "elsewhere": elsewhere}, indent=1)
        )
    else:
        print(*_lines(found, problems, deleted=given.yes), *elsewhere, sep="\n")
    return 1 if problems or (deletable and not given.yes) else 0


def _lines(found: list[SweepDecision], problems: list[str], *, deleted: bool) -> Iterator[str]:
    for each in found:
        if not each.deletable:
            yield f"not deleted: {each.left}: {each.reason}"
        elif not deleted:
            yield f"would be deleted (--yes does it): {each.left}: {each.reason}"
    yield from (f"not deleted: {problem}" for problem in problems)
    if not any(each.deletable for each in found):
        yield "no resources of ended runs are left"


@contextlib.contextmanager
def _live(given: argparse.Namespace) -> Iterator[Run]:
    """A live run with the options of the suite in the working folder; it creates no resources."""
    from pytest_wml.runner.configuration import Configuration
    from pytest_wml.runner.run import Run
    from pytest_wml.tools.doctor import settings

    flags = {"--wml-credentials": given.wml_credentials, "--wml-ca": given.wml_ca}
    suite = settings.read(["--wml=live", *(f"{flag}={value}" for flag, value in flags.items() if value)])
    if suite.configuration is None:
        raise NothingToSweep(
            "pytest does not start here, so the credentials cannot be determined.",
            reason=suite.problem[:500],
            fix="run pytest --collect-only here and fix the errors, or change to another folder",
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
    """IBM's client, without its output."""
    from pytest_wml.runner import fixture_values

    with contextlib.redirect_stdout(io.StringIO()), fixture_values.client(run) as client:
        yield client


def _killed_runs(place: Path) -> Iterator[JournaledRun]:
    """Yield the killed runs of this machine."""
    from pytest_wml.live.resource_journal import is_alive, journaled_runs

    for journals in journaled_runs(place):
        if journals.is_of_here and not is_alive(place, journals.run):
            yield journals


def _decisions(client: Any, run: Run, killed_runs: Mapping[str, JournaledRun], ended_run: str) -> list[SweepDecision]:
    from pytest_wml.live import leftovers, resource_names
    from pytest_wml.live.resource_journal import folder, is_alive

    now, found = resource_names.now(), []
    owed = {each.id for journals in killed_runs.values() for each in journals.owed}
    with run.app.account.owned.as_it_is():
        everything = list(leftovers.listed(client))
    for left in leftovers.in_order(everything):
        until = f"{left.mark.expires:%Y-%m-%d %H:%M} UTC"
        if is_alive(folder(), left.mark.run):
            found.append(SweepDecision(left, False, "its run on this machine is active"))
        elif left.mark.expired(now):
            found.append(SweepDecision(left, True, f"expired at {until}"))
        elif left.mark.run in killed_runs or left.id in owed:
            found.append(SweepDecision(left, True, "its run on this machine was killed"))
        elif left.mark.run == ended_run:
            found.append(SweepDecision(left, True, "named by --run"))
        elif left.mark.kept:
            found.append(SweepDecision(left, False, f"kept for later runs until {until}"))
        else:
            found.append(SweepDecision(left, False, f"its run may be active; expires at {until}"))
    return found


def _delete(client: Any, deletable: Iterable[SweepDecision], output: TextIO) -> Iterator[str]:
    """Delete resources, print each deletion, and yield the failures."""
    from pytest_wml.live import leftovers

    for each in deletable:
        try:
            leftovers.remove(client, each.left.kind, each.left.id)
        # IBM's client raises many classes.
        except Exception as error:  # noqa: BLE001
            yield f"{each.left}: {' '.join(str(error).split())[:300]}"
        else:
            print(f"deleted: {each.left}: {each.reason}", file=output, flush=True)


def _elsewhere(killed_runs: Iterable[JournaledRun], run: Run) -> Iterator[str]:
    """Yield a line for each other service or space in which killed runs of this machine left resources."""
    here = run.configuration.credentials
    for journals in killed_runs:
        spaces = {each.space or journals.space for each in journals.owed} - {here.space_id}
        if journals.url != here.url and journals.owed:
            yield f"not searched: resources of run {journals.run} at {journals.url}"
        elif spaces:
            names = ", ".join(sorted(spaces))
            yield f"not searched: resources of run {journals.run} in space {names} (set WML_SPACE_ID)"


def _remove_journals(killed_runs: Iterable[JournaledRun], run: Run) -> None:
    """Remove the journals of killed runs whose resources were all in this space, and are deleted."""
    here = run.configuration.credentials
    for journals in killed_runs:
        spaces = {each.space or journals.space for each in journals.owed}
        if journals.url == here.url and spaces <= {here.space_id}:
            for file in journals.files:
                file.unlink(missing_ok=True)
            journals.files[0].with_name(f"{journals.run}.lock").unlink(missing_ok=True)

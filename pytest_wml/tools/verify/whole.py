"""A verification from its start to its end."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import functools
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from pytest_wml.config.credentials import OFFLINE, Credentials, find, required
from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.errors import BadOption, MissingExtra, WMLTestError
from pytest_wml.live.created_resources import CreatedResources
from pytest_wml.live.processes import RunProcesses
from pytest_wml.live.retry import Retrying
from pytest_wml.redaction.known import Secrets
from pytest_wml.replay.cassette.file import Cassette, load, write
from pytest_wml.replay.cassette.search import NothingKnown, files
from pytest_wml.replay.cassette.tape import ArchiveContent
from pytest_wml.runner import progress
from pytest_wml.tools.doctor import settings
from pytest_wml.tools.doctor.places import places
from pytest_wml.tools.doctor.reaching import trust
from pytest_wml.tools.verify import fidelity, telling
from pytest_wml.tools.verify.differences import Terms
from pytest_wml.tools.verify.outcome import Verification, agreed
from pytest_wml.tools.verify.rules import Level
from pytest_wml.tools.verify.running import How, Verifier
from pytest_wml.tools.verify.side import Side
from pytest_wml.tools.verify.steps import cost, own_spaces, steps, uploads
from pytest_wml.tools.verify.stopping import Stop
from pytest_wml.tools.verify.uploads import Uploads
from pytest_wml.wml.hosts import Role

_CPD = "https://cpd.example.com"
_LIFETIME = 24.0
"""Hours after which nobody needs what a verification made."""


class Job(NamedTuple):
    """One recording and what is needed to ask for it again."""

    cassette: Cassette
    archives: dict[ArchiveContent, Path]

    @property
    def cpd(self) -> bool:
        """Whether it was recorded as a Cloud Pak for Data."""
        return any(interaction.role is Role.CPD for interaction in self.cassette.interactions)


def run(given: argparse.Namespace) -> int:
    """Verify; the exit status.

    Raises:
        WMLTestError: it cannot be done.
    """
    secrets, stop = Secrets(), Stop()
    with tempfile.TemporaryDirectory(prefix="pytest-wml-verify-") as folder:
        suite = functools.cache(settings.read)
        given.paths = given.paths or [settings.cassettes(suite())]
        given.allow_pickle = given.allow_pickle or _allows_code(given, suite)
        jobs = _jobs(given, suite, Path(folder))
        credentials = _credentials(given, suite, secrets)
        for line in _plan(given, jobs, credentials):
            print(line, file=sys.stderr if given.json else sys.stdout, flush=True)
        if given.dry_run:
            return 0
        _agree(given)
        results: list[Verification] = []
        complete = False
        try:
            with stop:
                is_embedded = _verify_all(given, jobs, credentials, secrets, stop, results)
            complete = not stop.asked
        finally:
            _tell(given, results, complete, secrets)
    if stop.asked:
        raise KeyboardInterrupt
    if given.write_fidelity:
        date(given.write_fidelity, results, is_embedded)
    return _status(given, results)


def _allows_code(given: argparse.Namespace, suite: Callable[[], settings.Suite]) -> bool:
    """Whether the options of the suite let the embedded service run models' code."""
    chosen = suite().settings if given.against == "embedded" else None
    return chosen is not None and chosen.allow_pickle.value


def _jobs(given: argparse.Namespace, suite: Callable[[], settings.Suite], folder: Path) -> list[Job]:
    """The recordings, each with its archives at hand: before anything is asked for."""
    suites = Uploads(given.model, lambda: settings.model_files(suite()), folder)
    jobs = []
    for path in files(given.paths, ("*.yaml",)):
        cassette = load(path)
        sent = uploads(steps(cassette))
        jobs.append(Job(cassette, {content: suites.path(cassette, content) for content in sent}))
    if not jobs:
        raise NothingKnown(f"There are no cassettes in {', '.join(given.paths)}.", fix="name a cassette or a folder")
    return jobs


def _credentials(
    given: argparse.Namespace, suite: Callable[[], settings.Suite], secrets: Secrets
) -> Credentials | None:
    """Those for the live service; None for the embedded one, which needs none."""
    if given.against != "live":
        return None
    if importlib.util.find_spec("requests") is None:
        raise MissingExtra(
            "The package requests, which IBM's clients bring, is needed to reach the live service.",
            fix='pip install "pytest-wml[wml]"  (or "pytest-wml[watsonx]")',
        )
    given.ca = given.ca or suite().ca
    if given.ca:
        trust(given.ca, {})  # a file that is none is told before anything is sent
    file = given.credentials or suite().credentials
    found = required(find(os.environ, file))
    secrets.add(*found.secrets)
    return found


def _plan(given: argparse.Namespace, jobs: list[Job], credentials: Credentials | None) -> Iterator[str]:
    where = f"{credentials.url}, space {credentials.space_id}" if credentials else "the embedded service"
    yield f"against {given.against}: {where}"
    for job in jobs:
        yield f"  {job.cassette.name}: {cost(steps(job.cassette))}"
        yield from (f"    sends {path}" for path in dict.fromkeys(job.archives.values()))
    if credentials:
        yield "  besides: logins, polls until a state settles, deletions; everything made is deleted at the end"


def _agree(given: argparse.Namespace) -> None:
    """Pass when whoever pays for it has said yes.

    Raises:
        BadOption: there is nobody to ask, or the answer is no.
    """
    if given.against != "live" or given.yes:
        return
    if sys.stdin.isatty() and sys.stderr.isatty():
        print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
    raise BadOption(
        "Nothing was asked for: deployments and scorings on the live service are paid for.",
        fix="say yes by --yes, or look first by --dry-run",
    )


def _verify_all(
    given: argparse.Namespace,
    jobs: list[Job],
    credentials: Credentials | None,
    secrets: Secrets,
    stop: Stop,
    results: list[Verification],
) -> bool:
    """Verify each, into the results; whether any answer came from an embedded service."""
    is_embedded = False
    terms = Terms(given.rtol, given.atol)
    with progress.progress_line_on(sys.stderr) as show:
        how = How(credentials is not None, terms, given.timeout, show)
        for job in jobs:
            if stop.asked:
                break
            with _asking(given, job, credentials, secrets) as side:
                results.append(_begun(job, side))
                Verifier(results[-1], side, job.archives, how, stop).run()
                is_embedded |= side.is_embedded
    return is_embedded


def _begun(job: Job, side: Side) -> Verification:
    begun = Verification(job.cassette, other_kind=side.places.cloud is job.cpd)
    if begun.other_kind:
        kinds = "IBM Cloud", "a Cloud Pak for Data"
        begun.notes.append(f"recorded as {kinds[job.cpd]}, asked as {kinds[not job.cpd]}")
    return begun


@contextlib.contextmanager
def _asking(given: argparse.Namespace, job: Job, credentials: Credentials | None, secrets: Secrets) -> Iterator[Side]:
    """The other side, while the block lasts: the embedded one is new for each recording."""
    if credentials is None:
        offline = OFFLINE._replace(url=_CPD, username="embedded") if job.cpd else OFFLINE
        spaces = dict.fromkeys([offline.space_id, *own_spaces(job.cassette)])
        how = "pytest-wml cassette verify --allow-pickle"
        with EmbeddedWML(spaces=spaces, allow_pickle=given.allow_pickle, how_to_allow=how) as service:
            yield Side(service, places(offline.url), offline, secrets, service.wait_for_loads)
        return
    from pytest_wml.live.gateway import Live  # only where it is needed: requests comes with IBM's clients

    gateway = Live(given.ca or None)
    # What is made is named after this run and journaled: after a kill -9 `pytest-wml sweep` finds it.
    together = RunProcesses(os.environ, _LIFETIME, {"url": credentials.url, "space": credentials.space_id})
    together.open()
    try:
        owned = CreatedResources(gateway, together.mark, together.journal)
        retrying = Retrying(owned)
        yield Side(retrying, places(credentials.url), credentials, secrets)
    finally:
        together.close()
        gateway.close()


def _tell(given: argparse.Namespace, results: list[Verification], complete: bool, secrets: Secrets) -> None:
    document = {
        "against": given.against,
        "complete": complete,
        "verdict": str(_worst(results)),
        "cassettes": [telling.as_json(result) for result in results],
    }
    written = secrets.mask(json.dumps(document, indent=1, ensure_ascii=False))
    if given.report:
        write(given.report, written + "\n")
    if given.json:
        print(written, flush=True)
        return
    for result in results:
        for line in telling.lines(result, verbose=given.verbose):
            print(secrets.mask(line))
    print(telling.closing(results) + ("" if complete else "; not complete"), flush=True)


def _worst(results: list[Verification]) -> Level:
    return next((level for level in reversed(Level) if any(each.count(level) for each in results)), Level.INFO)


def _status(given: argparse.Namespace, results: list[Verification]) -> int:
    least = Level.WARN if given.strict else Level.ERROR
    return 1 if _worst(results) >= least or any(each.left_behind for each in results) else 0


def date(file: Path, results: list[Verification], is_embedded: bool) -> None:
    """Write today into the data of FIDELITY.md, for what really was an answer of IBM's service.

    Raises:
        WMLTestError: the other side was an embedded service.
    """
    if is_embedded:
        raise WMLTestError(
            "Nothing was written into the data of FIDELITY.md: the other side is an embedded service itself.",
            file=file,
            fix="name IBM's own service in WML_URL",
        )
    # What was recorded live, or as another kind of service, says nothing about what the embedded one answers here.
    ours = [each for each in results if each.cassette.recorded_from == "embedded" and not each.other_kind]
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    for route in fidelity.update(file, agreed(ours), day):
        print(f"validated live on {day}: {route}", file=sys.stderr)

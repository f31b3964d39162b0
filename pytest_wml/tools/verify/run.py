"""Performs a verification: reads the recordings, verifies them, reports the results."""

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
from pytest_wml.tools.doctor.connection import trust
from pytest_wml.tools.doctor.endpoints import endpoints
from pytest_wml.tools.verify import fidelity, reporting
from pytest_wml.tools.verify.differences import ComparisonTerms
from pytest_wml.tools.verify.outcome import Verification, agreed
from pytest_wml.tools.verify.rules import DifferenceLevel
from pytest_wml.tools.verify.service import TargetService
from pytest_wml.tools.verify.signals import StopRequest
from pytest_wml.tools.verify.steps import cost, own_spaces, steps, uploads
from pytest_wml.tools.verify.uploads import Uploads
from pytest_wml.tools.verify.verifier import Verifier, VerifyOptions
from pytest_wml.wml.hosts import Role

_CPD = "https://cpd.example.com"
_LIFETIME = 24.0
"""Hours after which resources of a verification expire."""


class VerifyJob(NamedTuple):
    """One recording and the archives for its uploads."""

    cassette: Cassette
    archives: dict[ArchiveContent, Path]

    @property
    def cpd(self) -> bool:
        """Whether it was recorded from Cloud Pak for Data."""
        return any(interaction.role is Role.CPD for interaction in self.cassette.interactions)


def run(given: argparse.Namespace) -> int:
    """Verify recordings, and return the exit status.

    Raises:
        WMLTestError: the verification cannot be performed.
    """
    secrets, stop = Secrets(), StopRequest()
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
        _confirm(given)
        results: list[Verification] = []
        complete = False
        try:
            with stop:
                is_embedded = _verify_all(given, jobs, credentials, secrets, stop, results)
            complete = not stop.requested
        finally:
            _report(given, results, complete, secrets)
    if stop.requested:
        raise KeyboardInterrupt
    if given.write_fidelity:
        date(given.write_fidelity, results, is_embedded)
    return _status(given, results)


def _allows_code(given: argparse.Namespace, suite: Callable[[], settings.Suite]) -> bool:
    """Whether the options of the suite allow the embedded service to run code in models."""
    chosen = suite().settings if given.against == "embedded" else None
    return chosen is not None and chosen.allow_pickle.value


def _jobs(given: argparse.Namespace, suite: Callable[[], settings.Suite], folder: Path) -> list[VerifyJob]:
    """The recordings with their archives, determined before the first request."""
    found_uploads = Uploads(given.model, lambda: settings.model_files(suite()), folder)
    jobs = []
    for path in files(given.paths, ("*.yaml",)):
        cassette = load(path)
        sent = uploads(steps(cassette))
        jobs.append(VerifyJob(cassette, {content: found_uploads.path(cassette, content) for content in sent}))
    if not jobs:
        raise NothingKnown(f"There are no cassettes in {', '.join(given.paths)}.", fix="name a cassette or a folder")
    return jobs


def _credentials(
    given: argparse.Namespace, suite: Callable[[], settings.Suite], secrets: Secrets
) -> Credentials | None:
    """The credentials for the live service; None for the embedded service."""
    if given.against != "live":
        return None
    if importlib.util.find_spec("requests") is None:
        raise MissingExtra(
            "The live service needs the package requests, which is installed with IBM's clients.",
            fix='pip install "pytest-wml[wml]"  (or "pytest-wml[watsonx]")',
        )
    given.ca = given.ca or suite().ca
    if given.ca:
        trust(given.ca, {})  # reports an invalid file before the first request
    file = given.credentials or suite().credentials
    found = required(find(os.environ, file))
    secrets.add(*found.secrets)
    return found


def _plan(given: argparse.Namespace, jobs: list[VerifyJob], credentials: Credentials | None) -> Iterator[str]:
    where = f"{credentials.url}, space {credentials.space_id}" if credentials else "the embedded service"
    yield f"against {given.against}: {where}"
    for job in jobs:
        yield f"  {job.cassette.name}: {cost(steps(job.cassette))}"
        yield from (f"    sends {path}" for path in dict.fromkeys(job.archives.values()))
    if credentials:
        yield "  in addition: logins, polls until a state settles, deletion of all created resources at the end"


def _confirm(given: argparse.Namespace) -> None:
    """Ask for confirmation before a verification against the live service.

    Raises:
        BadOption: there is no terminal, or the answer is no.
    """
    if given.against != "live" or given.yes:
        return
    if sys.stdin.isatty() and sys.stderr.isatty():
        print("Continue? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
    raise BadOption(
        "No request was sent: deployments and scorings on the live service cost money.",
        fix="confirm with --yes, or see the requests with --dry-run",
    )


def _verify_all(
    given: argparse.Namespace,
    jobs: list[VerifyJob],
    credentials: Credentials | None,
    secrets: Secrets,
    stop: StopRequest,
    results: list[Verification],
) -> bool:
    """Verify each recording into `results`; return whether any answer came from an embedded service."""
    is_embedded = False
    terms = ComparisonTerms(given.rtol, given.atol)
    with progress.progress_line_on(sys.stderr) as show:
        how = VerifyOptions(credentials is not None, terms, given.timeout, show)
        for job in jobs:
            if stop.requested:
                break
            with _service(given, job, credentials, secrets) as side:
                results.append(_new_verification(job, side))
                Verifier(results[-1], side, job.archives, how, stop).run()
                is_embedded |= side.is_embedded
    return is_embedded


def _new_verification(job: VerifyJob, side: TargetService) -> Verification:
    verification = Verification(job.cassette, other_kind=side.endpoints.cloud is job.cpd)
    if verification.other_kind:
        kinds = "IBM Cloud", "Cloud Pak for Data"
        verification.notes.append(f"recorded from {kinds[job.cpd]}, verified against {kinds[not job.cpd]}")
    return verification


@contextlib.contextmanager
def _service(
    given: argparse.Namespace, job: VerifyJob, credentials: Credentials | None, secrets: Secrets
) -> Iterator[TargetService]:
    """Open the verified service; each recording gets a new embedded service."""
    if credentials is None:
        offline = OFFLINE._replace(url=_CPD, username="embedded") if job.cpd else OFFLINE
        spaces = dict.fromkeys([offline.space_id, *own_spaces(job.cassette)])
        how = "pytest-wml cassette verify --allow-pickle"
        with EmbeddedWML(spaces=spaces, allow_pickle=given.allow_pickle, how_to_allow=how) as service:
            yield TargetService(service, endpoints(offline.url), offline, secrets, service.wait_for_loads)
        return
    from pytest_wml.live.gateway import Live  # imported on first use: needs the package requests

    gateway = Live(given.ca or None)
    # Created resources have this run's mark and are journaled: `pytest-wml sweep` finds them after a kill.
    together = RunProcesses(os.environ, _LIFETIME, {"url": credentials.url, "space": credentials.space_id})
    together.open()
    try:
        owned = CreatedResources(gateway, together.mark, together.journal)
        retrying = Retrying(owned)
        yield TargetService(retrying, endpoints(credentials.url), credentials, secrets)
    finally:
        together.close()
        gateway.close()


def _report(given: argparse.Namespace, results: list[Verification], complete: bool, secrets: Secrets) -> None:
    document = {
        "against": given.against,
        "complete": complete,
        "verdict": str(_worst(results)),
        "cassettes": [reporting.as_json(result) for result in results],
    }
    written = secrets.mask(json.dumps(document, indent=1, ensure_ascii=False))
    if given.report:
        write(given.report, written + "\n")
    if given.json:
        print(written, flush=True)
        return
    for result in results:
        for line in reporting.lines(result, verbose=given.verbose):
            print(secrets.mask(line))
    print(reporting.closing(results) + ("" if complete else "; not complete"), flush=True)


def _worst(results: list[Verification]) -> DifferenceLevel:
    return next(
        (level for level in reversed(DifferenceLevel) if any(each.count(level) for each in results)),
        DifferenceLevel.INFO,
    )


def _status(given: argparse.Namespace, results: list[Verification]) -> int:
    least = DifferenceLevel.WARN if given.strict else DifferenceLevel.ERROR
    return 1 if _worst(results) >= least or any(each.left_behind for each in results) else 0


def date(file: Path, results: list[Verification], is_embedded: bool) -> None:
    """Write today's date into the data of FIDELITY.md, for routes that were validated against IBM's service.

    Raises:
        WMLTestError: the verified service was an embedded service.
    """
    if is_embedded:
        raise WMLTestError(
            "Nothing was written into the data of FIDELITY.md: the verified service is an embedded service.",
            file=file,
            fix="set WML_URL to IBM's service",
        )
    # Only recordings of the embedded service as the same kind of service validate the embedded service.
    relevant = [each for each in results if each.cassette.recorded_from == "embedded" and not each.other_kind]
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    for route in fidelity.update(file, agreed(relevant), day):
        print(f"validated live on {day}: {route}", file=sys.stderr)

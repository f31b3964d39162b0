"""Sends the requests of a recording and compares the answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl

from pytest_wml.emulator.routes import called
from pytest_wml.errors import WMLTestError
from pytest_wml.replay.cassette.identity import parsed
from pytest_wml.replay.cassette.normalise import UUID, Interaction
from pytest_wml.replay.cassette.tape import ArchiveContent, Body
from pytest_wml.tools.verify.creations import Creations
from pytest_wml.tools.verify.differences import ComparedAnswer, ComparisonTerms, Difference, differences
from pytest_wml.tools.verify.outcome import RequestOutcome, Verification
from pytest_wml.tools.verify.rules import DifferenceLevel, is_transient
from pytest_wml.tools.verify.service import ServiceReply, TargetService
from pytest_wml.tools.verify.signals import StopRequest
from pytest_wml.tools.verify.steps import RecordedStep, steps
from pytest_wml.tools.verify.translation import Translation
from pytest_wml.wml.hosts import Role

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0
_SETTLING = ("/ml/v4/deployments", "/v2/spaces")
"""Collections whose resources take time to become ready."""


class NoSpace(WMLTestError):
    """The deployment space of the credentials cannot be used."""


class VerifyOptions(NamedTuple):
    """Options of a verification.

    Args:
        live: whether the service is live: requests cost money, and it has resources of other users.
        terms: settings of the comparison.
        deadline: seconds until a state must settle.
        tell: shows a line of progress.
    """

    live: bool
    terms: ComparisonTerms
    deadline: float
    tell: Callable[[str], None]


class Verifier:
    """Verifies one recording.

    Args:
        verification: the recording; receives the results.
        side: the service to verify.
        archives: archive of each recorded upload.
        how: options.
        stop: ends the verification early; created resources are deleted.
    """

    def __init__(
        self,
        verification: Verification,
        side: TargetService,
        archives: Mapping[ArchiveContent, Path],
        how: VerifyOptions,
        stop: StopRequest,
    ) -> None:
        self._result = verification
        self._side = side
        self._archives = archives
        self._how = how
        self._stop = stop
        self._terms = how.terms._replace(other_kind=verification.other_kind)
        self._translation = Translation(side.space_id, how.live)
        self._creations = Creations(side, 1.0 if how.live else 0.0)

    def run(self) -> None:
        """Send all requests, and delete the created resources at the end, also after an error.

        Raises:
            WMLTestError: the service does not answer, or gives no valid answer.
        """
        planned = steps(self._result.cassette)
        try:
            self._read_space()
            for place, step in enumerate(planned, 1):
                if self._stop.requested:
                    break
                self._tell(f"{place} of {len(planned)} requests")
                outcome = self._verified(step)
                if self._stop.requested and step.asked.method == "GET":
                    break  # the state in the answer may not have settled
                self._result.outcomes.append(outcome)
        finally:
            self._tell("deleting created resources")
            try:
                self._creations.delete_all()
            finally:
                self._result.left_behind += self._creations.left

    def _tell(self, line: str) -> None:
        self._how.tell(f"{self._result.cassette.name}: {line}")

    def _read_space(self) -> None:
        role = Role.PLATFORM if self._side.endpoints.cloud else Role.CPD
        reply = self._side.ask("GET", role, f"/v2/spaces/{self._side.space_id}")
        space = parsed(reply.body)
        if reply.status != 200 or not isinstance(space, dict):
            raise NoSpace(
                "The deployment space of the credentials cannot be read.",
                space=self._side.space_id,
                status=reply.status,
                fix="run pytest-wml doctor to find the cause",
            )
        self._translation.learn_space(space)

    def _verified(self, step: RecordedStep) -> RequestOutcome:
        asked = step.asked
        outcome = RequestOutcome(step.number, str(asked.request), _route(asked), asked.status < 400)
        reason = self._translation.reason_to_leave_out(asked)
        if reason:
            self._translation.mark_missing(asked)
            return outcome._replace(left_out=reason)
        reply = self._settled(asked, self._send(asked))
        self._note_changes(asked, reply)
        self._translation.learn(asked, reply)
        now = self._translation.as_recorded(asked, reply, self._side.host(asked.role, asked.path))
        return outcome._replace(differences=self._compared(step, now))

    def _send(self, asked: Interaction) -> ServiceReply:
        body = self._archives[asked.body] if isinstance(asked.body, ArchiveContent) else self._translation.body(asked)
        path, query = self._translation.path(asked), self._translation.query(asked)
        return self._side.ask(asked.method, asked.role, path, query, body, asked.content_type, asked.refusable)

    def _settled(self, asked: Interaction, reply: ServiceReply) -> ServiceReply:
        """The answer, polled until its state has settled if the recorded state had settled."""
        if asked.method != "GET" or is_transient(_state(asked.answer)):
            return reply
        return self._until_settled(asked.path, reply, lambda: self._send(asked))

    def _until_settled(self, what: str, reply: ServiceReply, ask: Callable[[], ServiceReply]) -> ServiceReply:
        until, pause = time.monotonic() + self._how.deadline, _FIRST_PAUSE
        while is_transient(_state(reply.body)) and time.monotonic() < until and not self._stop.requested:
            self._tell(f"{what} is {_state(reply.body)}")
            (self._side.wait or self._stop.wait)(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            reply = ask()
        return reply

    def _note_changes(self, asked: Interaction, reply: ServiceReply) -> None:
        """Record created and deleted resources, and wait until created ones are ready."""
        if reply.status >= 300 or not asked.mutates:
            return
        path, query = self._translation.path(asked), self._translation.query(asked)
        if asked.method == "DELETE":
            self._creations.mark_deleted(path)
        elif asked.method == "POST":
            named = dict(parse_qsl(query))
            if not path.startswith("/v2/spaces"):
                named.setdefault("space_id", self._translation.space_of(asked))
            made = self._creations.note(asked.role, path, named, reply)
            if made is not None and made.collection in _SETTLING:
                self._until_settled(path, reply, lambda: self._side.ask("GET", made.role, made.path, made.query))
        elif asked.method == "PATCH" and path.rpartition("/")[0] in _SETTLING:
            self._until_settled(path, reply, lambda: self._side.ask("GET", asked.role, path, query))

    def _compared(self, step: RecordedStep, now: ComparedAnswer) -> tuple[Difference, ...]:
        """The differences from the last recorded answer; of a scoring, whose answers vary, from the most similar."""
        terms = self._terms._replace(known=self._translation.known)
        answers = step.answers if step.asked.scores else (step.asked,)
        found = [
            tuple(differences(ComparedAnswer(each.status, each.answer_type, each.answer), now, terms))
            for each in answers
        ]
        return min(found, key=lambda each: sum(one.level is DifferenceLevel.ERROR for one in each))


def _state(body: Body) -> str:
    """The state in an answer: of a deployment, a space or a job."""
    found = None if isinstance(body, ArchiveContent) else parsed(body)
    for name in ("entity", "status", "state"):
        if name == "status" and isinstance(found, dict) and isinstance(found.get("scoring"), dict):
            found = found["scoring"]  # the status of a job
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _route(recorded: Interaction) -> str:
    """The route of a request in the format of FIDELITY.md; method and path without ids if there is no such route."""
    return called(recorded.method, recorded.path) or f"{recorded.method} {UUID.sub('{id}', recorded.path)}"

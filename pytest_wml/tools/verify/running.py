"""Sends a recording's requests in their order, and compares what is answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl

from pytest_wml.errors import WMLTestError
from pytest_wml.replay.cassette.identity import parsed
from pytest_wml.replay.cassette.normalise import Interaction
from pytest_wml.replay.cassette.tape import ArchiveContent, Body
from pytest_wml.tools.verify.differences import Answer, Difference, Terms, differences
from pytest_wml.tools.verify.made import Creations
from pytest_wml.tools.verify.outcome import Outcome, Verification
from pytest_wml.tools.verify.routing import route_of
from pytest_wml.tools.verify.rules import Level, is_transient
from pytest_wml.tools.verify.side import Reply, Side
from pytest_wml.tools.verify.steps import Step, steps
from pytest_wml.tools.verify.stopping import Stop
from pytest_wml.tools.verify.translating import Translation
from pytest_wml.wml.hosts import Role

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0
_SETTLING = ("/ml/v4/deployments", "/v2/spaces")
"""What takes a while to be made, and can be asked for until it is."""


class NoSpace(WMLTestError):
    """The deployment space of the credentials cannot be used."""


class How(NamedTuple):
    """How a recording is verified.

    Args:
        live: whether the other side holds things of others, and is paid for.
        terms: what answers may differ by.
        deadline: seconds that a state may take to settle.
        tell: shows how it goes, a line at a time.
    """

    live: bool
    terms: Terms
    deadline: float
    tell: Callable[[str], None]


class Verifier:
    """Verifies one recording, once.

    Args:
        verification: the recording; learns what becomes of it.
        side: that is asked.
        archives: the file of each recorded upload.
        how: it is done.
        stop: ends it early, with everything deleted.
    """

    def __init__(
        self, verification: Verification, side: Side, archives: Mapping[ArchiveContent, Path], how: How, stop: Stop
    ) -> None:
        self._result = verification
        self._side = side
        self._archives = archives
        self._how = how
        self._stop = stop
        self._terms = how.terms._replace(other_kind=verification.other_kind)
        self._translation = Translation(side.space_id, how.live)
        self._made = Creations(side, 1.0 if how.live else 0.0)

    def run(self) -> None:
        """Send everything; what was made is deleted at the end, however it comes.

        Raises:
            WMLTestError: the service does not answer, or not at all as one.
        """
        planned = steps(self._result.cassette)
        try:
            self._look_at_the_space()
            for place, step in enumerate(planned, 1):
                if self._stop.asked:
                    break
                self._tell(f"{place} of {len(planned)} requests")
                outcome = self._verified(step)
                if self._stop.asked and step.asked.method == "GET":
                    break  # the state that it tells may not have settled
                self._result.outcomes.append(outcome)
        finally:
            self._tell("deleting what was made")
            try:
                self._made.delete_all()
            finally:
                self._result.left_behind += self._made.left

    def _tell(self, line: str) -> None:
        self._how.tell(f"{self._result.cassette.name}: {line}")

    def _look_at_the_space(self) -> None:
        role = Role.PLATFORM if self._side.places.cloud else Role.CPD
        reply = self._side.ask("GET", role, f"/v2/spaces/{self._side.space_id}")
        space = parsed(reply.body)
        if reply.status != 200 or not isinstance(space, dict):
            raise NoSpace(
                "The deployment space of the credentials cannot be read.",
                space=self._side.space_id,
                status=reply.status,
                fix="pytest-wml doctor says what stands in the way",
            )
        self._translation.learn_the_space(space)

    def _verified(self, step: Step) -> Outcome:
        asked = step.asked
        outcome = Outcome(step.number, str(asked.request), route_of(asked), asked.status < 400)
        reason = self._translation.reason_to_leave_out(asked)
        if reason:
            self._translation.lose(asked)
            return outcome._replace(left_out=reason)
        reply = self._settled(asked, self._send(asked))
        self._note_changes(asked, reply)
        self._translation.learn(asked, reply)
        now = self._translation.as_recorded(asked, reply, self._side.host(asked.role, asked.path))
        return outcome._replace(differences=self._compared(step, now))

    def _send(self, asked: Interaction) -> Reply:
        body = self._archives[asked.body] if isinstance(asked.body, ArchiveContent) else self._translation.body(asked)
        path, query = self._translation.path(asked), self._translation.query(asked)
        return self._side.ask(asked.method, asked.role, path, query, body, asked.content_type, asked.refusable)

    def _settled(self, asked: Interaction, reply: Reply) -> Reply:
        """The answer when the state has settled that was recorded as settled; how often it is asked does not matter."""
        if asked.method != "GET" or is_transient(_state(asked.answer)):
            return reply
        return self._until_settled(asked.path, reply, lambda: self._send(asked))

    def _until_settled(self, what: str, reply: Reply, ask: Callable[[], Reply]) -> Reply:
        until, pause = time.monotonic() + self._how.deadline, _FIRST_PAUSE
        while is_transient(_state(reply.body)) and time.monotonic() < until and not self._stop.asked:
            self._tell(f"{what} is {_state(reply.body)}")
            (self._side.wait or self._stop.wait)(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            reply = ask()
        return reply

    def _note_changes(self, asked: Interaction, reply: Reply) -> None:
        """Remember what was made and what was deleted; wait for what takes a while."""
        if reply.status >= 300 or not asked.mutates:
            return
        path, query = self._translation.path(asked), self._translation.query(asked)
        if asked.method == "DELETE":
            self._made.gone(path)
        elif asked.method == "POST":
            named = dict(parse_qsl(query))
            if not path.startswith("/v2/spaces"):
                named.setdefault("space_id", self._translation.space_of(asked))
            made = self._made.note(asked.role, path, named, reply)
            if made is not None and made.collection in _SETTLING:
                self._until_settled(path, reply, lambda: self._side.ask("GET", made.role, made.path, made.query))
        elif asked.method == "PATCH" and path.rpartition("/")[0] in _SETTLING:
            self._until_settled(path, reply, lambda: self._side.ask("GET", asked.role, path, query))

    def _compared(self, step: Step, now: Answer) -> tuple[Difference, ...]:
        """The differences from the last answer; of a model that answers now so, now so, from the likest one."""
        terms = self._terms._replace(known=self._translation.known)
        answers = step.answers if step.asked.scores else (step.asked,)
        found = [tuple(differences(Answer(each.status, each.answer_type, each.answer), now, terms)) for each in answers]
        return min(found, key=lambda each: sum(one.level is Level.ERROR for one in each))


def _state(body: Body) -> str:
    """The state that an answer tells: of a deployment, a space or a job."""
    found = None if isinstance(body, ArchiveContent) else parsed(body)
    for name in ("entity", "status", "state"):
        if name == "status" and isinstance(found, dict) and isinstance(found.get("scoring"), dict):
            found = found["scoring"]  # a job's
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""

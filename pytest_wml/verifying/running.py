"""Sends a recording's requests in their order, and compares what is answered."""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from pytest_wml.answers.http import kept
from pytest_wml.cassette.identity import parsed
from pytest_wml.cassette.normalise import ACCOUNTS_INSTANCE, GUID, UUID, Interaction, answer_as_recorded
from pytest_wml.cassette.scrub import scrub
from pytest_wml.cassette.tape import Content, Taped
from pytest_wml.errors import WMLTestError
from pytest_wml.hosts import Role
from pytest_wml.spaces import DEFAULT_SPACE_ID
from pytest_wml.verifying.differences import Answer, Difference, Terms, differences
from pytest_wml.verifying.ids import Ids
from pytest_wml.verifying.made import Creations
from pytest_wml.verifying.outcome import Outcome, Verification
from pytest_wml.verifying.routing import route_of
from pytest_wml.verifying.rules import Level, is_transient
from pytest_wml.verifying.side import Reply, Side
from pytest_wml.verifying.steps import Step, is_masked, steps
from pytest_wml.verifying.stopping import Stop

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
        self, verification: Verification, side: Side, archives: Mapping[Content, Path], how: How, stop: Stop
    ) -> None:
        self._result = verification
        self._terms = how.terms._replace(other_kind=verification.other_kind)
        self._side = side
        self._archives = archives
        self._how = how
        self._stop = stop
        self._ids = Ids({DEFAULT_SPACE_ID: side.space_id})
        self._owned: set[str] = set()
        """Recorded ids of what this run made."""
        self._lost: set[str] = set()
        """Recorded ids of what could not be made."""
        self._words: dict[str, str] = {}
        """What stands for the account in a recording → what it is at the other side."""
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
                self._how.tell(f"{self._result.cassette.name}: {place} of {len(planned)} requests")
                self._result.outcomes.append(self._verified(step))
        finally:
            self._how.tell(f"{self._result.cassette.name}: deleting what was made")
            try:
                self._made.delete_all()
            finally:
                self._result.left_behind += self._made.left

    def _look_at_the_space(self) -> None:
        """Learn the service instance: requests that name it may stand before the one that tells it."""
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
        for guid in GUID.findall(reply.body.decode("utf-8", "replace"))[:1]:
            self._ids.bind(ACCOUNTS_INSTANCE, guid)
        for name, place in (("crn", "compute"), ("resource_crn", "storage")):
            found = space.get("entity", {}).get(place)
            found = found[0] if isinstance(found, list) and found else found
            if isinstance(found, dict) and isinstance(found.get(name), str):
                self._words[scrub({name: "?"})[name]] = found[name]

    def _verified(self, step: Step) -> Outcome:
        asked = step.asked
        outcome = Outcome(step.number, str(asked.request), route_of(asked), asked.status < 400)
        reason = self._reason_to_leave_out(asked)
        if reason:
            self._lose(asked)
            return outcome._replace(left_out=reason)
        reply = self._settled(asked, self._send(asked))
        self._note(asked, reply)
        return outcome._replace(differences=self._compared(step, self._as_recorded(asked, reply)))

    def _reason_to_leave_out(self, asked: Interaction) -> str:
        if asked.role in (Role.IAM, Role.STORAGE):
            return "it is for another service"
        if self._how.live and is_masked(asked.body):
            return "the secrets that it held are not in the recording"
        if self._lost and self._lost & set(UUID.findall(_all_text(asked))):
            return "it needs what could not be made"
        if self._how.live and asked.mutates and not self._may_change(asked):
            return "it would change what this run did not make"
        if "start" in dict(parse_qsl(asked.query)) and self._query(asked) is None:
            return "there is no such page"
        return ""

    def _may_change(self, asked: Interaction) -> bool:
        """Whether only what this run made can be changed by a request; strangers' things never are."""
        named = UUID.findall(asked.path)
        if not named:
            return asked.method == "POST"
        for each in named:
            if each not in self._ids.known and asked.status >= 400:
                # Nobody has it in the recording; at the other side somebody may.
                self._ids.bind(each, str(uuid.uuid4()))
                continue
            if each not in self._owned:
                return False
        return True

    def _query(self, asked: Interaction) -> str | None:
        """The query to send; None for a page that the other side has not."""
        pairs = parse_qsl(asked.query, keep_blank_values=True)
        start = dict(pairs).get("start")
        if start is None:
            return self._ids.to_there(asked.query)
        page = self._ids.page(start)
        if page is None:
            return None
        return self._ids.to_there(urlencode([(name, page if name == "start" else value) for name, value in pairs]))

    def _send(self, asked: Interaction) -> Reply:
        body = self._archives[asked.body] if isinstance(asked.body, Content) else self._body(asked.body)
        path, query = self._ids.to_there(asked.path), self._query(asked) or ""
        return self._side.ask(asked.method, asked.role, path, query, body, asked.content_type, asked.refusable)

    def _body(self, recorded: bytes) -> bytes:
        if not recorded or parsed(recorded) is None:
            return recorded
        text = self._ids.to_there(recorded.decode("utf-8", "surrogatepass"))
        for ours, theirs in self._words.items():
            text = text.replace(f'"{ours}"', f'"{theirs}"')
        return text.encode("utf-8", "surrogatepass")

    def _settled(self, asked: Interaction, reply: Reply) -> Reply:
        """The answer when the state has settled that was recorded as settled; how often it is asked does not matter."""
        if asked.method != "GET" or is_transient(_state(asked.answer)):
            return reply
        return self._until_settled(asked.path, reply, lambda: self._send(asked))

    def _until_settled(self, what: str, reply: Reply, ask: Callable[[], Reply]) -> Reply:
        until, pause = time.monotonic() + self._how.deadline, _FIRST_PAUSE
        while is_transient(_state(reply.body)) and time.monotonic() < until and not self._stop.asked:
            self._how.tell(f"{self._result.cassette.name}: {what} is {_state(reply.body)}")
            self._stop.wait(pause if self._how.live else 0.0)
            pause = min(2 * pause, _LONGEST_PAUSE)
            reply = ask()
        return reply

    def _note(self, asked: Interaction, reply: Reply) -> None:
        """Remember what was made, what was deleted, and which id is which."""
        self._note_changes(asked, reply)
        if asked.status < 300 and reply.status < 300 and not isinstance(asked.answer, Content):
            ours, theirs = parsed(asked.answer), scrub(parsed(reply.body))
            self._ids.learn_page(ours, theirs)
            new = self._ids.learn(ours, theirs)
            if asked.mutates:
                self._owned.update(new)
        elif asked.status < 300:
            self._lose(asked)
        if asked.path.startswith("/v2/spaces"):
            for guid in GUID.findall(reply.body.decode("utf-8", "replace")):
                self._ids.stands_for(guid, ACCOUNTS_INSTANCE)

    def _note_changes(self, asked: Interaction, reply: Reply) -> None:
        if reply.status >= 300 or not asked.mutates:
            return
        path, query = self._ids.to_there(asked.path), dict(parse_qsl(self._query(asked) or ""))
        if asked.method == "DELETE":
            self._made.gone(path)
        elif asked.method == "POST":
            if "space_id" not in query and "/v2/spaces" not in path:
                query["space_id"] = _space_in(asked, self._ids, self._side.space_id)
            made = self._made.note(asked.role, path, query, reply)
            if made is not None and made.collection in _SETTLING:
                self._until_settled(path, reply, lambda: self._side.ask("GET", made.role, made.path, made.query))
        elif asked.method == "PATCH" and path.rpartition("/")[0] in _SETTLING:
            self._until_settled(path, reply, lambda: self._side.ask("GET", asked.role, path, self._query(asked) or ""))

    def _lose(self, asked: Interaction) -> None:
        """What the recording made here, the other side has not."""
        if asked.mutates and asked.status < 300:
            self._lost |= set(UUID.findall(_text(asked.answer))) - self._ids.known

    def _as_recorded(self, asked: Interaction, reply: Reply) -> Answer:
        path = self._ids.to_there(asked.path)
        answer = kept(io.BytesIO(reply.body), path.endswith("/download") and reply.status == 200)
        host = self._side.host(asked.role, path)
        kind = reply.content_type.partition(";")[0]
        sent = (asked.method, asked.role, host, path, self._query(asked) or "", asked.content_type, b"")
        taped = Taped(*sent, reply.status, kind, answer)
        known, space = self._ids.here, self._side.space_id
        return Answer(reply.status, kind, answer_as_recorded(taped, {space: DEFAULT_SPACE_ID}, known))

    def _compared(self, step: Step, now: Answer) -> tuple[Difference, ...]:
        """The differences from the last answer; of a model that answers now so, now so, from the likest one."""
        terms = self._terms._replace(known=self._ids.known)
        answers = step.answers if step.asked.scores else (step.asked,)
        found = [tuple(differences(Answer(each.status, each.answer_type, each.answer), now, terms)) for each in answers]
        return min(found, key=lambda each: sum(one.level is Level.ERROR for one in each))


def _state(body: Any) -> str:
    """The state that an answer tells: of a deployment, a space or a job."""
    found = None if isinstance(body, Content) else parsed(body)
    for name in ("entity", "status", "state"):
        if name == "status" and isinstance(found, dict) and isinstance(found.get("scoring"), dict):
            found = found["scoring"]  # a job's
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _space_in(asked: Interaction, ids: Ids, default: str) -> str:
    body = parsed(asked.body) if isinstance(asked.body, bytes) else None
    named = body.get("space_id") if isinstance(body, dict) else None
    return ids.to_there(named) if isinstance(named, str) else default


def _text(body: Any) -> str:
    return "" if isinstance(body, Content) else body.decode("utf-8", "replace")


def _all_text(asked: Interaction) -> str:
    return f"{asked.path} {asked.query} {_text(asked.body)}"

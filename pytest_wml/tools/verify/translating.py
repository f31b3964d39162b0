"""A recorded request as the other side understands it, and its answer as the recording would hold it."""

from __future__ import annotations

import io
import json
import uuid
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pytest_wml.interception.messages import is_download
from pytest_wml.redaction.values import redacted
from pytest_wml.replay.bodies import kept
from pytest_wml.replay.cassette.identity import parsed
from pytest_wml.replay.cassette.normalise import ACCOUNTS_INSTANCE, GUID, UUID, Interaction, answer_as_recorded
from pytest_wml.replay.cassette.places import NamedContainer, containers
from pytest_wml.replay.cassette.tape import ArchiveContent, Body, WireExchange
from pytest_wml.tools.verify.differences import Answer
from pytest_wml.tools.verify.ids import Ids
from pytest_wml.tools.verify.side import Reply
from pytest_wml.tools.verify.steps import is_masked
from pytest_wml.wml.hosts import Role
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID, stands_for

_OF_THE_ACCOUNT = (("crn", "compute"), ("resource_crn", "storage"))


class Translation:
    """What is known of both sides; it grows with every answer.

    Args:
        space_id: of the deployment space at the other side.
        live: whether the other side holds things of others.
    """

    def __init__(self, space_id: str, live: bool) -> None:
        self._space_id = space_id
        self._live = live
        self._ids = Ids({DEFAULT_SPACE_ID: space_id})
        self._owned: set[str] = set()
        """Recorded ids of what this run made."""
        self._lost: set[str] = set()
        """Recorded ids of what could not be made."""
        self._words: dict[str, str] = {}
        """What stands for the account in a recording → what it is at the other side."""

    @property
    def known(self) -> frozenset[str]:
        """The recorded ids that are known at the other side."""
        return self._ids.known

    def learn_the_space(self, space: dict[str, Any]) -> None:
        """Learn what requests may name that stand before the one that tells it: the instance, the account."""
        for guid in GUID.findall(json.dumps(space))[:1]:
            self._ids.bind(ACCOUNTS_INSTANCE, guid)
        told = space.get("entity")
        entity = told if isinstance(told, dict) else {}
        for name, place in _OF_THE_ACCOUNT:
            found = entity.get(place)
            found = found[0] if isinstance(found, list) and found else found
            if isinstance(found, dict) and isinstance(found.get(name), str):
                self._words[redacted({name: "?"})[name]] = found[name]

    def reason_to_leave_out(self, asked: Interaction) -> str:
        """Why a request cannot or must not be sent; empty where it can."""
        if asked.role in (Role.IAM, Role.STORAGE):
            return "it is for another service"
        if self._live and any(_is_missing(one) for one in containers(asked.path, asked.query, asked.body)):
            return "it is for a project, or for another space than that of the credentials"
        if self._live and is_masked(asked.body):
            return "the secrets that it held are not in the recording"
        if self._lost and self._lost & set(UUID.findall(f"{asked.path} {asked.query} {text_of(asked.body)}")):
            return "it needs what could not be made"
        if self._live and asked.mutates and not self._may_change(asked):
            return "it would change what this run did not make"
        if self._page(asked) is None:
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
            elif each not in self._owned:
                return False
        return True

    def _page(self, asked: Interaction) -> str | None:
        """Where the page of a list begins; None where the other side has no such page."""
        start = dict(parse_qsl(asked.query)).get("start")
        return "" if start is None else self._ids.page(start)

    def path(self, asked: Interaction) -> str:
        """The path to ask."""
        return self._ids.to_there(asked.path)

    def query(self, asked: Interaction) -> str:
        """The query to send."""
        page = self._page(asked)
        if not page:
            return self._ids.to_there(asked.query)
        pairs = parse_qsl(asked.query, keep_blank_values=True)
        return self._ids.to_there(urlencode([(name, page if name == "start" else value) for name, value in pairs]))

    def body(self, asked: Interaction) -> bytes:
        """The body to send; of an upload, which a recording does not hold, nothing."""
        if isinstance(asked.body, ArchiveContent) or not asked.body or parsed(asked.body) is None:
            return b"" if isinstance(asked.body, ArchiveContent) else asked.body
        text = self._ids.to_there(asked.body.decode("utf-8", "surrogatepass"))
        for ours, theirs in self._words.items():
            text = text.replace(f'"{ours}"', f'"{theirs}"')
        return text.encode("utf-8", "surrogatepass")

    def space_of(self, asked: Interaction) -> str:
        """The space that a request's body names; the run's where it names none."""
        body = parsed(asked.body) if isinstance(asked.body, bytes) else None
        named = body.get("space_id") if isinstance(body, dict) else None
        return self._ids.to_there(named) if isinstance(named, str) else self._space_id

    def learn(self, asked: Interaction, reply: Reply) -> None:
        """Learn from an answer which id is which, and what was made or could not be."""
        if asked.status < 300 and reply.status < 300 and not isinstance(asked.answer, ArchiveContent):
            ours, theirs = parsed(asked.answer), redacted(parsed(reply.body))
            self._ids.learn_page(ours, theirs)
            new = self._ids.learn(ours, theirs)
            if asked.mutates:
                self._owned.update(new)
        elif reply.status >= 300:
            self.lose(asked)
        if asked.path.startswith("/v2/spaces"):
            for guid in GUID.findall(text_of(reply.body)):
                self._ids.stands_for(guid, ACCOUNTS_INSTANCE)

    def lose(self, asked: Interaction) -> None:
        """What the recording made here, the other side has not."""
        if asked.mutates and asked.status < 300:
            self._lost |= set(UUID.findall(text_of(asked.answer))) - self._ids.known

    def as_recorded(self, asked: Interaction, reply: Reply, host: str) -> Answer:
        """An answer with the recording's ids, dates and hosts."""
        path, kind = self.path(asked), reply.content_type.partition(";")[0]
        answer = kept(io.BytesIO(reply.body), is_download(asked.method, path, reply.status))
        taped = WireExchange(
            method=asked.method,
            role=asked.role,
            host=host,
            path=path,
            query=self.query(asked),
            content_type=asked.content_type,
            body=b"",
            status=reply.status,
            answer_type=kind,
            answer=answer,
        )
        return Answer(reply.status, kind, answer_as_recorded(taped, {self._space_id: DEFAULT_SPACE_ID}, self._ids.here))


def _is_missing(named: NamedContainer) -> bool:
    """Whether a recorded id stands for a space or project of which the other side has none."""
    return stands_for(named.kind, named.id) > (named.kind == "space")


def text_of(body: Body) -> str:
    """A body as text; of an archive, none."""
    return "" if isinstance(body, ArchiveContent) else body.decode("utf-8", "replace")

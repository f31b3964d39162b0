"""Translates recorded requests for the verified service, and its answers to the form of the recording."""

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
from pytest_wml.tools.verify.differences import ComparedAnswer
from pytest_wml.tools.verify.ids import IdMap
from pytest_wml.tools.verify.service import ServiceReply
from pytest_wml.tools.verify.steps import is_masked
from pytest_wml.wml.hosts import Role
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID, stands_for

_OF_THE_ACCOUNT = (("crn", "compute"), ("resource_crn", "storage"))


class Translation:
    """Translates between a recording and a service; it learns from every answer.

    Args:
        space_id: id of the deployment space at the service.
        live: whether the service has resources of other users.
    """

    def __init__(self, space_id: str, live: bool) -> None:
        self._space_id = space_id
        self._live = live
        self._ids = IdMap({DEFAULT_SPACE_ID: space_id})
        self._created: set[str] = set()
        """Recorded ids of resources that this run created."""
        self._missing: set[str] = set()
        """Recorded ids of resources that could not be created."""
        self._account_values: dict[str, str] = {}
        """Placeholder of an account's value in a recording → value at the service."""

    @property
    def known(self) -> frozenset[str]:
        """The recorded ids with a known id of the service."""
        return self._ids.known

    def learn_space(self, space: dict[str, Any]) -> None:
        """Learn the instance and the account, which requests may contain before an answer contains them."""
        for guid in GUID.findall(json.dumps(space))[:1]:
            self._ids.bind(ACCOUNTS_INSTANCE, guid)
        value = space.get("entity")
        entity = value if isinstance(value, dict) else {}
        for name, member in _OF_THE_ACCOUNT:
            found = entity.get(member)
            found = found[0] if isinstance(found, list) and found else found
            if isinstance(found, dict) and isinstance(found.get(name), str):
                self._account_values[redacted({name: "?"})[name]] = found[name]

    def reason_to_leave_out(self, recorded: Interaction) -> str:
        """The reason why a request cannot or must not be sent; empty if it can be sent."""
        if recorded.role in (Role.IAM, Role.STORAGE):
            return "it is for another service"
        if self._live and any(_is_missing(one) for one in containers(recorded.path, recorded.query, recorded.body)):
            return "it is for a project, or for another space than that of the credentials"
        if self._live and is_masked(recorded.body):
            return "its secrets are not in the recording"
        if self._missing and self._missing & set(
            UUID.findall(f"{recorded.path} {recorded.query} {text_of(recorded.body)}")
        ):
            return "it needs a resource that could not be created"
        if self._live and recorded.mutates and not self._may_change(recorded):
            return "it would change a resource that this run did not create"
        if self._page(recorded) is None:
            return "the list has no such page"
        return ""

    def _may_change(self, recorded: Interaction) -> bool:
        """Whether a request can only change resources that this run created."""
        named = UUID.findall(recorded.path)
        if not named:
            return recorded.method == "POST"
        for each in named:
            if each not in self._ids.known and recorded.status >= 400:
                # The id does not exist in the recording, but may exist at the service.
                self._ids.bind(each, str(uuid.uuid4()))
            elif each not in self._created:
                return False
        return True

    def _page(self, recorded: Interaction) -> str | None:
        """The start of a list's page; empty for the first, None if the service has no such page."""
        start = dict(parse_qsl(recorded.query)).get("start")
        return "" if start is None else self._ids.page(start)

    def path(self, recorded: Interaction) -> str:
        """The path to send."""
        return self._ids.to_service(recorded.path)

    def query(self, recorded: Interaction) -> str:
        """The query to send."""
        page = self._page(recorded)
        if not page:
            return self._ids.to_service(recorded.query)
        pairs = parse_qsl(recorded.query, keep_blank_values=True)
        return self._ids.to_service(urlencode([(name, page if name == "start" else value) for name, value in pairs]))

    def body(self, recorded: Interaction) -> bytes:
        """The body to send; empty for an upload, whose content is not in the recording."""
        if isinstance(recorded.body, ArchiveContent) or not recorded.body or parsed(recorded.body) is None:
            return b"" if isinstance(recorded.body, ArchiveContent) else recorded.body
        text = self._ids.to_service(recorded.body.decode("utf-8", "surrogatepass"))
        for ours, theirs in self._account_values.items():
            text = text.replace(f'"{ours}"', f'"{theirs}"')
        return text.encode("utf-8", "surrogatepass")

    def space_of(self, recorded: Interaction) -> str:
        """The space in a request's body; the space of the run if there is none."""
        body = parsed(recorded.body) if isinstance(recorded.body, bytes) else None
        named = body.get("space_id") if isinstance(body, dict) else None
        return self._ids.to_service(named) if isinstance(named, str) else self._space_id

    def learn(self, recorded: Interaction, reply: ServiceReply) -> None:
        """Learn ids from an answer, and which resources were created or could not be created."""
        if recorded.status < 300 and reply.status < 300 and not isinstance(recorded.answer, ArchiveContent):
            ours, theirs = parsed(recorded.answer), redacted(parsed(reply.body))
            self._ids.add_page(ours, theirs)
            new = self._ids.add_pairs(ours, theirs)
            if recorded.mutates:
                self._created.update(new)
        elif reply.status >= 300:
            self.mark_missing(recorded)
        if recorded.path.startswith("/v2/spaces"):
            for guid in GUID.findall(text_of(reply.body)):
                self._ids.add_alias(guid, ACCOUNTS_INSTANCE)

    def mark_missing(self, recorded: Interaction) -> None:
        """Mark the resources that the recorded request created as missing at the service."""
        if recorded.mutates and recorded.status < 300:
            self._missing |= set(UUID.findall(text_of(recorded.answer))) - self._ids.known

    def as_recorded(self, recorded: Interaction, reply: ServiceReply, host: str) -> ComparedAnswer:
        """The answer with the ids, dates and hosts of the recording."""
        path, kind = self.path(recorded), reply.content_type.partition(";")[0]
        answer = kept(io.BytesIO(reply.body), is_download(recorded.method, path, reply.status))
        exchange = WireExchange(
            method=recorded.method,
            role=recorded.role,
            host=host,
            path=path,
            query=self.query(recorded),
            content_type=recorded.content_type,
            body=b"",
            status=reply.status,
            answer_type=kind,
            answer=answer,
        )
        return ComparedAnswer(
            reply.status, kind, answer_as_recorded(exchange, {self._space_id: DEFAULT_SPACE_ID}, self._ids.recorded_ids)
        )


def _is_missing(named: NamedContainer) -> bool:
    """Whether a recorded id belongs to a space or project that the service does not have."""
    return stands_for(named.kind, named.id) > (named.kind == "space")


def text_of(body: Body) -> str:
    """A body as text; empty for an archive."""
    return "" if isinstance(body, ArchiveContent) else body.decode("utf-8", "replace")

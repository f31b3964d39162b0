"""Normalises recorded exchanges: stable ids, dates and hosts, no secrets and personal data."""

from __future__ import annotations

import json
import re
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pytest_wml.redaction.text import masked, masked_bytes, masked_shapes, masked_strings
from pytest_wml.redaction.values import redacted
from pytest_wml.replay.cassette.identity import Request, parsed, request
from pytest_wml.replay.cassette.stand_ins import StandIns, own_spaces
from pytest_wml.replay.cassette.tape import ArchiveContent, Body, RecordedExchange, WireExchange
from pytest_wml.replay.cassette.varying import Varying
from pytest_wml.wml.hosts import Role
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DATE = "2000-01-01T00:00:00.000Z"
_DATE_KEYS = re.compile(r".*_at|created|updated|modified")
_NEUTRAL_SPACE = {"name": "the deployment space", "description": ""}
_NAMESPACE = uuid.UUID("b1f8a6d2-6f0c-5b7e-9a51-0d6f5c3e7a10")
_TRACE = "0" * 32
GUID = re.compile(r'"guid":\s*"([^"]+)"')
ACCOUNTS_INSTANCE = "00000000-0000-4000-8000-0000000000a1"
"""Replaces the recording user's service instance, which the client asks for by its guid."""

CANONICAL_HOSTS = {
    Role.ML: "us-south.ml.cloud.ibm.com",
    Role.PLATFORM: "api.dataplatform.cloud.ibm.com",
    Role.IAM: "iam.cloud.ibm.com",
    Role.STORAGE: "s3.us.cloud-object-storage.appdomain.cloud",
    Role.CPD: "cpd.example.com",
}
"""Recordings name these, whatever region they were made in."""


class Origin(NamedTuple):
    """When, from where and by which client something was recorded.

    Args:
        recorded_at: ISO date.
        recorded_from: `live` or `embedded`.
        client: name and version of IBM's client.
    """

    recorded_at: str = ""
    recorded_from: str = ""
    client: str = ""


@dataclass(frozen=True, kw_only=True)
class Interaction(RecordedExchange):
    """One exchange as a cassette holds it: with stable ids, dates and hosts, without secrets.

    Args:
        identity: the hash of what decides about the answer.
        origin: of this interaction; None for that of the whole cassette. Equal interactions may differ in it.
    """

    identity: str
    origin: Origin | None = field(default=None, compare=False)

    @property
    def request(self) -> Request:
        """What decides about the answer."""
        return request(self.method, self.role, self.path, self.query, self.body, self.refusable)


class Known(NamedTuple):
    """The stand-ins of what a cassette's own requests created and named.

    Args:
        ids: that the service made → stand-ins.
        values: that look generated, as JSON text → stand-ins.
    """

    ids: dict[str, str]
    values: dict[str, Any]


def normalised(
    tape: Iterable[WireExchange],
    name: str,
    aliases: Mapping[str, str],
    known: Known | None = None,
    varying: Varying | None = None,
) -> list[Interaction]:
    """A tape's exchanges with stable ids, dates and hosts, without secrets and personal data.

    The same requests against an unchanged service give the same interactions.

    Args:
        tape: in the order in which it was recorded.
        name: of the cassette; the ids that the service made are derived from it.
        aliases: ids of the recording user (the space) → their replacements.
        known: stand-ins of other cassettes; lists show what they created and named too.
        varying: what may differ between runs.
    """
    tape, known = list(tape), known or Known({}, {})
    ids = _Ids(name, {**aliases, **own_spaces(tape, known.ids)}, known, varying or Varying())
    return [ids.interaction(taped) for taped in tape]


def learned(
    tape: Iterable[WireExchange], name: str, aliases: Mapping[str, str], varying: Varying | None = None
) -> Known:
    """The stand-ins of what a tape's own requests created and named."""
    tape = list(tape)
    ids = _Ids(name, {**aliases, **own_spaces(tape, ())}, Known({}, {}), varying or Varying())
    for taped in tape:
        ids.interaction(taped)
    return Known(ids.made, ids.stand_ins.made)


def answer_as_recorded(taped: WireExchange, aliases: Mapping[str, str], known: Mapping[str, str]) -> Body:
    """An answer as a recording would hold it: without secrets, dates, hosts and what only an account has.

    Args:
        taped: the exchange; its role is the recorded one.
        aliases: ids of the requesting user (the space) → their replacements.
        known: other ids of the service → what stands for them.
    """
    return _Ids("", aliases, Known(dict(known), {}), Varying()).answer(taped)


class _Ids:
    """Which id of the service became which stable one."""

    def __init__(self, name: str, aliases: Mapping[str, str], known: Known, varying: Varying) -> None:
        self._name = name
        self._stable = {**known.ids, **aliases}
        self.stand_ins = StandIns(name, varying, known.values)
        self.made: dict[str, str] = {}
        self._mine = {*aliases, *aliases.values(), DEFAULT_SPACE_ID}
        self._asked: set[str] = set()
        self._made: Counter[str] = Counter()

    def interaction(self, taped: WireExchange) -> Interaction:
        body = self._renamed(taped.body, taped, answers=False)
        constant = set(self._stable.values())
        path = self.stand_ins.path(self._rename(masked_shapes(taped.path)))
        query = self.stand_ins.query(self._rename(masked(taped.query)), constant)
        asked = request(taped.method, taped.role, path, query, body, taped.refusable)
        self._asked.update(UUID.findall(f"{taped.path} {taped.query} {_text(taped.body)}"))
        if taped.mutates:
            self._learn(asked, taped)
        if taped.path.startswith("/v2/spaces"):
            for guid in GUID.findall(_text(taped.answer)):
                self._stable.setdefault(guid, ACCOUNTS_INSTANCE)
        return Interaction(
            identity=asked.identity,
            method=taped.method,
            role=taped.role,
            path=asked.path,
            query=query,
            content_type=taped.content_type.partition(";")[0],
            body=body,
            status=taped.status,
            answer_type=taped.answer_type.partition(";")[0],
            answer=self._renamed(taped.answer, taped, answers=True),
            refusable=taped.refusable,
        )

    def answer(self, taped: WireExchange) -> Body:
        """The answer with stable ids, dates and hosts."""
        return self._renamed(taped.answer, taped, answers=True)

    def _learn(self, asked: Request, taped: WireExchange) -> None:
        """The ids that this answer shows first were made by the service, for this request."""
        for found in UUID.findall(_text(taped.answer)):
            if found not in self._stable and found not in self._asked:
                seed = f"{self._name} {asked.identity} {self._made[asked.identity]}"
                self._made[asked.identity] += 1
                self._stable[found] = self.made[found] = str(uuid.uuid5(_NAMESPACE, seed))

    def _renamed(self, body: Body, taped: WireExchange, *, answers: bool) -> Body:
        """A body with stable ids and values; an answer with stable dates and hosts too."""
        if isinstance(body, ArchiveContent) or not body:
            return body
        value = parsed(body)
        if value is None:
            return masked_bytes(body)
        value = redacted(value)
        if answers:
            value = self._without_the_account(_undated(value), taped)
        text = self._rename(masked_strings(json.dumps(value, ensure_ascii=False)))
        if answers:
            text = self.stand_ins.answer(text.replace(f"//{taped.host}", f"//{CANONICAL_HOSTS[taped.role]}"))
        else:
            text = self.stand_ins.request(text, set(self._stable.values()), scores=taped.scores)
        return text.encode("utf-8", "surrogatepass")

    def _without_the_account(self, value: Any, taped: WireExchange) -> Any:
        """An answer of the platform without what only the recording user's account has.

        IBM's client asks for any one space when it is constructed and looks at the status only; the
        recording user's space has a name of its own.
        """
        if not taped.path.startswith("/v2/spaces") or not isinstance(value, dict):
            return value
        if taped.method == "GET" and taped.query == "limit=1" and "resources" in value:
            return {**value, "resources": []}
        listed = value.get("resources")
        for space in (value, *(listed if isinstance(listed, list) else ())):
            if self._is_mine(space) and isinstance(space.get("entity"), dict):
                space["entity"] = {**space["entity"], **_NEUTRAL_SPACE}
        return value

    def _is_mine(self, space: Any) -> bool:
        metadata = space.get("metadata") if isinstance(space, dict) else None
        return isinstance(metadata, dict) and metadata.get("id") in self._mine

    def _rename(self, text: str) -> str:
        return UUID.sub(lambda found: self._stable.get(found[0], found[0]), text)


def _text(body: Body) -> str:
    return "" if isinstance(body, ArchiveContent) else body.decode("utf-8", "replace")


def _undated(value: Any, key: str = "") -> Any:
    """Dates of the service, its traces and compute ids, replaced by constants."""
    if isinstance(value, dict):
        return {
            name: member if name in ("predictions", "input_data") else _undated(member, name)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_undated(member, key) for member in value]
    if isinstance(value, str) and _DATE_KEYS.fullmatch(key) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return _DATE
    if key == "trace" and isinstance(value, str):
        return _TRACE
    return value

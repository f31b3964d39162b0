"""One request and its answer, between werkzeug and the handlers."""

from __future__ import annotations

import contextlib
import datetime
import importlib
import importlib.util
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode

from werkzeug.wrappers import Request, Response

from pytest_wml.emulator import bodies
from pytest_wml.emulator.refusals import Invalid, Missing, NotServed, Refusal, TooLarge, UnprocessableEntity
from pytest_wml.emulator.service import EmbeddedService
from pytest_wml.emulator.state.journal import R
from pytest_wml.wml.embedded import EMBEDDED
from pytest_wml.wml.hosts import Role

# A tenth of the time of the standard library for a thousand floats, which is a sixth of a scoring.
_orjson: Any = importlib.import_module("orjson") if importlib.util.find_spec("orjson") else None
_CHUNK = 1 << 20
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DEFAULT_LIMIT, _MAX_LIMIT = 100, 200
_MAX_DEPTH = 100


class Call:
    """One request, as handlers read it.

    Args:
        request: what came; its path has no repeated slashes any more.
        role: what the host that it came to answers for.
        service: what answers.
    """

    def __init__(self, request: Request, role: Role, service: EmbeddedService) -> None:
        self.request = request
        self.role = role
        self.service = service

    @property
    def cloud(self) -> bool:
        """Whether this is IBM Cloud; else it is a Cloud Pak for Data."""
        return self.role is not Role.CPD

    @property
    def base_url(self) -> str:
        """Where the service is, without a slash at the end; https, as both clients accept nothing else."""
        return f"https://{self.request.environ.get('HTTP_HOST', 'localhost')}"

    @property
    def token(self) -> str:
        """The caller's token; a new one where the request needs none, as those of the page."""
        _, _, given = (self.request.headers.get("Authorization") or "").partition(" ")
        return given.strip() or self.service.tokens.issue({"sub": self.owner}).text

    @property
    def owner(self) -> str:
        return "IBMid-embedded" if self.cloud else "1000331001"

    @property
    def today(self) -> datetime.date:
        """The day by the service's clock, in UTC."""
        return datetime.datetime.fromtimestamp(self.service.settings.clock(), datetime.UTC).date()

    def query(self, name: str) -> str | None:
        """The first value of a query parameter: on further pages one client repeats them all."""
        return self.request.args.get(name)

    def check_version(self) -> None:
        """Pass when the query has the version of the API, a date; further pages of a list need none.

        Raises:
            Invalid: it has none, or no date. Any date will do: each release of the clients brings its own.
        """
        version = self.query("version")
        if version is None and self.query("start") is None:
            raise Invalid("missing_version", "Query parameter 'version' is required, a date like 2023-07-07.")
        if version is not None and not _DATE.fullmatch(version):
            raise Invalid("invalid_version", "Query parameter 'version' must be a date like 2023-07-07.")

    def space_id(self, body: Mapping[str, Any] | None = None) -> str:
        """The space that the body names, else the query; there must be one of this id.

        Raises:
            Invalid: neither names one.
            Missing: there is none of this id.
            NotServed: they name a project.
        """
        space_id = self._named("space_id", body)
        project_id = self._named("project_id", body)
        if space_id or not project_id:
            return self._known_space(space_id)
        try:
            return self.service.spaces.get(project_id).id
        except Missing:
            raise NotServed("projects", "It has deployment spaces only: give a space_id.") from None

    def _named(self, member: str, body: Mapping[str, Any] | None) -> str | None:
        return bodies.text(body or {}, member) or self.query(member)

    def _known_space(self, space_id: str | None) -> str:
        if not space_id:
            raise Invalid("missing_space_or_project", "Missing either space_id or project_id.")
        return self.service.space(space_id).id

    def chunks(self) -> Iterator[bytes]:
        """The body in pieces; for what may be large.

        Raises:
            Invalid: it breaks off.
        """
        try:
            while chunk := self.request.stream.read(_CHUNK):
                yield chunk
        except OSError as problem:
            # How servers tell that a body in chunks ends before its last one.
            raise Invalid("incomplete_body", "The body ends before it is complete.") from problem

    def body(self) -> bytes:
        """The body, as long as the service takes.

        Raises:
            TooLarge: it is longer.
        """
        limit = self.service.settings.json_limit
        pieces: list[bytes] = []
        size = self.request.content_length or 0
        for chunk in self.chunks() if size <= limit else ():
            pieces.append(chunk)
            size = sum(map(len, pieces))
            if size > limit:
                break
        if size > limit:
            raise TooLarge(
                "request_entity_too_large", f"The body has more than the {limit} bytes that {EMBEDDED} takes."
            )
        return b"".join(pieces)

    def json(self) -> Any:
        """The body as JSON, NaN and Infinity bare in it: one client sends them so.

        Raises:
            TooLarge: it is longer than the service takes.
            UnprocessableEntity: it is no JSON.
        """
        return self.parsed(self.body())

    def scoring(self, body: bytes) -> Any:
        """The body of a scoring as JSON, as `json` reads it, and faster where orjson is installed.

        A whole number beyond 64 bits may come as the float next to it: too large for any tensor of whole numbers.

        Raises:
            UnprocessableEntity: it is no JSON.
        """
        if _orjson:
            # It refuses what Python takes, such as a bare NaN; and Python has the better words for the rest.
            with contextlib.suppress(ValueError, RecursionError):
                return _orjson.loads(body)
        return self.parsed(body)

    def parsed(self, body: bytes) -> Any:
        """A body as JSON, NaN and Infinity bare in it.

        Raises:
            UnprocessableEntity: it is no JSON.
        """
        try:
            return json.loads(body)
        except RecursionError:
            raise _too_deep() from None
        except ValueError as problem:
            raise UnprocessableEntity(f"the body is not JSON: {problem}") from None

    def json_to_keep(self) -> Any:
        """The body as JSON that will be shown again.

        Raises:
            TooLarge: it is longer than the service takes.
            UnprocessableEntity: it is no JSON, or nested more deeply than could be shown again.
        """
        body = self.json()
        _check_depth(body)
        return body

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object that will be shown again.

        Raises:
            TooLarge: it is longer than the service takes.
            UnprocessableEntity: it is no JSON object, or nested more deeply than could be shown again.
        """
        body = self.json_to_keep()
        if not isinstance(body, dict):
            raise UnprocessableEntity("the body must be a JSON object.")
        return body

    def form(self) -> dict[str, str]:
        """The body as a form, the first value of each field; blank fields are left out."""
        fields = parse_qs(self.body().decode("utf-8", "replace"))
        return {name: values[0] for name, values in fields.items()}

    def page(self, records: Sequence[R], absolute: bool = False) -> tuple[list[R], dict[str, Any]]:
        """One page of records, and the members of the list document that lead on.

        `next.href` carries the whole query: one client sends only what it holds, the other adds all that it
        sent before.

        Raises:
            Invalid: `limit` is no number from 1 to 200, or `start` is none that the service gave.
        """
        limit, start = self._number("limit", _DEFAULT_LIMIT), self._number("start", 0)
        if not 1 <= limit <= _MAX_LIMIT:
            raise Invalid("invalid_limit", f"Query parameter 'limit' must be from 1 to {_MAX_LIMIT}.")
        rest = [record for record in records if not start or record.number <= start]
        page = rest[:limit]
        query = {name: value for name, value in self.request.args.items() if name not in ("limit", "start")}
        place = (self.base_url if absolute else "") + self.request.path
        lead: dict[str, Any] = {
            "first": {"href": f"{place}?{urlencode({**query, 'limit': limit})}"},
            "limit": limit,
        }
        if len(rest) > limit:
            further = {**query, "start": rest[limit].number, "limit": limit}
            lead["next"] = {"href": f"{place}?{urlencode(further)}"}
        if self.query("total_count") == "true":
            lead["total_count"] = len(records)
        return page, lead

    def _number(self, name: str, default: int) -> int:
        value = self.query(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            raise Invalid(f"invalid_{name}", f"Query parameter '{name}' must be a whole number.")
        return int(value)


def _check_depth(value: Any) -> None:
    # Level by level: what recurses would end where this is meant to protect from ending.
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise _too_deep()


def _too_deep() -> UnprocessableEntity:
    return UnprocessableEntity("the body is nested too deeply.")


def answer(status: int, document: Any = None) -> Response:
    """A JSON answer; without a document, one without a body.

    NaN is written as a bare NaN: Python's JSON, and so both clients, read it back as the number that it is.
    """
    if document is None:
        return Response(status=status)
    return Response(json.dumps(document), status=status, content_type="application/json")


def refused(status: int, refusal: Refusal) -> Response:
    """A refusal in the service's JSON."""
    error = {"code": refusal.code, "message": refusal.message}
    if refusal.more_info:
        error["more_info"] = refusal.more_info
    document: dict[str, Any] = {"trace": uuid.uuid4().hex, "errors": [error]}
    if refusal.shown_status is not None:
        document["status_code"] = refusal.shown_status
    return answer(status, document)

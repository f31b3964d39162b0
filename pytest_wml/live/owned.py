"""What a live run creates is its own: journaled before the request goes out, and named after the run."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pytest_wml.interception.messages import MISSED, UNANSWERED, path_of, send_error, whole
from pytest_wml.interception.request_log import attribution
from pytest_wml.interception.wsgi import Environ, WSGIApp
from pytest_wml.live.resource_journal import Journal, NoJournal
from pytest_wml.live.resource_names import Mark, parted
from pytest_wml.wml.operations import asset_of, created_kind, names_assets

_NAME_OPERATIONS = ("/name", "/metadata/name", "/entity/name")


class Owned:
    """A WSGI app in front of the live service that keeps the journal.

    The name of a model, function, deployment or space that is created gets the run's mark, and loses it again in
    what the service answers: tests see the names that they gave, as in the other modes.

    Args:
        app: the way to the service.
        mark: of the run.
        journal: of this process.
    """

    def __init__(self, app: WSGIApp, mark: Mark, journal: Journal) -> None:
        self._app = app
        self._mark = mark
        self._journal = journal
        self._suffixes = {mark.suffix}
        self._kept: list[str] = []

    def know(self, mark: Mark) -> None:
        """What has this mark is the run's to use: from now on its names are told without."""
        self._suffixes.add(mark.suffix)

    @contextlib.contextmanager
    def keeping(self, mark: Mark) -> Iterator[None]:
        """What is created inside is kept between runs: it has a mark of its own, and is owed until all went well."""
        before, self._mark = self._mark, mark
        self.know(mark)
        self._kept.clear()
        try:
            yield
            for made in self._kept:
                self._journal.gone(made)
        finally:
            self._mark = before

    @contextlib.contextmanager
    def as_it_is(self) -> Iterator[None]:
        """Inside, names are told as the service has them."""
        before, self._suffixes = self._suffixes, set()
        try:
            yield
        finally:
            self._suffixes = before

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], path_of(environ)
        if not names_assets(path):
            return self._app(environ, start_response)
        if kind := created_kind(method, path):
            return self._created(kind, environ, start_response)
        if method == "PATCH" and asset_of(path):
            self._rename(environ)
        if method == "GET":
            self._look_for(environ)
        status, headers, body = whole(self._app, environ)
        if method == "DELETE" and (made := asset_of(path)) and (status[:1] == "2" or status[:3] == "404"):
            self._journal.gone(made)
        return self._plain(status, headers, body, start_response)

    def _created(self, kind: str, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        document = _document(environ)
        name = self._named(document)
        _put_back(environ, document)
        try:
            requester = attribution(environ).requester.where
            number = self._journal.asking(kind, name, requester, environ["HTTP_HOST"], _space(document))
        except NoJournal as error:
            attribution(environ).fail(error)
            return send_error(start_response, MISSED, "no_journal", error.problem)
        status, headers, body = whole(self._app, environ)
        made = _made(body) if status[:1] == "2" else ""
        if made:
            self._journal.made(number, made)
            if self._mark.kept:
                self._kept.append(made)
        elif status[:1] == "4" and UNANSWERED not in environ:
            self._journal.refused(number)
        return self._plain(status, headers, body, start_response)

    def _named(self, document: Any) -> str:
        """Mark the name in what is sent; the name."""
        if not isinstance(document, dict) or not isinstance(document.get("name"), str):
            return ""
        document["name"] = self._own(document["name"])
        return str(document["name"])

    def _own(self, name: str) -> str:
        self._journal.names.add(name)
        return name if parted(name)[1] is not None else name + self._mark.suffix

    def _rename(self, environ: Environ) -> None:
        document = _document(environ)
        for operation in document if isinstance(document, list) else ():
            if isinstance(operation, dict) and operation.get("path") in _NAME_OPERATIONS:
                value = operation.get("value")
                if operation.get("op") in ("replace", "add") and isinstance(value, str):
                    operation["value"] = self._own(value)
        _put_back(environ, document)

    def _look_for(self, environ: Environ) -> None:
        """Ask for what this process created by the name that it has there."""
        query = environ["QUERY_STRING"]
        if "name=" not in query:
            return
        pairs = parse_qsl(query, keep_blank_values=True)
        own = [
            (key, value + self._mark.suffix if key == "name" and value in self._journal.names else value)
            for key, value in pairs
        ]
        if own != pairs:
            environ["QUERY_STRING"] = urlencode(own)

    def _plain(
        self, status: str, headers: list[tuple[str, str]], body: bytes, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        for suffix in self._suffixes:
            body = body.replace(suffix.encode("ascii"), b"")
        others = [(name, value) for name, value in headers if name.lower() != "content-length"]
        bodiless = not body and status[:3] in ("204", "304")
        start_response(status, others if bodiless else [*others, ("Content-Length", str(len(body)))])
        return [body]


def _document(environ: Environ) -> Any:
    """The JSON that is sent; its bytes where it is none."""
    body = environ["wsgi.input"].read()
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def _space(document: Any) -> str:
    named = document.get("space_id") if isinstance(document, dict) else None
    return named if isinstance(named, str) else ""


def _put_back(environ: Environ, document: Any) -> None:
    body = document if isinstance(document, bytes) else json.dumps(document).encode("utf-8")
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _made(body: bytes) -> str:
    try:
        return str(json.loads(body)["metadata"]["id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""

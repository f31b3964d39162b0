"""Records what another app answers; nothing is written to the disk before the run ends successfully."""

from __future__ import annotations

import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, cast

from pytest_wml.interception.messages import is_download, is_upload, path_of, spooled
from pytest_wml.interception.request_log import Requester, attribution
from pytest_wml.interception.wsgi import Environ, WSGIApp
from pytest_wml.redaction.known import Secrets, secret_of_header
from pytest_wml.redaction.values import secrets_in
from pytest_wml.replay.bodies import kept
from pytest_wml.replay.cassette.identity import parsed, token_flaw
from pytest_wml.replay.cassette.normalise import UUID
from pytest_wml.replay.cassette.tape import ArchiveContent, Body, WireExchange, created
from pytest_wml.wml import tokens
from pytest_wml.wml.hosts import Hosts, Role


class Recorder:
    """A WSGI app that keeps a tape of what passes between IBM's client and the app that answers.

    Args:
        app: the app that answers.
        hosts: tells a host's role.
        secrets: learns the secrets that pass.
    """

    def __init__(self, app: WSGIApp, hosts: Hosts, secrets: Secrets) -> None:
        self._app = app
        self._hosts = hosts
        self._secrets = secrets
        self._lock = threading.Lock()
        self._owners: dict[str, str] = {}
        self._last: dict[str, dict[tuple[Any, ...], WireExchange]] = defaultdict(dict)
        self.tapes: dict[str, list[WireExchange]] = defaultdict(list)
        """By cassette name; under the empty name what was asked on behalf of all."""
        self.users: dict[str, set[str]] = defaultdict(set)
        """By cassette name: the node ids of the tests that asked something of it, or whose fixtures did."""
        self.claims: dict[str, set[str]] = defaultdict(set)
        """By cassette name: the fixtures that record under it, or `tests`; more than one is a mistake."""
        self._fixtures: dict[str, set[str]] = defaultdict(set)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        requester, method, path = attribution(environ).requester, environ["REQUEST_METHOD"], path_of(environ)
        seen: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            seen[:] = [status, headers]
            return start_response(status, headers, exc_info)

        with spooled(environ) as sent, cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=1 << 20)) as answered:
            environ["wsgi.input"] = sent
            blocks = self._app(environ, start)
            answered.writelines(blocks)
            if close := getattr(blocks, "close", None):  # a download is a file
                close()
            status, headers = int(seen[0].split(" ", 1)[0]), {name.lower(): value for name, value in seen[1]}
            self._learn_secrets(environ, headers)
            answer = kept(answered, is_download(method, path, status))
            if tokens.is_authentication(path):
                self._learn_tokens(kept(sent, archive=False), answer)
            else:
                taped = WireExchange(
                    method=method,
                    role=self._hosts.role(environ["HTTP_HOST"]) or Role.CPD,
                    host=environ["HTTP_HOST"],
                    path=path,
                    query=environ["QUERY_STRING"],
                    content_type=environ.get("CONTENT_TYPE", ""),
                    body=kept(sent, is_upload(method, path)),
                    status=status,
                    answer_type=headers.get("content-type", ""),
                    answer=answer,
                    refusable=token_flaw(path, environ.get("HTTP_AUTHORIZATION", "")),
                )
                self._keep(taped, requester)
            answered.seek(0)
            return [answered.read()]

    def test_ended(self, test: str, fixtures: Iterable[str]) -> None:
        """A test that used these fixtures has ended: what they asked was asked for it too."""
        with self._lock:
            for fixture in fixtures:
                for name in self._fixtures.get(fixture, ()):
                    self.users[name].add(test)

    def own(self, name: str, made: str) -> None:
        """What names this id belongs to this cassette, though nothing here created it."""
        with self._lock:
            self._owners[made] = name

    def _keep(self, taped: WireExchange, requester: Requester) -> None:
        with self._lock:
            owner = self._owner(taped)
            if not owner:
                owner = requester.name
                fixture = requester.kind == "fixture"
                self.claims[owner].add(f"{requester.where} of {requester.defined_in}" if fixture else "tests")
            if not self._repeats(owner, taped):
                self.tapes[owner].append(taped)
            if requester.kind in ("test", "module"):
                self.users[owner].add(requester.where)
            elif requester.kind == "fixture":
                self._fixtures[requester.where].add(owner)
            if taped.mutates and taped.status < 300:
                for made in created(taped.answer):
                    self._owners.setdefault(made, owner)

    def _repeats(self, owner: str, taped: WireExchange) -> bool:
        """Whether the last answer to the same request says it already; a load test asks thousands of times."""
        last = self._last[owner]
        if taped.mutates:
            last.clear()
            return False
        key = taped.method, taped.host, taped.path, taped.query, taped.body, taped.refusable
        before, last[key] = last.get(key), taped
        return before == taped

    def _owner(self, taped: WireExchange) -> str:
        """The cassette whose own answers created what this request names; empty for none."""
        names = UUID.findall(f"{taped.path} {taped.query}")
        if taped.method in ("POST", "PATCH") and taped.mutates and isinstance(taped.body, bytes):
            names += UUID.findall(taped.body.decode("utf-8", "replace"))
        return next((self._owners[name] for name in names if name in self._owners), "")

    def _learn_secrets(self, environ: Environ, headers: dict[str, str]) -> None:
        self._secrets.add(
            secret_of_header(environ.get("HTTP_AUTHORIZATION", "")),
            *(part.partition("=")[2].partition(";")[0] for part in environ.get("HTTP_COOKIE", "").split("; ")),
            headers.get("set-cookie", "").partition("=")[2].partition(";")[0],
        )

    def _learn_tokens(self, asked: Body, answer: Body) -> None:
        for body in (asked, answer):
            if isinstance(body, ArchiveContent):
                continue
            value = parsed(body)
            self._secrets.add(*secrets_in(value))
            if value is None:
                for pair in body.decode("utf-8", "replace").split("&"):
                    name, _, secret = pair.partition("=")
                    if name in ("apikey", "password"):
                        self._secrets.add(secret)

"""What a live run may spend: what goes beyond is not sent."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock

from pytest_wml.config.values import Setting
from pytest_wml.errors import WMLTestError
from pytest_wml.interception.messages import MISSED, path_of, send_error, spooled
from pytest_wml.interception.request_log import ANSWERED_BY, attribution
from pytest_wml.interception.wsgi import Environ, WSGIApp
from pytest_wml.wml.operations import Purpose, purpose


class BudgetSpent(WMLTestError):
    """A live run would spend more than it may."""


class Limits(NamedTuple):
    """What a run may spend; None: as much as it likes."""

    requests: Setting[int | None]
    deployments: Setting[int | None]
    upload: Setting[int | None]
    """Megabytes (10⁶ bytes)."""

    def __bool__(self) -> bool:
        return any(limit.value is not None for limit in self)


class Budget:
    """A WSGI app in front of the live service that counts what is sent, and sends nothing beyond the limits.

    Deletions always pass, and so does what is asked while the run cleans up: a run that was stopped leaves
    nothing behind.

    Args:
        app: the way to the service.
        limits: of the run.
        shared: a folder in which the processes of one run count together.
    """

    def __init__(self, app: WSGIApp, limits: Limits, shared: Path) -> None:
        self._app = app
        self._limits = limits
        self._shared = shared / "spent.json"
        self._lock = threading.Lock()
        self.sent: Counter[str] = Counter()
        """What this process sent: requests by their purpose, and `bytes` uploaded."""
        self.spent = ""
        """The limit that was reached; empty as long as none is."""

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        why = purpose(environ["REQUEST_METHOD"], path_of(environ))
        size = _size(environ) if why is Purpose.UPLOAD else 0
        free = why is Purpose.DELETE or attribution(environ).cleanup
        beyond = self._count(why, size, free=free)
        if beyond is not None:
            environ[ANSWERED_BY] = "budget"
            attribution(environ).fail(beyond)
            return send_error(start_response, MISSED, "budget_spent", beyond.problem)
        return self._app(environ, start_response)

    def _count(self, why: Purpose, size: int, *, free: bool) -> BudgetSpent | None:
        """Count a request, unless it goes beyond a limit."""
        with self._lock:
            if self._limits:
                with FileLock(self._shared.with_suffix(".lock")):
                    total = _read(self._shared)
                    beyond = None if free else self._beyond(total, why, size)
                    if beyond is not None:
                        self.spent = beyond.problem
                        return beyond
                    if not free:
                        total += Counter(requests=1, deployments=int(why is Purpose.DEPLOY), bytes=size)
                        _write(self._shared, total)
            self.sent[why.value] += 1
            self.sent["bytes"] += size
        return None

    def _beyond(self, total: Counter[str], why: Purpose, size: int) -> BudgetSpent | None:
        requests, deployments, upload = self._limits
        if requests.value is not None and total["requests"] >= requests.value:
            return _spent(f"{requests.value} requests", requests, sent=total["requests"])
        if why is Purpose.DEPLOY and deployments.value is not None and total["deployments"] >= deployments.value:
            return _spent(f"{deployments.value} deployments", deployments, made=total["deployments"])
        if size and upload.value is not None and total["bytes"] + size > upload.value * 10**6:
            done = f"{total['bytes'] / 1e6:,.1f} MB"
            return _spent(f"{upload.value} MB of upload", upload, uploaded=done, next_upload=f"{size / 1e6:,.1f} MB")
        return None


def _spent(what: str, limit: Setting[Any], **facts: Any) -> BudgetSpent:
    return BudgetSpent(
        f"The run's budget is spent: {what}.",
        set_by=limit.source,
        **facts,
        not_sent="this request, and none that costs after it; what was created is deleted",
        fix="raise the limit, run fewer tests live (-k, @pytest.mark.wml(live_only=True)), or check with\n"
        "--wml=embedded what need not be asked of the service",
    )


def _read(path: Path) -> Counter[str]:
    try:
        return Counter(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return Counter()


def _write(path: Path, total: Counter[str]) -> None:
    """Write it whole: a process that is killed in the midst of it would give the others a new budget."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(total), encoding="utf-8")
    os.replace(part, path)


def _size(environ: Environ) -> int:
    """Bytes of an upload; one that does not say how many is read before."""
    if environ.get("CONTENT_LENGTH"):
        return int(environ["CONTENT_LENGTH"])
    copy = spooled(environ)
    copy.seek(0, 2)
    size = copy.tell()
    copy.seek(0)
    environ["wsgi.input"] = copy
    environ["CONTENT_LENGTH"] = str(size)
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return size

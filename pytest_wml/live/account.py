"""What stands between a live run and the service: retries, a budget, and a journal of what is created."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pytest_wml.config.options import Settings
from pytest_wml.interception.request_counts import Tally
from pytest_wml.interception.wsgi import Environ, WSGIApp
from pytest_wml.live.budget import Budget, Limits
from pytest_wml.live.owned import Owned
from pytest_wml.live.processes import Together
from pytest_wml.live.retry import Retrying


class Account:
    """A WSGI app in front of the live service.

    Args:
        service: the way to it.
        settings: the run's limits.
        together: what the processes of the run share.
    """

    def __init__(self, service: WSGIApp, settings: Settings, together: Together) -> None:
        self.owned = Owned(service, together.mark, together.journal)
        limits = Limits(settings.max_requests, settings.max_deployments, settings.max_upload)
        self.budget = Budget(self.owned, limits, together.folder)
        self.retrying = Retrying(self.budget)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self.retrying(environ, start_response)

    def tell(self, tally: Tally) -> None:
        """Add what was sent to the service."""
        tally.sent += self.budget.sent
        tally.repeated += self.retrying.repeated
        tally.seconds -= self.retrying.waited

    def close(self) -> None:
        """End what waits."""
        self.retrying.close()

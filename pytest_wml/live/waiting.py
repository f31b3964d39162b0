"""Deadlines for waits of IBM's client: for a deployment that stays `initializing`, for a deletion."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from pytest_wml.errors import WMLTestError

DEADLINE = 1200.0
_POLL = 5.0
"""Seconds that IBM's client waits between two looks; offline they take no time."""
PAUSE = 5.0
"""Seconds between two tries to delete in a live space."""
_DELETIONS = 5


class DeploymentStuck(WMLTestError):
    """A deployment was not ready in time."""


class Watch:
    """What IBM's client saw while it waited for a deployment.

    Args:
        deadline: seconds that the wait may take; where waits take no time, those that it would have taken.
    """

    def __init__(self, deadline: float) -> None:
        self.deployment_id = ""
        self._deadline = deadline
        self._begun = time.monotonic()
        self._states: list[str] = []

    def seen(self, deployment_id: str, state: str) -> None:
        """The client has looked.

        Raises:
            DeploymentStuck: it has for too long.
        """
        self.deployment_id = deployment_id
        self._states.append(state)
        waited = max(time.monotonic() - self._begun, _POLL * len(self._states))
        if state in ("initializing", "DEPLOY_IN_PROGRESS") and waited >= self._deadline:
            raise DeploymentStuck(
                f"The deployment was not ready within {self._deadline:g} seconds; IBM's client would wait for ever.",
                deployment=deployment_id,
                states=self._trail(),
                fix="look at the deployment's details in the space; an overloaded or broken runtime stays so",
            )

    def _trail(self) -> str:
        changes = [
            (state, index) for index, state in enumerate(self._states) if index == 0 or self._states[index - 1] != state
        ]
        ends = [index for _, index in changes[1:]] + [len(self._states)]
        return ", ".join(f"{state} ×{end - begun}" for (state, begun), end in zip(changes, ends, strict=True))


@contextlib.contextmanager
def watched(client: Any, deadline: float = DEADLINE) -> Iterator[Watch]:
    """Look at each look of IBM's client, which asks after a new deployment for ever.

    Args:
        client: IBM's APIClient; its `deployments` is as before at the end.
        deadline: seconds.

    Raises:
        DeploymentStuck: the deployment is `initializing` for longer.
    """
    watch, deployments, here = Watch(deadline), client.deployments, threading.get_ident()
    look = deployments.get_details

    def get_details(*args: Any, **kwargs: Any) -> Any:
        details = look(*args, **kwargs)
        if threading.get_ident() == here and isinstance(details, dict) and "entity" in details:
            watch.seen(details["metadata"]["id"], details["entity"]["status"]["state"])
        return details

    own = dict(vars(deployments))
    deployments.get_details = get_details
    try:
        yield watch
    finally:
        del deployments.get_details
        vars(deployments).update({name: value for name, value in own.items() if name == "get_details"})


def delete(deletion: Callable[[str], object], asset_id: str, pause: float) -> None:
    """Delete, and try again a few times where that fails: what is left behind in a live space is paid for.

    Args:
        deletion: of IBM's client; it raises for every answer but success, and does not tell its status.
        asset_id: of what is deleted.
        pause: seconds between two tries.

    Raises:
        Exception: the client's own, of the last try.
    """
    for left in reversed(range(_DELETIONS)):
        try:
            deletion(asset_id)
        except Exception as error:
            text = str(error)
            # An earlier try was carried out, and its answer was lost.
            if left < _DELETIONS - 1 and "does_not_exist" in text:
                return
            if not left or "no_recording" in text:
                raise
        else:
            return
        time.sleep(pause)

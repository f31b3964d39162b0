"""What was made at the other side, and its deletion: in reverse order, whatever happened, and nothing else."""

from __future__ import annotations

import contextlib
import json
import time
from typing import NamedTuple
from urllib.parse import urlencode

from pytest_wml.errors import WMLTestError
from pytest_wml.replay.cassette.tape import created
from pytest_wml.tools.verify.side import Reply, Side
from pytest_wml.wml.hosts import Role

_TRIES = 5
_BROKEN = 0
_MODELS, _DEPLOYMENTS, _JOBS = "/ml/v4/models", "/ml/v4/deployments", "/ml/v4/deployment_jobs"


class Made(NamedTuple):
    """Something that this run made.

    Args:
        collection: the path that it was posted to.
        query: that its requests need: version and space.
    """

    role: Role
    collection: str
    made_id: str
    query: str

    @property
    def path(self) -> str:
        return f"{self.collection}/{self.made_id}"

    def __str__(self) -> str:
        return self.path


class Creations:
    """Everything that this run made and has not deleted yet.

    Args:
        side: where.
        pause: seconds between the first two tries to delete; then twice as long, and so on.
    """

    def __init__(self, side: Side, pause: float) -> None:
        self._side = side
        self._pause = pause
        self._open: list[Made] = []

    @property
    def left(self) -> list[str]:
        """What there still is."""
        return [str(made) for made in self._open]

    def note(self, role: Role, path: str, query: dict[str, str], reply: Reply) -> Made | None:
        """Remember what an answer to a POST says was made; None where it is nothing new."""
        collection = path.rstrip("/")
        ids = sorted(created(reply.body))
        if not ids or any(each in collection for each in ids):  # a revision, a job's run: goes with its owner
            return None
        kept = {name: value for name, value in query.items() if name in ("version", "space_id", "project_id")}
        first = next((each for each in ids if each == _own_id(reply)), ids[0])
        made = Made(role, collection, first, urlencode(kept))
        self._open.append(made)
        return made

    def gone(self, path: str) -> None:
        """What this path names was deleted."""
        self._open = [made for made in self._open if made.made_id not in path]

    def delete_all(self) -> None:
        """Delete what there still is, the last thing first; what cannot be deleted stays in `left`."""
        for made in reversed(list(self._open)):
            if made.collection == _MODELS:
                self._delete_deployments_of(made)
            if self._deleted(made):
                self._open.remove(made)

    def _delete_deployments_of(self, model: Made) -> None:
        """Those of a model of ours are ours, also where the answer that told their id was lost."""
        try:
            reply = self._side.ask("GET", model.role, _DEPLOYMENTS, f"{model.query}&asset_id={model.made_id}")
            found = json.loads(reply.body)["resources"]
            ids = [each["metadata"]["id"] for each in found if each["entity"]["asset"]["id"] == model.made_id]
        except (WMLTestError, ValueError, LookupError, TypeError):
            return  # then the deletion of the model says what is wrong
        for each in ids:
            self._deleted(Made(model.role, _DEPLOYMENTS, each, model.query))

    def _deleted(self, made: Made) -> bool:
        query = made.query + "&hard_delete=true" * (made.collection == _JOBS)
        for number in range(_TRIES):
            time.sleep(self._pause * (2**number - 1))
            status = _BROKEN
            with contextlib.suppress(WMLTestError):  # the connection: tried again, and told as left behind
                status = self._side.ask("DELETE", made.role, made.path, query).status
            if status in (200, 202, 204, 404):
                return True
            if status not in (_BROKEN, 409, 429) and status < 500:
                return False  # asked again it would be refused again
        return False


def _own_id(reply: Reply) -> str:
    return str(json.loads(reply.body)["metadata"].get("id", ""))

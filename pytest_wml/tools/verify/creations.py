"""Tracks resources that a verification creates, and deletes them in reverse order."""

from __future__ import annotations

import contextlib
import json
import time
from typing import NamedTuple
from urllib.parse import urlencode

from pytest_wml.errors import WMLTestError
from pytest_wml.replay.cassette.tape import created
from pytest_wml.tools.verify.service import ServiceReply, TargetService
from pytest_wml.wml.hosts import Role

_TRIES = 5
_BROKEN = 0
_MODELS, _DEPLOYMENTS, _JOBS = "/ml/v4/models", "/ml/v4/deployments", "/ml/v4/deployment_jobs"


class CreatedResource(NamedTuple):
    """A resource that this run created.

    Args:
        role: role of the host.
        collection: path of the POST request.
        id: id of the resource.
        query: query for requests about it: version and space.
    """

    role: Role
    collection: str
    id: str
    query: str

    @property
    def path(self) -> str:
        return f"{self.collection}/{self.id}"

    def __str__(self) -> str:
        return self.path


class Creations:
    """The resources that this run created and has not deleted.

    Args:
        side: the verified service.
        pause: seconds between the first two attempts to delete; the pause doubles after each attempt.
    """

    def __init__(self, side: TargetService, pause: float) -> None:
        self._side = side
        self._pause = pause
        self._resources: list[CreatedResource] = []

    @property
    def left(self) -> list[str]:
        """The resources that are not deleted."""
        return [str(resource) for resource in self._resources]

    def note(self, role: Role, path: str, query: dict[str, str], reply: ServiceReply) -> CreatedResource | None:
        """Record the resource that a POST request created; None if it created none."""
        collection = path.rstrip("/")
        ids = sorted(created(reply.body))
        if not ids or any(each in collection for each in ids):  # a revision or a job run is deleted with its owner
            return None
        kept = {name: value for name, value in query.items() if name in ("version", "space_id", "project_id")}
        first = next((each for each in ids if each == _own_id(reply)), ids[0])
        resource = CreatedResource(role, collection, first, urlencode(kept))
        self._resources.append(resource)
        return resource

    def mark_deleted(self, path: str) -> None:
        """Record the deletion of the resource with this path."""
        self._resources = [resource for resource in self._resources if resource.id not in path]

    def delete_all(self) -> None:
        """Delete all resources in reverse order; those that cannot be deleted stay in `left`."""
        for resource in reversed(list(self._resources)):
            if resource.collection == _MODELS:
                self._delete_deployments_of(resource)
            if self._deleted(resource):
                self._resources.remove(resource)

    def _delete_deployments_of(self, model: CreatedResource) -> None:
        """Delete the deployments of a created model, also those whose id is unknown because an answer was lost."""
        try:
            reply = self._side.ask("GET", model.role, _DEPLOYMENTS, f"{model.query}&asset_id={model.id}")
            found = json.loads(reply.body)["resources"]
            ids = [each["metadata"]["id"] for each in found if each["entity"]["asset"]["id"] == model.id]
        except (WMLTestError, ValueError, LookupError, TypeError):
            return  # then the deletion of the model fails and is reported
        for each in ids:
            self._deleted(CreatedResource(model.role, _DEPLOYMENTS, each, model.query))

    def _deleted(self, resource: CreatedResource) -> bool:
        query = resource.query + "&hard_delete=true" * (resource.collection == _JOBS)
        for number in range(_TRIES):
            time.sleep(self._pause * (2**number - 1))
            status = _BROKEN
            with contextlib.suppress(WMLTestError):  # connection error: retried, then reported as left behind
                status = self._side.ask("DELETE", resource.role, resource.path, query).status
            if status in (200, 202, 204, 404):
                return True
            if status not in (_BROKEN, 409, 429) and status < 500:
                return False  # a retry would be refused again
        return False


def _own_id(reply: ServiceReply) -> str:
    return str(json.loads(reply.body)["metadata"].get("id", ""))

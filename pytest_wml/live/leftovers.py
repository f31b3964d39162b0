"""Lists and deletes the resources that live runs left in a service, found by the marks in their names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from pytest_wml.live.resource_names import Mark, parted
from pytest_wml.live.waiting import PAUSE, delete

_ORDER = ("deployment", "model", "function", "space")
"""In this order: what is deployed cannot be deleted, and a space not before what is in it."""


class MarkedResource(NamedTuple):
    """Something with a run's mark.

    Args:
        kind: `deployment`, `model`, `function` or `space`.
        name: with its mark.
    """

    kind: str
    id: str
    name: str
    mark: Mark

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.id})"


def listed(client: Any) -> Iterator[MarkedResource]:
    """Yield everything with a mark in the client's default space, and the spaces that have one.

    Args:
        client: IBM's APIClient, its default space set.
    """
    asked: tuple[tuple[str, Callable[..., Any]], ...] = (
        ("deployment", client.deployments.get_details),
        ("model", client.repository.get_model_details),
        ("function", client.repository.get_function_details),
        ("space", client.spaces.get_details),
    )
    for kind, ask in asked:
        # The older client's spaces come all at once.
        every = {"get_all": True} if "get_all" in inspect.signature(ask).parameters else {}
        for details in ask(**every)["resources"]:
            name = str(details["metadata"].get("name") or details["entity"].get("name") or "")
            mark = parted(name)[1]
            if mark is not None:
                yield MarkedResource(kind, str(details["metadata"]["id"]), name, mark)


def in_order(things: Iterable[MarkedResource]) -> list[MarkedResource]:
    """Sorted in the order in which they can be deleted."""
    return sorted(things, key=lambda left: (_ORDER.index(left.kind), left.name))


def remove(client: Any, kind: str, asset_id: str, pause: float = PAUSE) -> None:
    """Delete one thing; what is gone already is as good as deleted.

    Raises:
        Exception: the client's own, where the service refuses again and again.
    """
    by_kind = {"deployment": client.deployments.delete, "space": client.spaces.delete}
    try:
        delete(by_kind.get(kind, client.repository.delete), asset_id, pause)
    except Exception as error:
        if not _is_gone(str(error)):
            raise


def _is_gone(text: str) -> bool:
    return "does_not_exist" in text or "Status code: 404" in text

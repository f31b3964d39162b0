"""Deployment spaces."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_wml.emulator.refusals import Missing
from pytest_wml.emulator.state.journal import StateJournal
from pytest_wml.emulator.state.registry import RecordRegistry


@dataclass(frozen=True)
class SpaceRecord:
    number: int
    id: str
    name: str
    owner: str
    instance_id: str
    """The service instance that computes for this space, `entity.compute[0].guid`; empty where none does."""
    created_at: float
    updated_at: float
    state: str = "preparing"
    description: str = ""
    entity: Mapping[str, Any] = field(default_factory=dict)
    """Members of the entity that the service keeps and does not read: stage, tags, settings."""


@dataclass(frozen=True)
class SpaceDraft:
    name: str
    description: str = ""
    compute: bool = True
    """Whether an instance of the service is associated with it."""
    entity: Mapping[str, Any] = field(default_factory=dict)


def _missing(space_id: str) -> Missing:
    return Missing("space_does_not_exist", f"Space with id '{space_id}' does not exist.")


class SpaceRegistry(RecordRegistry[SpaceRecord]):
    """Spaces by id; a new one is `preparing` until it is read for the first time."""

    def __init__(self, journal: StateJournal, clock: Callable[[], float]) -> None:
        super().__init__(journal, "space", SpaceRecord, _missing)
        self._clock = clock
        self._deleted: set[str] = set()

    def provision(self, space_ids: Iterable[str], owner: str) -> None:
        """Spaces that are there from the start, active; those that were kept stay as they are."""
        with self._journal:
            for space_id in space_ids:
                if space_id not in self._records:
                    draft = SpaceDraft(name=f"embedded {space_id[:8]}")
                    self.put(replace(self._made(space_id, draft, owner), state="active"))

    def has_had(self, space_id: str) -> bool:
        """Whether there is a space of this id, or was one that has been deleted."""
        with self._journal.lock:
            return space_id in self._records or space_id in self._deleted

    def drop(self, record_id: str) -> SpaceRecord:
        """Delete a space; its id is not taken again."""
        dropped = super().drop(record_id)
        self._deleted.add(record_id)
        return dropped

    def create(self, draft: SpaceDraft, owner: str) -> SpaceRecord:
        return self.put(self._made(str(uuid.uuid4()), draft, owner))

    def read(self, space_id: str) -> SpaceRecord:
        """The space, active: preparing one takes the service no time here, only an answer."""
        return self.change(space_id, lambda space: space if space.state == "active" else replace(space, state="active"))

    def update(self, space_id: str, drafted: Callable[[SpaceRecord], SpaceDraft]) -> SpaceRecord:
        def updated(space: SpaceRecord) -> SpaceRecord:
            draft = drafted(space)
            return replace(
                space,
                name=draft.name,
                description=draft.description,
                instance_id=(space.instance_id or str(uuid.uuid4())) if draft.compute else "",
                entity=draft.entity,
                updated_at=self._clock(),
            )

        return self.change(space_id, updated)

    def _made(self, space_id: str, draft: SpaceDraft, owner: str) -> SpaceRecord:
        now = self._clock()
        return SpaceRecord(
            number=self.next_number(),
            id=space_id,
            name=draft.name,
            owner=owner,
            instance_id=str(uuid.uuid4()) if draft.compute else "",
            created_at=now,
            updated_at=now,
            description=draft.description,
            entity=draft.entity,
        )

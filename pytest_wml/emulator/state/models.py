"""Stored models and functions, their content and their revisions."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_wml.emulator.contents import StoredContent
from pytest_wml.emulator.refusals import Missing
from pytest_wml.emulator.state.journal import StateJournal
from pytest_wml.emulator.state.registry import RecordRegistry
from pytest_wml.wml.software_specs import SoftwareSpec


@dataclass(frozen=True)
class ModelDraft:
    """What a caller says of a model, checked."""

    name: str
    type: str
    software_spec: SoftwareSpec
    description: str | None = None
    tags: tuple[Any, ...] | None = None
    entity: Mapping[str, Any] = field(default_factory=dict)
    """Members of the entity that the service keeps and does not read: label_column, schemas, custom."""


@dataclass(frozen=True)
class ModelRecord:
    number: int
    id: str
    space_id: str
    owner: str
    draft: ModelDraft
    created_at: float
    modified_at: float
    committed_at: float | None = None
    """When the model was last patched, or the revision was made."""
    rev: str | None = None
    content: StoredContent | None = None
    resource_key: str = field(default_factory=lambda: str(uuid.uuid4()))
    revisions: tuple[ModelRecord, ...] = ()
    """Oldest first; a revision keeps the content that it was made with."""


class ModelRegistry(RecordRegistry[ModelRecord]):
    """Models by id, or functions, which are kept alike.

    Args:
        kind: `model` or `function`, as refusals call it.
    """

    def __init__(self, journal: StateJournal, clock: Callable[[], float], kind: str = "model") -> None:
        super().__init__(journal, kind, ModelRecord, self._missing_one)
        self._clock = clock

    def _missing_one(self, model_id: str) -> Missing:
        return Missing(
            f"{self.kind}_does_not_exist",
            f"{self.kind.capitalize()} with id '{model_id}' does not exist. Re-try with a valid {self.kind} id.",
        )

    def create(self, draft: ModelDraft, space_id: str, owner: str) -> ModelRecord:
        now = self._clock()
        return self.put(
            ModelRecord(
                number=self.next_number(),
                id=str(uuid.uuid4()),
                space_id=space_id,
                owner=owner,
                draft=draft,
                created_at=now,
                modified_at=now,
            )
        )

    def read(self, model_id: str, space_id: str | None = None, rev: str | None = None) -> ModelRecord:
        """A model, or one of its revisions.

        Raises:
            Missing: there is none of this id in the space, or no such revision.
        """
        model = self.get(model_id)
        if space_id is not None and model.space_id != space_id:
            raise self._missing_one(model_id)
        if rev is None:
            return model
        for revision in model.revisions:
            if revision.rev == rev:
                return revision
        raise Missing(
            f"{self.kind}_revision_does_not_exist", f"{self.kind.capitalize()} '{model_id}' has no revision '{rev}'."
        )

    def update(self, model_id: str, drafted: Callable[[ModelRecord], ModelDraft]) -> ModelRecord:
        def updated(model: ModelRecord) -> ModelRecord:
            now = self._clock()
            return replace(model, draft=drafted(model), modified_at=now, committed_at=now)

        return self.change(model_id, updated)

    def set_content(self, model_id: str, content: StoredContent) -> ModelRecord:
        return self.change(model_id, lambda model: replace(model, content=content, modified_at=self._clock()))

    def commit(self, model_id: str) -> ModelRecord:
        """Freeze the model as it is now: the next revision, counted from 1."""

        def committed(model: ModelRecord) -> ModelRecord:
            rev = str(len(model.revisions) + 1)
            revision = replace(model, rev=rev, committed_at=self._clock(), revisions=())
            return replace(model, revisions=(*model.revisions, revision))

        return self.change(model_id, committed).revisions[-1]

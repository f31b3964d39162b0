"""Stored Python functions, which are kept as models are."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pytest_wml.emulator import bodies
from pytest_wml.emulator.exchange import Call, answer
from pytest_wml.emulator.handlers.attachment import downloaded
from pytest_wml.emulator.refusals import UnprocessableEntity
from pytest_wml.emulator.specifications import current_software_spec
from pytest_wml.emulator.state.models import Model, ModelDraft
from pytest_wml.emulator.state.patch import patched
from pytest_wml.emulator.timestamps import rfc3339

_OWN_MEMBERS = ("name", "software_spec", "description", "tags", "space_id", "project_id", "type")
_PATCHABLE = ("name", "description", "tags", "custom", "software_spec", "schemas", "type")


def create(call: Call) -> Response:
    body = call.json_object()
    space_id = call.space_id(body)
    return answer(201, _document(call.service.functions.create(_draft(call, body), space_id, call.owner)))


def listing(call: Call) -> Response:
    space_id = call.space_id()
    found = call.service.functions.find(lambda function: function.space_id == space_id)
    page, lead = call.page(found)
    return answer(200, {**lead, "resources": [_document(function) for function in page]})


def read(call: Call, function_id: str) -> Response:
    return answer(200, _document(_function(call, function_id)))


def patch(call: Call, function_id: str) -> Response:
    _function(call, function_id)
    operations = call.json_to_keep()

    def drafted(function: Model) -> ModelDraft:
        return _draft(call, patched(_members(function.draft), operations, _PATCHABLE)[0])

    return answer(200, _document(call.service.functions.update(function_id, drafted)))


def delete(call: Call, function_id: str) -> Response:
    _function(call, function_id)
    call.service.delete_asset(call.service.functions, function_id)
    return answer(204)


def upload(call: Call, function_id: str) -> Response:
    """The code of a function: a gzipped source file."""
    _function(call, function_id)
    content = call.service.upload(call.service.functions, function_id, call.chunks(), "native")
    document = {"attachment_id": content.attachment_id, "content_format": content.content_format, "persisted": True}
    return answer(201, document)


def download(call: Call, function_id: str) -> Response:
    """The code of a function, byte for byte."""
    return downloaded(call, f"Function '{function_id}'", _function(call, function_id).content)


def commit(call: Call, function_id: str) -> Response:
    """A new revision; the space may be named in the body only."""
    _function(call, function_id, call.json_object())
    return answer(201, _document(call.service.functions.commit(function_id)))


def revisions(call: Call, function_id: str) -> Response:
    """Newest first."""
    page, lead = call.page(_function(call, function_id).revisions[::-1])
    return answer(200, {**lead, "resources": [_document(revision) for revision in page]})


def _function(call: Call, function_id: str, body: dict[str, Any] | None = None) -> Model:
    return call.service.functions.read(function_id, call.space_id(body), call.query("rev"))


def _draft(call: Call, body: dict[str, Any]) -> ModelDraft:
    if not body.get("software_spec"):
        raise UnprocessableEntity("Field 'software_spec' is required.")
    tags = bodies.listing(body, "tags")
    return ModelDraft(
        name=bodies.required_text(body, "name"),
        type=bodies.text(body, "type") or "python",
        software_spec=current_software_spec(body["software_spec"], call.today, cloud=call.cloud),
        description=bodies.text(body, "description"),
        tags=None if tags is None else tuple(tags),
        entity={name: value for name, value in body.items() if name not in _OWN_MEMBERS},
    )


def _members(draft: ModelDraft) -> dict[str, Any]:
    return {
        **draft.entity,
        "name": draft.name,
        "type": draft.type,
        "software_spec": {"id": draft.software_spec.id},
        "description": draft.description,
        "tags": None if draft.tags is None else list(draft.tags),
    }


def _document(function: Model) -> dict[str, Any]:
    draft = function.draft
    spec = {"id": draft.software_spec.id, "name": draft.software_spec.name}
    metadata: dict[str, Any] = {
        "created_at": rfc3339(function.created_at),
        "id": function.id,
        "modified_at": rfc3339(function.modified_at),
        "name": draft.name,
        "owner": function.owner,
        "space_id": function.space_id,
    }
    optional = {"description": draft.description, "tags": draft.tags, "rev": function.rev}
    metadata.update({name: value for name, value in optional.items() if value is not None})
    if function.committed_at is not None:
        metadata["commit_info"] = {"committed_at": rfc3339(function.committed_at)}
    return {"entity": {**draft.entity, "type": draft.type, "software_spec": spec}, "metadata": metadata}

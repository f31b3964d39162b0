"""Stored Python functions, which are kept as models are."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pytest_wml.emulator import bodies
from pytest_wml.emulator.exchange import Call, answer
from pytest_wml.emulator.handlers import assets
from pytest_wml.emulator.specifications import current_software_spec
from pytest_wml.emulator.state.models import ModelDraft, ModelRecord
from pytest_wml.emulator.state.patch import patched

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

    def drafted(function: ModelRecord) -> ModelDraft:
        return _draft(call, patched(assets.members(function.draft), operations, _PATCHABLE)[0])

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
    return assets.downloaded(call, f"Function '{function_id}'", _function(call, function_id).content)


def commit(call: Call, function_id: str) -> Response:
    """A new revision; the space may be named in the body only."""
    _function(call, function_id, call.json_object())
    return answer(201, _document(call.service.functions.commit(function_id)))


def revisions(call: Call, function_id: str) -> Response:
    """Newest first."""
    page, lead = call.page(_function(call, function_id).revisions[::-1])
    return answer(200, {**lead, "resources": [_document(revision) for revision in page]})


def _function(call: Call, function_id: str, body: dict[str, Any] | None = None) -> ModelRecord:
    return call.service.functions.read(function_id, call.space_id(body), call.query("rev"))


def _draft(call: Call, body: dict[str, Any]) -> ModelDraft:
    spec = current_software_spec(assets.required_spec(body), call.today, cloud=call.cloud)
    return assets.draft(body, bodies.text(body, "type") or "python", spec)


def _document(function: ModelRecord) -> dict[str, Any]:
    return {"entity": assets.entity(function), "metadata": assets.metadata(function)}

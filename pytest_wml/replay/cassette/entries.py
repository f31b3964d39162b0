"""One interaction as an entry of the file: vcrpy's request and response, and our facts beside them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pytest_wml.replay.cassette.normalise import CANONICAL_HOSTS, Interaction, Origin
from pytest_wml.replay.cassette.tape import ArchiveContent, Body
from pytest_wml.wml.hosts import Role


def entry_of(interaction: Interaction, facts: Mapping[str, str]) -> dict[str, Any]:
    """The entry that holds an interaction.

    Args:
        interaction: what it holds.
        facts: what else is said of it, beside its checksum.
    """
    query = f"?{interaction.query}" if interaction.query else ""
    host = CANONICAL_HOSTS[interaction.role]
    entry: dict[str, Any] = {
        "request": {
            "method": interaction.method,
            "uri": f"https://{host}{quote(interaction.path)}{query}",
            "body": _text(interaction.body) or None,
            "headers": _headers(interaction.content_type),
        },
        "response": {
            "status": {"code": interaction.status, "message": _reason(interaction.status)},
            "headers": _headers(interaction.answer_type),
            "body": {"string": _text(interaction.answer)},
        },
    }
    ours = {"role": interaction.role.value, "identity": interaction.identity}
    if interaction.refusable:
        ours["refusable"] = interaction.refusable
    for side, body in (("body", interaction.body), ("answer", interaction.answer)):
        kind = _kind(body)
        if kind != "text":
            ours[f"{side}_kind"] = kind
    ours |= facts
    return {**entry, "pytest-wml": {**ours, "checksum": entry_checksum({**entry, "pytest-wml": ours})}}


def interaction_of(entry: dict[str, Any]) -> Interaction:
    """The interaction that an entry holds; raises KeyError, TypeError or ValueError for what is none."""
    asked, answered, ours = entry["request"], entry["response"], entry["pytest-wml"]
    url = urlsplit(asked["uri"])
    if not all(isinstance(part, str) for part in (asked["method"], ours["identity"])):
        raise TypeError("method and identity are text")
    if not isinstance(answered["status"]["code"], int):
        raise TypeError("a status is a number")
    return Interaction(
        identity=ours["identity"],
        method=asked["method"],
        role=Role(ours["role"]),
        path=unquote(url.path),
        query=url.query,
        content_type=_type(asked["headers"]),
        body=_body(asked["body"] or "", ours.get("body_kind", "text")),
        status=answered["status"]["code"],
        answer_type=_type(answered["headers"]),
        answer=_body(answered["body"]["string"], ours.get("answer_kind", "text")),
        refusable=str(ours.get("refusable", "")),
        origin=_origin(ours),
    )


def _origin(ours: dict[str, Any]) -> Origin | None:
    own = Origin(*(str(ours.get(name, "")) for name in Origin._fields))
    return own if any(own) else None


def _kind(body: Body) -> str:
    if isinstance(body, ArchiveContent):
        return "content"
    try:
        body.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return "base64"
    return "text"


def _text(body: Body) -> str:
    if isinstance(body, ArchiveContent):
        return json.dumps(body.as_json())
    if _kind(body) == "base64":
        return base64.b64encode(body).decode("ascii")
    return body.decode("utf-8", "surrogatepass")


def _body(text: str, kind: str) -> Body:
    if kind == "content":
        return ArchiveContent(**json.loads(text))
    return base64.b64decode(text) if kind == "base64" else text.encode("utf-8", "surrogatepass")


def _headers(content_type: str) -> dict[str, list[str]]:
    return {"Content-Type": [content_type]} if content_type else {}


def _type(headers: dict[str, list[str]]) -> str:
    return headers.get("Content-Type", [""])[0]


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def entry_checksum(entry: dict[str, Any]) -> str:
    """Of everything that an interaction holds; raises KeyError or TypeError for what is none."""
    asked, answered, ours = entry["request"], entry["response"], entry["pytest-wml"]
    parts = [
        asked["method"],
        asked["uri"],
        asked["body"] or "",
        _type(asked["headers"]),
        str(answered["status"]["code"]),
        answered["body"]["string"],
        _type(answered["headers"]),
        *(f"{name}={fact}" for name, fact in sorted(ours.items()) if name != "checksum"),
    ]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def checksum(entries: list[dict[str, Any]]) -> str:
    """Of all entries in their order; format 1 has it."""
    together = "".join(entry["pytest-wml"]["checksum"] for entry in entries)
    return "sha256:" + hashlib.sha256(together.encode("ascii")).hexdigest()

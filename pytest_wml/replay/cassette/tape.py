"""Exchanges as they went over the wire, and the bodies that a cassette holds of them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from pytest_wml.wml.hosts import Role

MUTATING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class ArchiveContent:
    """An archive that was uploaded or downloaded: kept by its digests, not by its bytes.

    Args:
        archive: digest of the members' names and contents.
        model: digest of the signature, graph and tensors; the archive's where it is no SavedModel.
        basis: `model` or `archive`: what the `model` digest was made of.
        size: bytes of the archive.
        signature: the served signature as text; empty where it is unknown.
    """

    archive: str
    model: str
    basis: str
    size: int
    signature: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "archive": self.archive,
            "model": self.model,
            "basis": self.basis,
            "size": self.size,
            "signature": self.signature,
        }


Body = bytes | ArchiveContent


@dataclass(frozen=True, kw_only=True)
class RecordedExchange:
    """One request with its answer; of the headers only the content types.

    Args:
        role: of the host that was asked.
        query: as it was sent, `version` included.
        body: of the request; an uploaded archive by its digests.
        answer: likewise, of the response.
        refusable: what is wrong with the request's token at first sight, see `identity.token_flaw`; empty for nothing.
    """

    method: str
    role: Role
    path: str
    query: str
    content_type: str
    body: Body
    status: int
    answer_type: str
    answer: Body
    refusable: str = ""

    @property
    def mutates(self) -> bool:
        """Whether it may change what the service answers later; scoring does not."""
        return self.method in MUTATING and not self.scores

    @property
    def scores(self) -> bool:
        """Whether it asked a deployment for predictions."""
        return self.path.endswith("/predictions")


@dataclass(frozen=True, kw_only=True)
class WireExchange(RecordedExchange):
    """One exchange as it went over the wire.

    Args:
        host: that was asked.
    """

    host: str

    def as_json(self) -> dict[str, Any]:
        """A form that travels between processes."""
        return {
            **self.__dict__,
            "role": self.role.value,
            "body": _body_as_json(self.body),
            "answer": _body_as_json(self.answer),
        }

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> WireExchange:
        return cls(
            **{
                **form,
                "role": Role(form["role"]),
                "body": body_from_json(form["body"]),
                "answer": body_from_json(form["answer"]),
            }
        )


def _body_as_json(body: Body) -> dict[str, Any]:
    if isinstance(body, ArchiveContent):
        return {"content": body.as_json()}
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}


def body_from_json(form: dict[str, Any]) -> Body:
    """The body that `as_json` gave."""
    if "content" in form:
        return ArchiveContent(**form["content"])
    if "base64" in form:
        return base64.b64decode(form["base64"])
    return str(form["text"]).encode("utf-8")


def created(answer: Body) -> set[str]:
    """The ids of what an answer says was created: a model, a deployment, a space, a job."""
    if isinstance(answer, ArchiveContent):
        return set()
    try:
        value = json.loads(answer)
        metadata = value.get("metadata", {})
        return {metadata[name] for name in ("id", "guid", "asset_id") if isinstance(metadata.get(name), str)}
    except (ValueError, AttributeError, RecursionError):
        return set()

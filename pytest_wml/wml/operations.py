"""Classifies requests for cost and retry."""

from __future__ import annotations

import enum
import re

from pytest_wml.wml import tokens

_CREATING = {
    "/ml/v4/models": "model",
    "/ml/v4/functions": "function",
    "/ml/v4/deployments": "deployment",
    "/v2/spaces": "space",
}
_KINDS = r"(?:/ml/v4/models|/ml/v4/functions|/ml/v4/deployments|/v2/assets|/v2/spaces)"
_OF_AN_ASSET = re.compile(rf"{_KINDS}/([^/]+)")
_DOCUMENTS = re.compile(rf"{_KINDS}(/[^/]+(/revisions)?)?")
_READING = ("GET", "HEAD", "OPTIONS")


class Purpose(enum.StrEnum):
    """What a request is for."""

    TOKEN = "token"  # noqa: S105 - no token
    LOOK = "look"
    STORE = "store"
    UPLOAD = "upload"
    DEPLOY = "deploy"
    SCORE = "score"
    DELETE = "delete"
    CHANGE = "change"


def plain(path: str) -> str:
    """A path without the doubled and trailing slashes that IBM's clients send."""
    return re.sub("/{2,}", "/", path).rstrip("/")


def created_kind(method: str, path: str) -> str:
    """What a request creates: `model`, `function`, `deployment` or `space`; empty for anything else."""
    return _CREATING.get(plain(path), "") if method == "POST" else ""


def asset_of(path: str) -> str:
    """The id of the model, function, deployment or space that a path names as a whole; empty for none."""
    match = _OF_AN_ASSET.fullmatch(plain(path))
    return match[1] if match else ""


def names_assets(path: str) -> bool:
    """Whether a request is about models, functions, deployments or spaces, and not about their content or scoring."""
    return _DOCUMENTS.fullmatch(plain(path)) is not None


def purpose(method: str, path: str) -> Purpose:
    """What a request is for."""
    path = plain(path)
    if tokens.is_authentication(path) or path == "/api/2.0/apikeys/token":
        return Purpose.TOKEN
    if method in _READING:
        return Purpose.LOOK
    if method == "DELETE":
        return Purpose.DELETE
    if method == "PUT" and path.endswith(("/content", "/code")):
        return Purpose.UPLOAD
    if method == "POST" and path.endswith("/predictions"):
        return Purpose.SCORE
    if created_kind(method, path) == "deployment":
        return Purpose.DEPLOY
    return Purpose.STORE if created_kind(method, path) else Purpose.CHANGE


def repeatable(method: str, path: str) -> bool:
    """Whether a request may be sent again: it creates, changes and deletes nothing."""
    return purpose(method, path) in (Purpose.TOKEN, Purpose.LOOK, Purpose.SCORE)

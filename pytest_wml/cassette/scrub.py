"""Secrets and personal data: taken out of what is kept, and searched for before it is written."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
_SHORTEST = 6
"""A shorter secret would be found in any text."""

_SECRET_KEYS = frozenset(
    {
        "access_key_id", "accesstoken", "access_token", "api_key", "apikey", "authorization", "client_secret",
        "cos_hmac_keys", "iam_token", "iam-token", "id_token", "password", "private_key", "refresh_token",
        "secret", "secret_access_key", "secret_key", "signature", "token",
    }
)  # fmt: skip
# Each stands for whoever records; the same in every recording, so that a colleague can record again.
_PERSONAL_KEYS = {
    "owner": "IBMid-000000000000",
    "creator_id": "IBMid-000000000000",
    "iam_id": "IBMid-000000000000",
    "ims_user_id": "000000",
    "user_id": "IBMid-000000000000",
    "uid": "000000",
    "bss_account_id": "00000000000000000000000000000000",
    "account_id": "00000000000000000000000000000000",
    "resource_group_id": "00000000000000000000000000000000",
    "service_id": "ServiceId-00000000-0000-4000-8000-000000000000",
    "crn": "crn:v1:bluemix:public:pm-20:us-south:a/0:0::",
    "resource_crn": "crn:v1:bluemix:public:cloud-object-storage:global:a/0:0::",
    "resource_key_crn": "crn:v1:bluemix:public:cloud-object-storage:global:a/0:0:resource-key:0",
    "resource_key": "00000000-0000-4000-8000-000000000000",
    "email": "somebody@example.com",
    "user_name": "somebody",
    "username": "somebody",
    "display_name_of_user": "somebody",
    "given_name": "Some",
    "family_name": "Body",
}
_DATA_KEYS = frozenset({"input_data", "predictions", "fields", "values", "scoring"})
"""A model's own data, in which a key such as `owner` is a feature and not a person."""

_EMPTY: tuple[Any, ...] = ("", None, [], {})


def scrub(value: Any, *, persons: bool = True) -> Any:
    """A JSON value without secrets and personal data; scoring data is left alone.

    Args:
        value: of a request or an answer.
        persons: whether an owner or an e-mail is somebody's; in `custom`, the user's own, it is not.

    `scrub(scrub(value)) == scrub(value)`: what was scrubbed once is recognised when it is asked again.
    """
    if isinstance(value, dict):
        return {key: _scrub_member(key, member, persons) for key, member in value.items()}
    if isinstance(value, list):
        return [scrub(member, persons=persons) for member in value]
    return value


def _scrub_member(key: str, member: Any, persons: bool) -> Any:
    name = key.lower()
    if key in _DATA_KEYS or member in _EMPTY:
        return member
    if name in _SECRET_KEYS and not isinstance(member, (dict, list)):
        return MASK
    if persons and name in _PERSONAL_KEYS and isinstance(member, str):
        return _PERSONAL_KEYS[name]
    return scrub(member, persons=persons and key != "custom")


def secrets_in(value: Any) -> Iterable[str]:
    """Yield every secret that a JSON value holds under a key that says so."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key in _DATA_KEYS:
                continue
            if key.lower() in _SECRET_KEYS and isinstance(member, str):
                yield member
            else:
                yield from secrets_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from secrets_in(member)


class Secrets:
    """The secrets of a run, as they become known."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self.add(*known)

    def __repr__(self) -> str:
        return f"<{len(self._known)} secrets>"

    def add(self, *secrets: str) -> None:
        """Learn secrets; what is shorter than six characters would be found everywhere, and is left out."""
        with self._lock:
            self._known.update(secret for secret in secrets if len(secret) >= _SHORTEST and secret != MASK)

    def all(self) -> frozenset[str]:
        """The secrets themselves, to hand from an xdist worker to the controller, in memory."""
        with self._lock:
            return frozenset(self._known)

    def mask(self, text: str) -> str:
        """The text with every secret covered, in whatever form it stands there."""
        for pattern in sorted(self._patterns(), key=len, reverse=True):
            text = text.replace(pattern, MASK)
        return text

    def found_in(self, text: str) -> int:
        """How many secrets stand in a text: plain, base64 at any offset, or URL-encoded."""
        return sum(any(pattern in text for pattern in _forms(secret)) for secret in self.all())

    def _patterns(self) -> set[str]:
        return {pattern for secret in self.all() for pattern in _forms(secret)}


def _forms(secret: str) -> set[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    forms = {secret, quote(raw, safe=""), quote_plus(raw)}
    for ascii_only in (True, False):
        once = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        # A cassette is JSON text that holds bodies, which are JSON text themselves.
        forms |= {once, json.dumps(once, ensure_ascii=False)[1:-1]}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode("ascii")
        # The first letters depend on what stands before, the last ones on what follows.
        core = encoded[(0, 2, 3)[offset] :].rstrip("=")
        core = core[:-1] if (offset + len(raw)) % 3 else core
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return {form for form in forms if len(form) >= _SHORTEST}


_BEARER = re.compile(r"(?:Bearer|Basic)\s+(\S+)", re.IGNORECASE)


def secret_of_header(authorization: str) -> str:
    """The secret part of an Authorization header; empty for none."""
    found = _BEARER.fullmatch(authorization.strip())
    return found[1] if found else ""

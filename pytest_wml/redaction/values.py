"""Replaces secrets and personal data in JSON values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from pytest_wml.redaction.names import Secrecy, holds_a_number, secrecy
from pytest_wml.redaction.shapes import is_id
from pytest_wml.redaction.text import is_harmless, is_secret, mask, masked

# Replacements for the person or account that records; the same in every recording, so that others can re-record.
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
_ROWS = frozenset({"predictions", "fields", "values"})
"""Keys of a model's data, in which a name such as `owner` or `token` is the name of a feature."""
_LABELS = ("name", "key", "variable")
"""Keys for the name of an entry in a list of variables, beside its `value`."""
_FACTS = frozenset(
    {
        "description", "endpoint", "guid", "host", "hostname", "id", "name", "port", "region", "type", "uri", "url",
        "version",
    }
)  # fmt: skip
"""Last words of names whose values are not secret, also inside `credentials`."""
_EMPTY: tuple[Any, ...] = ("", None, [], {})
_DEEPEST = 100


def redacted(value: Any, *, persons: bool = True) -> Any:
    """Return a JSON value without secrets and personal data; types do not change.

    A text with a secret name (`names.secrecy`) is replaced by as many stars, a number by 0. The same applies to texts
    in a list or object with a secret name, except ids, URLs and similar facts. JSON text inside a text is redacted too.
    The rows of a model are not changed here: `text.masked_strings` masks secrets in them.

    Args:
        value: JSON value of a request or an answer.
        persons: whether personal data is replaced; it is never replaced in `custom`, which is the user's own data.

    `redacted(redacted(value)) == redacted(value)`, so that a redacted request matches its recording.
    """
    return _Redaction(persons, secret=False).of(value)


def secrets_in(value: Any) -> Iterator[str]:
    """Yield every text with a secret name in a JSON value."""
    for name, member in _members(value):
        if isinstance(member, str):
            if is_secret(name, member):
                yield member
        elif not _is_rows(name, member):
            yield from secrets_in(member)


class _Redaction(NamedTuple):
    """Settings for redacting a part of a value.

    Args:
        persons: whether personal data is replaced.
        secret: whether the value has a secret name.
        depth: nesting depth of the value.
    """

    persons: bool
    secret: bool
    depth: int = 0

    def of(self, value: Any) -> Any:
        if self.depth > _DEEPEST:
            return value
        if isinstance(value, dict):
            named = zip(value.items(), _members(value), strict=True)
            return {key: self._member(key, name, member) for (key, member), (name, _) in named}
        if isinstance(value, list):
            below = self._replace(depth=self.depth + 1)
            return [below.of(member) for member in value]
        return self._text(value) if isinstance(value, str) else value

    def _member(self, key: str, name: str, member: Any) -> Any:
        if _is_rows(key, member) or member in _EMPTY:
            return member
        personal = _PERSONAL_KEYS.get(key.lower())
        if self.persons and personal is not None and isinstance(member, str):
            return personal
        if isinstance(member, str):
            return self._replace(secret=is_secret(name, member) or self._is_inside(key, member))._text(member)
        if isinstance(member, (int, float)) and not isinstance(member, bool):
            return type(member)(0) if holds_a_number(name) else member
        secret = secrecy(name) is Secrecy.SECRET or (self.secret and isinstance(member, list))
        return _Redaction(self.persons and key != "custom", secret, self.depth + 1).of(member)

    def _is_inside(self, key: str, text: str) -> bool:
        """Whether a named text is a secret because it is inside a secret object."""
        return self.secret and key.lower().rpartition("_")[2] not in _FACTS and not is_id(text)

    def _text(self, text: str) -> str:
        if text[:1] in ("{", "[") and (value := _parsed(text)) is not None:
            inside = self._replace(depth=self.depth + 1).of(value)
            return text if inside == value else json.dumps(inside, ensure_ascii=False)
        if self.secret and not is_harmless(text):
            return mask(text)
        return masked(text)


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the members with their names; a `value` beside a `name` has that name, list items have no name."""
    if isinstance(value, dict):
        labels = [label for name, label in value.items() if name.lower() in _LABELS and isinstance(label, str)]
        for name, member in value.items():
            yield (labels[0] if labels and name.lower() == "value" else name), member
    elif isinstance(value, list):
        for member in value:
            yield "", member


def _is_rows(key: str, member: Any) -> bool:
    return key in _ROWS and isinstance(member, list)


def _parsed(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) else None

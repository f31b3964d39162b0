"""Reads credentials from the environment, JSON files, and files of `NAME=value` lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytest_wml.config import similar_names
from pytest_wml.config.credentials.value import DEFAULT_URL, OFFLINE, BadCredentials, Credentials, invalid_space
from pytest_wml.config.option_table import FAMILIES, FIELDS, SECRET, SPACE_VARIABLES
from pytest_wml.wml.hosts import cloud_role
from pytest_wml.wml.spaces import is_id

_CPD_KINDS = ("icp", "openshift", "wml_local")
"""Values of `instance_id` for Cloud Pak for Data; in IBM Cloud it is the id of the service instance."""

_ALIASES = {
    "api_key": "apikey",
    "apiKey": "apikey",
    "iam_apikey": "apikey",
    "access_token": "token",
    "user": "username",
}
_DEEPEST = 6


def gather(environ: Mapping[str, str], file: str, *, offline: bool = False) -> Credentials | None:
    """Read the credentials of the environment and a file, with the precedence of `pytest_wml.config.credentials.find`.

    Raises:
        BadCredentials: the file cannot be read, or there is no key, token or password.
    """
    own = _from_variables(FAMILIES[0], environ)
    further = _from_file(Path(file)) if file else _first_with_a_secret(FAMILIES[1:], environ)
    given = {**further, **own}
    if offline:
        given = _with_placeholders({**_space(environ), **given})
    values = {name: value for name, (value, _) in given.items()}
    if not given or set(given) == {"space_id"}:
        return None
    if not any(values.get(name) for name in SECRET):
        raise BadCredentials(
            "The WML credentials contain no key, token or password.",
            given=", ".join(sorted(given)),
            fix="set WML_APIKEY (IBM Cloud), or WML_USERNAME with WML_APIKEY or WML_PASSWORD (Cloud Pak for Data)",
        )
    values["url"] = _checked_url(values.get("url", DEFAULT_URL))
    if cloud_role(urlsplit(values["url"]).netloc) and values.get("instance_id") not in _CPD_KINDS:
        values.pop("instance_id", None)  # IBM's service credentials contain one, but IBM's client refuses it
    origin = ", ".join(dict.fromkeys(source for _, source in given.values() if source))
    return Credentials(**values, origin=origin)


FieldSources = dict[str, tuple[str, str]]
"""Field → value and its source."""


def _space(environ: Mapping[str, str]) -> FieldSources:
    """The first valid space id in a variable; `SPACE_ID` often belongs to another tool."""
    named = ((environ.get(name, "").strip(), name) for name in SPACE_VARIABLES)
    return next(({"space_id": (value, name)} for value, name in named if is_id(value)), {})


def _with_placeholders(given: FieldSources) -> FieldSources:
    """The given fields, with a placeholder key if there is none: it is not checked offline.

    Raises:
        BadCredentials: the space is not a valid id.
    """
    space, origin = given.get("space_id", ("", ""))
    if space and not is_id(space):
        problem, fix = invalid_space(origin if origin.isupper() else "The space_id of the credentials file", space)
        raise BadCredentials(problem, given_by=origin, fix=fix)
    if not given or any(name in given for name in SECRET):
        return given
    placeholders = {"apikey": (OFFLINE.apikey, "")}
    if "url" in given and not cloud_role(urlsplit(given["url"][0]).netloc):
        placeholders |= {"username": ("offline", ""), "instance_id": ("openshift", ""), "version": ("5.0", "")}
    return {**placeholders, **given}


def _from_variables(family: Mapping[str, str], environ: Mapping[str, str | None]) -> FieldSources:
    return {field: (value.strip(), name) for name, field in family.items() if (value := environ.get(name))}


def _first_with_a_secret(families: tuple[dict[str, str], ...], environ: Mapping[str, str | None]) -> FieldSources:
    found = (_from_variables(family, environ) for family in families)
    return next((given for given in found if set(given) & set(SECRET)), {})


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and bool(parts.hostname) and (parts.port or True)
    except ValueError:
        usable = False
    if not usable or parts.username or parts.password:
        raise BadCredentials(
            f"The URL of the WML credentials is not valid: {url.rpartition('@')[2]!r}.",
            expected=f"https:// and a host, such as {DEFAULT_URL}",
            fix="correct WML_URL or the credentials file",
        )
    return url.rstrip("/")


def _from_file(path: Path) -> FieldSources:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadCredentials(
            "The credentials file cannot be read.", file=path, reason=error.strerror, there_is=similar_names.files(path)
        ) from None
    except UnicodeDecodeError:
        raise BadCredentials("The credentials file is not a text file.", file=path) from None
    if path.suffix == ".env" or path.name.startswith(".env"):
        return {name: (value, str(path)) for name, (value, _) in _from_lines(path, text).items()}
    return {name: (value, str(path)) for name, value in _from_json(path, text).items()}


def _from_lines(path: Path, text: str) -> FieldSources:
    from io import StringIO

    import dotenv

    # Interpolation would insert other variables, and other secrets.
    values = dotenv.dotenv_values(stream=StringIO(text), interpolate=False)
    given = _first_with_a_secret(FAMILIES, values)
    if not given and not any(map(values.get, SPACE_VARIABLES)):
        names = ", ".join(sorted(name for name in values if name)[:20])
        raise BadCredentials(
            "The credentials file contains no key, token or password of WML.",
            file=path,
            names_in_it=names,
            fix="write WML_APIKEY=…, WML_URL=… and WML_SPACE_ID=…",
        )
    space = next(({"space_id": (values[name] or "", name)} for name in SPACE_VARIABLES if values.get(name)), {})
    return {**(given or space), **_from_variables(FAMILIES[0], values)}


def _from_json(path: Path, text: str) -> dict[str, str]:
    fix = 'give a JSON object such as {"url": "…", "apikey": "…", "space_id": "…"}'
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        # The parser's message quotes the text, which contains a secret.
        raise BadCredentials("The credentials file is not JSON.", file=path, fix=fix) from None
    sections = list(_sections(content))
    if len(sections) > 1:
        raise BadCredentials(
            f"The credentials file contains {len(sections)} sets of credentials.",
            file=path,
            fix="keep only the credentials of Watson Machine Learning",
        )
    if sections:
        # Users often add the space beside the downloaded section.
        return {**_fields(content), **_fields(sections[0])}
    if not isinstance(content, dict):
        raise BadCredentials("The credentials file does not contain a JSON object.", file=path, fix=fix)
    return _fields(content)


def _sections(content: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the objects with a secret: the top-level object, or objects below it."""
    if depth > _DEEPEST:
        return
    if isinstance(content, dict) and set(_fields(content)) & set(SECRET):
        yield content
        return
    for below in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from _sections(below, depth + 1)


def _fields(section: Any) -> dict[str, str]:
    if not isinstance(section, dict):
        return {}
    named = {_ALIASES.get(name, name): value for name, value in section.items() if isinstance(name, str)}
    return {
        name: str(value).strip()
        for name, value in named.items()
        if name in FIELDS and isinstance(value, (str, int, float)) and not isinstance(value, bool) and str(value)
    }

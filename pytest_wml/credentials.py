"""The credentials of a WML service: from the environment or a JSON file, shown to nobody."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pytest_wml.errors import WMLTestError
from pytest_wml.spaces import DEFAULT_SPACE_ID

_SECRET = ("apikey", "password", "token")
_DEFAULT_URL = "https://us-south.ml.cloud.ibm.com"


class BadCredentials(WMLTestError):
    """Credentials are missing, incomplete or unreadable."""


class Credentials(NamedTuple):
    """Credentials of IBM Cloud (url, apikey) or Cloud Pak for Data (url, username, apikey or password).

    Field names are those of ibm-watson-machine-learning's credentials dictionary, and `space_id`.
    """

    url: str = _DEFAULT_URL
    apikey: str = ""
    token: str = ""
    username: str = ""
    password: str = ""
    instance_id: str = ""
    version: str = ""
    space_id: str = ""

    def __repr__(self) -> str:
        shown = {name: "…" if name in _SECRET else value for name, value in self._given().items()}
        return f"Credentials({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    def _given(self) -> dict[str, str]:
        return {name: value for name, value in self._asdict().items() if value}

    def for_wml(self) -> dict[str, str]:
        """The dictionary that ibm-watson-machine-learning's APIClient takes; a new one each time."""
        return {name: value for name, value in self._given().items() if name != "space_id"}

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must reach no log, report or file."""
        return tuple(value for name in _SECRET if (value := getattr(self, name)))

    @property
    def cpd_host(self) -> str | None:
        """The host of Cloud Pak for Data; None for IBM Cloud."""
        return urlsplit(self.url).netloc if self.instance_id else None


OFFLINE = Credentials(apikey="offline-no-key-needed", space_id=DEFAULT_SPACE_ID)
"""What replay and the embedded service are used with when no credentials are given."""


def find(environ: Mapping[str, str], file: str) -> Credentials | None:
    """The credentials that the environment or a file gives; None when neither gives any.

    Variables: WML_URL, WML_APIKEY, WML_TOKEN, WML_USERNAME, WML_PASSWORD, WML_INSTANCE_ID, WML_VERSION,
    WML_SPACE_ID. They win over the file, one by one.

    Raises:
        BadCredentials: the file cannot be read, or no key, token or password is given.
    """
    given: dict[str, str] = _from_file(Path(file)) if file else {}
    for name in Credentials._fields:
        value = environ.get(f"WML_{name.upper()}")
        if value:
            given[name] = value
    if not given or set(given) == {"space_id"}:
        return None
    if not any(given.get(name) for name in _SECRET):
        raise BadCredentials(
            "The WML credentials hold no secret.",
            given=", ".join(sorted(given)),
            fix="set WML_APIKEY (IBM Cloud), or WML_USERNAME with WML_APIKEY or WML_PASSWORD (Cloud Pak for Data)",
        )
    found = Credentials(**given)
    if urlsplit(found.url).scheme != "https" or not urlsplit(found.url).hostname:
        raise BadCredentials(
            f"The URL of the WML credentials is none: {found.url!r}.",
            expected=f"https:// and a host, such as {_DEFAULT_URL}",
            fix="correct WML_URL or the credentials file",
        )
    return found


def _from_file(path: Path) -> dict[str, str]:
    import json

    fix = 'give a JSON object such as {"url": "…", "apikey": "…", "space_id": "…"}'
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadCredentials("The credentials file cannot be read.", file=path, reason=error.strerror) from None
    except ValueError:
        # The parser's message quotes the text, and the text holds a secret.
        raise BadCredentials("The credentials file is not JSON.", file=path, fix=fix) from None
    if not isinstance(content, dict):
        raise BadCredentials("The credentials file holds no JSON object.", file=path, fix=fix)
    return {name: str(value) for name, value in content.items() if name in Credentials._fields and value}


def required(found: Credentials | None) -> Credentials:
    """The credentials for a live run.

    Raises:
        BadCredentials: there are none, or no space is named.
    """
    if found is None:
        raise BadCredentials(
            "A live run needs credentials, and none were given.",
            looked_at="WML_APIKEY and the other WML_… variables, --wml-credentials",
            fix="export WML_APIKEY, WML_URL and WML_SPACE_ID, or pass --wml-credentials=FILE;\n"
            "without an account run with --wml=embedded, or leave --wml out to replay",
        )
    if not found.space_id:
        raise BadCredentials(
            "The credentials name no deployment space.",
            fix="set WML_SPACE_ID to the id of the space (Deployments → your space → Manage → Space GUID)",
        )
    return found

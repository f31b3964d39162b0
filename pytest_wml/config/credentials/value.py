"""The credentials of a WML service."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from pytest_wml.config.option_table import SECRET
from pytest_wml.errors import WMLTestError
from pytest_wml.wml.hosts import cloud_role
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID

DEFAULT_URL = "https://us-south.ml.cloud.ibm.com"


class BadCredentials(WMLTestError):
    """Credentials are missing, incomplete or unreadable."""


def invalid_space(what: str, space: str) -> tuple[str, str]:
    """Problem and fix for a space that is not given by its id."""
    return (
        f"{what} is not a valid id: {space!r}.",
        "Give the space's GUID, not its name (Deployments → your space → Manage → Space GUID)",
    )


class Credentials(NamedTuple):
    """Credentials of IBM Cloud (url, apikey) or Cloud Pak for Data (url, username, apikey or password).

    The field names are those of ibm-watson-machine-learning's credentials dictionary, and `space_id`. `origin` lists
    the variables and the file of the values.
    """

    url: str = DEFAULT_URL
    apikey: str = ""
    token: str = ""
    username: str = ""
    password: str = ""
    instance_id: str = ""
    version: str = ""
    space_id: str = ""
    origin: str = ""

    def __repr__(self) -> str:
        shown = {name: "…" if name in SECRET else value for name, value in self._given().items()}
        return f"Credentials({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    def _given(self) -> dict[str, str]:
        return {name: value for name, value in self._asdict().items() if value}

    def for_wml(self) -> dict[str, str]:
        """Return a new dictionary in the form that ibm-watson-machine-learning's `APIClient` takes."""
        return {name: value for name, value in self._given().items() if name not in ("space_id", "origin")}

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret values, which must not be written to a log, report or file."""
        return tuple(value for name in SECRET if (value := getattr(self, name)))

    @property
    def cpd_host(self) -> str | None:
        """The host of Cloud Pak for Data, with its port; None for IBM Cloud."""
        host = urlsplit(self.url).netloc
        return None if cloud_role(host) else host


OFFLINE = Credentials(apikey="offline-no-key-needed", space_id=DEFAULT_SPACE_ID)
"""Default credentials for replay and the embedded service."""

"""What credentials are."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from pytest_wml.config.table import SECRET
from pytest_wml.errors import WMLTestError
from pytest_wml.wml.hosts import cloud_role
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID

DEFAULT_URL = "https://us-south.ml.cloud.ibm.com"


class BadCredentials(WMLTestError):
    """Credentials are missing, incomplete or unreadable."""


def invalid_space(what: str, space: str) -> tuple[str, str]:
    """The problem with a space that is not named by its id, and what to do."""
    return (
        f"{what} is not a valid id: {space!r}.",
        "Give the space's GUID, not its name (Deployments → your space → Manage → Space GUID)",
    )


class Credentials(NamedTuple):
    """Credentials of IBM Cloud (url, apikey) or Cloud Pak for Data (url, username, apikey or password).

    Field names are those of ibm-watson-machine-learning's credentials dictionary, `space_id`, and `origin`:
    the variables and the file that gave them.
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
        """The dictionary that ibm-watson-machine-learning's APIClient takes; a new one each time."""
        return {name: value for name, value in self._given().items() if name not in ("space_id", "origin")}

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must reach no log, report or file."""
        return tuple(value for name in SECRET if (value := getattr(self, name)))

    @property
    def cpd_host(self) -> str | None:
        """The host of Cloud Pak for Data, with its port; None for IBM Cloud."""
        host = urlsplit(self.url).netloc
        return None if cloud_role(host) else host


OFFLINE = Credentials(apikey="offline-no-key-needed", space_id=DEFAULT_SPACE_ID)
"""What replay and the embedded service are used with when no credentials are given."""

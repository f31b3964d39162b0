"""What others need to know of a running server: on the terminal, and in a file for those that wait for it."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pytest_wml.config.stopped_server import TRUST_VARIABLES, USERNAME, VERIFY_VARIABLES
from pytest_wml.errors import BadOption

_APIKEY = "any-key-is-accepted"


class ServerFacts(NamedTuple):
    """A server that listens."""

    url: str
    ca: Path
    bundle: Path
    space_id: str
    cpd_version: str

    @property
    def environment(self) -> dict[str, str]:
        """What to export so that pytest-wml, IBM's clients, curl and Node talk to the server.

        By user name and API key, never by password: given a password, IBM's client first sends it to a host
        whose name it guesses. The clients' own variables are what keeps them from giving up verification.
        """
        bundle = str(self.bundle)
        return {
            "WML_URL": self.url,
            "WML_USERNAME": USERNAME,
            "WML_APIKEY": _APIKEY,
            "WML_INSTANCE_ID": "openshift",
            "WML_VERSION": ".".join(self.cpd_version.split(".")[:2]),
            "WML_SPACE_ID": self.space_id,
            **dict.fromkeys((*VERIFY_VARIABLES, *TRUST_VARIABLES), bundle),
        }

    @property
    def document(self) -> dict[str, Any]:
        """The content of the ready file."""
        return {"url": self.url, "ca": str(self.ca), "pid": os.getpid(), "environment": self.environment}


def exports(environment: Mapping[str, str]) -> Iterator[str]:
    """Lines for a shell."""
    for name, value in environment.items():
        yield f"export {name}={shlex.quote(value)}"


class ReadyFile:
    """A file that is there while the server listens.

    Args:
        path: what is there now, from a server that was killed, is removed.

    Raises:
        BadOption: no file can be written there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        try:
            self._path.unlink(missing_ok=True)
            if not os.access(self._path.parent, os.W_OK):
                raise NotADirectoryError(f"{self._path.parent} is no folder that can be written to")
        except OSError as error:
            raise BadOption(
                f"The ready file {path} cannot be written.",
                reason=error.strerror or error,
                fix="name a file in a folder that is there",
            ) from None

    @contextlib.contextmanager
    def holding(self, document: Mapping[str, Any]) -> Iterator[None]:
        """Written at once and whole; removed at the end, unless another server has written its own since."""
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        text = json.dumps(document, indent=2) + "\n"
        draft.write_text(text, encoding="utf-8")
        draft.replace(self._path)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                if self._path.read_text(encoding="utf-8") == text:
                    self._path.unlink()

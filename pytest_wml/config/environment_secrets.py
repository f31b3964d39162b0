"""The secrets in a process's environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_wml.config.table import SECRET_VARIABLES
from pytest_wml.redaction.names import Secrecy, secrecy
from pytest_wml.redaction.shapes import looks_random


def secrets_of_environment(environ: Mapping[str, str]) -> Iterable[str]:
    """Yield the secrets in the environment: WML's, and those of others that look like keys.

    A test database's password is often a word such as `postgres`, which would be found in many texts.
    """
    for name, value in environ.items():
        if name in SECRET_VARIABLES or (secrecy(name) is Secrecy.SECRET and looks_random(value)):
            yield value.strip()

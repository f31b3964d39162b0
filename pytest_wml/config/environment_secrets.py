"""Finds secrets in the environment of a process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_wml.config.option_table import SECRET_VARIABLES
from pytest_wml.redaction.names import Secrecy, secrecy
from pytest_wml.redaction.shapes import looks_random


def secrets_of_environment(environ: Mapping[str, str]) -> Iterable[str]:
    """Yield the secrets in the environment: those of WML, and others that look like keys.

    Other secrets that are words are left out: the password `postgres` of a test database would match many texts.
    """
    for name, value in environ.items():
        if name in SECRET_VARIABLES or (secrecy(name) is Secrecy.SECRET and looks_random(value)):
            yield value.strip()

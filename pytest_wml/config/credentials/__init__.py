"""Credentials of a WML service: read from the environment or a file, and checked before use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_wml.config.option_table import SPACE_VARIABLES, credentials_given

if TYPE_CHECKING:
    from pytest_wml.config.credentials.value import OFFLINE, BadCredentials, Credentials

__all__ = ["OFFLINE", "BadCredentials", "Credentials", "find", "required"]


def __getattr__(name: str) -> Any:
    # Imported on first use, so that projects without credentials start faster.
    if name not in __all__:
        raise AttributeError(f"module 'pytest_wml.config.credentials' has no attribute {name!r}")
    from pytest_wml.config.credentials import value

    return getattr(value, name)


def find(environ: Mapping[str, str], file: str, *, offline: bool = False) -> Credentials | None:
    """Find the credentials in the environment or a file; None if there are none.

    Each variable `WML_…` takes precedence. Other fields come from the file or, without a file, from the first other set
    of variables with a secret: `WATSONX_…`, `WATSON_MACHINE_LEARNING_…`, those of a notebook's runtime,
    `IBMCLOUD_API_KEY`.

    Args:
        environ: the environment.
        file: path of a file; JSON, also in the format of IBM's console, or `NAME=value` lines; empty for none.
        offline: whether no live service is used. Then a space or a URL is enough, a placeholder key is added, and the
            space may come from any set of variables.

    Raises:
        BadCredentials: the file cannot be read, or there is no key, token or password.
    """
    if not file and not credentials_given(environ) and not (offline and any(map(environ.get, SPACE_VARIABLES))):
        return None
    from pytest_wml.config.credentials.sources import gather  # imported on first use, as above

    return gather(environ, file, offline=offline)


def required(found: Credentials | None) -> Credentials:
    """Return the credentials for a live run.

    Raises:
        BadCredentials: there are none, or they are invalid; the message names every mistake that is detectable
            offline.
    """
    from pytest_wml.config.credentials.value import BadCredentials

    if found is None:
        raise BadCredentials(
            "A live run needs credentials, but none were given.",
            looked_at="WML_APIKEY and the other WML_… variables, --wml-credentials",
            fix="export WML_APIKEY, WML_URL and WML_SPACE_ID, or pass --wml-credentials=FILE;\n"
            "without an account run with --wml=embedded, or leave --wml out to replay",
        )
    from pytest_wml.config.credentials.checks import mistakes

    problems = list(mistakes(found))
    if problems:
        problem, fix = problems[0]
        more = "\n".join(f"{problem} {fix}" for problem, fix in problems[1:])
        raise BadCredentials(problem, given_by=found.origin, also=more, fix=fix)
    return found

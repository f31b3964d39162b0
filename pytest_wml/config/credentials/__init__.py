"""The credentials of a WML service: from the environment or a file, checked before they are used, shown to nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_wml.config.table import SPACE_VARIABLES, credentials_given

if TYPE_CHECKING:
    from pytest_wml.config.credentials.value import OFFLINE, BadCredentials, Credentials

__all__ = ["OFFLINE", "BadCredentials", "Credentials", "find", "required"]


def __getattr__(name: str) -> Any:
    # A project without credentials does not pay for what they are.
    if name not in __all__:
        raise AttributeError(f"module 'pytest_wml.config.credentials' has no attribute {name!r}")
    from pytest_wml.config.credentials import value

    return getattr(value, name)


def find(environ: Mapping[str, str], file: str, *, offline: bool = False) -> Credentials | None:
    """The credentials that the environment or a file gives; None when neither gives any.

    The variables `WML_…` win over everything else, one by one. For what they leave open the file is asked, or
    without one the first other set of variables that holds a secret: `WATSONX_…`, `WATSON_MACHINE_LEARNING_…`,
    those of a notebook's runtime, `IBMCLOUD_API_KEY`.

    Args:
        environ: the environment.
        file: JSON, also as IBM's console writes service credentials, or `NAME=value` lines; empty for none.
        offline: whether nothing is asked of a live service: then a space or a URL is enough, a key is made up, and a
            space that only another set of variables names is found too.

    Raises:
        BadCredentials: the file cannot be read, or no key, token or password is given.
    """
    if not file and not credentials_given(environ) and not (offline and any(map(environ.get, SPACE_VARIABLES))):
        return None
    from pytest_wml.config.credentials.sources import gather  # a project without credentials does not pay for it

    return gather(environ, file, offline=offline)


def required(found: Credentials | None) -> Credentials:
    """The credentials for a live run.

    Raises:
        BadCredentials: there are none, or they cannot be right; every mistake that shows without asking the
            service is named.
    """
    from pytest_wml.config.credentials.value import BadCredentials

    if found is None:
        raise BadCredentials(
            "A live run needs credentials, and none were given.",
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

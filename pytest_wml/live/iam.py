"""IBM's identity service is everybody's: which of its requests are for services other than WML."""

from __future__ import annotations

import io
from collections.abc import Iterable
from urllib.parse import parse_qs

from pytest_wml.interception import IBMS_CLIENT
from pytest_wml.interception.wsgi import Environ
from pytest_wml.wml.hosts import Role, cloud_role

_LONGEST = 1 << 16


def is_for_another_service(environ: Environ, own_keys: Iterable[str]) -> bool:
    """Whether a request asks IAM for something that is not WML's: not by IBM's WML client, not with WML's key.

    Args:
        environ: of the request; its body can still be read afterwards.
        own_keys: the API keys of the WML credentials.
    """
    if environ.get(IBMS_CLIENT) or cloud_role(environ["HTTP_HOST"]) is not Role.IAM:
        return False
    body = environ["wsgi.input"].read(_LONGEST)
    environ["wsgi.input"] = io.BytesIO(body)
    given = parse_qs(body.decode("utf-8", "replace")).get("apikey", [])
    return not set(given) & set(own_keys)

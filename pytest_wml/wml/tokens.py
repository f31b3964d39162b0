"""Authentication: never recorded, never asked of a recording; a token is minted instead."""

from __future__ import annotations

import base64
import json
from typing import Any

_FAR_FUTURE = 221845392000
"""The year 9000: IBM's clients renew a token that ends soon, also under a clock that tests have moved."""

_IAM = ("/oidc/token", "/identity/token")
_CPD = ("/icp4d-api/v1/authorize", "/idprovider/v1/auth/identitytoken", "/v1/preauth/validateauth")


def is_authentication(path: str) -> bool:
    """Whether a path is one of those at which IBM's clients get their tokens."""
    return path.lower().rstrip("/") in (*_IAM, *_CPD)


def minted() -> str:
    """A JWT that IBM's clients accept and that does not end; signed by nobody, as they check nothing.

    The payload is ASCII without `>`, `?` and `~`, so that the clients' own decoding, which mixes up the two
    base64 alphabets, comes out right.
    """
    header = {"alg": "none", "typ": "JWT"}
    payload = {"sub": "pytest-wml", "iat": 946684800, "exp": _FAR_FUTURE}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part, separators=(",", ":")).encode("ascii")).decode().rstrip("=")
        for part in (header, payload)
    ]
    return ".".join([*parts, "unsigned"])


def answer(path: str) -> dict[str, Any]:
    """The JSON that the authentication endpoint at `path` answers with, holding a minted token."""
    token = minted()
    if path.lower().rstrip("/") in _IAM:
        return {
            "access_token": token,
            "refresh_token": "not_supported",
            "token_type": "Bearer",
            "expires_in": 3600,
            "expiration": _FAR_FUTURE,
            "scope": "ibm openid",
        }
    return {
        "_messageCode_": "200",
        "message": "Success",
        "token": token,
        "access_token": token,
        "accessToken": token,
        "expires_in": 43200,
    }

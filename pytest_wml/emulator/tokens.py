"""Bearer tokens: issued, and known again, by one service."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pytest_wml.emulator.refusals import Unauthenticated

HOUR = 3600
_NO_TOKEN = "Failed to authenticate the request due to no Bearer token in the request header"  # noqa: S105 no secret
_NOT_VALID = "Failed to authenticate the request due to invalid token"
_EXPIRED = "Failed to authenticate the request due to an expired token"


class Token(NamedTuple):
    text: str
    issued_at: int
    expires_at: int


class Tokens:
    """Issues tokens of the form that IBM's clients decode, and knows its own again.

    A token is a JWT signed with a key that the service has: nothing is remembered for each one.

    Args:
        clock: seconds since the epoch.
        key: what tokens are signed with.
    """

    def __init__(self, clock: Callable[[], float], key: bytes) -> None:
        self._clock = clock
        self._key = key

    def issue(self, claims: Mapping[str, Any], life: int = HOUR) -> Token:
        """A new token, good for `life` seconds.

        The claims must be ASCII without `>`, `?` and `~`: then base64url never yields the two letters that
        IBM's clients decode wrongly (they read the payload with the standard alphabet first).
        """
        now = int(self._clock())
        header = {"alg": "HS256", "typ": "JWT"}
        payload = {"jti": secrets.token_hex(16), **claims, "iat": now, "exp": now + life}
        signed = f"{_encoded(header)}.{_encoded(payload)}"
        return Token(f"{signed}.{self._signature(signed)}", now, now + life)

    def check(self, authorization: str | None) -> None:
        """Pass when the header carries a token of this service that has not expired.

        Raises:
            Unauthenticated: `authentication_no_token`, `authentication_token_not_valid` or
                `authentication_token_expired`.
        """
        scheme, _, text = (authorization or "").partition(" ")
        text = text.strip()
        # Both clients send Basic instead of Bearer for tokens they do not recognise as a JWT.
        if scheme.lower() not in ("bearer", "basic") or not text:
            raise Unauthenticated("authentication_no_token", _NO_TOKEN)
        signed, _, signature = text.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            raise Unauthenticated("authentication_token_not_valid", _NOT_VALID)
        payload = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "==="))
        if payload["exp"] <= self._clock():
            raise Unauthenticated("authentication_token_expired", _EXPIRED)

    def _signature(self, signed: str) -> str:
        digest = hmac.digest(self._key, signed.encode("utf-8", "surrogateescape"), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _encoded(part: Mapping[str, Any]) -> str:
    text = json.dumps(part, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode("ascii")).decode().rstrip("=")

"""Tokens and versions: what a client asks for before anything else."""

from __future__ import annotations

import uuid
from typing import Any

from werkzeug.wrappers import Response

from pytest_wml.emulator import bodies
from pytest_wml.emulator.exchange import Call, answer
from pytest_wml.emulator.tokens import HOUR

_API_KEY_GRANT = "urn:ibm:params:oauth:grant-type:apikey"
_CLOUD_CLAIMS = {
    "iam_id": "IBMid-embedded",
    "id": "IBMid-embedded",
    "sub": "embedded",
    "account": {"valid": True, "bss": "embedded"},
    "iss": "https://iam.cloud.ibm.com/identity",
    "grant_type": _API_KEY_GRANT,
    "scope": "ibm openid",
    "client_id": "bx",
}
_CPD_TOKEN_LIFE = 12 * HOUR
_CPD_CLAIMS = {"sub": "embedded", "iss": "KNOXSSO", "aud": "DSX", "uid": "1000331001", "role": "Admin"}


def iam_token(call: Call) -> Response:
    """IAM's token for an API key: any key that is not empty."""
    form = call.form()
    if form.get("grant_type") != _API_KEY_GRANT:
        return _iam_refusal(call, "BXNIM0106E", "Property is not supported: grant_type")
    if not form.get("apikey", "").strip():
        return _iam_refusal(call, "BXNIM0415E", "Provided API key could not be found.")
    token = call.service.tokens.issue(_CLOUD_CLAIMS)
    document = {
        "access_token": token.text,
        "refresh_token": "not_supported",
        "token_type": "Bearer",
        "expires_in": token.expires_at - token.issued_at,
        "expiration": token.expires_at,
        "scope": "ibm openid",
    }
    return answer(200, document)


def aws_token(call: Call) -> Response:
    """The same for the service's regions in AWS, which have an identity service of their own."""
    if not (bodies.text(call.json_object(), "apikey") or "").strip():
        return _iam_refusal(call, "BXNIM0415E", "Provided API key could not be found.")
    token = call.service.tokens.issue(_CLOUD_CLAIMS)
    document = {
        "token": token.text,
        "token_type": "Bearer",
        "expires_in": token.expires_at - token.issued_at,
        "expiration": token.expires_at,
    }
    return answer(200, document)


def authorize(call: Call) -> Response:
    """A Cloud Pak for Data's token for a user name with a password or an API key."""
    body = call.json_object()
    for name in ("username", "password" if "password" in body else "api_key"):
        if not bodies.text(body, name):
            return answer(400, {"code": 602, "message": f"properties.{name} in body is required"})
    return answer(200, {"_messageCode_": "200", "message": "Success", "token": _cpd_token(call, body["username"])})


def identity_token(call: Call) -> Response:
    """The first half of a login by password where IBM's foundation keeps the users."""
    form = call.form()
    if not form.get("username") or not form.get("password"):
        return answer(400, {"error": "invalid_grant", "error_description": "username and password are required"})
    document = {
        "access_token": _cpd_token(call, form["username"]),
        "token_type": "Bearer",
        "expires_in": _CPD_TOKEN_LIFE,
        "scope": "openid",
    }
    return answer(200, document)


def validate_auth(call: Call) -> Response:
    """The second half: the foundation's token for one of the Cloud Pak for Data."""
    headers = call.request.headers
    call.service.tokens.check(f"Bearer {headers.get('iam-token', '')}")
    return answer(200, {"accessToken": _cpd_token(call, headers.get("username", ""))})


def version(call: Call) -> Response:
    """The version of the Cloud Pak for Data, whose first two parts the clients compare with their own."""
    return answer(200, {"version": call.service.settings.cpd_version})


def _cpd_token(call: Call, username: str) -> str:
    name = "".join(letter for letter in username if letter.isascii() and letter.isalnum())
    return call.service.tokens.issue({**_CPD_CLAIMS, "username": name}, life=_CPD_TOKEN_LIFE).text


def _iam_refusal(call: Call, code: str, message: str) -> Response:
    context: dict[str, Any] = {"requestId": uuid.uuid4().hex, "url": f"{call.base_url}{call.request.path}"}
    return answer(400, {"errorCode": code, "errorMessage": message, "context": context})

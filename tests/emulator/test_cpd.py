"""What only a Cloud Pak for Data has: its version, and its ways to log in."""

from __future__ import annotations

import pytest

from pytest_wml.emulator.app import EmbeddedWML
from tests.emulator.rest import Rest, error_of

AUTHORIZE = "/icp4d-api/v1/authorize"


@pytest.mark.parametrize("path", ["/ml/wml_services/version", "/ml/wml_services/v2/version"])
def test_the_version_is_the_one_that_was_chosen(path):
    """Both clients compare its first two parts with what they were told."""
    with EmbeddedWML(cpd_version="4.8.5") as app:
        assert Rest(app).send("GET", path, token=None).json["version"] == "4.8.5"


def test_the_cloud_has_no_version(rest):
    """There it is not found."""
    answer = rest.send("GET", "/ml/wml_services/version", host="https://us-south.ml.cloud.ibm.com")
    assert answer.status_code == 404


@pytest.mark.parametrize("secret", ["password", "api_key"])
def test_a_user_logs_in(rest, secret):
    """With the recorded members; the token is good for the service."""
    answer = rest.send("POST", AUTHORIZE, {"username": "me", secret: "any"}, token=None)
    assert answer.json["_messageCode_"] == "200"
    assert answer.json["message"] == "Success"
    assert rest.send("GET", "/v2/spaces", token=answer.json["token"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ({}, "username"),
        ({"username": "", "password": "p"}, "username"),
        ({"username": "u", "password": ""}, "password"),
        ({"username": "u"}, "api_key"),
    ],
)
def test_an_incomplete_login_is_refused(rest, body, missing):
    """In the words of the Cloud Pak for Data, not the service's."""
    answer = rest.send("POST", AUTHORIZE, body, token=None)
    assert answer.status_code == 400
    assert answer.json == {"code": 602, "message": f"properties.{missing} in body is required"}


def test_a_login_through_the_foundation_has_two_halves(rest):
    """A token of the foundation's is exchanged for one of the service's."""
    form = {"grant_type": "password", "username": "me", "password": "any", "scope": "openid"}
    first = rest.http.post("/idprovider/v1/auth/identitytoken", base_url=rest.host, data=form).json
    headers = {"username": "me", "iam-token": first["access_token"]}
    second = rest.http.get("/v1/preauth/validateAuth", base_url=rest.host, headers=headers).json
    assert rest.send("GET", "/v2/spaces", token=second["accessToken"]).status_code == 200


def test_a_foreign_token_is_not_exchanged(rest):
    """401, as everywhere."""
    headers = {"username": "me", "iam-token": "a.b.c"}
    answer = rest.http.get("/v1/preauth/validateAuth", base_url=rest.host, headers=headers)
    assert error_of(answer)["code"] == "authentication_token_not_valid"


def test_aws_has_an_identity_service_of_its_own(rest):
    """A key in JSON for a token."""
    host = "https://account-iam.platform.saas.ibm.com"
    answer = rest.send("POST", "/api/2.0/apikeys/token", {"apikey": "any"}, token=None, host=host)
    assert rest.send("GET", "/v2/spaces", token=answer.json["token"]).status_code == 200
    assert rest.send("POST", "/api/2.0/apikeys/token", {"apikey": ""}, token=None).status_code == 400

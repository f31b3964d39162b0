"""Who may ask: tokens and what becomes of requests without a good one."""

from __future__ import annotations

import base64
import json

import pytest

from pytest_wml.emulator.app import EmbeddedWML
from tests.emulator.rest import Rest, error_of

IAM = "https://iam.cloud.ibm.com"
GRANT = "urn:ibm:params:oauth:grant-type:apikey"


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def timed(clock):
    with EmbeddedWML(clock=clock) as app:
        yield Rest(app)


def ask_iam(rest, path="/identity/token", **fields):
    return rest.http.post(path, base_url=IAM, data=fields)


@pytest.mark.parametrize("path", ["/oidc/token", "/identity/token"])
def test_any_api_key_gets_a_token(rest, path):
    """Both clients' paths of IAM give the fields of its recorded answer."""
    answer = ask_iam(rest, path, apikey="any", grant_type=GRANT)
    assert answer.status_code == 200
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["expires_in"] == 3600
    assert rest.send("GET", "/v2/spaces", token=answer.json["access_token"]).status_code == 200


def test_a_token_reads_as_a_jwt_with_an_end(timed, clock):
    """Three parts, the middle one JSON with `exp`, in letters that the clients' decoding does not drop."""
    token = ask_iam(timed, apikey="any", grant_type=GRANT).json["access_token"]
    _, payload, _ = token.split(".")
    assert not set("-_") & set(payload)
    assert json.loads(base64.b64decode(payload + "==="))["exp"] == clock.now + 3600


def test_tokens_differ(rest):
    """Each token has an id of its own."""
    tokens = {ask_iam(rest, apikey="any", grant_type=GRANT).json["access_token"] for _ in range(3)}
    assert len(tokens) == 3


@pytest.mark.parametrize("key", [None, "", "  "])
def test_a_missing_api_key_is_refused_as_iam_does(rest, key):
    """IAM's JSON, not the service's."""
    answer = ask_iam(rest, grant_type=GRANT, **({} if key is None else {"apikey": key}))
    assert answer.status_code == 400
    assert answer.json["errorCode"] == "BXNIM0415E"
    assert answer.json["errorMessage"] == "Provided API key could not be found."
    assert answer.json["context"]["url"] == "https://iam.cloud.ibm.com/identity/token"


def test_another_grant_is_refused(rest):
    """Only API keys are exchanged."""
    assert ask_iam(rest, apikey="any", grant_type="password").status_code == 400


def test_no_token_is_refused(rest):
    """401 with the recorded code and words."""
    answer = rest.send("GET", "/v2/spaces", token=None)
    assert answer.status_code == 401
    assert answer.json["status_code"] == 401
    assert error_of(answer) == {
        "code": "authentication_no_token",
        "message": "Failed to authenticate the request due to no Bearer token in the request header",
        "more_info": "https://cloud.ibm.com/apidocs/machine-learning-cp",
    }


@pytest.mark.parametrize("token", ["x", "a.b.c", "..", "héllo.wörld.ß", "e30.e30.", " "])
def test_a_foreign_token_is_refused(rest, token):
    """What this service did not issue is not valid, whatever it looks like."""
    answer = rest.send("GET", "/v2/spaces", token=token)
    assert answer.status_code == 401
    assert error_of(answer)["code"] in ("authentication_token_not_valid", "authentication_no_token")


def test_another_services_token_is_refused(rest, own):
    """Two services do not trust each other."""
    answer = rest.send("GET", "/v2/spaces", token=own.token)
    assert error_of(answer)["code"] == "authentication_token_not_valid"


def test_a_changed_token_is_refused(rest):
    """A payload that was not signed is not believed."""
    head, payload, signature = (rest.token or "").split(".")
    claims = json.loads(base64.b64decode(payload + "==="))
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "exp": 9_999_999_999}).encode()).decode()
    answer = rest.send("GET", "/v2/spaces", token=f"{head}.{forged.rstrip('=')}.{signature}")
    assert error_of(answer)["code"] == "authentication_token_not_valid"


def test_an_expired_token_is_refused(timed, clock):
    """A token lives for an hour by the service's clock."""
    token = ask_iam(timed, apikey="any", grant_type=GRANT).json["access_token"]
    clock.now += 3599
    assert timed.send("GET", "/v2/spaces", token=token).status_code == 200
    clock.now += 1
    answer = timed.send("GET", "/v2/spaces", token=token)
    assert answer.status_code == 401
    assert error_of(answer)["code"] == "authentication_token_expired"


def test_foundation_models_need_no_token(rest):
    """One client asks for them before it has a token."""
    answer = rest.send("GET", "/ml/v1/foundation_model_specs", token=None, query={"limit": "1"})
    assert answer.status_code == 200
    assert answer.json["resources"] == []

"""Mistakes in credentials that show before the first request."""

from __future__ import annotations

import base64
import json

import pytest

from pytest_wml.config.credentials import BadCredentials, Credentials, required
from pytest_wml.config.credentials.checks import REGIONS, mistakes

SPACE = "3fc54cf1-252f-424b-b52d-5cdd9814987f"
CLOUD = Credentials(url="https://us-south.ml.cloud.ibm.com", apikey="a-key", space_id=SPACE)
CPD = Credentials(
    url="https://cpd-wml.apps.example.com",
    username="admin",
    password="a password",
    instance_id="openshift",
    version="4.8",
    space_id=SPACE,
)


def token_until(ends):
    payload = base64.urlsafe_b64encode(json.dumps({"exp": ends}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{payload}.x"


@pytest.mark.parametrize(
    "right",
    [
        CLOUD,
        CPD,
        CPD._replace(password="", apikey="a-key"),
        CPD._replace(password="", username="", token=token_until(4102444800)),
        CLOUD._replace(apikey="", token=token_until(4102444800)),
        CLOUD._replace(url="https://private.eu-gb.ml.cloud.ibm.com"),
        CLOUD._replace(url="https://ap-south-1.aws.wxai.ibm.com"),
        *(CLOUD._replace(url=f"https://{region}.ml.cloud.ibm.com") for region in REGIONS),
        CPD._replace(password="$tr<ng. password"),
    ],
)
def test_right_ones_pass(right):
    """Credentials of each flavour and region are passed on as they are."""
    assert list(mistakes(right)) == []
    assert required(right) is right


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (CLOUD._replace(url="https://us-north.ml.cloud.ibm.com"), "no region 'us-north'"),
        (CLOUD._replace(url="https://cloud.ibm.com"), "not a host of Watson Machine Learning: cloud.ibm.com"),
        (CLOUD._replace(url="https://api.dataplatform.cloud.ibm.com"), "not a host of Watson Machine Learning"),
        (CLOUD._replace(url="https://us-south.ml.cloud.ibm.com/ml/v4/deployments"), "has a path: /ml/v4/deployments"),
        (CLOUD._replace(instance_id="openshift"), "is for Cloud Pak for Data"),
        (CLOUD._replace(apikey="", username="me", password="p"), "needs an API key, but a password was given"),
        (CLOUD._replace(space_id=""), "contain no deployment space"),
        (CLOUD._replace(space_id="My production space"), "not a valid id: 'My production space'"),
        (CLOUD._replace(apikey="<your api key>"), "WML_APIKEY is a placeholder"),
        (CLOUD._replace(apikey="***"), "WML_APIKEY is a placeholder"),
        (CLOUD._replace(apikey="${WML_APIKEY}"), "WML_APIKEY is a placeholder"),
        (CLOUD._replace(apikey="'a-key'"), "has quotes around it"),
        (CLOUD._replace(apikey="a-\nkey"), "has white space in it"),
        (CLOUD._replace(apikey=token_until(4102444800)), "WML_APIKEY contains a token"),
        (CLOUD._replace(apikey="", token=token_until(978307200)), "WML_TOKEN expired at 2001-01-01 00:00 UTC"),
        (CPD._replace(username=""), "needs a user name"),
        (CPD._replace(instance_id=""), "WML_INSTANCE_ID is not set"),
    ],
)
def test_each_mistake_has_its_own_message(wrong, message):
    """What is wrong is said before the first request, with what to do."""
    with pytest.raises(BadCredentials, match="what to do: ") as raised:
        required(wrong)
    assert message in str(raised.value)


def test_every_mistake_is_named_and_no_secret():
    """Several mistakes are told at once; keys and passwords are in none of them."""
    wrong = CPD._replace(username="", instance_id="", apikey="'hidden'", space_id="x", origin="WML_APIKEY, WML_URL")
    with pytest.raises(BadCredentials) as raised:
        required(wrong)
    text = str(raised.value)
    assert all(
        word in text for word in ("user name", "WML_INSTANCE_ID", "quotes", "not a valid id", "WML_APIKEY, WML_URL")
    )
    assert "hidden" not in text
    assert "a password" not in text

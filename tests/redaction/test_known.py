"""The secrets of a run are found in every form that they take."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wml.config.environment_secrets import secrets_of_environment
from pytest_wml.redaction.known import MASK, Secrets, secret_of_header
from pytest_wml.redaction.shapes import is_distinct

SECRET = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=6, max_size=60)


@given(SECRET, st.text(max_size=20), st.text(max_size=20))
def test_a_secret_is_found_in_every_form(secret, before, after):
    """Plain, URL-encoded and base64 at any offset: the search before writing finds it."""
    secrets = Secrets([secret])
    raw = (before + secret + after).encode("utf-8")
    forms = [
        before + secret + after,
        before + quote(secret, safe="") + after,
        before + quote_plus(secret) + after,
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
    ]
    assert [secrets.found_in(form) for form in forms] == [1] * len(forms)


@given(SECRET)
def test_a_secret_is_found_in_json_text(secret):
    """A file is JSON text that holds JSON text: what is escaped in a secret does not hide it."""
    for ascii_only in (True, False):
        body = json.dumps({"x": secret}, ensure_ascii=ascii_only)
        assert Secrets([secret]).found_in(body) == 1
        assert Secrets([secret]).found_in(json.dumps({"body": body}, ensure_ascii=False)) == 1


@given(SECRET, st.text(max_size=20))
def test_masking_leaves_nothing(secret, text):
    """A masked message holds the secret in no form."""
    secrets = Secrets([secret])
    masked = secrets.mask(f"{text} {secret} {base64.b64encode(secret.encode()).decode()} {quote(secret)}")
    assert secrets.found_in(masked) == 0 or secret in MASK * 3 + text


def test_a_secret_that_contains_another_one_is_masked_whole():
    """Nothing of the longer one is left beside the mask of the shorter one."""
    assert Secrets(["hunter2", "hunter2-and-more"]).mask("it is hunter2-and-more, not hunter2") == "it is ***, not ***"


def test_the_secrets_themselves_are_not_shown():
    """A repr, as in a traceback, counts them."""
    assert repr(Secrets(["the-api-key"])) == "<1 secrets>"


@pytest.mark.parametrize(
    ("header", "secret"), [("Bearer abc.def.ghi", "abc.def.ghi"), ("basic Yng6Yng=", "Yng6Yng="), ("", ""), ("x", "")]
)
def test_the_token_of_a_header(header, secret):
    """Both schemes that IBM's clients use are known."""
    assert secret_of_header(header) == secret


def test_secrets_of_the_environment():
    """Each variable of WML's credentials counts; of other variables those that hold what looks like a key."""
    wml = {"WATSONX_APIKEY": "one-key", "WML_API_KEY": "two-key", "USER_ACCESS_TOKEN": "three"}
    others = {"DEPLOY_TOKEN": "n3Kd82hfQz91LmPq4Xs7", "DB_PASSWORD": "postgres", "HOME": "/root", "TOKEN_COUNT": "7"}
    found = set(secrets_of_environment({**wml, **others}))
    assert found == {"one-key", "two-key", "three", "n3Kd82hfQz91LmPq4Xs7"}
    assert set(secrets_of_environment({"WML_API_KEY": " two-key\n"})) == {"two-key"}


def test_only_a_distinct_secret_is_looked_for_elsewhere():
    """A word, a short text or an id that stands under `password` would be found where nothing is secret."""
    assert is_distinct("hunter2-and-more")
    assert not any(map(is_distinct, ["postgres", "hunter2", "00000000-0000-4000-8000-000000000000"]))

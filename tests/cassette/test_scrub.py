"""Secrets and personal data never reach a file or a message."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wml.cassette.scrub import MASK, Secrets, scrub, secret_of_header, secrets_in
from tests.cassette.test_identity import JSON

SECRET = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=6, max_size=60)


@given(JSON)
def test_scrubbing_twice_changes_nothing_more(value):
    """What was scrubbed once is recognised when it is asked again."""
    assert scrub(scrub(value)) == scrub(value)


@given(JSON)
def test_scoring_data_is_left_alone(value):
    """A feature called `owner` or `token` is data, not a person or a secret."""
    payload = {"input_data": [{"fields": ["owner"], "values": value}], "predictions": value}
    assert scrub(payload) == payload


@pytest.mark.parametrize("key", ["apikey", "api_key", "access_token", "refresh_token", "secret_access_key", "Password"])
def test_what_is_named_a_secret_is_masked_and_learned(key):
    """Tokens and keys are masked wherever they stand, and the run knows them from then on."""
    value = {"entity": [{"deep": {key: "s3cret-value"}}]}
    assert scrub(value) == {"entity": [{"deep": {key: MASK}}]}
    assert list(secrets_in(value)) == ["s3cret-value"]


def test_people_are_replaced_by_nobody():
    """Owner, creator and e-mail become the same in everybody's recording."""
    mine = {"metadata": {"owner": "IBMid-1", "creator_id": "IBMid-1"}, "entity": {"email": "a@b.c"}}
    yours = {"metadata": {"owner": "IBMid-2", "creator_id": "IBMid-2"}, "entity": {"email": "d@e.f"}}
    assert scrub(mine) == scrub(yours)


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


def test_the_secrets_themselves_are_not_shown():
    """A repr, as in a traceback, counts them."""
    assert repr(Secrets(["the-api-key"])) == "<1 secrets>"


@pytest.mark.parametrize(
    ("header", "secret"), [("Bearer abc.def.ghi", "abc.def.ghi"), ("basic Yng6Yng=", "Yng6Yng="), ("", ""), ("x", "")]
)
def test_the_token_of_a_header(header, secret):
    """Both schemes that IBM's clients use are known."""
    assert secret_of_header(header) == secret

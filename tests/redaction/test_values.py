"""Secrets and personal data in JSON values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wml.redaction.values import redacted, secrets_in
from tests.replay.test_identity import JSON

NAMES = st.sampled_from(
    ["apikey", "DB_PASSWORD", "credentials", "token", "owner", "name", "value", "custom", "values", "x"]
)
NAMED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["***", "{}", '{"pwd": "x y"}']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(JSON | NAMED)
def test_redacting_twice_changes_nothing_more(value):
    """What was masked once is recognised when it is asked again."""
    assert redacted(redacted(value)) == redacted(value)


@given(JSON | NAMED)
def test_types_stay(value):
    """IBM's client reads a redacted answer as it reads the real one: the same members, lists as long, types alike."""
    assert _shape(redacted(value)) == _shape(value)


def _shape(value):
    if isinstance(value, dict):
        return {name: _shape(member) for name, member in value.items()}
    return list(map(_shape, value)) if isinstance(value, list) else type(value)


@given(JSON)
def test_scoring_data_is_left_alone(value):
    """A feature called `owner` or `token` is data, not a person or a secret."""
    payload = {"input_data": [{"fields": ["owner"], "values": [value]}], "predictions": [value]}
    assert redacted(payload) == payload


@pytest.mark.parametrize(
    "key",
    [
        "apikey",
        "api_key",
        "access_token",
        "secret_access_key",
        "Password",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    ],
)
def test_a_text_under_a_secret_name_is_masked_and_learned(key):
    """At any depth; as long as it was, and the run knows it from then on."""
    value = {"entity": [{"deep": {key: "s3cret-value"}}]}
    assert redacted(value) == {"entity": [{"deep": {key: "************"}}]}
    assert list(secrets_in(value)) == ["s3cret-value"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"password": 12345}, {"password": 0}),
        ({"max_tokens": 200, "token_count": 5}, {"max_tokens": 200, "token_count": 5}),
        ({"use_password": True, "password": None}, {"use_password": True, "password": None}),
        ({"secrets": ["abc", {"x": "defg"}]}, {"secrets": ["***", {"x": "****"}]}),
        (
            {"credentials": {"url": "https://x", "apikey": "abcd"}},
            {"credentials": {"url": "https://x", "apikey": "****"}},
        ),
        (
            {"credentials": {"instance": "00000000-0000-4000-8000-000000000000", "kept": "abcd"}},
            {"credentials": {"instance": "00000000-0000-4000-8000-000000000000", "kept": "****"}},
        ),
        ({"credentials": '{"cos": {"apikey": "abcd"}}'}, {"credentials": '{"cos": {"apikey": "****"}}'}),
        ([{"name": "DB_PASSWORD", "value": "abcd"}], [{"name": "DB_PASSWORD", "value": "****"}]),
        ([{"NAME": "TOKEN", "VALUE": "abcd"}], [{"NAME": "TOKEN", "VALUE": "****"}]),
        ({"db": {"user": "me", "pass": "abcd"}}, {"db": {"user": "me", "pass": "****"}}),
        ([{"name": "FLOOR", "value": "abcd"}], [{"name": "FLOOR", "value": "abcd"}]),
        ({"note": "Server=x;Pwd=abcd;"}, {"note": "Server=x;Pwd=****;"}),
        ({"token": "00000000-0000-4000-8000-000000000000"}, {"token": "*" * 36}),
        ({"session_key": "n3Kd82hfQz91LmPq4Xs7", "sort_key": "age"}, {"session_key": "*" * 20, "sort_key": "age"}),
    ],
)
def test_what_a_name_says_holds_for_what_is_below_it(value, expected):
    """Numbers, lists, objects, JSON text, name-and-value pairs and connection strings."""
    assert redacted(value) == expected


@pytest.mark.parametrize("place", ["scoring", "input_data", "custom", "environment_variables", "properties"])
def test_secrets_beside_the_data_are_masked(place):
    """A job's variables and connections, and what a function's payload names beside its rows."""
    value = {place: [{"values": [[1]], "db_password": "abcd", "connection": {"access_key_id": "efgh"}}]}
    assert "abcd" not in json.dumps(redacted(value))
    assert "efgh" not in json.dumps(redacted(value))


def test_people_are_replaced_by_nobody():
    """Owner, creator and e-mail become the same in everybody's recording."""
    mine = {"metadata": {"owner": "IBMid-1", "creator_id": "IBMid-1"}, "entity": {"email": "a@b.c"}}
    yours = {"metadata": {"owner": "IBMid-2", "creator_id": "IBMid-2"}, "entity": {"email": "d@e.f"}}
    assert redacted(mine) == redacted(yours)
    assert redacted({"Email": "a@b.c"}) == {"Email": "somebody@example.com"}


def test_an_owner_in_custom_properties_is_the_users_own():
    """`custom` holds what the user wants to be kept."""
    value = {"custom": {"owner": "team-a", "apikey": "abcd"}}
    assert redacted(value) == {"custom": {"owner": "team-a", "apikey": "****"}}

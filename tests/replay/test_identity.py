"""What makes two requests the same one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wml.replay.cassette.identity import canonical, request, token_flaw
from pytest_wml.wml.hosts import Role
from pytest_wml.wml.tokens import minted

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_whitespace_and_escapes_do_not_count(value):
    """However a client writes the same JSON value, it asks the same."""
    compact = json.dumps(value, separators=(",", ":")).encode()
    spread = json.dumps(value, indent=3, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert canonical(compact) == canonical(spread)


@given(st.dictionaries(st.text(), JSON, min_size=2, max_size=5))
def test_the_order_of_keys_does_not_count(value):
    """A client that sorts its keys asks the same as one that does not."""
    backwards = dict(reversed(value.items()))
    assert canonical(json.dumps(value).encode()) == canonical(json.dumps(backwards).encode())


@given(JSON, JSON)
def test_another_value_is_another_request(one, other):
    """Two values that differ after JSON's own rounding are two requests."""
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    payload = [json.dumps({"input_data": value}).encode() for value in (one, other)]
    assert (canonical(payload[0]) == canonical(payload[1])) == same


def asked(query: str, path: str = "/ml/v4/models", body: bytes = b"") -> str:
    return request("GET", Role.ML, path, query, body).identity


def test_the_client_release_does_not_count():
    """`version` is a date baked into each release of IBM's client."""
    assert asked("version=2020-01-01&limit=1") == asked("limit=1&version=2031-12-31")
    assert asked("version=2020-01-01&limit=1") != asked("version=2020-01-01&limit=2")


def test_doubled_slashes_and_repeated_parameters_do_not_count():
    """IBM's client joins next.href with a second slash and repeats the parameters."""
    assert asked("start=2&limit=2&limit=2", "//ml/v4/models") == asked("limit=2&start=2")


def test_a_blank_parameter_counts():
    """Whoever looks for a model without a name asks something else than whoever lists all."""
    assert asked("limit=1&name=") != asked("limit=1")


def test_what_the_fixtures_store_with_a_model_does_not_count():
    """A model that the deployment's fixture stores is the same request as one without any properties."""
    ours = {"wml_model_digest": "d", "wml_model_signature": "s"}
    bodies = [{"name": "m"}, {"name": "m", "custom": ours}, {"name": "m", "custom": {**ours, "team": "a"}}]
    plain, stored, theirs = (canonical(json.dumps(body).encode()) for body in bodies)
    assert stored == plain
    assert theirs == canonical(b'{"name": "m", "custom": {"team": "a"}}')


def test_a_made_up_job_name_does_not_count():
    """IBM's clients name each batch job anew."""
    jobs = [{"name": f"name_{n * 8}-{n * 4}-{n * 4}-{n * 4}-{n * 12}", "x": 1} for n in "ab"]
    assert canonical(json.dumps(jobs[0]).encode()) == canonical(json.dumps(jobs[1]).encode())


def test_secrets_do_not_count():
    """A space created with a colleague's storage credentials is the same request."""
    bodies = [{"storage": {"resource_crn": f"crn:{n}", "credentials": {"api_key": f"key-{n}"}}} for n in "ab"]
    assert canonical(json.dumps(bodies[0]).encode()) == canonical(json.dumps(bodies[1]).encode())


def test_deeply_nested_bodies_are_compared_as_bytes():
    """A hostile body does not break the reader."""
    assert canonical(b"[" * 100_000).startswith("sha256:")


def test_the_minted_token_is_read_by_ibms_own_decoding():
    """IBM's client decodes the middle part with the wrong alphabet first: the payload avoids what differs."""
    import base64

    part = minted().split(".")[1] + "==="
    payload = json.loads(base64.b64decode(part))
    assert payload["exp"] > 4_000_000_000


@pytest.mark.parametrize(
    ("authorization", "flaw"),
    [
        (f"Bearer {minted()}", ""),
        ("Bearer eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lnbmVk", ""),
        ("Bearer eyJhbGciOiJub25lIn0.eyJleHAiOjF9.", ""),
        (f"bearer  {minted()}", ""),
        ("", "without a token"),
        ("Bearer", "without a token"),
        ("Bearer   ", "without a token"),
        ("Bearer no-token", "with a token that is no JWT"),
        ("Bearer a.b", "with a token that is no JWT"),
        ("Bearer ä.ö.ü", "with a token that is no JWT"),
        ("Basic anything", ""),
        ("ZenApiKey anything", ""),
    ],
)
def test_only_a_token_that_nobody_takes_counts(authorization, flaw):
    """A test of the refusal asks something else; whichever good token there is asks the same."""
    assert token_flaw("/ml/v4/deployments/x/predictions", authorization) == flaw
    assert token_flaw("/ml/v1/foundation_model_specs", authorization) == ""
    assert token_flaw("/v2/spaces", authorization) == ""
    plain = request("POST", Role.ML, "/ml/v4/x", "", b"")
    refused = request("POST", Role.ML, "/ml/v4/x", "", b"", flaw)
    assert (plain.identity == refused.identity) is (not flaw)


def test_an_identity_is_for_good():
    """Recordings of earlier releases still answer."""
    body = b'{"input_data": [{"values": [[0.5]]}]}'
    asked = request("POST", Role.ML, "/ml/v4/deployments/x/predictions", "version=2020-01-01", body)
    assert asked.identity == "f549b4e68cb48b406edb22b09007b009"

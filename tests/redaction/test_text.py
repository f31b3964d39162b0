"""Secrets in logs, errors, forms and the lines of files."""

from __future__ import annotations

import hashlib
import json
import string
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wml.redaction.shapes import looks_random
from pytest_wml.redaction.text import masked, masked_bytes, masked_shapes, secrets_of

AWS_ID = "AKIA" + "IOSFODNN7EXAMPLE"
AWS_KEY = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJl"

SHAPES = {
    "access key of AWS": AWS_ID,
    "private key": PEM,
    "web token": JWT,
    "GitHub token": "ghp_" + "a1B2" * 9,
    "Slack token": "xoxb-" + "123456789012-123456789012-abcdefghijkl",
    "Azure storage": "AccountKey=" + "a1B2" * 21 + "a1==",
    "Google": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "OpenAI": "sk-proj-" + "abc123" * 8,
    "Stripe": "sk_live_" + "a1B2c3" * 4,
}

NAMED = [
    ("AWS_SECRET_ACCESS_KEY={}", AWS_KEY),
    ('{{"AWS_SECRET_ACCESS_KEY": "{}"}}', AWS_KEY),
    ("{{'dbPassword': '{}'}}", "hunter2"),
    ('{{"body": "{{\\"apikey\\": \\"{}\\"}}"}}', "hunter2-and-more"),
    ("grant_type=apikey&apikey={}&x=1", "abc/def"),
    ("Server=db;User=me;Password={};Encrypt=yes", "p4ss"),
    ("postgres://me:{}@db.example.com:5432/x", "p4$$w!rd"),
    ("https://s3.example.com/b/k?X-Amz-Date=1&X-Amz-Signature={}", "0123abcd"),
    ('client = APIClient(api_key="{}")', "hunter2"),
    ("password: {}", "hunter2-and-more"),
    ("Authorization: Bearer {}", "abcdefghijklmnop.qrst"),
    ("set-cookie: session={}; Path=/", "abcdef123456"),
    ("session_key={}", "n3Kd82hfQz91LmPq4Xs7"),
]

HARMLESS = [
    "model:" + hashlib.sha256(b"x").hexdigest(),
    json.dumps({"id": str(uuid.UUID(int=7)), "key": str(uuid.UUID(int=8)), "resource_key": "a" * 32}),
    "inputs: float32 [None, 784] → classes: int64 [None]; token_ids: int32 [None, 128]",
    '{"token_count": 50000, "token_type": "bearer", "max_tokens": 20}',
    "score(payload, token=None)",
    "Failed to authenticate the request due to an expired token",
    "set WML_APIKEY=<your key> or password=${PASSWORD}",
    "name = pump.tar.gz type=tensorflow_2.14 spec=runtime-24.1-py3.11",
    "https://us-south.ml.cloud.ibm.com/ml/v4/deployments?version=2021-06-21&space_id=0&limit=200",
    "status code=429 on=predictions times=2",
    "primary key: customer_id; sort_key=created_at",
    "Basic Yng6Yng=",
    "APARTMENTHOUSE2 at 10.1.2.3",
]


@pytest.mark.parametrize("secret", SHAPES.values(), ids=SHAPES)
def test_a_secret_is_known_by_its_shape(secret):
    """Whatever it is called, and also in JSON text."""
    for text in (f"before {secret} after", json.dumps({"note": f"before {secret} after"})):
        assert secret not in masked(text)
        assert "MIIEow" not in masked_shapes(text)
        assert masked_shapes(text).count("*") >= 8


@pytest.mark.parametrize(("text", "secret"), NAMED)
def test_a_secret_is_known_by_its_name(text, secret):
    """In JSON, JSON in JSON, Python, YAML, forms, URLs, connection strings and headers; its length stays."""
    assert masked(text.format(secret)) == text.format("*" * len(secret))


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_stay(text):
    """Digests, ids, signatures, options, placeholders and what everybody knows are no secrets."""
    assert list(secrets_of(text)) == []


def test_the_signature_of_an_azure_url_is_known_by_its_shape():
    """Also where names are not read."""
    assert masked_shapes("https://a.example.com/b?sv=1&sig=0123abcd&se=2") == (
        "https://a.example.com/b?sv=1&sig=********&se=2"
    )


@pytest.mark.parametrize("short", ["a", "ab"])
def test_a_short_secret_is_masked_by_three_stars(short):
    """So that the mask is recognised as one."""
    assert masked(f"password={short} x") == "password=*** x"


def test_of_two_secrets_in_one_place_the_longer_one_is_masked():
    """A web token in a header: nothing of it is left, though a part of it is a secret too."""
    assert masked(f"Bearer {JWT}/{AWS_KEY}") == "Bearer " + "*" * len(f"{JWT}/{AWS_KEY}")


@given(
    st.lists(
        st.floats()
        | st.integers()
        | st.uuids().map(str)
        | st.binary(max_size=40).map(lambda b: hashlib.sha256(b).hexdigest())
    )
)
def test_numbers_ids_and_digests_are_never_secrets(values):
    """Whatever a model answers in numbers, and whatever a service calls its things."""
    text = json.dumps({"predictions": [{"id": "classes", "values": values}], "key": values, "auth": values})
    assert list(secrets_of(text)) == []


@given(st.text(st.sampled_from(string.ascii_letters + string.digits + " =:\"'{}&;.*_-/@"), max_size=60))
def test_masking_twice_changes_nothing_more(text):
    """A masked text is recognised as one."""
    around = f'password={text} {{"apikey": "{text}"}} x://{text}'
    assert masked(masked(around)) == masked(around)


@pytest.mark.parametrize(
    ("text", "random"),
    [
        ("n3Kd82hfQz91LmPq4Xs7", True),
        ("n3Kd82hfQz91LmPq", True),
        ("customer-identifier-1", False),
        ("aaaaaaaaaaaaaaaa1", False),
        ("f" * 40, False),
    ],
)
def test_keys_look_random_and_names_do_not(text, random):
    """What has a suspicious name is a secret only if it looks like one."""
    assert looks_random(text) is random


def test_bytes_that_are_no_text_stay():
    """An image or a compressed file is not searched."""
    assert masked_bytes(b"\x1f\x8b\xff password=hunter2") == b"\x1f\x8b\xff password=hunter2"
    assert masked_bytes(b"password=hunter2") == b"password=*******"


def test_the_recordings_that_come_with_the_package_hold_no_secret():
    """No false alarm in the sample's recordings and in those that `pytest-wml init` writes."""
    root = Path(__file__).parents[2]
    files = [*root.glob("cassettes/*.yaml"), *root.glob("pytest_wml/**/*.yaml")]
    assert len(files) >= 3
    for file in files:
        assert list(secrets_of(file.read_text(encoding="utf-8"))) == []

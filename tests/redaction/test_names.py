"""Which names say that their value is a secret."""

from __future__ import annotations

import pytest

from pytest_wml.config.option_table import FAMILIES, FIELDS, SECRET, SECRET_VARIABLES
from pytest_wml.redaction.names import Secrecy, holds_a_number, secrecy

SECRETS = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "aws.secretAccessKey",
    "dbPassword",
    "DB_PASS",
    "iam-token",
    "accessToken",
    "accesstoken",
    "id_token",
    "apiKey",
    "APIKey",
    "apikey",
    "api-key",
    "x-api-key",
    "clientsecret",
    "client_secret",
    "private_key",
    "privateKey",
    "connection_string",
    "ConnectionString",
    "AccountKey",
    "SharedAccessKey",
    "cos_hmac_keys",
    "passphrase",
    "userPwd",
    "dbpassword",
    "credentials",
    "my_credential",
    "authorization",
    "secrets",
    "serviceKey",
    "hmac_key",
]

NO_SECRETS = [
    "wml_model_digest",
    "tokenizer",
    "secretary",
    "monkey",
    "author",
    "authentication",
    "description",
    "grant_type",
    "name",
    "space_id",
    "keyword",
    "pinned",
    "passenger",
    "compass",
    "resource",
    "href",
    "url",
]

FACTS = [
    "signature",
    "pass_rate",
    "token_count",
    "token_type",
    "token_url",
    "password_policy",
    "token_ids",
    "secret_key_path",
    "api_key_limit",
]


@pytest.mark.parametrize("name", SECRETS)
def test_one_word_makes_a_name_secret(name):
    """Separators, capitals, prefixes and suffixes hide nothing."""
    assert secrecy(name) is Secrecy.SECRET


@pytest.mark.parametrize("name", NO_SECRETS)
def test_a_word_that_only_contains_one_does_not(name):
    """A tokenizer, an author and a passenger are no secrets."""
    assert secrecy(name) is Secrecy.NONE


@pytest.mark.parametrize("name", FACTS)
def test_facts_about_a_secret_are_secret_only_if_they_look_so(name):
    """The count, the type or the place of a secret may be read."""
    assert secrecy(name) is Secrecy.SUSPICIOUS


def test_a_password_may_be_a_number_and_a_limit_of_tokens_is_one():
    """`max_tokens: 200` stays, `password: 12345` does not."""
    assert holds_a_number("password")
    assert not holds_a_number("max_tokens")


@pytest.mark.parametrize("name", SECRET_VARIABLES)
def test_each_variable_that_holds_a_secret_of_wml_is_named_like_one(name):
    """The list of variables and the rule for names agree."""
    assert secrecy(name) is Secrecy.SECRET


def test_variables_of_credentials_name_their_fields():
    """Each variable stands for a field of the credentials."""
    assert {field for family in FAMILIES for field in family.values()} == set(FIELDS)
    assert set(SECRET) < set(FIELDS)

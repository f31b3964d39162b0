"""Which texts are secrets by their shape, whatever they are called; detect-secrets belongs to this module."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple


class Span(NamedTuple):
    """A part of a text that is a secret.

    Args:
        start: of its first character.
        end: behind its last character.
        kind: what it looks like.
    """

    start: int
    end: int
    kind: str


_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:(?!-----END).)*(?:-----END[A-Z0-9 ]*-----)?", re.DOTALL
)
_JWT = re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*")
# detect-secrets' own rule leaves out passwords with `!`, `$` and other marks.
_IN_A_URL = re.compile(r"://[^\s/:@\"'<>\\]*:(?P<secret>[^\s/\"'<>\\]+)@")
_BEARER = re.compile(r"\b[Bb]earer +(?P<secret>[\w.~+/-]{16,}=*)")
_BASIC = re.compile(r"\b[Bb]asic +(?P<secret>[A-Za-z0-9+/]{12,}=*)")
_SIGNED_URL = re.compile(r"[?&](?:[\w-]*-)?[Ss]ig(?:nature)?=(?P<secret>[^&\s\"'\\]{6,})")
# Keys that detect-secrets does not know: of Google, GitHub (fine-grained), Hugging Face, OpenAI and Anthropic.
_NEWER_KEYS = re.compile(
    r"\b(?:AIza[\w-]{35}|github_pat_\w{22,}|hf_[A-Za-z0-9]{30,}|sk-(?:proj|svcacct|admin|ant)-[\w-]{20,})"
)
_OWN = (
    ("private key", ("PRIVATE KEY",), _PEM),
    ("JSON web token", ("eyJ",), _JWT),
    ("password in a URL", ("://",), _IN_A_URL),
    ("bearer token", ("earer ",), _BEARER),
    ("basic credentials", ("asic ",), _BASIC),
    ("signature of a URL", ("ig=", "ignature="), _SIGNED_URL),
    ("API key", ("AIza", "github_pat_", "hf_", "sk-"), _NEWER_KEYS),
)
"""Kind, texts one of which is in each secret of the kind, pattern."""
_SHORTEST_VALUE = 16
_RUN = re.compile(r"(?<![\w+/=-])[\w+/=-]{20,}", re.ASCII)
"""What all of a provider's forms have in them."""
_AROUND = 80
"""Characters before such a run, and behind it, in which the rest of a form may be: a name, a prefix with dots."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DIGEST = re.compile(r"(?:sha\d+[:-]|md5:|model:|archive:)?[0-9a-f]{16,}")
_RANDOM = re.compile(r"[\w+/=.~-]{16,}", re.ASCII)
_CHANGE = re.compile(r"(?<=[a-z])(?=[A-Z\d])|(?<=[A-Z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_CHANGES = 0.15
"""How often a random text changes between small letters, capitals and digits, a character; names of words and a number
do so less often."""
_BITS = 3.2
"""Shannon entropy, bits a character, from which a text of 16 characters or more counts as random."""


def secret_shapes(text: str) -> Iterator[Span]:
    """Yield the parts of a text that are secrets by their shape; parts may overlap."""
    for kind, hints, pattern in _OWN:
        if any(hint in text for hint in hints):
            for found in pattern.finditer(text):
                group = "secret" if "secret" in pattern.groupindex else 0
                yield Span(found.start(group), found.end(group), kind)
    for run in _RUN.finditer(text):
        if not is_id(run[0]):
            yield from _providers_keys(text, max(0, run.start() - _AROUND), run.end() + _AROUND)


def _providers_keys(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the keys of providers in a part of a text."""
    for kind, pattern in _providers():
        for found in pattern.finditer(text, start, end):
            # A group is the value behind a name, or only a key's prefix.
            value = pattern.groups == 1 and len(found[1] or "") >= _SHORTEST_VALUE
            yield Span(found.start(value), found.end(value), kind)


def looks_random(text: str) -> bool:
    """Whether a text looks like a key: long and irregular, not an id, a digest, a number or words."""
    if not _RANDOM.fullmatch(text) or is_id(text):
        return False
    if len(_CHANGE.findall(text)) < _CHANGES * len(text):
        return False
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values()) >= _BITS


def is_distinct(secret: str) -> bool:
    """Whether a secret can be looked for in other texts: a short word would be found where nothing is secret."""
    return len(secret) >= 8 and bool(re.search(r"\d", secret) and re.search(r"[A-Za-z]", secret)) and not is_id(secret)


def is_id(text: str) -> bool:
    """Whether a text is an id as servers make them, or a digest in hexadecimal digits."""
    return bool(_UUID.fullmatch(text) or _DIGEST.fullmatch(text))


@functools.cache
def _providers() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The rules of detect-secrets that know a provider's form, each with its name.

    Not its rules for entropy, keywords and public IP addresses, nor Artifactory's, which take digests and words for
    secrets; not npm's, whose time grows with the square of the text, and which the name `_authToken` says.
    """
    # Here, since it takes 30 ms, and a replay seldom meets what may be a key.
    from detect_secrets.plugins import (
        aws,
        azure_storage_key,
        discord,
        github_token,
        gitlab_token,
        ibm_cloud_iam,
        ibm_cos_hmac,
        mailchimp,
        openai,
        pypi_token,
        sendgrid,
        slack,
        square_oauth,
        stripe,
        telegram_token,
        twilio,
    )

    plugins = (
        aws.AWSKeyDetector,
        azure_storage_key.AzureStorageKeyDetector,
        discord.DiscordBotTokenDetector,
        github_token.GitHubTokenDetector,
        gitlab_token.GitLabTokenDetector,
        ibm_cloud_iam.IbmCloudIamDetector,
        ibm_cos_hmac.IbmCosHmacDetector,
        mailchimp.MailchimpDetector,
        openai.OpenAIDetector,
        pypi_token.PypiTokenDetector,
        sendgrid.SendGridDetector,
        slack.SlackDetector,
        square_oauth.SquareOAuthDetector,
        stripe.StripeDetector,
        telegram_token.TelegramBotTokenDetector,
        twilio.TwilioKeyDetector,
    )
    return tuple((str(plugin.secret_type), pattern) for plugin in plugins for pattern in plugin.denylist)

"""Checks credentials without connecting to the service."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from pytest_wml.config.credentials.value import Credentials, invalid_space
from pytest_wml.config.option_table import SECRET
from pytest_wml.wml.hosts import Role, cloud_role
from pytest_wml.wml.spaces import is_id

REGIONS = ("us-south", "eu-gb", "eu-de", "jp-tok", "au-syd", "ca-tor")
"""Regions of the service in IBM Cloud, from the URL tables of ibm-watson-machine-learning and ibm-watsonx-ai."""

_PLACEHOLDER = re.compile(
    r"[*x.…]+|<.*>|\$\{.*\}|\$[A-Z_]+|\{\{.*\}\}|.*\b(your|my)[-_ ].*key.*|none|null|changeme", re.I
)

CredentialMistake = tuple[str, str]
"""Problem and fix."""


def mistakes(credentials: Credentials) -> Iterator[CredentialMistake]:
    """Yield every detectable mistake, in the order in which they should be fixed."""
    cloud = cloud_role(urlsplit(credentials.url).netloc)
    yield from _check_url(credentials, cloud)
    yield from _check_platform(credentials, cloud is not None)
    for name in SECRET:
        yield from _check_secret(name, getattr(credentials, name))
    yield from _check_token(credentials.token)
    yield from _check_space(credentials.space_id)


def _check_url(credentials: Credentials, cloud: Role | None) -> Iterator[CredentialMistake]:
    url = urlsplit(credentials.url)
    host = url.hostname or ""
    if url.path.strip("/") or url.query:
        yield (
            f"WML_URL has a path: {url.path}.",
            f"Give the host alone: https://{url.netloc}",
        )
    if host.endswith("cloud.ibm.com") and cloud is not Role.ML:
        yield (
            f"WML_URL is not a host of Watson Machine Learning: {host}.",
            f"Give the URL of the region of your space: https://REGION.ml.cloud.ibm.com, one of {', '.join(REGIONS)}",
        )
    elif cloud is Role.ML and host.endswith(".ml.cloud.ibm.com"):
        region = host.removesuffix(".ml.cloud.ibm.com").removeprefix("private.")
        if region not in REGIONS:
            yield (
                f"IBM Cloud has no region {region!r} with Watson Machine Learning.",
                f"Give the region of your space, one of {', '.join(REGIONS)}",
            )


def _check_platform(credentials: Credentials, cloud: bool) -> Iterator[CredentialMistake]:
    host = urlsplit(credentials.url).hostname
    if cloud and credentials.instance_id:
        yield (
            f"WML_INSTANCE_ID={credentials.instance_id} is for Cloud Pak for Data, but {host} is IBM Cloud.",
            "Unset WML_INSTANCE_ID, or give the URL of your Cloud Pak for Data",
        )
    if cloud and not credentials.apikey and not credentials.token:
        yield (
            "IBM Cloud needs an API key, but a password was given.",
            "Set WML_APIKEY: IBM Cloud console → Manage → Access (IAM) → API keys",
        )
    if cloud or credentials.token:
        return
    if not credentials.username:
        yield (
            f"{host} is not a host of IBM Cloud, so it must be Cloud Pak for Data, which needs a user name.",
            "Set WML_USERNAME, or give the URL of a region: https://us-south.ml.cloud.ibm.com",
        )
    if not credentials.instance_id:
        yield (
            f"{host} is Cloud Pak for Data, but WML_INSTANCE_ID is not set.",
            "Set WML_INSTANCE_ID=openshift, and WML_VERSION to its version, such as 4.8",
        )


def _check_secret(name: str, value: str) -> Iterator[CredentialMistake]:
    variable = f"WML_{name.upper()}"
    if value and _PLACEHOLDER.fullmatch(value):
        yield f"{variable} is a placeholder.", "Give the real value; in CI, check that the secret is set for this job"
    elif value[:1] in ("'", '"'):
        yield f"{variable} has quotes around it.", "Leave the quotes out"
    elif name != "password" and re.search(r"\s", value):
        yield f"{variable} has white space in it.", "Copy it again, in one piece"
    if name == "apikey" and value.count(".") == 2 and value.startswith("ey"):
        yield "WML_APIKEY contains a token.", "Give it as WML_TOKEN, or give the API key from which it was created"


def _check_token(token: str) -> Iterator[CredentialMistake]:
    if not token:
        return
    expires = expiry(token)
    if expires is not None and expires <= time.time():
        time_text = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(expires))
        yield (
            f"WML_TOKEN expired at {time_text}.",
            "Create a new token, or give WML_APIKEY, with which tokens are renewed",
        )


def expiry(token: str) -> float | None:
    """Expiry time of a token in seconds since 1970; None if the token does not state it."""
    try:
        payload = token.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"])
    except (IndexError, ValueError, TypeError, KeyError):
        return None


def _check_space(space_id: str) -> Iterator[CredentialMistake]:
    if not space_id:
        yield (
            "The credentials contain no deployment space.",
            "Set WML_SPACE_ID to the id of the space (Deployments → your space → Manage → Space GUID)",
        )
        return
    if not is_id(space_id):
        yield invalid_space("WML_SPACE_ID", space_id)

"""What is wrong with credentials, as far as it shows without asking the service."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from pytest_wml.config.credentials.value import Credentials, invalid_space
from pytest_wml.config.table import SECRET
from pytest_wml.wml.hosts import Role, cloud_role
from pytest_wml.wml.spaces import is_id

REGIONS = ("us-south", "eu-gb", "eu-de", "jp-tok", "au-syd", "ca-tor")
"""Where IBM Cloud runs the service, by the URL tables of ibm-watson-machine-learning and ibm-watsonx-ai."""

_PLACEHOLDER = re.compile(
    r"[*x.…]+|<.*>|\$\{.*\}|\$[A-Z_]+|\{\{.*\}\}|.*\b(your|my)[-_ ].*key.*|none|null|changeme", re.I
)

Mistake = tuple[str, str]
"""What is wrong, and what to do."""


def mistakes(found: Credentials) -> Iterator[Mistake]:
    """Yield every mistake, in an order in which one would mend them; nothing where the credentials can be right."""
    cloud = cloud_role(urlsplit(found.url).netloc)
    yield from _about_the_url(found, cloud)
    yield from _about_the_flavour(found, cloud is not None)
    for name in SECRET:
        yield from _about_a_secret(name, getattr(found, name))
    yield from _about_the_token(found.token)
    yield from _about_the_space(found.space_id)


def _about_the_url(found: Credentials, cloud: Role | None) -> Iterator[Mistake]:
    url = urlsplit(found.url)
    host = url.hostname or ""
    if url.path.strip("/") or url.query:
        yield (
            f"WML_URL has a path: {url.path}.",
            f"Give the host alone: https://{url.netloc}",
        )
    if host.endswith("cloud.ibm.com") and cloud is not Role.ML:
        yield (
            f"WML_URL is no host of Watson Machine Learning: {host}.",
            f"Give the URL of the region of your space: https://REGION.ml.cloud.ibm.com, one of {', '.join(REGIONS)}",
        )
    elif cloud is Role.ML and host.endswith(".ml.cloud.ibm.com"):
        region = host.removesuffix(".ml.cloud.ibm.com").removeprefix("private.")
        if region not in REGIONS:
            yield (
                f"IBM Cloud has no region {region!r} with Watson Machine Learning.",
                f"Give one of {', '.join(REGIONS)}: the one of your space",
            )


def _about_the_flavour(found: Credentials, cloud: bool) -> Iterator[Mistake]:
    host = urlsplit(found.url).hostname
    if cloud and found.instance_id:
        yield (
            f"WML_INSTANCE_ID={found.instance_id} is for a Cloud Pak for Data, and {host} is IBM Cloud.",
            "Unset WML_INSTANCE_ID, or give the URL of your Cloud Pak for Data",
        )
    if cloud and not found.apikey and not found.token:
        yield (
            "IBM Cloud takes an API key, and a password was given.",
            "Set WML_APIKEY: IBM Cloud console → Manage → Access (IAM) → API keys",
        )
    if cloud or found.token:
        return
    if not found.username:
        yield (
            f"{host} is none of IBM Cloud's hosts, so a Cloud Pak for Data, which needs a user name.",
            "Set WML_USERNAME, or give the URL of a region: https://us-south.ml.cloud.ibm.com",
        )
    if not found.instance_id:
        yield (
            f"{host} is a Cloud Pak for Data, and WML_INSTANCE_ID is not set.",
            "Set WML_INSTANCE_ID=openshift, and WML_VERSION to its version, such as 4.8",
        )


def _about_a_secret(name: str, value: str) -> Iterator[Mistake]:
    variable = f"WML_{name.upper()}"
    if value and _PLACEHOLDER.fullmatch(value):
        yield f"{variable} is a placeholder.", "Give the real one; in CI, check that the secret is set for this job"
    elif value[:1] in ("'", '"'):
        yield f"{variable} has quotes around it.", "Leave the quotes out"
    elif name != "password" and re.search(r"\s", value):
        yield f"{variable} has white space in it.", "Copy it again, in one piece"
    if name == "apikey" and value.count(".") == 2 and value.startswith("ey"):
        yield "WML_APIKEY holds a token.", "Give it as WML_TOKEN, or give the API key that it was made with"


def _about_the_token(token: str) -> Iterator[Mistake]:
    if not token:
        return
    ends = ends_at(token)
    if ends is not None and ends <= time.time():
        ended = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(ends))
        yield f"WML_TOKEN expired at {ended}.", "Make a new one, or give WML_APIKEY, with which tokens are renewed"


def ends_at(token: str) -> float | None:
    """When a token says that it ends, in seconds since 1970; None where it does not say."""
    try:
        payload = token.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"])
    except (IndexError, ValueError, TypeError, KeyError):
        return None


def _about_the_space(space_id: str) -> Iterator[Mistake]:
    if not space_id:
        yield (
            "The credentials name no deployment space.",
            "Set WML_SPACE_ID to the id of the space (Deployments → your space → Manage → Space GUID)",
        )
        return
    if not is_id(space_id):
        yield invalid_space("WML_SPACE_ID", space_id)

"""The hosts of a service, derived from the URL of the credentials."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from pytest_wml.wml.hosts import cloud_role

_OWN_PLATFORM = ("au-syd", "ca-tor")


class Endpoints(NamedTuple):
    """The hosts of a service, with ports if the URL has one.

    Args:
        cloud: whether it is IBM Cloud; Cloud Pak for Data has one host for everything.
        token_path: path of token requests at `iam`.
    """

    cloud: bool
    iam: str
    ml: str
    platform: str
    token_path: str

    @property
    def hosts(self) -> list[str]:
        """The hosts, without duplicates."""
        return list(dict.fromkeys((self.iam, self.ml, self.platform)))


def endpoints(url: str) -> Endpoints:
    """The hosts of the service at a URL, as in the tables of both of IBM's clients."""
    ml = urlsplit(url).netloc.lower()
    if cloud_role(ml) is None:
        return Endpoints(False, ml, ml, ml, "/icp4d-api/v1/authorize")
    private = "private." if ml.startswith("private.") else ""
    if ml.endswith(".wxai.ibm.com"):
        region = ml.removeprefix("private.").removesuffix(".aws.wxai.ibm.com")
        iam, path = "account-iam.platform.saas.ibm.com", "/api/2.0/apikeys/token"
        return Endpoints(True, iam, ml, f"{private}api.{region}.aws.data.ibm.com", path)
    region = ml.removeprefix("private.").removesuffix(".ml.cloud.ibm.com")
    front = f"{private}api" if region == "us-south" else f"{private}api.{region}"
    middle = "dai" if region in _OWN_PLATFORM else "dataplatform"
    return Endpoints(True, f"{private}iam.cloud.ibm.com", ml, f"{front}.{middle}.cloud.ibm.com", "/identity/token")

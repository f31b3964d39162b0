"""Where the parts of a service are, by the URL of the credentials."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from pytest_wml.wml.hosts import cloud_role

_OWN_PLATFORM = ("au-syd", "ca-tor")


class Places(NamedTuple):
    """The parts of a service; each a host, with its port where one is given.

    Args:
        cloud: whether it is IBM Cloud; a Cloud Pak for Data is one host for everything.
        token_path: where a token is asked for at `iam`.
    """

    cloud: bool
    iam: str
    ml: str
    platform: str
    token_path: str

    @property
    def hosts(self) -> list[str]:
        """Each host once."""
        return list(dict.fromkeys((self.iam, self.ml, self.platform)))


def places(url: str) -> Places:
    """The parts of the service at a URL: the tables are those of both of IBM's clients."""
    ml = urlsplit(url).netloc.lower()
    if cloud_role(ml) is None:
        return Places(False, ml, ml, ml, "/icp4d-api/v1/authorize")
    private = "private." if ml.startswith("private.") else ""
    if ml.endswith(".wxai.ibm.com"):
        region = ml.removeprefix("private.").removesuffix(".aws.wxai.ibm.com")
        iam, path = "account-iam.platform.saas.ibm.com", "/api/2.0/apikeys/token"
        return Places(True, iam, ml, f"{private}api.{region}.aws.data.ibm.com", path)
    region = ml.removeprefix("private.").removesuffix(".ml.cloud.ibm.com")
    front = f"{private}api" if region == "us-south" else f"{private}api.{region}"
    middle = "dai" if region in _OWN_PLATFORM else "dataplatform"
    return Places(True, f"{private}iam.cloud.ibm.com", ml, f"{front}.{middle}.cloud.ibm.com", "/identity/token")

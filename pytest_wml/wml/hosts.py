"""Which hosts are IBM's, and which part each one plays."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from typing import NamedTuple


class Role(enum.Enum):
    """The part that a host plays in the WML API; recordings are keyed by it, not by the region."""

    IAM = "iam"
    ML = "ml"
    PLATFORM = "platform"
    STORAGE = "storage"
    CPD = "cpd"


# From the URL tables of ibm-watson-machine-learning 1.0.370 and ibm-watsonx-ai 1.8.1.
_PATTERNS = (
    (Role.IAM, r"(private\.)?iam(\.test)?\.cloud\.ibm\.com"),
    (Role.IAM, r"(account-)?iam\.platform(\.test)?\.saas\.ibm\.com"),
    (Role.ML, r"([a-z0-9-]+\.)+ml(\.test)?\.cloud\.ibm\.com"),
    (Role.ML, r"([a-z0-9-]+\.)+wxai(\.test)?\.ibm\.com"),
    (Role.PLATFORM, r"(private\.)?api\.([\w-]+\.)*(dataplatform|dai)(\.test)?\.cloud\.ibm\.com"),
    (Role.PLATFORM, r"api\.([a-z0-9-]+\.)*data(\.test)?\.ibm\.com"),
    (Role.STORAGE, r"([a-z0-9-]+\.)+cloud-object-storage\.appdomain\.cloud"),
)


def without_port(authority: str) -> str:
    """The host of `host`, `host:port` or `[ipv6]:port`, in lower case, without a trailing dot."""
    if authority.startswith("["):
        return authority.partition("]")[0] + "]"
    return authority.partition(":")[0].rstrip(".").lower()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    import ipaddress  # only here: a project without WML does not pay for it

    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def cloud_role(host: str) -> Role | None:
    """The role of a host of IBM Cloud; None for every other host."""
    name = without_port(host)
    return next((role for role, pattern in _PATTERNS if re.fullmatch(pattern, name)), None)


class Hosts(NamedTuple):
    """IBM Cloud's hosts and the Cloud Pak for Data hosts that credentials or the option wml_cpd_hosts name.

    Args:
        cpd: host names, or `host:port` where only that port is meant.
    """

    cpd: frozenset[str] = frozenset()

    @classmethod
    def of(cls, cpd: Iterable[str]) -> Hosts:
        return cls(frozenset(host.lower() for host in cpd))

    def role(self, host: str, port: int | None = None) -> Role | None:
        """The role of a host, None when it is none of IBM's."""
        name = without_port(host)
        if name in self.cpd or (port is not None and f"{name}:{port}" in self.cpd):
            return Role.CPD
        return cloud_role(name)

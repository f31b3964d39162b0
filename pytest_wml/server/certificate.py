"""A certificate authority that lives as long as the server, and what its clients need to trust it."""

from __future__ import annotations

import importlib.util
import os
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pytest_wml.errors import MissingExtra

TRUST_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Where requests, OpenSSL, curl and Node look for authorities to trust; each a PEM file."""
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_REGIONS = ("us-south", "eu-gb", "eu-de", "jp-tok", "au-syd", "ca-tor")
_AWS = ("ap-south-1", "us-east-1")
CLOUD_NAMES = (
    # A wildcard stands for one label: what has more in front is named.
    "*.cloud.ibm.com",
    "*.test.cloud.ibm.com",
    "private.iam.cloud.ibm.com",
    "*.platform.saas.ibm.com",
    "*.platform.test.saas.ibm.com",
    "*.ml.cloud.ibm.com",
    "*.ml.test.cloud.ibm.com",
    "*.dataplatform.cloud.ibm.com",
    "*.dataplatform.test.cloud.ibm.com",
    *(f"{front}.{region}.dataplatform.cloud.ibm.com" for region in _REGIONS for front in ("api", "private.api")),
    *(f"{front}.{region}.dai.cloud.ibm.com" for region in _REGIONS for front in ("api", "private.api")),
    "private.api.dataplatform.cloud.ibm.com",
    *(f"*.{region}.ml.cloud.ibm.com" for region in _REGIONS),
    "*.aws.wxai.ibm.com",
    *(f"private.{region}.aws.wxai.ibm.com" for region in _AWS),
    *(f"api.{region}.aws.data.ibm.com" for region in _AWS),
)
"""IBM Cloud's hosts, for clients that were told to find them here."""


class Certified(NamedTuple):
    """TLS for the server, and the files that its clients trust."""

    context: ssl.SSLContext
    ca: Path
    """PEM; the server's own authority alone."""
    bundle: Path
    """PEM; it, and those that this machine trusts anyway."""


def certified(folder: Path, names: Iterable[str]) -> Certified:
    """A certificate for these names and for IBM Cloud's, by an authority made for it.

    The authority's key is kept nowhere but in memory, and forgotten here: nobody can sign with it afterwards.

    Args:
        folder: where its certificate is written.

    Raises:
        MissingExtra: trustme is not installed.
    """
    if importlib.util.find_spec("trustme") is None:
        raise MissingExtra(
            "pytest-wml serve speaks TLS, and the package that makes its certificate is not installed.",
            looked_for="trustme",
            fix='pip install "pytest-wml[serve]"',
        )
    import trustme

    authority = trustme.CA(organization_name="pytest-wml serve")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # Else a connection that this server itself ends is ended with an alert instead of a goodbye. Nothing is taken for
    # whole by its end alone: heads, bodies and chunks say where they end.
    context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    authority.issue_cert(*dict.fromkeys([*names, *CLOUD_NAMES])).configure_cert(context)
    own = authority.cert_pem.bytes()
    ca, bundle = folder / "ca.pem", folder / "ca-bundle.pem"
    ca.write_bytes(own)
    bundle.write_bytes(own + _trusted_anyway())
    return Certified(context, ca, bundle)


def _trusted_anyway() -> bytes:
    """What the environment names, since the bundle is named in its place, and what Python trusts."""
    named = dict.fromkeys(os.environ.get(variable, "") for variable in TRUST_VARIABLES)
    own = [Path(name).read_bytes() for name in named if os.path.isfile(name)]
    known = ssl.create_default_context().get_ca_certs(binary_form=True)
    if known:
        own.append("".join(map(ssl.DER_cert_to_PEM_cert, known)).encode("ascii"))
    elif importlib.util.find_spec("certifi") is not None:
        import certifi

        own.append(Path(certifi.where()).read_bytes())
    return b"\n".join(own)

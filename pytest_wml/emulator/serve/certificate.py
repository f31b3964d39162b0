"""A certificate authority that lives as long as the server, and what its clients need to trust it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from pytest_wml.config.stopped_server import TRUST_VARIABLES
from pytest_wml.errors import MissingExtra

_NAME = "pytest-wml serve"
_PATIENCE = 10.0
_KEPT = 20
"""Authorities of earlier servers, some of which may still run, that stay in the bundle."""
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
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
"""IBM Cloud's hosts, for clients that are configured to find them here."""


class Certified(NamedTuple):
    """TLS for the server, and the files that its clients trust."""

    context: ssl.SSLContext
    ca: Path
    """PEM; the server's own authority alone."""
    bundle: Path
    """PEM; it, and those that this machine trusts anyway: also for other programs, and after the server's end."""


def certified(folder: Path, names: Iterable[str], lasting: Path) -> Certified:
    """A certificate for these names and for IBM Cloud's, by an authority made for it.

    The authority's key is kept nowhere but in memory, and forgotten here: nobody can sign with it afterwards.

    Args:
        folder: where its certificate is written.
        lasting: the folder for the bundle, which stays when the server ends: a shell that has its exports must not
            keep pip and others from their work. Where it cannot be written, the bundle is in `folder`.

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

    authority = trustme.CA(organization_name=_NAME)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # Else a connection that this server itself ends is ended with an alert instead of a goodbye. Nothing is taken for
    # whole by its end alone: heads, bodies and chunks say where they end.
    context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    authority.issue_cert(*dict.fromkeys([*names, *CLOUD_NAMES])).configure_cert(context)
    ca = folder / "ca.pem"
    ca.write_bytes(authority.cert_pem.bytes())
    try:
        bundle = _bundle(lasting, ca.read_bytes())
    except OSError:
        bundle = _bundle(folder, ca.read_bytes())
    return Certified(context, ca, bundle)


def _bundle(folder: Path, own: bytes) -> Path:
    """Write the bundle in one step: the same file for every server, so that one that is started again is trusted.

    The authorities of earlier servers stay, since these may still run; nobody has the keys of those that have ended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bundle = folder / "ca-bundle.pem"
    with FileLock(bundle.with_suffix(".lock"), timeout=_PATIENCE):
        earlier = [each for each in _certificates(_content(bundle)) if _is_ours(each)]
        ours = list(dict.fromkeys([*_certificates(own), *earlier]))[:_KEPT]
        others = [each for each in dict.fromkeys(_trusted_anyway()) if not _is_ours(each)]
        draft = bundle.with_suffix(f".{os.getpid()}")
        draft.write_text("".join(map(ssl.DER_cert_to_PEM_cert, [*ours, *others])), encoding="ascii")
        draft.replace(bundle)
    return bundle


def _trusted_anyway() -> Iterator[bytes]:
    """What the environment names, since the bundle is named in its place, and what Python and requests trust."""
    for name in dict.fromkeys(os.environ.get(variable, "") for variable in TRUST_VARIABLES):
        yield from _certificates(_content(Path(name))) if os.path.isfile(name) else ()
    yield from ssl.create_default_context().get_ca_certs(binary_form=True)
    if importlib.util.find_spec("certifi") is not None:
        import certifi

        yield from _certificates(_content(Path(certifi.where())))


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def _certificates(pem: bytes) -> Iterator[bytes]:
    """The certificates in a PEM file, in binary form; what is none is left out."""
    for block in _CERTIFICATE.findall(pem):
        with contextlib.suppress(ValueError):
            yield ssl.PEM_cert_to_DER_cert(block.decode("ascii", "replace"))


def _is_ours(certificate: bytes) -> bool:
    return _NAME.encode() in certificate

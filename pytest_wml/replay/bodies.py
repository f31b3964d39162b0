"""Bodies as a cassette keeps them, and the secrets that they hold."""

from __future__ import annotations

import io
from typing import BinaryIO

from pytest_wml.errors import BadArchive
from pytest_wml.interception.messages import is_upload, path_of
from pytest_wml.interception.wsgi import Environ
from pytest_wml.model.digest import ContentDigests, digest_content
from pytest_wml.redaction.known import Secrets
from pytest_wml.redaction.shapes import is_distinct
from pytest_wml.redaction.values import secrets_in
from pytest_wml.replay.cassette.identity import parsed
from pytest_wml.replay.cassette.tape import MUTATING, ArchiveContent, Body


def as_content(found: ContentDigests) -> ArchiveContent:
    """What a cassette keeps of an archive."""
    return ArchiveContent(found.archive_digest, found.model_digest, found.basis, found.size, str(found.signature or ""))


def kept(stream: BinaryIO, archive: bool) -> Body:
    """A body as a cassette keeps it: an archive by its digests, anything else as it is."""
    stream.seek(0)
    if archive:
        try:
            return as_content(digest_content(stream))
        except BadArchive:
            stream.seek(0)  # not an archive: the service has to refuse it, and its refusal is recorded
    return stream.read()


def learn_secrets(environ: Environ, secrets: Secrets) -> None:
    """Learn the secrets that a request holds under names that say so, such as a deployment's `custom` properties."""
    method, path, kind = environ["REQUEST_METHOD"], path_of(environ), environ.get("CONTENT_TYPE", "")
    if method not in MUTATING or path.endswith("/predictions") or is_upload(method, path) or "json" not in kind:
        return
    body = environ["wsgi.input"].read()
    environ["wsgi.input"] = io.BytesIO(body)
    secrets.add(*filter(is_distinct, secrets_in(parsed(body))))

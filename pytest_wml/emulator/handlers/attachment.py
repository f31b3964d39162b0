"""What was uploaded for a model or a function, sent back."""

from __future__ import annotations

from werkzeug.wrappers import Response
from werkzeug.wsgi import wrap_file

from pytest_wml.emulator.contents import Content
from pytest_wml.emulator.exchange import Call
from pytest_wml.emulator.refusals import Missing


def downloaded(call: Call, owner: str, content: Content | None) -> Response:
    """The bytes as they were uploaded, streamed from the disk.

    Args:
        call: the request.
        owner: whose content it is, for the refusal: `Model 'id'`.
        content: None where nothing was uploaded yet.

    Raises:
        Missing: there is no content.
        ContentLost: it is not on the disk any more.
    """
    if content is None:
        raise Missing("content_does_not_exist", f"{owner} has no content.")
    file = call.service.contents.open(content)
    response = Response(
        wrap_file(call.request.environ, file),
        content_type="application/octet-stream",
        headers={"Content-Length": str(content.size)},
        direct_passthrough=True,
    )
    response.call_on_close(file.close)
    return response

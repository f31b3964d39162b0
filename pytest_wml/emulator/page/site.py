"""The page's paths."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from pytest_wml.emulator.exchange import Call, answer, refused
from pytest_wml.emulator.handlers import predictions
from pytest_wml.emulator.page.inputs import Inputs
from pytest_wml.emulator.page.state import shades, state
from pytest_wml.emulator.refusals import Invalid, Missing, Refusal
from pytest_wml.emulator.scoring_log import ScoringLog, excerpt

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FILES = ("page.css", "icon.svg", "page.js", "records.js", "drawing.js", "answers.js", "elements.js", "result.js")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-cache",
}
# Enough for an answer that somebody reads.
_SHOWN_PARTS = 2000


class Page:
    """Answers for the page: its files, what the service holds as JSON, and scorings.

    It asks for no token; instead nothing that another site's page has sent is answered.

    Args:
        scorings: the last ones.
    """

    def __init__(self, scoring_log: ScoringLog) -> None:
        self._scoring_log = scoring_log
        self._inputs = Inputs()

    def has(self, path: str) -> bool:
        """Whether this is one of the page's paths."""
        return path == "/" or path.startswith("/page/")

    def answer(self, call: Call) -> Response:
        """Answer a request for one of the page's paths.

        Raises:
            Missing: the page has no such path, or not for this method.
            Refusal: the service will not do it.
        """
        try:
            handler, arguments = _URL_MAP.bind("", url_scheme="https").match(call.request.path, call.request.method)
        except (NotFound, MethodNotAllowed):
            raise _missing() from None
        # A link on another site may lead to the page itself.
        if _from_elsewhere(call.request) and handler is not Page.html:
            response = refused(403, Refusal("cross_site_request", "The page's paths answer only to the page."))
        else:
            response = handler(self, call, **arguments)
        response.headers.update(_HEADERS)
        return response

    def html(self, call: Call) -> Response:
        return _file("page.html")

    def file(self, call: Call, name: str) -> Response:
        if name not in _FILES:
            raise _missing()
        return _file(name)

    def state(self, call: Call) -> Response:
        return answer(200, state(call, self._scoring_log.newest_first))

    def digits(self, call: Call) -> Response:
        """A real digit of each class, to score where nobody draws."""
        return answer(200, _samples())

    def inputs(self, call: Call, deployment_id: str) -> Response:
        deployment = call.service.deployments.locate(deployment_id)
        return answer(200, self._inputs.of(deployment.served, call.service.contents.path))

    def load(self, call: Call, deployment_id: str) -> Response:
        """A deployment after its model was loaded, which may take seconds; `ready` or `failed`."""
        deployments = call.service.deployments
        loaded = deployments.loaded(deployments.locate(deployment_id))
        return answer(200, {"state": loaded.state})

    def score(self, call: Call, deployment_id: str) -> Response:
        """Score as the API does; the answer is cut to what somebody reads, and has no bare NaN.

        Raises:
            Refusal: as the API refuses it.
        """
        if call.request.mimetype != "application/json":
            # A form on another site can send any other type without asking first.
            raise Invalid("invalid_content_type", "The page scores application/json only.")
        document = json.loads(predictions.predict(call, deployment_id).get_data())
        return answer(200, excerpt(document, _SHOWN_PARTS))


_URL_MAP = Map(
    [
        Rule("/", methods=["GET"], endpoint=Page.html),
        Rule("/page/state", methods=["GET"], endpoint=Page.state),
        Rule("/page/digits", methods=["GET"], endpoint=Page.digits),
        Rule("/page/deployments/<deployment_id>/inputs", methods=["GET"], endpoint=Page.inputs),
        Rule("/page/deployments/<deployment_id>/load", methods=["POST"], endpoint=Page.load),
        Rule("/page/deployments/<deployment_id>/score", methods=["POST"], endpoint=Page.score),
        Rule("/page/<name>", methods=["GET"], endpoint=Page.file),
    ],
    merge_slashes=False,
)


def _missing() -> Missing:
    return Missing("not_found", "The page of pytest-wml's embedded service has no such path.")


def _from_elsewhere(request: Request) -> bool:
    """Whether a browser says that another site's page, or a sandboxed one, has sent a request.

    `none` is a user who typed the address; what is no browser says nothing.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc.lower() != request.environ.get("HTTP_HOST", "").lower()


def _file(name: str) -> Response:
    return Response(_content(name), content_type=_TYPES[name[name.index(".") :]])


@functools.cache
def _content(name: str) -> bytes:
    return resources.files(__package__).joinpath(name).read_bytes()


@functools.cache
def _samples() -> list[dict[str, Any]]:
    from pytest_wml.digits import load_digits  # with numpy, which the service itself does without

    digits = load_digits()
    return [{"label": label, "digit": shades(digits[label].tolist())} for label in digits]

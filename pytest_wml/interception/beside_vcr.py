"""A test's own vcrpy cassette and the door, side by side.

vcrpy stands above the door and would refuse, or write down, what IBM's client sends during a test with a
cassette of its own for some other host. What such a cassette already holds it answers, as ever; everything
else for IBM's hosts goes on to the door and is not written into it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from pytest_wml.interception.patches import Patches

_LOADING = "_pytest_wml_loading"


def lead(patches: Patches, carries: Callable[[str, int | None], bool]) -> None:
    """Let requests that the door carries pass vcrpy's cassettes by.

    Args:
        patches: remembers what to put back.
        carries: whether the door carries connections to a host and port.
    """
    from vcr.cassette import Cassette

    def ours(request: Any) -> bool:
        url = urlsplit(request.uri)
        return carries(url.hostname or "", url.port or (443 if url.scheme == "https" else 80))

    def filter_request(before: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(before)
        def filtered(self: Any, request: Any) -> Any:
            return None if ours(request) else before(self, request)

        return filtered

    def load(before: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(before)
        def loading(self: Any) -> Any:
            setattr(self, _LOADING, True)
            try:
                return before(self)
            finally:
                vars(self).pop(_LOADING, None)

        return loading

    def append(before: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(before)
        def appended(self: Any, request: Any, response: Any) -> Any:
            return before(self, request, response) if hasattr(self, _LOADING) or not ours(request) else None

        return appended

    patches.replace(Cassette, "filter_request", filter_request)
    patches.replace(Cassette, "_load", load)
    patches.replace(Cassette, "append", append)

"""Lets a test use a vcrpy cassette of its own beside the interception.

vcrpy handles a request before the interception does. It would refuse or record the requests of IBM's client
in a test that uses a cassette for another host. With this patch such a cassette still answers the requests that it
contains; all other requests to IBM's hosts reach the interception and are not recorded in it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from pytest_wml.interception.patches import Patches

_LOADING = "_pytest_wml_loading"


def install(patches: Patches, intercepts: Callable[[str, int | None], bool]) -> None:
    """Exclude intercepted requests from vcrpy's recording and its refusal.

    Args:
        patches: records the replaced attributes.
        intercepts: whether connections to a host and port are intercepted.
    """
    from vcr.cassette import Cassette

    def is_intercepted(request: Any) -> bool:
        url = urlsplit(request.uri)
        return intercepts(url.hostname or "", url.port or (443 if url.scheme == "https" else 80))

    def filter_request(before: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(before)
        def filtered(self: Any, request: Any) -> Any:
            return None if is_intercepted(request) else before(self, request)

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
            excluded = is_intercepted(request) and not hasattr(self, _LOADING)
            return None if excluded else before(self, request, response)

        return appended

    patches.replace(Cassette, "filter_request", filter_request)
    patches.replace(Cassette, "_load", load)
    patches.replace(Cassette, "append", append)

"""`@pytest.mark.wml`: its arguments are the signature below, checked when tests are collected."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable

import pytest

from pytest_wml.options import Mode

DESCRIPTION = (
    "wml(*, cassette=None, live_only=False): cassette names the recording of the test's own requests; "
    "live_only skips the test unless it runs against the service."
)


def wml(*, cassette: str | None = None, live_only: bool = False) -> tuple[str | None, bool]:
    """What the marker accepts.

    Args:
        cassette: name of the file that holds what the test asks on its own; default: made of its node id.
        live_only: the test makes sense against the live service only, and is skipped elsewhere.
    """
    return cassette, live_only


_KNOWN = ", ".join(inspect.signature(wml).parameters)


def check(items: Iterable[pytest.Item], mode: Mode) -> None:
    """Refuse markers with unknown arguments, and skip what the mode cannot run.

    Raises:
        pytest.UsageError: naming every test whose marker is wrong.
    """
    wrong = []
    for item in items:
        for mark in item.iter_markers("wml"):
            problem = _problem(mark)
            if problem:
                wrong.append(f"{item.nodeid}: {problem}")
            elif mark.kwargs.get("live_only") and mode is not Mode.LIVE:
                item.add_marker(pytest.mark.skip(reason=f"live_only, and this run is in {mode.value}"))
    if wrong:
        raise pytest.UsageError("\n".join(wrong))


def _problem(mark: pytest.Mark) -> str:
    unknown = sorted(set(mark.kwargs) - set(inspect.signature(wml).parameters))
    if mark.args:
        return f"@pytest.mark.wml takes keywords only; it accepts {_KNOWN}."
    if unknown:
        return f"@pytest.mark.wml does not know {', '.join(unknown)}; it accepts {_KNOWN}."
    cassette, live_only = wml(**mark.kwargs)
    if cassette is not None and (not isinstance(cassette, str) or not re.fullmatch(r"[\w\[\]-][\w.\[\]-]*", cassette)):
        return f"@pytest.mark.wml(cassette={cassette!r}): a plain file name without folder and ending is needed."
    if not isinstance(live_only, bool):
        return f"@pytest.mark.wml(live_only={live_only!r}): True or False is needed."
    return ""

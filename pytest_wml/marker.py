"""`@pytest.mark.wml`: its arguments are the signature below, checked when tests are collected."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator

import pytest

from pytest_wml.options import Mode

DESCRIPTION = (
    "wml(*, cassette=None, live_only=False, not_in_replay=False): cassette names the recording of the test's own "
    "requests; live_only skips the test unless it runs against the service; not_in_replay skips it in replay."
)


def wml(
    *, cassette: str | None = None, live_only: bool = False, not_in_replay: bool = False
) -> tuple[str | None, dict[str, bool]]:
    """What the marker accepts.

    Args:
        cassette: name of the file that holds what the test asks on its own; default: made of its node id.
        live_only: the test makes sense against the live service only, and is skipped elsewhere.
        not_in_replay: the test needs the model itself, as a comparison with TensorFlow does.

    Returns:
        the cassette's name and the switches.
    """
    return cassette, {"live_only": live_only, "not_in_replay": not_in_replay}


_KNOWN = ", ".join(inspect.signature(wml).parameters)


def mistakes(items: Iterable[object]) -> Iterator[str]:
    """Yield what is wrong with the markers of what was collected, with the test's node id."""
    for item in items:
        if isinstance(item, pytest.Item):
            for mark in item.iter_markers("wml"):
                problem = _problem(mark)
                if problem:
                    yield f"{item.nodeid}: {problem}"


_LIVE_ONLY = "live_only, and this run is in "
_NOT_IN_REPLAY = "needs the model itself: run it with --wml=embedded"


def skipped_by_us(report: pytest.TestReport) -> bool:
    """Whether a test was skipped because the mode cannot run it, and not for a reason of its own."""
    reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
    return _LIVE_ONLY in reason or _NOT_IN_REPLAY in reason


def skip(items: Iterable[pytest.Item], mode: Mode) -> None:
    """Skip what the mode cannot run."""
    for item in items:
        for mark in item.iter_markers("wml"):
            if mark.kwargs.get("live_only") and mode is not Mode.LIVE:
                item.add_marker(pytest.mark.skip(reason=_LIVE_ONLY + mode.value))
            elif mark.kwargs.get("not_in_replay") and mode is Mode.REPLAY:
                item.add_marker(pytest.mark.skip(reason=_NOT_IN_REPLAY))


def _problem(mark: pytest.Mark) -> str:
    unknown = sorted(set(mark.kwargs) - set(inspect.signature(wml).parameters))
    if mark.args:
        return f"@pytest.mark.wml takes keywords only; it accepts {_KNOWN}."
    if unknown:
        return f"@pytest.mark.wml does not know {', '.join(unknown)}; it accepts {_KNOWN}."
    cassette, switches = wml(**mark.kwargs)
    if cassette is not None and (not isinstance(cassette, str) or not re.fullmatch(r"[\w\[\]-][\w.\[\]-]*", cassette)):
        return f"@pytest.mark.wml(cassette={cassette!r}): a plain file name without folder and ending is needed."
    for name, value in switches.items():
        if not isinstance(value, bool):
            return f"@pytest.mark.wml({name}={value!r}): True or False is needed."
    return ""

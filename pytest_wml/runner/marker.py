"""`@pytest.mark.wml`: its arguments are the signature below, checked when tests are collected."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

from pytest_wml.config.option_table import NOT_IN_REPLAY
from pytest_wml.config.values import Mode
from pytest_wml.errors import WMLTestError

if TYPE_CHECKING:
    from pytest_wml.config.fault_rules import Fault


def wml(
    *,
    cassette: str | None = None,
    live_only: bool = False,
    not_in_replay: bool = False,
    deployment: str | None = None,
    faults: str | Sequence[str] = (),
) -> tuple[dict[str, str | None], dict[str, bool], str | Sequence[str]]:
    """The signature of the marker.

    Args:
        cassette: name of the file with the requests of the test itself; default: made of its node id.
        live_only: the test needs the live service, and is skipped in the other modes.
        not_in_replay: the test needs the model itself, as a comparison with TensorFlow does; it is skipped in replay.
        deployment: name of the test's deployment, if the suite has several.
        faults: errors and delays for the requests of the test itself, one a line.

    Returns:
        the names, the switches and the faults.
    """
    switches = {"live_only": live_only, "not_in_replay": not_in_replay}
    return {"cassette": cassette, "deployment": deployment}, switches, faults


def mistakes(items: Iterable[object]) -> Iterator[str]:
    """Yield the errors in the markers of collected tests, each with the test's node id."""
    for item in items:
        if isinstance(item, pytest.Item):
            for mark in item.iter_markers("wml"):
                problem = _problem(mark)
                if problem:
                    yield f"{item.nodeid}: {problem}"


_LIVE_ONLY = "live_only, and this run is in "


def is_skipped_by_mode(report: pytest.TestReport) -> bool:
    """Whether a test was skipped because the mode cannot run it."""
    reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
    return _LIVE_ONLY in reason or NOT_IN_REPLAY in reason


def skip(items: Iterable[pytest.Item], mode: Mode) -> None:
    """Skip the tests that the mode cannot run."""
    for item in items:
        for mark in item.iter_markers("wml"):
            if mark.kwargs.get("live_only") and mode is not Mode.LIVE:
                item.add_marker(pytest.mark.skip(reason=_LIVE_ONLY + mode.value))
            elif mark.kwargs.get("not_in_replay") and mode is Mode.REPLAY:
                item.add_marker(pytest.mark.skip(reason=NOT_IN_REPLAY))


def faults_of(item: pytest.Item) -> tuple[Fault, ...]:
    """The faults in the markers of a test, those of the nearest marker first.

    Raises:
        BadFault: a line is not a valid fault.
    """
    return tuple(fault for mark in item.iter_markers("wml") for fault in _read(mark.kwargs.get("faults")))


def _read(lines: str | Sequence[str] | None) -> tuple[Fault, ...]:
    if not lines:
        return ()
    from pytest_wml.config.fault_rules import parse  # not imported in a run without faults

    return parse(lines, "@pytest.mark.wml(faults=…)")


def _problem(mark: pytest.Mark) -> str:
    known = inspect.signature(wml).parameters
    unknown = sorted(set(mark.kwargs) - set(known))
    if mark.args:
        return f"@pytest.mark.wml takes keywords only; it accepts {', '.join(known)}."
    if unknown:
        return f"@pytest.mark.wml has no argument {', '.join(unknown)}; it accepts {', '.join(known)}."
    names, switches, faults = wml(**mark.kwargs)
    cassette, deployment = names["cassette"], names["deployment"]
    if cassette is not None and (not isinstance(cassette, str) or not re.fullmatch(r"[\w\[\]-][\w.\[\]-]*", cassette)):
        return f"@pytest.mark.wml(cassette={cassette!r}): a plain file name without folder and ending is needed."
    for name, value in switches.items():
        if not isinstance(value, bool):
            return f"@pytest.mark.wml({name}={value!r}): True or False is needed."
    if deployment is not None and not isinstance(deployment, str):
        return f"@pytest.mark.wml(deployment={deployment!r}): one name of wml_deployments is needed."
    return _problem_of_faults(faults)


def _problem_of_faults(lines: object) -> str:
    if not isinstance(lines, str) and not (isinstance(lines, (list, tuple)) and all(isinstance(x, str) for x in lines)):
        return f"@pytest.mark.wml(faults={lines!r}): a line or a list of lines is needed."
    try:
        _read(lines)
    except WMLTestError as error:
        return str(error)
    return ""

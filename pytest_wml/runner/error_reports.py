"""What pytest shows of our errors: each cause in full once a run, and short summary lines that begin with our words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from pytest_wml.errors import WMLTestError

_NOTE = "wml_cause"
"""Attribute of a report: headline, cause, one line. It travels from xdist's workers to the controller."""


def note(report: pytest.TestReport | pytest.CollectReport, error: BaseException) -> None:
    """Note in a report which error of ours it shows.

    Args:
        report: of the test or module that the error failed.
        error: a WMLTestError, or a broken contract.
    """
    text = str(error).strip() or type(error).__name__
    headline = text.splitlines()[0]
    if not isinstance(error, WMLTestError):
        # Each test checks a contract for itself: two broken contracts never have one cause.
        setattr(report, _NOTE, [f"{type(error).__name__}: {headline}", "", ""])
        return
    setattr(report, _NOTE, [headline, f"{type(error).__name__}: {error.cause}", error.brief])


def mask(report: pytest.TestReport | pytest.CollectReport, masked: Callable[[str], str]) -> None:
    """Mask the secrets in what a report shows and in what was noted of it."""
    if noted := getattr(report, _NOTE, None):
        setattr(report, _NOTE, [masked(text) for text in noted])
    text = str(report.longrepr)
    safe = masked(text)
    if safe != text:
        crash = getattr(report.longrepr, "reprcrash", None)
        report.longrepr = shown(safe, masked(crash.message), _place(report)) if crash is not None else safe


def without_module(report: pytest.TestReport, error: BaseException) -> None:
    """Let the message that JUnit files and the short summary show begin with the name of the error's class."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        crash.message = crash.message.removeprefix(f"{type(error).__module__}.")


def shorten(config: pytest.Config) -> None:
    """Show each cause in full for the first test only, in the order in which pytest shows reports.

    Called at the end of the run, where JUnit files and other plugins have taken the full texts, and on the controller
    of xdist, which has the reports of all workers.
    """
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None:
        return
    stats: dict[str, list[Any]] = terminal.stats
    _shorten([*stats.get("error", ()), *stats.get("failed", ())])


def _shorten(reports: Iterable[Any]) -> None:
    first: dict[str, str] = {}
    for report in reports:
        headline, cause, brief = getattr(report, _NOTE, None) or ("", "", "")
        if not headline:
            continue
        shown_by = first.setdefault(cause, report.nodeid) if cause else report.nodeid
        if shown_by != report.nodeid:
            report.longrepr = shown(f"as above: {brief} ({shown_by})", headline, _place(report))
        elif crash := getattr(report.longrepr, "reprcrash", None):
            crash.message = headline  # in CI the short summary has the whole message
        else:
            report.longrepr = shown(str(report.longrepr), headline, _place(report))


def _place(report: Any) -> tuple[str, int]:
    """File and line of the test or module that a report is about."""
    file, line, _ = report.location or (report.fspath, None, "")
    return str(file), (line or 0) + 1


def shown(text: str, message: str, place: tuple[str, int]) -> Any:
    """A text as pytest's representation of an error.

    Args:
        text: shown among the failures.
        message: shown in the short summary.
        place: file and line.
    """
    try:
        raise AssertionError(text)
    except AssertionError as error:
        made = pytest.ExceptionInfo.from_exception(error).getrepr(style="value", chain=False)
    if made.reprcrash is not None:
        made.reprcrash.path, made.reprcrash.lineno = place
        made.reprcrash.message = message
    return made

"""The text of pytest-wml's errors in pytest's reports: each cause in full once a run, and readable summary lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from pytest_wml.errors import WMLTestError

_CAUSE = "wml_cause"
"""Attribute of a report: headline, cause, one line. xdist sends it from the workers to the controller."""


def record_cause(report: pytest.TestReport | pytest.CollectReport, error: BaseException) -> None:
    """Record in a report which error of pytest-wml it shows.

    Args:
        report: of the failed test or module.
        error: a WMLTestError, or a broken contract.
    """
    text = str(error).strip() or type(error).__name__
    headline = text.splitlines()[0]
    if not isinstance(error, WMLTestError):
        # Each test checks its contract separately, so two broken contracts never have one cause.
        setattr(report, _CAUSE, [f"{type(error).__name__}: {headline}", "", ""])
        return
    setattr(report, _CAUSE, [headline, f"{type(error).__name__}: {error.cause}", error.brief])


def mask(report: pytest.TestReport | pytest.CollectReport, masked: Callable[[str], str]) -> None:
    """Mask the secrets in a report's text and in its recorded cause."""
    if cause := getattr(report, _CAUSE, None):
        setattr(report, _CAUSE, [masked(text) for text in cause])
    text = str(report.longrepr)
    safe = masked(text)
    if safe != text:
        crash = getattr(report.longrepr, "reprcrash", None)
        report.longrepr = representation(safe, masked(crash.message), _place(report)) if crash is not None else safe


def remove_module(report: pytest.TestReport, error: BaseException) -> None:
    """Remove the module from the class name in the message of JUnit files and of the short summary."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        crash.message = crash.message.removeprefix(f"{type(error).__module__}.")


def shorten(config: pytest.Config) -> None:
    """Show each cause in full for the first test only, in pytest's order of reports.

    Called at the end of the run, after JUnit files and other plugins have read the full texts, and on the controller
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
        headline, cause, brief = getattr(report, _CAUSE, None) or ("", "", "")
        if not headline:
            continue
        shown_by = first.setdefault(cause, report.nodeid) if cause else report.nodeid
        if shown_by != report.nodeid:
            report.longrepr = representation(f"as above: {brief} ({shown_by})", headline, _place(report))
        elif crash := getattr(report.longrepr, "reprcrash", None):
            crash.message = headline  # in CI pytest does not shorten it in the short summary
        else:
            report.longrepr = representation(str(report.longrepr), headline, _place(report))


def _place(report: Any) -> tuple[str, int]:
    """File and line of a report's test or module."""
    file, line, _ = report.location or (report.fspath, None, "")
    return str(file), (line or 0) + 1


def representation(text: str, message: str, place: tuple[str, int]) -> Any:
    """A text in the form of pytest's representation of an error.

    Args:
        text: shown among the failures.
        message: shown in the short summary.
        place: file and line.
    """
    try:
        raise AssertionError(text)
    except AssertionError as error:
        result = pytest.ExceptionInfo.from_exception(error).getrepr(style="value", chain=False)
    if result.reprcrash is not None:
        result.reprcrash.path, result.reprcrash.lineno = place
        result.reprcrash.message = message
    return result

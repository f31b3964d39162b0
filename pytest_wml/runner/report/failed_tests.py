"""The section of the page with the failed tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_wml.runner.report.markup import esc, items, many, pill
from pytest_wml.runner.report.notes import CheckNote
from pytest_wml.runner.report.run_report import ReportedTest, RunReport

_OPENED = 20
"""Number of failures that are shown open."""
_MAX_CHARACTERS = 2_000_000
"""Characters of all messages on a page; after them only the last line of a message is shown."""
_FINDINGS = 10

Anchors = Mapping[int, str]
"""`id` of a check's note → HTML id of the check."""


def failures(report: RunReport, anchors: Anchors) -> str:
    """A section with the failed tests, each with pytest's message.

    Args:
        report: of the run.
        anchors: HTML ids of the checks.
    """
    if not report.failures:
        return ""
    remaining = _MAX_CHARACTERS
    cards: list[str] = []
    for number, test in enumerate(report.failures):
        remaining -= len(test.message)
        cards.append(_card(test, anchors, opened=number < _OPENED, full=remaining >= 0))
    return f'<section aria-labelledby="failures"><h2 id="failures">Failed</h2>{"".join(cards)}</section>'


def _card(test: ReportedTest, anchors: Anchors, *, opened: bool, full: bool) -> str:
    failure = test.note.failure
    place = f"{failure.file}:{failure.line}" if failure and failure.line else ""
    return (
        f'<details class="card failure"{" open" if opened else ""}><summary>'
        f'<span class="mark" aria-hidden="true">✗</span><code class="name">{esc(test.note.test)}</code> '
        f"{pill(test.outcome, test.outcome)}</summary>"
        f'<p class="where">{esc(place)}</p>{"".join(_reasons(test, anchors, full=full))}</details>'
    )


def _reasons(test: ReportedTest, anchors: Anchors, *, full: bool) -> Iterator[str]:
    """The findings of broken contracts, and pytest's message."""
    for check in test.broken:
        yield _findings(check, anchors[id(check)])
    message = test.message if full else _last_line(test.message)
    if not message:
        return
    if test.broken and test.note.failure and test.note.failure.kind == "contract":
        shown = f'<pre class="drawn">{esc(message)}</pre>'
        yield f'<details class="more"><summary>As on the terminal</summary>{shown}</details>'
    else:
        yield f"<pre>{esc(message)}</pre>"


def _last_line(message: str) -> str:
    return message.strip().rpartition("\n")[2]


def _findings(check: CheckNote, anchor: str) -> str:
    rest = check.found - min(_FINDINGS, len(check.findings))
    more = f'<p class="check-of">… and {rest} more</p>' if rest else ""
    return (
        f'<p class="check-of"><a href="#{anchor}">{esc(check.check)}</a>: {many(check.found, "finding")}, '
        f"promised: {esc(check.promised)}</p>{items(check.findings[:_FINDINGS], 'lines')}{more}"
    )

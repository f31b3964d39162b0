"""The tests that failed, for the top of the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_wml.runner.report.markup import esc, items, many, pill
from pytest_wml.runner.report.notes import CheckNote
from pytest_wml.runner.report.whole import Report, Told

_OPENED = 20
"""Failures that are seen without a click."""
_ROOM = 2_000_000
"""Characters of messages on a page; failures after them have only their last line."""
_FINDINGS = 10

Anchors = Mapping[int, str]
"""The id on the page of a check, by `id` of its note."""


def failures(report: Report, anchors: Anchors) -> str:
    """A section with every test that failed, opened, each with what pytest says of it.

    Args:
        report: of the run.
        anchors: where each check stands on the page.
    """
    if not report.failures:
        return ""
    room = _ROOM
    cards: list[str] = []
    for number, test in enumerate(report.failures):
        room -= len(test.message)
        cards.append(_card(test, anchors, opened=number < _OPENED, whole=room >= 0))
    return f'<section aria-labelledby="failures"><h2 id="failures">Failed</h2>{"".join(cards)}</section>'


def _card(test: Told, anchors: Anchors, *, opened: bool, whole: bool) -> str:
    failure = test.note.failure
    place = f"{failure.file}:{failure.line}" if failure and failure.line else ""
    return (
        f'<details class="card failure"{" open" if opened else ""}><summary>'
        f'<span class="mark" aria-hidden="true">✗</span><code class="name">{esc(test.note.test)}</code> '
        f"{pill(test.outcome, test.outcome)}</summary>"
        f'<p class="where">{esc(place)}</p>{"".join(_why(test, anchors, whole=whole))}</details>'
    )


def _why(test: Told, anchors: Anchors, *, whole: bool) -> Iterator[str]:
    """The findings of broken contracts; of any other failure what pytest shows."""
    for check in test.broken:
        yield _findings(check, anchors[id(check)])
    message = test.message if whole else _last_line(test.message)
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

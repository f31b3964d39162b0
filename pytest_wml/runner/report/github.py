"""Annotations and the job summary for GitHub Actions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_wml.runner.report.markup import many, plain
from pytest_wml.runner.report.notes import CheckNote
from pytest_wml.runner.report.run_report import ReportedTest, RunReport

_FINDINGS = 10
_ROWS = 50
_LONGEST = 2000


def commands(report: RunReport, *, without_calls: bool, below: str = "") -> Iterator[str]:
    """Yield a workflow command for each broken contract, and one for each changed model, even if it fails many tests.

    GitHub, Workflow commands for GitHub Actions, "Setting an error message".

    Args:
        report: of the run.
        without_calls: whether another plugin reports the failures in the body of a test.
        below: path of the root folder in the repository, with a slash; empty for the repository's root.
    """
    seen: set[str] = set()
    for test in report.tests:
        failure = test.note.failure
        if failure is None or not failure.kind or (without_calls and failure.phase == "call"):
            continue
        message = _message(test)
        if failure.kind == "model" and message in seen:
            continue
        seen.add(message)
        place = f"file={_property(below + failure.file)},line={max(1, failure.line)}"
        yield f"::error {place},title={_property(failure.title)}::{_data(message)}"


def _message(test: ReportedTest) -> str:
    findings = "\n".join(line for check in test.broken for line in _of_check(check))
    is_contract = test.note.failure is not None and test.note.failure.kind == "contract"
    text = plain(findings if is_contract and findings else test.message)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _of_check(check: CheckNote) -> Iterator[str]:
    yield f"{check.check}: {many(check.found, 'finding')} ({check.deployment}, answered by {check.mode})"
    yield f"promised: {check.promised}"
    yield from check.findings[:_FINDINGS]
    if check.found > _FINDINGS:
        yield f"… and {check.found - _FINDINGS} more"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(plain(text)).replace(":", "%3A").replace(",", "%2C")


def markdown(report: RunReport) -> str:
    """The result of the run and a table of failures, in Markdown for a job's summary."""
    lines = [
        f"### {_cell(report.headline)}",
        "",
        f"WML: {many(len(report.checks), 'check')}, {report.broken} broken; answered by {report.mode}, "
        f"{many(report.requests, 'request')}, live calls: {report.live_calls}.",
        "",
        *([_cell(report.stopped), ""] if report.stopped else []),
        *_failures(report.failures),
        *(f"- outside the tests: {_cell(line)}" for line in report.outside[:_FINDINGS]),
        *(f"- {_cell(one.name)}: model {_code(one.digest[:16] or 'unknown')}" for one in report.deployments[:_ROWS]),
    ]
    return "\n".join(lines) + "\n\n"


def _failures(failures: Sequence[ReportedTest]) -> Iterator[str]:
    """A row for each broken check, and for each test that failed for another reason."""
    rows = [(test, reason) for test in failures for reason in _reasons(test)]
    if not rows:
        return
    yield from ("| outcome | test | why |", "|---|---|---|")
    for test, reason in rows[:_ROWS]:
        yield f"| {test.outcome} | {_code(test.note.test)} | {_cell(reason)} |"
    if len(rows) > _ROWS:
        yield f"\n… and {len(rows) - _ROWS} more"
    yield ""


def _reasons(test: ReportedTest) -> list[str]:
    broken = [f"{check.check}: {many(check.found, 'finding')}: {check.findings[0]}" for check in test.broken]
    return broken or [_reason(test.message)]


def _reason(message: str) -> str:
    """The line of pytest's text with the error."""
    lines = message.strip().splitlines() or [""]
    return next((line[2:].strip() for line in lines if line.startswith("E ")), lines[0])


def _cell(text: str) -> str:
    """Text for a table's cell, with all markup escaped."""
    flat = " ".join(plain(text).split())
    flat = flat if len(flat) <= 200 else flat[:199] + "…"
    return "".join(f"&#{ord(letter)};" if letter in "\\`*_{}[]()<>#+!|~@&:" else letter for letter in flat)


def _code(text: str) -> str:
    return f"<code>{_cell(text)}</code>"

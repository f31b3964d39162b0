"""The report of a run as one HTML page, without scripts and external files; arbitrary text is escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.resources import files

from pytest_wml.runner.report.failed_tests import Anchors, failures
from pytest_wml.runner.report.figures import bars, histogram, matrix, samples
from pytest_wml.runner.report.markup import esc, facts, items, many, pill
from pytest_wml.runner.report.notes import CheckNote, DeploymentNote
from pytest_wml.runner.report.run_report import ReportedRecording, ReportedTest, RunReport

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_IMAGES = 6_000_000
"""Characters of all images on a page; checks after that have no images."""
_LEVELS = {"error": "error", "warn": "warning", "info": "remark"}
_WORDS = {"held": "held", "broken": "broken", "expected": "broken, as the test expects"}


def page(report: RunReport) -> str:
    """The page as text.

    Args:
        report: of the run; its texts may contain any characters.
    """
    style = (files("pytest_wml.runner.report") / "page.css").read_text(encoding="utf-8")
    anchors = {id(check): f"check-{number}" for number, (_, check) in enumerate(report.checks)}
    parts = [_deployments(report), _contracts(report, anchors), _tests(report), _doubts(report)]
    parts.insert(len(parts) if report.passed else 0, _outside(report))
    sections = failures(report, anchors) + "".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{esc(_POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><link rel="icon" href="data:,">'
        f"<title>{esc(report.headline)} · pytest-wml</title><style>{style}</style></head>\n"
        f"<body>{_header(report)}<main>{_summary(report)}{sections}</main>{_footer(report)}</body></html>\n"
    )


def _header(report: RunReport) -> str:
    state = "held" if report.passed else "broken"
    names = ", ".join(dict.fromkeys(one.name for one in report.deployments))
    return (
        f'<header data-state="{state}"><p class="product">pytest-wml report</p><h1>{esc(report.headline)}</h1>'
        f'<p class="about">{esc(names) + " · " if names else ""}'
        f"{esc(report.mode)} (from {esc(report.chosen_by)}) · <time>{esc(report.at)}</time></p></header>"
    )


def _summary(report: RunReport) -> str:
    checks = len(report.checks)
    waited = f"{report.waited:g} s of waiting left out" if report.waited else ""
    tiles = [
        (report.ran, "test", report.counted, "" if report.passed else "broken"),
        (checks, "check", f"{report.broken} broken" if report.broken else "", "broken" if report.broken else ""),
        (report.requests, "request", waited, ""),
        (report.live_calls, "live call", "", ""),
        (len(report.doubts), "doubt", "", "expected" if report.doubts else ""),
        (len(report.faults), "injected fault", "", ""),
    ]
    shown = "".join(
        f'<li data-state="{state}"><b>{number}</b> {word}{"" if number == 1 else "s"}<small>{esc(more)}</small></li>'
        for number, word, more, state in tiles
    )
    stopped = f'<p class="notice" role="status">{esc(report.stopped)}</p>' if report.stopped else ""
    return f'{stopped}<ul class="tiles" aria-label="Summary">{shown}</ul>'


def _deployments(report: RunReport) -> str:
    recordings = {recording.name: recording for recording in report.recordings}
    cards = "".join(_deployment(one, recordings.pop(one.name, None)) for one in report.deployments)
    others = "".join(f"<li>{esc(one.name)}.yaml: {_recorded(one)}</li>" for one in recordings.values())
    if others:
        others = f'<details class="card"><summary>Other recordings that answered</summary><ul>{others}</ul></details>'
    if not cards and not others:
        return ""
    return f'<section aria-labelledby="deployments"><h2 id="deployments">Deployments</h2>{cards}{others}</section>'


def _recorded(recording: ReportedRecording) -> str:
    answers = many(recording.answers, "answer")
    return f"recorded {esc(recording.date)} ({esc(recording.age)}) from {esc(recording.source)}, {answers}"


def _deployment(note: DeploymentNote, recording: ReportedRecording | None) -> str:
    archive = note.path.replace("\\", "/").rpartition("/")[2]
    size = f" ({note.size / 1000:,.0f} kB)" if note.size else ""
    properties = [
        ("model" if note.basis == "model" or not note.digest else "archive's digest", note.digest or "unknown"),
        ("signature", note.signature or "unknown"),
        ("archive", archive + size if archive else ""),
        ("deployed as", ", ".join(filter(None, [note.model_type, note.software_spec]))),
        ("note", note.note),
    ]
    tape = f'<p class="tape">{_recorded(recording)}</p>' if recording else ""
    return (
        f'<article class="card deployment"><h3>{esc(note.name)} {pill(note.mode, note.mode)}</h3>{tape}'
        f"{facts(properties)}{_lint(note)}</article>"
    )


def _lint(note: DeploymentNote) -> str:
    if not note.lint:
        return ""
    levels = Counter(level for level, _ in note.lint)
    counts = ", ".join(many(levels[level], word) for level, word in _LEVELS.items() if levels[level])
    lines = "".join(f"<li>{pill(level, level)} {esc(text)}</li>" for level, text in note.lint)
    opened = " open" if levels["error"] else ""
    return f'<details class="more"{opened}><summary>Lint: {counts}</summary><ul class="lint">{lines}</ul></details>'


def _contracts(report: RunReport, anchors: Anchors) -> str:
    checks = report.checks
    if not checks:
        return ""
    remaining = _IMAGES
    cards: list[str] = []
    for test, check in checks:
        remaining -= sum(len(one.image) for one in check.samples)
        state = "held" if not check.found else "broken" if check in test.broken else "expected"
        cards.append(_check(test, check, state, anchors[id(check)], images=remaining >= 0))
    choices = "".join(
        f'<label><input type="radio" name="shown" id="{name}"{" checked" if name == "all" else ""}>'
        f"<span>{word}</span></label>"
        for name, word in (
            ("all", f"All {len(checks)}"),
            ("only-broken", f"Broken {report.broken}"),
            ("only-held", f"Held {sum(not check.found for _, check in checks)}"),
        )
    )
    return (
        '<section aria-labelledby="contracts"><div class="bar"><h2 id="contracts">Contracts</h2>'
        f'<fieldset class="choice"><legend>Show</legend>{choices}</fieldset></div>{"".join(cards)}</section>'
    )


def _check(test: ReportedTest, check: CheckNote, state: str, anchor: str, *, images: bool) -> str:
    opened = " open" if state == "broken" or check.confusion or check.levels else ""
    return (
        f'<details class="card check" data-state="{state}" id="{anchor}"{opened}><summary>'
        f'<span class="mark" aria-hidden="true">{"✓" if state == "held" else "✗"}</span>'
        f'<span class="name">{esc(check.check)}</span> {pill(state, _WORDS[state])}'
        f'<span class="test">{esc(test.note.test.rpartition("::")[2])}</span>'
        f'<span class="promised">{esc(check.promised)}</span></summary>'
        f'<p class="where">{esc(check.deployment)}, answered by {esc(check.mode)} · '
        f"<code>{esc(test.note.test)}</code></p>"
        f"{''.join(_body(check, images=images))}</details>"
    )


def _body(check: CheckNote, *, images: bool) -> Iterator[str]:
    yield facts(check.measured.items())
    yield items((f"Note: {note}" for note in check.notes), "notes")
    if check.findings:
        rest = check.found - len(check.findings)
        more = f"<p>… and {many(rest, 'more finding')}</p>" if rest else ""
        folded = " open" if check.found <= 8 or not check.samples else ""
        yield (
            f'<details class="findings"{folded}><summary>{many(check.found, "finding")}</summary>'
            f"{items(check.findings)}{more}</details>"
        )
    yield bars(check.shares.items(), of="shares")
    yield "".join(map(histogram, check.levels))
    yield matrix(check.confusion) if check.confusion else ""
    if check.samples and images:
        yield samples(check.samples)
    elif check.samples:
        yield '<p class="about">Images are left out: the page has many already.</p>'


def _tests(report: RunReport) -> str:
    tests = sorted((test for test in report.tests if test.used_wml), key=lambda test: not test.failed)
    if not tests:
        return ""
    head = "".join(f'<th scope="col">{column}</th>' for column in ("Test", *_COLUMNS))
    return (
        '<section aria-labelledby="tests"><h2 id="tests">Tests that used WML</h2>'
        '<div class="card wide" tabindex="0" role="region" aria-label="Tests"><table class="tests">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(map(_test, tests))}</tbody></table></div></section>"
    )


_COLUMNS = ("Outcome", "Requests", "Live calls", "Seconds")


def _test(test: ReportedTest) -> str:
    # The first section of the page contains the messages of failed tests.
    shown = bool(test.message) and not test.failed
    reason = f"<details><summary>why</summary><pre>{esc(test.message)}</pre></details>" if shown else ""
    values = (
        pill(test.outcome, test.outcome),
        str(test.note.requests),
        str(test.note.live_calls),
        f"{test.seconds:.2f}",
    )
    cells = "".join(f'<td data-label="{name}">{value}</td>' for name, value in zip(_COLUMNS, values, strict=True))
    return f'<tr><th scope="row"><code>{esc(test.note.test)}</code>{reason}</th>{cells}</tr>'


def _outside(report: RunReport) -> str:
    return _lines("Outside the tests", report.outside)


def _doubts(report: RunReport) -> str:
    faults = _lines("Faults that were injected", report.faults)
    return _lines("Doubts about the embedded service's answers", report.doubts) + faults


def _lines(heading: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return f'<section><h2>{heading}</h2><div class="card">{items(lines, "lines")}</div></section>'


def _footer(report: RunReport) -> str:
    versions = " · ".join(f"{esc(name)} {esc(version)}" for name, version in report.versions.items())
    return f"<footer>{versions}</footer>"

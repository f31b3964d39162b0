"""Findings as text, and what of them a live deployment waits for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_wml.model.archive import ModelArchive
from pytest_wml.model.lint.findings import DeploymentRefused, LintFinding, LintLevel


def _plain(text: str) -> str:
    """A text that moves no terminal's cursor and can be written in any encoding of Unicode: names are anybody's."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def lines(findings: Sequence[LintFinding]) -> Iterator[str]:
    """Yield findings as text, each with what the service would answer and the way on, then how many there are."""
    for finding in findings:
        yield _plain(f"{finding.level.value:<5} {finding.code}: {finding.found}")
        if finding.where and finding.where not in finding.found:
            yield _plain(f"      where: {finding.where}")
        if finding.refusal:
            yield _plain(f"      the service: {finding.refusal}")
        if finding.fix:
            yield _plain(f"      what to do: {finding.fix}")
    counts = {level: sum(finding.level is level for finding in findings) for level in (LintLevel.ERROR, LintLevel.WARN)}
    yield ", ".join(f"{count} {level.value}{'' if count == 1 else 's'}" for level, count in counts.items())


def before_live(archive: ModelArchive, model_type: str, spec: str) -> list[str]:
    """Look at what is about to be deployed live.

    Args:
        archive: what is deployed.
        model_type: WML's, such as `tensorflow_2.14`.
        spec: name of the software specification.

    Returns:
        errors and warnings in a line each, for the summary.

    Raises:
        Refused: the service was seen to refuse such files; nothing is uploaded.
        CannotLint: the archive cannot be read.
    """
    from pytest_wml.model.lint.linter import lint
    from pytest_wml.model.lint.specification import LintTarget

    found = lint(archive.path, LintTarget(model_type, spec))
    for finding in found:
        if finding.certain:
            raise DeploymentRefused(
                f"The model was not deployed: {finding.found}",
                archive=archive.path,
                where=finding.where,
                the_service=finding.refusal,
                fix=f"{finding.fix}\nor see all of it: pytest-wml lint {archive.path}",
            )
    shown = [finding for finding in found if finding.level is not LintLevel.INFO]
    return [_plain(f"{finding.level.value} {finding.code}: {finding.found}") for finding in shown]

"""Checks that do not need the service: credentials and software specifications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pytest_wml.config.credentials import BadCredentials, Credentials, find
from pytest_wml.config.credentials.checks import mistakes
from pytest_wml.model.lint import specification
from pytest_wml.model.lint.findings import LintLevel
from pytest_wml.model.lint.specification import LintTarget
from pytest_wml.tools.doctor.lines import Line, Verdict, failed, passed, warned

_VERDICTS = {LintLevel.ERROR: Verdict.FAIL, LintLevel.WARN: Verdict.WARN, LintLevel.INFO: Verdict.PASS}
_CREDENTIALS = "credentials"


def credentials(environ: Mapping[str, str], file: str, live: bool) -> tuple[Credentials | None, list[Line]]:
    """The given credentials and their checks.

    Args:
        environ: the environment.
        file: path of the credentials file; empty for none.
        live: whether the suite's mode needs credentials.
    """
    try:
        found = find(environ, file)
    except BadCredentials as error:
        facts = "; ".join(f"{name.replace('_', ' ')}: {fact}" for name, fact in error.facts.items())
        fix = " ".join((error.fix or "correct the file").split())
        return None, [failed(_CREDENTIALS, f"{error.problem} {facts}", fix)]
    if found is None:
        line = failed if live else warned
        fix = "for a live run set WML_APIKEY, WML_URL and WML_SPACE_ID, or give a file by --wml-credentials"
        return None, [line(_CREDENTIALS, "none are given; only the offline checks were done", fix)]
    wrong = [failed(_CREDENTIALS, problem, fix) for problem, fix in mistakes(found)]
    return found, [passed(_CREDENTIALS, f"{found._replace(origin='')!r}, from {found.origin}"), *wrong]


def specifications(models: Iterable[tuple[str, str]]) -> Iterator[Line]:
    """Yield the checks of software specifications against the catalogue.

    Args:
        models: type and software specification of each model.
    """
    for kind, name in models:
        check = f"software specification {name}"
        found = list(specification.findings(LintTarget(kind, name)))
        for finding in found:
            # A custom specification is not in the catalogue; only the service knows it.
            unknown = finding.code == "unknown-specification"
            verdict = Verdict.WARN if unknown else _VERDICTS[finding.level]
            yield Line(check, verdict, finding.found, "" if verdict is Verdict.PASS else finding.fix)
        if not found:
            yield passed(check, f"supports models of type {kind}")

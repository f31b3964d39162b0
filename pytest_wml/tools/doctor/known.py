"""What is known without asking the service: credentials and software specifications."""

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
    """The credentials that are given, and what is to be said of them.

    Args:
        environ: the environment.
        file: that names them; empty for none.
        live: whether the suite's mode needs them.
    """
    try:
        found = find(environ, file)
    except BadCredentials as error:
        facts = "; ".join(f"{name.replace('_', ' ')}: {fact}" for name, fact in error.facts.items())
        fix = " ".join((error.fix or "correct the file").split())
        return None, [failed(_CREDENTIALS, f"{error.problem} {facts}", fix)]
    if found is None:
        judged = failed if live else warned
        fix = "for a live run set WML_APIKEY, WML_URL and WML_SPACE_ID, or name a file by --wml-credentials"
        return None, [judged(_CREDENTIALS, "none are given; only what shows offline was looked at", fix)]
    wrong = [failed(_CREDENTIALS, problem, fix) for problem, fix in mistakes(found)]
    return found, [passed(_CREDENTIALS, f"{found._replace(origin='')!r}, from {found.origin}"), *wrong]


def specifications(models: Iterable[tuple[str, str]]) -> Iterator[Line]:
    """Yield what the catalogue says of software specifications.

    Args:
        models: type and software specification of each.
    """
    for kind, name in models:
        check = f"software specification {name}"
        found = list(specification.findings(LintTarget(kind, name)))
        for finding in found:
            # One of the user's own is not in the catalogue: the service knows.
            unknown = finding.code == "unknown-specification"
            verdict = Verdict.WARN if unknown else _VERDICTS[finding.level]
            yield Line(check, verdict, finding.found, "" if verdict is Verdict.PASS else finding.fix)
        if not found:
            yield passed(check, f"takes models of type {kind}")

"""PMML documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from pytest_wml.model.lint.findings import LintFinding, LintLevel, fails_to_load
from pytest_wml.model.lint.specification import LintTarget
from pytest_wml.model.lint.upload import Upload
from pytest_wml.model.recognition import RecognisedModel

_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})")
_RANGE = re.compile(r"pmml-(\d+\.\d+)_(\d+\.\d+)")


def findings(upload: Upload, target: LintTarget, found: RecognisedModel | None) -> Iterator[LintFinding]:
    """Yield what is to be said of the PMML document at the root of an upload."""
    if found is None:
        why = "The upload needs one PMML document, a .xml file whose first element is PMML."
        yield LintFinding(LintLevel.ERROR, "not-one-model", why, "", "store the document alone", fails_to_load(why))
        return
    problem = _damage(upload.files[found.where].path)
    if problem:
        why = f"{found.where} is truncated or not an XML document: {problem}."
        yield LintFinding(LintLevel.ERROR, "pmml-file", why, found.where, "export the model again", fails_to_load(why))
        return
    yield LintFinding(LintLevel.INFO, "pmml", f"It is PMML {found.detail or 'without a version'}.", found.where)
    yield from _version(found, target)


def _damage(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        with path.open("rb") as stream:
            expat.ParserCreate().ParseFile(stream)
    except (expat.ExpatError, ValueError, LookupError) as problem:
        return str(problem)
    return ""


def _version(found: RecognisedModel, target: LintTarget) -> Iterator[LintFinding]:
    versions, limits = _VERSION.match(found.detail), _RANGE.fullmatch(target.spec_name)
    if versions is None or limits is None:
        return
    first, last = (tuple(map(int, limit.split("."))) for limit in limits.groups())
    if not first <= tuple(map(int, versions.groups())) <= last:
        why = f"{target.spec_name} takes PMML {limits[1]} to {limits[2]}, and this is {found.detail}."
        fix = f"export it as PMML {limits[2]}"
        yield LintFinding(LintLevel.WARN, "version", f"{why} It may be refused when it is loaded.", found.where, fix)

"""Pickles and XGBoost's own files: what their bytes tell without running or loading them."""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_wml.model.kinds import PICKLES, XGBOOST_FILES
from pytest_wml.model.lint.findings import LintFinding, LintLevel, fails_to_load
from pytest_wml.model.lint.pickle_bytes import pickle_damage
from pytest_wml.model.lint.saved_model import version_findings
from pytest_wml.model.lint.specification import LintTarget
from pytest_wml.model.lint.upload import Upload

# Each object of scikit-learn's is pickled with the version as text behind this word, a few bytes of the pickle's
# own between them. A pickle that is compressed does not show it.
_VERSION = re.compile(rb"_sklearn_version[^\d]{1,12}?(\d+\.\d+(\.(\d|dev|post)\d*)*((rc|a|b)\d+)?)")
_AGAIN = "write it again with joblib.dump or pickle.dump; the file may have been cut short on its way"
_LONGEST_JSON = 256 << 20


def findings(upload: Upload, target: LintTarget) -> Iterator[LintFinding]:
    """Yield what is to be said of the pickle at the root of an upload."""
    names = upload.at_root(PICKLES)
    if len(names) != 1:
        yield _not_one("pickle", names)
        return
    found = (
        "A pickle is a program that runs when it is loaded, so it was not loaded here; the embedded service runs it "
        "only if it is allowed to: pytest --wml=embedded --wml-allow-pickle, pytest-wml serve --allow-pickle."
    )
    yield LintFinding(LintLevel.INFO, "pickle", found, names[0])
    damage = pickle_damage(upload.files[names[0]].path)
    if damage:
        refusal = fails_to_load(f"The pickle {names[0]} cannot be loaded.")
        yield LintFinding(
            LintLevel.ERROR, "pickle-file", f"{names[0]} is no whole pickle. {damage}", names[0], _AGAIN, refusal
        )
        return
    if target.framework != "scikit-learn":
        return
    version = _sklearn_version(upload.files[names[0]].path)
    if version:
        yield from version_findings(f"scikit-learn {version}", target, names[0])
    else:
        found = "Which scikit-learn wrote the pickle cannot be read without running it."
        yield LintFinding(LintLevel.INFO, "version-unknown", found, names[0])


def xgboost_findings(upload: Upload, target: LintTarget) -> Iterator[LintFinding]:
    """Yield what is to be said of an XGBoost model: a file of XGBoost's, else a pickle."""
    names = upload.at_root(XGBOOST_FILES)
    if not names or upload.at_root(PICKLES):
        yield from findings(upload, target)
        return
    if len(names) != 1:
        yield _not_one("model", names)
        return
    if not names[0].lower().endswith(".json"):
        found = "Only XGBoost itself reads this format: it was not looked into."
        yield LintFinding(LintLevel.INFO, "not-read", found, names[0])
        return
    document = _json(upload.files[names[0]].path)
    if document is None:
        found = f"{names[0]} is no XGBoost model: no JSON object with 'learner', or too large to be one."
        fix = "save it with booster.save_model('model.json')"
        refusal = fails_to_load(f"XGBoost cannot load {names[0]}.")
        yield LintFinding(LintLevel.ERROR, "xgboost-file", found, names[0], fix, refusal)
        return
    version = document.get("version")
    numbers = [str(number) for number in version] if isinstance(version, list) else []
    yield from version_findings(f"XGBoost {'.'.join(numbers)}" if numbers else "", target, names[0])


def _not_one(what: str, names: list[str]) -> LintFinding:
    why = f"The archive needs one {what} at its root; found {', '.join(names) or 'none'}."
    return LintFinding(
        LintLevel.ERROR, "not-one-model", why, "", "pack one model alone, at the root", fails_to_load(why)
    )


def _sklearn_version(path: Path | None) -> str:
    if path is None or not path.stat().st_size:
        return ""
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        match = _VERSION.search(content)
        return match[1].decode() if match else ""


def _json(path: Path | None) -> dict[str, Any] | None:
    if path is None or path.stat().st_size > _LONGEST_JSON:
        return None
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and "learner" in document else None

"""How an upload is packed: its form, its members, and whether the model lies where the service looks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_wml.model.archive import missing_graph
from pytest_wml.model.kinds import GRAPH, PMML_FILES, TEXT_GRAPH
from pytest_wml.model.lint.findings import Basis, LintFinding, LintLevel, fails_to_load
from pytest_wml.model.lint.upload import Upload
from pytest_wml.model.serving import unreadable
from pytest_wml.wml.hardware_specs import DEFAULT_HARDWARE_SPEC

_SHOWN = 5
_MAC = re.compile(r"(^|/)(\._[^/]*|\.DS_Store)$|^__MACOSX/")
_OWN = re.compile(r"(saved_model\.pb(txt)?|keras_metadata\.pb|fingerprint\.pb)|(variables|assets|assets\.extra)/.+")
_FORMS = {".zip": "zip", ".tar": "tar", ".gz": "gzip", ".tgz": "gzip"}
_NAMES = {"gzip": ".tar.gz", "tar": ".tar", "zip": ".zip"}
_ISSUE_45 = "cloud-annotations issue 45"


def findings(upload: Upload) -> Iterator[LintFinding]:
    """Yield what is to be said of how an upload is packed, whatever model is in it."""
    if upload.damage:
        yield _damaged(upload)
    yield from _form(upload)
    yield from _size(upload)
    mac = [name for name in upload.files if _MAC.search(name)]
    if mac:
        fix = "pack with COPYFILE_DISABLE=1 tar -czf …, or delete them: zip -d model.zip '__MACOSX/*' '*/._*'"
        yield LintFinding(LintLevel.WARN, "mac-files", f"macOS left {len(mac)} files of its own.", _listed(mac), fix)


def saved_model_findings(upload: Upload) -> Iterator[LintFinding]:
    """Yield what is to be said of where the files of a SavedModel lie."""
    foreign = [name for name in upload.files if not _OWN.fullmatch(name) and not _MAC.search(name)]
    models = [name for name in foreign if name.endswith((f"/{GRAPH}", f"/{TEXT_GRAPH}"))]
    if models:
        found = "There is another SavedModel below the one at the root, which is never looked at."
        yield LintFinding(LintLevel.WARN, "second-model", found, _listed(models), "pack one model alone")
    elif foreign:
        found = f"{len(foreign)} files belong to no SavedModel; they are uploaded and not read."
        yield LintFinding(LintLevel.INFO, "foreign-files", found, _listed(foreign))
    if GRAPH not in upload.files:
        found = f"The graph is in {TEXT_GRAPH}, as text, which is not read here: only its place was checked."
        yield LintFinding(
            LintLevel.INFO, "text-graph", found, TEXT_GRAPH, f"save it as {GRAPH} to have all of it checked"
        )
    if upload.form == "zip":
        found = "It is a zip. IBM's documentation names zip for Keras files; a SavedModel was only seen as .tar.gz."
        yield LintFinding(LintLevel.INFO, "zip", found, upload.path.name, "pack it as .tar.gz")


def no_model(upload: Upload, words: str) -> LintFinding:
    """The finding that there is no SavedModel where the service looks for one.

    Args:
        upload: where it was looked for.
        words: of the service.
    """
    error = missing_graph(upload.path, tuple(sorted(upload.files)))
    nested = any(name.endswith("/" + GRAPH) for name in upload.files)
    problem = "The SavedModel lies in a folder of the archive, not at its root." if nested else error.problem
    return LintFinding(
        LintLevel.ERROR,
        "nested-model" if nested else "no-model",
        problem,
        error.facts["found"],
        error.fix,
        fails_to_load(words, Basis.RECORDED, _ISSUE_45),
    )


def _damaged(upload: Upload) -> LintFinding:
    assert upload.damage is not None
    facts = "; ".join(f"{name}: {fact}" for name, fact in upload.damage.facts.items())
    return LintFinding(
        LintLevel.ERROR,
        "archive",
        f"{upload.damage.problem} {facts}".strip(),
        upload.damage.facts.get("member", ""),
        upload.damage.fix or "pack the exported folder alone, files only: tar -C folder -czf model.tar.gz .",
        fails_to_load(str(unreadable(upload.damage))),
    )


def _form(upload: Upload) -> Iterator[LintFinding]:
    name = upload.path.name
    if upload.form == "file":
        if name.lower().endswith(PMML_FILES):
            return  # stored as it is
        found = "It is one file; the service takes an archive with it at the root, which wml_model makes of it."
        yield LintFinding(LintLevel.INFO, "packed-alone", found, name)
        return
    said = _FORMS.get(upload.path.suffix.lower())
    if said and upload.form in _NAMES and said != upload.form:
        found = f"The file is named as {said} and is {upload.form} inside; who goes by the name cannot read it."
        yield LintFinding(LintLevel.WARN, "name", found, name, f"name it {_NAMES[upload.form]}")
    if upload.form == "tar":
        found = "It is a tar that is not compressed, which the service was not seen to take."
        yield LintFinding(LintLevel.WARN, "tar", found, name, "pack it as .tar.gz")


def _size(upload: Upload) -> Iterator[LintFinding]:
    found = (
        f"{upload.size:,} bytes, {upload.unpacked:,} unpacked, in {len(upload.files):,} files. "
        "No limit of the service's is known: IBM documents none, and its clients upload in one request."
    )
    yield LintFinding(LintLevel.INFO, "size", found)
    memory = DEFAULT_HARDWARE_SPEC.memory_gb << 30
    if upload.unpacked >= memory:
        found = (
            f"Unpacked it is larger than the {DEFAULT_HARDWARE_SPEC.memory_gb} GB of memory that the hardware "
            f"specification {DEFAULT_HARDWARE_SPEC.name} has (from documentation: compute requirements)."
        )
        yield LintFinding(LintLevel.WARN, "memory", found, "", "deploy with a larger hardware specification: M, L")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(sorted(names)[:_SHOWN]) + more

"""The file of a cassette: vcrpy's format as JSON text, which is YAML too.

Format: https://vcrpy.readthedocs.io, format version 1; our own facts stand under `metadata`, and under
`pytest-wml` in each interaction. Stock vcrpy plays the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_wml import near
from pytest_wml.cassette.entries import checksum, entry_checksum, entry_of, interaction_of
from pytest_wml.cassette.normalise import Interaction
from pytest_wml.cassette.tape import Content
from pytest_wml.errors import WMLTestError

FORMAT = 1
_RERECORD = "record it again: pytest --wml=embedded --wml-record (or --wml-live --wml-record)"
# YAML reads these as line breaks, or not at all, where JSON allows them bare.
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


class BadCassette(WMLTestError):
    """A cassette file cannot be used as it is."""


@dataclass(frozen=True)
class Cassette:
    """The recording of one deployment, or of one test's or fixture's own requests.

    Args:
        name: the file's name without `.yaml`.
        metadata: JSON values: recorded_from, recorded_at, model (digests, signature) and more.
        interactions: in the order of the file.
    """

    name: str
    metadata: dict[str, Any] = field(default_factory=dict)
    interactions: tuple[Interaction, ...] = ()

    @property
    def model(self) -> Content | None:
        """The model that was recorded; None where the recording names none."""
        facts = self.metadata.get("model")
        if not isinstance(facts, dict):
            return None
        return Content(
            archive=str(facts.get("archive")),
            model=str(facts.get("digest")),
            basis=str(facts.get("basis")),
            size=0,
            signature=str(facts.get("signature", "")),
        )


def dump(cassette: Cassette) -> str:
    """The text of the file; equal for equal cassettes."""
    entries = [entry_of(interaction) for interaction in cassette.interactions]
    facts = {
        "format": FORMAT,
        "name": cassette.name,
        **cassette.metadata,
        "interactions": len(entries),
        "checksum": checksum(entries),
    }
    document = {"version": 1, "metadata": {"pytest-wml": facts}, "interactions": entries}
    text = json.dumps(document, indent=1, ensure_ascii=False)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def write(path: Path, text: str) -> None:
    """Write a file in one step: whoever is killed on the way leaves the old one whole."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file in one step, as `write` does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def fingerprint(path: Path) -> str:
    """A hash of the file as it is."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load(path: Path) -> Cassette:
    """The cassette of a file.

    Raises:
        BadCassette: it is empty, cut off, changed by hand, no cassette of ours, or of a newer format.
    """
    document = _document(path)
    facts = _facts(path, document)
    entries = document["interactions"]
    for number, entry in enumerate(entries):
        _check(path, number, entry)
    if facts.get("interactions") != len(entries) or facts.get("checksum") != checksum(entries):
        raise BadCassette(
            f"Cassette {path.stem} is not whole: interactions are missing, added or in another order.",
            file=path,
            found=f"{len(entries)} interactions, its metadata says {facts.get('interactions')}",
            fix=_RERECORD,
        )
    known = {"format", "name", "interactions", "checksum"}
    metadata = {name: fact for name, fact in facts.items() if name not in known}
    try:
        return Cassette(path.stem, metadata, tuple(interaction_of(entry) for entry in entries))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadCassette(
            f"Cassette {path.stem} holds an interaction that is none.", file=path, reason=repr(error), fix=_RERECORD
        ) from None


def _check(path: Path, number: int, entry: dict[str, Any]) -> None:
    try:
        whole = entry["pytest-wml"]["checksum"] == entry_checksum(entry)
    except (KeyError, TypeError, AttributeError, IndexError):
        whole = False
    if not whole:
        asked = entry.get("request") if isinstance(entry.get("request"), dict) else {}
        raise BadCassette(
            f"Interaction {number} of cassette {path.stem} was changed by hand.",
            file=path,
            request=f"{asked.get('method')} {asked.get('uri')}" if asked else "none",
            fix=_RERECORD,
        )


def _document(path: Path) -> dict[str, Any]:
    document = _json(path)
    if not isinstance(document, dict) or not isinstance(document.get("interactions"), list):
        raise BadCassette(f"File {path.name} is no cassette: it has no interactions.", file=path, fix=_RERECORD)
    if not all(isinstance(entry, dict) for entry in document["interactions"]):
        raise BadCassette(f"Cassette {path.stem} has interactions that are none.", file=path, fix=_RERECORD)
    return document


def _json(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        if not text.strip():
            raise BadCassette(f"Cassette {path.stem} is empty.", file=path, fix=_RERECORD)
        return json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadCassette(
            f"Cassette {path.stem} cannot be read.", file=path, reason=reason, there_is=near.files(path)
        ) from None
    except RecursionError:
        raise BadCassette(f"Cassette {path.stem} is nested too deeply.", file=path, fix=_RERECORD) from None
    except json.JSONDecodeError as error:
        if re.match(r"(---\s*)?(version:|interactions:)", text):
            raise _stock(path) from None
        place, reason = f"{path}:{error.lineno}", error.msg
        raise BadCassette(
            f"Cassette {path.stem} is cut off or damaged.", file=place, reason=reason, fix=_RERECORD
        ) from None
    except ValueError as error:  # a number of more digits than Python reads
        reason = str(error).partition(";")[0]
        raise BadCassette(f"Cassette {path.stem} cannot be read.", file=path, reason=reason, fix=_RERECORD) from None


def _facts(path: Path, document: dict[str, Any]) -> dict[str, Any]:
    metadata = document.get("metadata")
    facts = metadata.get("pytest-wml") if isinstance(metadata, dict) else None
    if not isinstance(facts, dict):
        raise _stock(path)
    if facts.get("format") != FORMAT:
        raise BadCassette(
            f"Cassette {path.stem} has format {facts.get('format')}; this pytest-wml reads format {FORMAT}.",
            file=path,
            fix="install the pytest-wml that wrote it (pip install -U pytest-wml), or " + _RERECORD,
        )
    return facts


def _stock(path: Path) -> BadCassette:
    return BadCassette(
        f"File {path.name} was recorded by vcrpy or another tool: it is bound to no model.",
        file=path,
        known="without the model's digest nobody can tell whether its answers are still the model's",
        fix=f"move it out of the folder and {_RERECORD}",
    )

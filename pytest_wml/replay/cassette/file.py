"""The file of a cassette: vcrpy's format as JSON text, which is YAML too.

Format: https://vcrpy.readthedocs.io, format version 1; our own facts stand under `metadata`, and under
`pytest-wml` in each interaction. Stock vcrpy plays the file. docs/background/recordings.md describes both.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from pytest_wml.config import similar_names
from pytest_wml.replay.cassette.cassette import BadCassette, Cassette
from pytest_wml.replay.cassette.entries import checksum, entry_checksum, entry_of, interaction_of
from pytest_wml.replay.cassette.layout import conflicts, text_of
from pytest_wml.replay.cassette.normalise import Interaction
from pytest_wml.replay.cassette.order import OrderPlace, OutOfOrder, arranged, places

__all__ = ["FORMAT", "BadCassette", "Cassette", "dump", "fingerprint", "load", "write", "write_bytes"]

FORMAT = 2
"""The format that is written; 1 is read as well. It had a checksum and a count of all interactions, which two branches
that each added one changed both."""
_OF_THE_FILE = ("format", "name", "interactions", "checksum", "api_version")
"""Facts that are not part of a cassette's metadata; the last three only format 1 has."""
_TAG_LENGTH = 16
_MERGE = "if a merge in git is unresolved: pytest-wml cassette merge {}\nelse "
_RERECORD = "record it again: pytest --wml=embedded --wml-record (or --wml-live --wml-record)"


def dump(cassette: Cassette) -> str:
    """The text of the file; equal for equal cassettes."""
    facts = {"format": FORMAT, "name": cassette.name, **cassette.metadata}
    entries = [
        entry_of(one, {**_place_facts(place), **_own_facts(one, cassette)})
        for one, place in zip(cassette.interactions, places(cassette.interactions), strict=True)
    ]
    return text_of({"version": 1, "metadata": {"pytest-wml": facts}}, entries, cassette.interactions)


def _place_facts(place: OrderPlace) -> dict[str, str]:
    turn = {"turn": f"{place.turn}/{place.turns}"} if place.turns > 1 else {}
    return {"after": place.after, **turn} if place.after else turn


def _own_facts(one: Interaction, cassette: Cassette) -> dict[str, str]:
    """What an interaction says of itself: of which model its answer is, and what differs from the file's facts."""
    model = {"model": _tag(cassette)} if one.scores and _tag(cassette) else {}
    own, common = (origin._asdict() for origin in (cassette.origin(one), cassette.origin_of_all))
    return model | {name: fact for name, fact in own.items() if fact != common[name]}


def _tag(cassette: Cassette) -> str:
    """Enough of the model's digest to see that a scoring belongs to another model; empty for no model."""
    return cassette.model.model[:_TAG_LENGTH] if cassette.model else ""


def write(path: Path, text: str) -> None:
    """Write a file atomically: a process that is killed meanwhile leaves the old one whole."""
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


def load(path: Path, name: str = "") -> Cassette:
    """The cassette of a file.

    Args:
        path: the file.
        name: of the cassette; by default the file's without `.yaml`.

    Raises:
        BadCassette: it is empty, cut off, changed by hand, not a cassette of ours, or of a newer format.
    """
    name = name or path.stem
    document = _document(path, name)
    facts = _facts(path, name, document)
    entries = document["interactions"]
    for number, entry in enumerate(entries):
        _check(path, name, number, entry)
    if facts["format"] == 1:
        _check_together(path, name, facts, entries)
    metadata = {fact: value for fact, value in facts.items() if fact not in _OF_THE_FILE}
    try:
        interactions = tuple(interaction_of(entry) for entry in entries)
        placed = [_place(entry["pytest-wml"]) for entry in entries]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadCassette(
            f"Cassette {name} contains an invalid interaction.", file=path, reason=repr(error), fix=_RERECORD
        ) from None
    cassette = Cassette(name, metadata, interactions)
    if facts["format"] == 1:
        return cassette
    _check_model(path, cassette, entries)
    try:
        return Cassette(name, metadata, arranged(zip(interactions, placed, strict=True)))
    except OutOfOrder as error:
        raise BadCassette(
            f"Cassette {name} is not whole: interactions are missing or contradict each other.",
            file=path,
            found=error,
            fix=_MERGE.format(path) + _RERECORD,
        ) from None


def _place(ours: dict[str, Any]) -> OrderPlace:
    turn, _, turns = str(ours.get("turn", "1/1")).partition("/")
    return OrderPlace(str(ours.get("after", "")), int(turn), int(turns))


def _check_together(path: Path, name: str, facts: dict[str, Any], entries: list[dict[str, Any]]) -> None:
    """Check what format 1 says of all interactions."""
    if facts.get("interactions") != len(entries) or facts.get("checksum") != checksum(entries):
        raise BadCassette(
            f"Cassette {name} is not whole: interactions are missing, added or in another order.",
            file=path,
            found=f"{len(entries)} interactions, its metadata says {facts.get('interactions')}",
            fix=_MERGE.format(path) + _RERECORD,
        )


def _check_model(path: Path, cassette: Cassette, entries: list[dict[str, Any]]) -> None:
    """Check that all scorings are of the cassette's model: git may have merged those of two."""
    model = _tag(cassette)
    for number, entry in enumerate(entries):
        own = entry["pytest-wml"].get("model", model)
        if own != model:
            raise BadCassette(
                f"Cassette {cassette.name} mixes the answers of two models.",
                file=path,
                model=f"{model or 'none'} of the recording, {own} of interaction {number}",
                fix="take the recording of one side (git checkout --ours, or --theirs) and " + _RERECORD,
            )


def _check(path: Path, name: str, number: int, entry: dict[str, Any]) -> None:
    try:
        whole = entry["pytest-wml"]["checksum"] == entry_checksum(entry)
    except (KeyError, TypeError, AttributeError, IndexError):
        whole = False
    if not whole:
        asked = entry.get("request") if isinstance(entry.get("request"), dict) else {}
        raise BadCassette(
            f"Interaction {number} of cassette {name} was changed by hand.",
            file=path,
            request=f"{asked.get('method')} {asked.get('uri')}" if asked else "none",
            fix=_RERECORD,
        )


def _document(path: Path, name: str) -> dict[str, Any]:
    document = _json(path, name)
    if not isinstance(document, dict) or not isinstance(document.get("interactions"), list):
        raise BadCassette(f"File {path.name} is no cassette: it has no interactions.", file=path, fix=_RERECORD)
    if not all(isinstance(entry, dict) for entry in document["interactions"]):
        raise BadCassette(f"Cassette {name} has interactions that are none.", file=path, fix=_RERECORD)
    return document


def _json(path: Path, name: str) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        if not text.strip():
            raise BadCassette(f"Cassette {name} is empty.", file=path, fix=_RERECORD)
        return json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadCassette(
            f"Cassette {name} cannot be read.", file=path, reason=reason, there_is=similar_names.files(path)
        ) from None
    except RecursionError:
        raise BadCassette(f"Cassette {name} is nested too deeply.", file=path, fix=_RERECORD) from None
    except json.JSONDecodeError as error:
        if re.match(r"(---\s*)?(version:|interactions:)", text):
            raise _stock(path) from None
        unresolved = conflicts(text)
        if unresolved:
            raise _unresolved(path, name, unresolved) from None
        place, reason = f"{path}:{error.lineno}", error.msg
        raise BadCassette(f"Cassette {name} is cut off or damaged.", file=place, reason=reason, fix=_RERECORD) from None
    except ValueError as error:  # a number of more digits than Python reads
        reason = str(error).partition(";")[0]
        raise BadCassette(f"Cassette {name} cannot be read.", file=path, reason=reason, fix=_RERECORD) from None


def _facts(path: Path, name: str, document: dict[str, Any]) -> dict[str, Any]:
    metadata = document.get("metadata")
    facts = metadata.get("pytest-wml") if isinstance(metadata, dict) else None
    if not isinstance(facts, dict):
        raise _stock(path)
    if facts.get("format") not in (1, FORMAT):
        raise BadCassette(
            f"Cassette {name} has format {facts.get('format')}; this pytest-wml reads format {FORMAT} and 1.",
            file=path,
            fix="install the pytest-wml that wrote it (pip install -U pytest-wml), or " + _RERECORD,
        )
    return facts


def _unresolved(path: Path, name: str, lines: list[int]) -> BadCassette:
    places = f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}"
    return BadCassette(
        f"Cassette {name} has unresolved merge conflicts at {places}.",
        file=f"{path}:{lines[0]}",
        fix=f"merge the interactions of both branches: pytest-wml cassette merge {path}\n"
        "or by hand: keep those of both sides and delete git's marker lines; or " + _RERECORD,
    )


def _stock(path: Path) -> BadCassette:
    return BadCassette(
        f"File {path.name} was recorded by vcrpy or another tool: it is bound to no model.",
        file=path,
        known="without the model's digest nobody can tell whether its answers are still the model's",
        fix=f"move it out of the folder and {_RERECORD}",
    )

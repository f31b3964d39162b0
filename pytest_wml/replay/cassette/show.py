"""Cassettes as text for people: lists, whole files, differences."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any

from pytest_wml.replay.cassette.file import Cassette
from pytest_wml.replay.cassette.identity import parsed
from pytest_wml.replay.cassette.normalise import Interaction
from pytest_wml.replay.cassette.tape import ArchiveContent, Body

_ROW = 96


def facts(cassette: Cassette) -> dict[str, Any]:
    """What a list says of a cassette."""
    model = cassette.model
    return {
        "name": cassette.name,
        "recorded_at": cassette.newest or None,
        "oldest": cassette.oldest or None,
        "recorded_from": cassette.recorded_from or None,
        "client": ", ".join(sorted(cassette.clients)) or None,
        "model": model.model if model else None,
        "signature": model.signature if model else None,
        "interactions": len(cassette.interactions),
        "scorings": sum(interaction.scores for interaction in cassette.interactions),
    }


def row(cassette: Cassette) -> str:
    """One line of a list."""
    known = facts(cassette)
    model = (known["model"] or "no model")[:16]
    return (
        f"{known['name']:<32} {known['recorded_at']}  {known['recorded_from']:<8}  model {model:<16}  "
        f"{known['interactions']} interactions, {known['scorings']} scorings"
    )


def lines(cassette: Cassette, *, full: bool) -> Iterator[str]:
    """A cassette, line by line; with `full` the bodies are laid out, as a comparison needs them."""
    for name, fact in facts(cassette).items():
        yield f"{name}: {fact}"
    for number, interaction in enumerate(cassette.interactions):
        yield ""
        yield f"{number}: {interaction.request}"
        yield f"   {interaction.role.value} → {interaction.status}"
        yield from _body("asked", interaction.body, full)
        yield from _body("answered", interaction.answer, full)


def _body(label: str, body: Body, full: bool) -> Iterator[str]:
    if isinstance(body, ArchiveContent):
        yield f"   {label} an archive of {body.size:,} bytes: archive {body.archive}, model {body.model}"
        return
    if not body:
        return
    value = parsed(body)
    if value is None:
        yield f"   {label} {len(body):,} bytes that are no JSON"
    elif full:
        yield f"   {label}"
        yield from (f"      {line}" for line in _laid_out(value))
    else:
        text = json.dumps(value, ensure_ascii=False)
        yield f"   {label} {text if len(text) <= _ROW else text[:_ROW] + f'… ({len(text):,} characters)'}"


def _laid_out(value: Any) -> Iterator[str]:
    """JSON with a line for each member, and one for each row of numbers."""

    def compact(node: Any) -> bool:
        return not isinstance(node, (dict, list)) or (
            isinstance(node, list) and not any(isinstance(member, (dict, list)) for member in node)
        )

    def walk(node: Any, lead: str, indent: str) -> Iterator[str]:
        if compact(node):
            yield f"{indent}{lead}{json.dumps(node, ensure_ascii=False)}"
            return
        yield f"{indent}{lead}{'{' if isinstance(node, dict) else '['}"
        members = node.items() if isinstance(node, dict) else ((None, member) for member in node)
        for name, member in members:
            yield from walk(member, "" if name is None else f"{json.dumps(name)}: ", indent + "  ")
        yield f"{indent}{'}' if isinstance(node, dict) else ']'}"

    yield from walk(value, "", "")


def differences(old: Cassette, new: Cassette) -> Iterator[dict[str, str]]:
    """Yield what changed between two recordings: facts, requests that came or went, answers that differ."""
    before, after = facts(old), facts(new)
    for name in before:
        if before[name] != after[name] and name not in ("name", "interactions", "scorings"):
            yield {"what": "fact", "name": name, "old": str(before[name]), "new": str(after[name])}
    olds, news = _by_identity(old), _by_identity(new)
    for identity in olds.keys() - news.keys():
        yield {"what": "gone", "request": str(olds[identity][0].request)}
    for identity in news.keys() - olds.keys():
        yield {"what": "added", "request": str(news[identity][0].request)}
    for identity in sorted(olds.keys() & news.keys()):
        ours, theirs = _answers(olds[identity]), _answers(news[identity])
        if ours != theirs:
            parted = difflib.unified_diff(ours, theirs, "old", "new", n=1, lineterm="")
            yield {"what": "changed", "request": str(olds[identity][0].request), "diff": "\n".join(parted)}


def _by_identity(cassette: Cassette) -> dict[str, list[Interaction]]:
    grouped: dict[str, list[Interaction]] = {}
    for interaction in cassette.interactions:
        grouped.setdefault(interaction.identity, []).append(interaction)
    return grouped


def _answers(interactions: list[Interaction]) -> list[str]:
    return [
        line
        for interaction in interactions
        for line in (f"status {interaction.status}", *_body("answered", interaction.answer, full=True))
    ]

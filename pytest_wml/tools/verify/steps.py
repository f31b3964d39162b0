"""Converts a recording to the requests to send, and counts them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl, urlsplit

from pytest_wml.redaction.text import SHORTEST
from pytest_wml.replay.cassette.file import Cassette
from pytest_wml.replay.cassette.identity import parsed
from pytest_wml.replay.cassette.normalise import UUID, Interaction
from pytest_wml.replay.cassette.places import containers
from pytest_wml.replay.cassette.tape import ArchiveContent, Body
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID, stands_for


class RecordedStep(NamedTuple):
    """One request with all its answers before the next change of the service.

    Args:
        number: position of its first answer in the recording.
        answers: at least one answer, in order; several for polls and for models whose answers vary.
    """

    number: int
    answers: tuple[Interaction, ...]

    @property
    def asked(self) -> Interaction:
        """The request, with its last answer."""
        return self.answers[-1]


class Cost(NamedTuple):
    """Minimum number of requests for a recording, and of those that cost money."""

    requests: int
    deployments: int
    jobs: int
    scorings: int

    def __str__(self) -> str:
        counts = [(self.requests, "request"), (self.deployments, "deployment"), (self.scorings, "scoring")]
        counts += [(self.jobs, "job")] * bool(self.jobs)
        return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts)


def steps(cassette: Cassette) -> list[RecordedStep]:
    """The requests of a recording in an order in which they can be sent; equal reads between two changes are merged.

    Changes keep their order. Reads between two changes, which are sorted in a recording, are moved after the requests
    whose answers they need, such as the look-up of an id or the link to a page.
    """
    result: list[RecordedStep] = []
    known: set[str] = {DEFAULT_SPACE_ID}
    between: dict[str, RecordedStep] = {}
    for number, interaction in enumerate(cassette.interactions):
        if interaction.mutates:
            result += _ordered(list(between.values()), known)
            between = {}
            result.append(RecordedStep(number, (interaction,)))
            known |= _provided(result[-1])
            continue
        before = between.get(interaction.identity, RecordedStep(number, ()))
        between[interaction.identity] = RecordedStep(before.number, (*before.answers, interaction))
    return result + _ordered(list(between.values()), known)


def _ordered(reads: list[RecordedStep], known: set[str]) -> list[RecordedStep]:
    """Order reads after those whose answers they need, and add the ids of all answers to `known`."""
    provided = {step.number: _provided(step) for step in reads}
    needed = {step.number: _needed(step) - known for step in reads}
    providers: dict[str, RecordedStep] = {}
    for step in reads:
        for token in provided[step.number] - needed[step.number]:
            providers.setdefault(token, step)
    placed: dict[int, RecordedStep] = {}
    seen: set[int] = set()

    def place(step: RecordedStep) -> None:
        if step.number in seen:
            return
        seen.add(step.number)
        for token in sorted(needed[step.number] & providers.keys()):
            place(providers[token])
        placed[step.number] = step

    for step in reads:
        place(step)
    known.update(*provided.values())
    return list(placed.values())


def _needed(step: RecordedStep) -> set[str]:
    """The ids in a request, and the start of its page."""
    start = dict(parse_qsl(step.asked.query)).get("start")
    return {*UUID.findall(f"{step.asked.path} {step.asked.query}"), *([f"start={start}"] if start else ())}


def _provided(step: RecordedStep) -> set[str]:
    """The ids in the answers, and the start of the next page."""
    provided: set[str] = set()
    for each in step.answers if not step.asked.scores else ():
        if isinstance(each.answer, ArchiveContent):
            continue
        provided.update(UUID.findall(each.answer.decode("utf-8", "replace")))
        start = next_start(parsed(each.answer))
        provided.update([f"start={start}"] if start else ())
    return provided


def next_start(answer: Any) -> str:
    """The start of a list's next page; empty if there is none."""
    following = answer.get("next") if isinstance(answer, dict) else None
    href = following.get("href") if isinstance(following, dict) else None
    return parse_qs(urlsplit(href).query).get("start", [""])[0] if isinstance(href, str) else ""


def own_spaces(cassette: Cassette) -> list[str]:
    """The recorded ids of the recording user's spaces, in their order."""
    named = {one for each in cassette.interactions for one in containers(each.path, each.query, each.body)}
    return sorted({one.id for one in named if one.kind == "space" and stands_for("space", one.id)})


def cost(asked: list[RecordedStep]) -> Cost:
    """Count the requests."""
    posts = [step.asked.path.rstrip("/") for step in asked if step.asked.method == "POST"]
    return Cost(
        requests=len(asked),
        deployments=posts.count("/ml/v4/deployments"),
        jobs=posts.count("/ml/v4/deployment_jobs"),
        scorings=sum(step.asked.scores for step in asked),
    )


def uploads(asked: list[RecordedStep]) -> Iterator[ArchiveContent]:
    """Yield the uploaded archives."""
    for step in asked:
        if isinstance(step.asked.body, ArchiveContent):
            yield step.asked.body


def is_masked(body: Body) -> bool:
    """Whether a secret in the request was masked in the recording."""
    return not isinstance(body, ArchiveContent) and b"*" * SHORTEST in body

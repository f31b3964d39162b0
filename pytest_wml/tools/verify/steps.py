"""A recording as the requests that are sent for it, and how many of what."""

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


class Step(NamedTuple):
    """One request with all answers that it got before the service was changed the next time.

    Args:
        number: the place of its first answer in the recording.
        answers: at least one, in their order: those of polls, or of a model that answers now so, now so.
    """

    number: int
    answers: tuple[Interaction, ...]

    @property
    def asked(self) -> Interaction:
        """The request, with its last answer."""
        return self.answers[-1]


class Cost(NamedTuple):
    """How many requests a recording takes at least, and of those that are paid for."""

    requests: int
    deployments: int
    jobs: int
    scorings: int

    def __str__(self) -> str:
        counts = [(self.requests, "request"), (self.deployments, "deployment"), (self.scorings, "scoring")]
        counts += [(self.jobs, "job")] * bool(self.jobs)
        return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts)


def steps(cassette: Cassette) -> list[Step]:
    """The requests in an order in which they can be asked again; the same one asked twice between two changes is one.

    Changes stand in their order; what was read between two of them is sorted in a recording, and comes here behind
    what it needs to know: an id that is looked up, the link to a page.
    """
    made: list[Step] = []
    known: set[str] = {DEFAULT_SPACE_ID}
    between: dict[str, Step] = {}
    for number, interaction in enumerate(cassette.interactions):
        if interaction.mutates:
            made += _ordered(list(between.values()), known)
            between = {}
            made.append(Step(number, (interaction,)))
            known |= _told(made[-1])
            continue
        before = between.get(interaction.identity, Step(number, ()))
        between[interaction.identity] = Step(before.number, (*before.answers, interaction))
    return made + _ordered(list(between.values()), known)


def _ordered(reads: list[Step], known: set[str]) -> list[Step]:
    """Reads behind those that tell what they need; what they all tell is known from now on."""
    told = {step.number: _told(step) for step in reads}
    needed = {step.number: _needed(step) - known for step in reads}
    tellers: dict[str, Step] = {}
    for step in reads:
        for token in told[step.number] - needed[step.number]:
            tellers.setdefault(token, step)
    placed: dict[int, Step] = {}
    seen: set[int] = set()

    def place(step: Step) -> None:
        if step.number in seen:
            return
        seen.add(step.number)
        for token in sorted(needed[step.number] & tellers.keys()):
            place(tellers[token])
        placed[step.number] = step

    for step in reads:
        place(step)
    known.update(*told.values())
    return list(placed.values())


def _needed(step: Step) -> set[str]:
    """The ids that a request names, and where its page begins."""
    start = dict(parse_qsl(step.asked.query)).get("start")
    return {*UUID.findall(f"{step.asked.path} {step.asked.query}"), *([f"start={start}"] if start else ())}


def _told(step: Step) -> set[str]:
    """The ids that its answers tell, and where the next page begins."""
    told: set[str] = set()
    for each in step.answers if not step.asked.scores else ():
        if isinstance(each.answer, ArchiveContent):
            continue
        told.update(UUID.findall(each.answer.decode("utf-8", "replace")))
        start = next_start(parsed(each.answer))
        told.update([f"start={start}"] if start else ())
    return told


def next_start(answer: Any) -> str:
    """Where a list says that its next page begins; empty where it has none."""
    following = answer.get("next") if isinstance(answer, dict) else None
    href = following.get("href") if isinstance(following, dict) else None
    return parse_qs(urlsplit(href).query).get("start", [""])[0] if isinstance(href, str) else ""


def own_spaces(cassette: Cassette) -> list[str]:
    """The recorded ids of the recording user's spaces, in their order."""
    named = {one for each in cassette.interactions for one in containers(each.path, each.query, each.body)}
    return sorted({one.id for one in named if one.kind == "space" and stands_for("space", one.id)})


def cost(asked: list[Step]) -> Cost:
    """What is asked for."""
    posts = [step.asked.path.rstrip("/") for step in asked if step.asked.method == "POST"]
    return Cost(
        requests=len(asked),
        deployments=posts.count("/ml/v4/deployments"),
        jobs=posts.count("/ml/v4/deployment_jobs"),
        scorings=sum(step.asked.scores for step in asked),
    )


def uploads(asked: list[Step]) -> Iterator[ArchiveContent]:
    """Yield the archives that are sent."""
    for step in asked:
        if isinstance(step.asked.body, ArchiveContent):
            yield step.asked.body


def is_masked(body: Body) -> bool:
    """Whether a request was recorded without a secret that it held."""
    return not isinstance(body, ArchiveContent) and b"*" * SHORTEST in body

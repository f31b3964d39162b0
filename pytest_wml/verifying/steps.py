"""A recording as the requests that are sent for it, and how many of what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pytest_wml.cassette.file import Cassette
from pytest_wml.cassette.identity import parsed
from pytest_wml.cassette.normalise import Interaction
from pytest_wml.cassette.scrub import MASK
from pytest_wml.cassette.tape import Body, Content


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
    """The requests in the order of the recording; the same one asked again between two changes is one."""
    made: list[Step] = []
    since: dict[str, int] = {}
    for number, interaction in enumerate(cassette.interactions):
        place = since.get(interaction.identity)
        if interaction.mutates:
            since.clear()
        if place is None or interaction.mutates:
            made.append(Step(number, (interaction,)))
            if not interaction.mutates:
                since[interaction.identity] = len(made) - 1
        else:
            made[place] = Step(made[place].number, (*made[place].answers, interaction))
    return made


def cost(asked: list[Step]) -> Cost:
    """What is asked for."""
    posts = [step.asked.path.rstrip("/") for step in asked if step.asked.method == "POST"]
    return Cost(
        requests=len(asked),
        deployments=posts.count("/ml/v4/deployments"),
        jobs=posts.count("/ml/v4/deployment_jobs"),
        scorings=sum(step.asked.scores for step in asked),
    )


def uploads(asked: list[Step]) -> Iterator[Content]:
    """Yield the archives that are sent."""
    for step in asked:
        if isinstance(step.asked.body, Content):
            yield step.asked.body


def is_masked(body: Body) -> bool:
    """Whether a request was recorded without a secret that it held."""
    return not isinstance(body, Content) and MASK.encode() in body and _holds_mask(parsed(body))


def _holds_mask(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_mask, value.values()))
    if isinstance(value, list):
        return any(map(_holds_mask, value))
    return isinstance(value, str) and value == MASK

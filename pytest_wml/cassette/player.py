"""Which recorded answer comes next."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from pytest_wml.cassette.file import Cassette
from pytest_wml.cassette.identity import Request
from pytest_wml.cassette.normalise import Interaction
from pytest_wml.tally import Played


@dataclass(frozen=True)
class _Answer:
    """An interaction and its epoch: how many changes to the service's state stand before it in the file."""

    epoch: int
    interaction: Interaction


class Player:
    """The answers of one cassette, looked up by hash.

    Several answers to one request are played in order and the last one again and again, so that extra
    polls are free and fewer are fine. An answer that was recorded after a change (a deployment deleted, a
    model renamed) comes only once that change was asked for: asking once more shifts nothing.

    Args:
        cassette: the recording.
    """

    def __init__(self, cassette: Cassette) -> None:
        self.cassette = cassette
        self._lock = threading.Lock()
        self._answers: dict[str, list[_Answer]] = {}
        self._next: dict[str, int] = {}
        self._epoch = 0
        self._played: set[str] = set()
        self._same_bytes: dict[Request, str] = {}
        self._renamed: dict[str, str] | None = None
        epoch = 0
        for interaction in cassette.interactions:
            self._answers.setdefault(interaction.identity, []).append(_Answer(epoch, interaction))
            # Bodies of numbers are costly to bring into canonical form, and mostly sent as they were recorded.
            self._same_bytes[interaction.request] = interaction.identity
            epoch += interaction.mutates

    def holds(self, request: Request) -> bool:
        """Whether any answer to this request was recorded."""
        return self._identity(request) in self._answers

    def play(self, request: Request) -> Interaction | None:
        """The next answer to a request; None when none was recorded."""
        identity = self._identity(request)
        with self._lock:
            answers = self._answers.get(identity)
            if not answers:
                return None
            place = self._place(identity, answers)
            self._next[identity] = place + 1
            answer = answers[place]
            self._played.add(identity)
            if answer.interaction.mutates:
                self._epoch = max(self._epoch, answer.epoch + 1)
            return answer.interaction

    def _identity(self, request: Request) -> str:
        """The recorded identity of a request: an older version may have computed it from what is masked today."""
        identity = self._same_bytes.get(request) or request.identity
        if identity in self._answers or request.path.endswith("/predictions"):
            return identity
        if self._renamed is None:
            others = (one for one in self.cassette.interactions if not one.scores)
            self._renamed = {one.request.identity: one.identity for one in others}
        return self._renamed.get(identity, identity)

    def _place(self, identity: str, answers: list[_Answer]) -> int:
        place = min(self._next.get(identity, 0), len(answers) - 1)
        if answers[0].interaction.mutates:
            return place
        # Not yet what a later change brought about, and no longer what an earlier one has undone.
        epochs = [answer.epoch for answer in answers]
        now = max((epoch for epoch in epochs if epoch <= self._epoch), default=epochs[0])
        first = epochs.index(now)
        last = len(epochs) - 1 - epochs[::-1].index(now)
        return min(max(place, first), last)

    def tally(self) -> Played:
        """What was played of it."""
        facts, model = self.cassette.metadata, self.cassette.model
        return Played(
            recorded_at=str(facts.get("oldest", facts.get("recorded_at", ""))),
            recorded_from=str(facts.get("recorded_from", "")),
            model=model.model if model else "",
            played=set(self._played),
        )

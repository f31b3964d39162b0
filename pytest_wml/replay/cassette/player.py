"""Plays the recorded answers of one cassette in their order."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from pytest_wml.interception.request_counts import PlayedCassette
from pytest_wml.replay.cassette.bindings import Bindings, alike
from pytest_wml.replay.cassette.file import Cassette
from pytest_wml.replay.cassette.identity import Request
from pytest_wml.replay.cassette.normalise import Interaction
from pytest_wml.replay.cassette.places import Deviation
from pytest_wml.replay.cassette.tape import ArchiveContent
from pytest_wml.replay.cassette.varying import Varying


class _Match(NamedTuple):
    """The recorded request that answers a request.

    Args:
        identity: of the recorded request.
        recorded: that request.
        differs: the places in which they differ.
    """

    identity: str
    recorded: Request
    differs: tuple[Deviation, ...] = ()


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

    A request may differ from the recorded one in what varies from run to run: a generated name, the user's space. Its
    answer then holds the run's own values, and later requests are matched consistently.

    Args:
        cassette: the recording.
        varying: what may differ between runs.
    """

    def __init__(self, cassette: Cassette, varying: Varying | None = None) -> None:
        self.cassette = cassette
        self.bindings = Bindings()
        self._varying = (varying or Varying()).also(cassette.metadata.get("ignored"))
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

    def play(self, request: Request) -> Interaction | None:
        """The next answer to a request; None when none was recorded."""
        with self._lock:
            found = self._find(request)
            if found is None:
                return None
            interaction = self._next_answer(found.identity)
            if interaction.scores:
                return self._with_own_values(interaction, request, found) if self.bindings else interaction
            self.bindings.bind(request, found.recorded, found.differs)
            return self._with_own_values(interaction, request, found)

    def _next_answer(self, identity: str) -> Interaction:
        answers = self._answers[identity]
        place = self._place(identity, answers)
        self._next[identity] = place + 1
        answer = answers[place]
        self._played.add(identity)
        if answer.interaction.mutates:
            self._epoch = max(self._epoch, answer.epoch + 1)
        return answer.interaction

    def _with_own_values(self, interaction: Interaction, request: Request, found: _Match) -> Interaction:
        answer = self.bindings.answer(interaction.answer, request, found.recorded)
        return interaction if answer is interaction.answer else replace(interaction, answer=answer)

    def _find(self, request: Request) -> _Match | None:
        """Find the recorded request: an equal one, one that is equal in the recorded values, or one that is alike."""
        scores = request.path.endswith("/predictions")
        identity = self._identity(request)
        if identity in self._answers and (scores or not self.bindings.is_taken(request)):
            return _Match(identity, request)
        if self.bindings:
            renamed = self.bindings.to_recorded(request)
            if renamed is not request and (identity := self._identity(renamed)) in self._answers:
                return _Match(identity, renamed)
            if scores:
                request = renamed
        return self._scored(request) if scores else self._alike(request)

    def _alike(self, request: Request) -> _Match | None:
        """Find the recorded request that differs only where it may; of several, the first whose values are unpaired."""
        candidates = []
        for number, (recorded, identity) in enumerate(self._unscored):
            differs = alike(request, recorded, self._varying)
            conflicts = self.bindings.conflicts(request, recorded, differs) if differs is not None else None
            if differs is not None and conflicts is not None:
                candidates.append((conflicts, number, _Match(identity, recorded, tuple(differs))))
        return min(candidates, key=lambda one: one[:2], default=(0, 0, None))[2]

    @cached_property
    def _unscored(self) -> list[tuple[Request, str]]:
        found = {one.identity: one.request for one in self.cassette.interactions if not one.scores}
        return [(request, identity) for identity, request in found.items()]

    def _scored(self, request: Request) -> _Match | None:
        """Find the recorded scoring whose body is equal but for ignored places."""
        if not self._varying.ignored or isinstance(request.sent, ArchiveContent):
            return None
        identity = self._blanked.get(self._blank(request).identity)
        return _Match(identity, request) if identity else None

    @cached_property
    def _blanked(self) -> dict[str, str]:
        scored = [one for one in self.cassette.interactions if one.scores]
        return {self._blank(one.request).identity: one.identity for one in reversed(scored)}

    def _blank(self, request: Request) -> Request:
        sent = request.sent
        return request if isinstance(sent, ArchiveContent) else replace(request, sent=self._varying.blanked(sent))

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

    def tally(self) -> PlayedCassette:
        """What was played of it."""
        model = self.cassette.model
        return PlayedCassette(
            recorded_at=self.cassette.oldest,
            recorded_from=self.cassette.recorded_from,
            model=model.model if model else "",
            played=set(self._played),
        )

"""The cassettes of a folder, and which of them answers a request."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pytest_wml.replay.cassette.file import BadCassette, Cassette, load
from pytest_wml.replay.cassette.identity import Request
from pytest_wml.replay.cassette.normalise import UUID, Interaction
from pytest_wml.replay.cassette.player import Player
from pytest_wml.replay.cassette.tape import Content, created
from pytest_wml.replay.cassette.varying import Varying


class Library:
    """Finds the answer to a request among the cassettes of a folder; each is read when first needed.

    A request that names something that a cassette's own answers created (a model, a deployment) belongs to
    that cassette, whoever makes it. Any other belongs to the requester's own.

    Args:
        folder: where the cassettes are.
        home: name of the run's deployment, asked first for what is asked on behalf of all.
        varying: what may differ between runs.
    """

    def __init__(self, folder: Path, home: str, varying: Varying | None = None) -> None:
        self.folder = folder
        self.home = home
        self.varying = varying or Varying()
        self._lock = threading.RLock()
        self._players: dict[str, Player | None] = {}
        self._owners: dict[str, Player] = {}

    def path(self, name: str) -> Path:
        """The file of a cassette."""
        return self.folder / f"{name}.yaml"

    def player(self, name: str) -> Player | None:
        """The player of a cassette; None when there is no such file.

        Raises:
            BadCassette: the file cannot be used.
        """
        with self._lock:
            if name not in self._players:
                path = self.path(name)
                self._players[name] = Player(load(path), self.varying) if name and path.is_file() else None
            return self._players[name]

    def players(self) -> list[Player]:
        """The cassettes that were read in this run."""
        return [player for player in self._players.values() if player is not None]

    def all(self) -> list[Cassette]:
        """Every cassette of the folder that can be read."""
        found = []
        for name in self.names():
            with contextlib.suppress(BadCassette):  # told to the test that needs it
                player = self.player(name)
                if player is not None:
                    found.append(player.cassette)
        return found

    def play(self, request: Request, own: str) -> tuple[Player, Interaction] | None:
        """The next answer to a request and the cassette that it is from; None if no cassette answers.

        What an answer creates belongs to its cassette from then on.

        Args:
            request: to answer.
            own: name of the requester's cassette; empty for requests on behalf of all.
        """
        with self._lock:
            for player in self._candidates(request, own):
                interaction = player.play(request)
                if interaction is not None:
                    return player, self._noted(player, interaction)
        return None

    def _noted(self, player: Player, interaction: Interaction) -> Interaction:
        if interaction.mutates and interaction.status < 300:
            for made in created(interaction.answer):
                self._owners.setdefault(made, player)
        answer = interaction.answer
        for other in self.players():
            # A list shows what other tests and fixtures have named.
            answer = other.bindings.own.body(answer) if other is not player and other.bindings else answer
        return interaction if answer is interaction.answer else replace(interaction, answer=answer)

    def own(self, name: str, made: str) -> None:
        """What names this id belongs to this cassette, though none of its answers created it."""
        player = self.player(name)
        if player is not None:
            with self._lock:
                self._owners[made] = player

    def candidates(self, request: Request, own: str) -> list[Cassette]:
        """The cassettes that could have answered, for an error message."""
        return [player.cassette for player in dict.fromkeys(self._candidates(request, own))]

    def _candidates(self, request: Request, own: str) -> Iterator[Player]:
        names = UUID.findall(f"{request.path} {dict(request.query)}")
        if request.method in ("POST", "PATCH") and not request.path.endswith("/predictions"):
            names += UUID.findall(request.body)
        yield from (self._owners[name] for name in names if name in self._owners)
        for name in [own] if own else [self.home, *self.names()]:
            player = self.player(name)
            if player is not None:
                yield player

    def names(self) -> list[str]:
        """The names of all cassettes in the folder, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.yaml") if not path.name.startswith("."))


def same_model(recorded: Content, sent: Content) -> bool:
    """Whether an uploaded archive is the recorded model: the same weights may be in another archive."""
    if recorded.basis == sent.basis == "model":
        return recorded.model == sent.model
    return recorded.archive == sent.archive

"""Whose turn it is to ask; loaded at every start of pytest."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Asker(NamedTuple):
    """Who asks.

    Args:
        kind: `session`, `module`, `fixture` or `test`.
        name: the name of the cassette that its own requests belong to; empty for what is asked on behalf
            of all (IBM's client being constructed), which every cassette of the run holds.
        where: a node id, or a fixture's name.
        home: for a fixture, where it is defined: two of one name may be two deployments.
    """

    kind: str
    name: str
    where: str
    home: str = ""


SESSION = Asker("session", "", "outside any test")


class Turn:
    """The time in which one asker asks: a with block, or two calls.

    Args:
        turns: those that go on.
        who: tells the asker; called once, when somebody wants to know.
        ending: whether what was made is put back: a fixture's teardown, the end of the run.
    """

    def __init__(self, turns: list[Turn], who: Callable[[], Asker], *, ending: bool) -> None:
        self._turns = turns
        self._who = who
        self._asker: Asker | None = None
        self._entered = False
        self.ending = ending

    @property
    def asker(self) -> Asker:
        """Who asks."""
        if self._asker is None:
            self._asker = self._who()
        return self._asker

    def enter(self) -> None:
        """From now on this asker asks."""
        self._entered = True
        self._turns.append(self)

    def leave(self) -> None:
        """No longer; nothing where it never began."""
        if self._entered:
            self._turns.pop()

    def __enter__(self) -> Turn:
        self.enter()
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()


class Turns:
    """The turns that go on, one inside the other."""

    def __init__(self) -> None:
        self._turns: list[Turn] = []

    def of(self, who: Callable[[], Asker], *, ending: bool = False) -> Turn:
        """A turn that has not begun."""
        return Turn(self._turns, who, ending=ending)

    @property
    def asker(self) -> Asker | None:
        """Who asks now, in whatever thread; None outside any turn."""
        turn = next(iter(self._turns[-1:]), None)
        return turn.asker if turn is not None else None

    @property
    def ending(self) -> bool:
        """Whether what is asked now puts back what was made."""
        return any(turn.ending for turn in self._turns)

"""Tracks which test, fixture or module makes the current request."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Requester(NamedTuple):
    """The origin of a request.

    Args:
        kind: `session`, `module`, `fixture` or `test`.
        name: the name of the cassette that its own requests belong to; empty for requests on behalf of all (IBM's
            client being constructed), which every cassette of the run contains.
        where: a node id, or a fixture's name.
        home: for a fixture, where it is defined: two of one name may be two deployments.
    """

    kind: str
    name: str
    where: str
    home: str = ""


SESSION = Requester("session", "", "outside any test")


class Scope:
    """A period in which all requests belong to one requester: a with block, or two calls.

    Args:
        stack: the scopes that are open.
        make: returns the requester; called once, when it is first needed.
        cleanup: whether requests in it undo what was made: a fixture's teardown, the end of the run.
    """

    def __init__(self, stack: list[Scope], make: Callable[[], Requester], *, cleanup: bool) -> None:
        self._stack = stack
        self._make = make
        self._requester: Requester | None = None
        self._entered = False
        self.cleanup = cleanup

    @property
    def requester(self) -> Requester:
        """The requester of this scope."""
        if self._requester is None:
            self._requester = self._make()
        return self._requester

    def enter(self) -> None:
        """Open the scope."""
        self._entered = True
        self._stack.append(self)

    def leave(self) -> None:
        """Close the scope that was opened last; does nothing if this one was never opened."""
        if self._entered:
            self._stack.pop()

    def __enter__(self) -> Scope:
        self.enter()
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()


class Scopes:
    """The open scopes, one inside the other."""

    def __init__(self) -> None:
        self._open: list[Scope] = []

    def of(self, make: Callable[[], Requester], *, cleanup: bool = False) -> Scope:
        """A scope that is not open yet."""
        return Scope(self._open, make, cleanup=cleanup)

    @property
    def requester(self) -> Requester:
        """The requester of a request made now, in any thread."""
        innermost = next(iter(self._open[-1:]), None)
        return innermost.requester if innermost is not None else SESSION

    @property
    def cleanup(self) -> bool:
        """Whether a request made now undoes what was made."""
        return any(scope.cleanup for scope in self._open)

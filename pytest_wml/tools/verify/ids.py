"""Which id of a recording is which one at the other side: one to one, learned answer by answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_wml.replay.cassette.normalise import UUID
from pytest_wml.tools.verify.steps import next_start


class Ids:
    """Ids of a recording and what they are at the other side.

    Args:
        there: recorded id → the other side's, known from the start: the deployment space.
    """

    def __init__(self, there: Mapping[str, str] | None = None) -> None:
        self._there = dict(there or {})
        self._here = {other: recorded for recorded, other in self._there.items()}
        self._pages: dict[str, str] = {}

    @property
    def known(self) -> frozenset[str]:
        """The ids of the recording that are known at the other side."""
        return frozenset(self._there)

    @property
    def here(self) -> dict[str, str]:
        """The other side's id → the recorded one."""
        return dict(self._here)

    def bind(self, recorded: str, there: str) -> bool:
        """Learn one; whether it was new. What is known already, by whichever side, stays."""
        if recorded in self._there or there in self._here:
            return False
        self._there[recorded], self._here[there] = there, recorded
        return True

    def stands_for(self, there: str, recorded: str) -> None:
        """Another id of the other side that the recording has the same id for."""
        self._here.setdefault(there, recorded)

    def to_there(self, text: str) -> str:
        """A text of the recording with the other side's ids."""
        return UUID.sub(lambda found: self._there.get(found[0], found[0]), text)

    def to_here(self, text: str) -> str:
        """A text of the other side with the recorded ids."""
        return UUID.sub(lambda found: self._here.get(found[0], found[0]), text)

    def learn(self, recorded: Any, there: Any) -> list[str]:
        """Learn from two answers to one request what stands in the same place.

        Returns:
            the recorded ids that were new.
        """
        return [ours for ours, theirs in _pairs("", recorded, there) if self.bind(ours, theirs)]

    def learn_page(self, recorded: Any, there: Any) -> None:
        """Learn where the next page of a list begins; each service counts in its own way."""
        ours, theirs = next_start(recorded), next_start(there)
        if ours and theirs:
            self._pages[ours] = theirs

    def page(self, recorded: str) -> str | None:
        """Where a recorded page begins at the other side; None where there is no such page."""
        return self._pages.get(recorded)


def _pairs(path: str, recorded: Any, there: Any) -> Iterator[tuple[str, str]]:
    if isinstance(recorded, str) and isinstance(there, str):
        ours, theirs = UUID.findall(recorded), UUID.findall(there)
        if len(ours) == len(theirs):
            yield from zip(ours, theirs, strict=True)
    elif isinstance(recorded, dict) and isinstance(there, dict):
        for name in sorted(recorded.keys() & there.keys() - {"trace"}):
            yield from _pairs(f"{path}.{name}" if path else name, recorded[name], there[name])
    elif isinstance(recorded, list) and isinstance(there, list):
        for ours, theirs in _elements(path, recorded, there):
            yield from _pairs(path, ours, theirs)


def _elements(path: str, recorded: list[Any], there: list[Any]) -> Iterator[tuple[Any, Any]]:
    """The elements that belong together; of a list that strangers' things are in only those of one name."""
    if path != "resources":
        yield from zip(recorded, there, strict=False)
        return
    ours, theirs = (_by_name(side) for side in (recorded, there))
    yield from ((ours[name], theirs[name]) for name in sorted(ours.keys() & theirs.keys()))


def _by_name(elements: list[Any]) -> dict[str, Any]:
    """The elements whose name no other has."""
    named: dict[str, list[Any]] = {}
    for element in elements:
        metadata = element.get("metadata") if isinstance(element, dict) else None
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if isinstance(name, str):
            named.setdefault(name, []).append(element)
    return {name: found[0] for name, found in named.items() if len(found) == 1}

"""Maps ids of a recording to ids of the verified service, one to one; the map grows with each answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_wml.replay.cassette.normalise import UUID
from pytest_wml.tools.verify.steps import next_start


class IdMap:
    """Map between recorded ids and ids of the service.

    Args:
        initial: recorded id → id of the service, for ids that are known from the start: the deployment space.
    """

    def __init__(self, initial: Mapping[str, str] | None = None) -> None:
        self._service_ids = dict(initial or {})
        self._recorded_ids = {other: recorded for recorded, other in self._service_ids.items()}
        self._pages: dict[str, str] = {}

    @property
    def known(self) -> frozenset[str]:
        """The recorded ids with a known id of the service."""
        return frozenset(self._service_ids)

    @property
    def recorded_ids(self) -> dict[str, str]:
        """Id of the service → recorded id."""
        return dict(self._recorded_ids)

    def bind(self, recorded: str, service_id: str) -> bool:
        """Add a pair of ids, and return whether it is new; existing entries of either side do not change."""
        if recorded in self._service_ids or service_id in self._recorded_ids:
            return False
        self._service_ids[recorded], self._recorded_ids[service_id] = service_id, recorded
        return True

    def add_alias(self, service_id: str, recorded: str) -> None:
        """Map a further id of the service to a recorded id."""
        self._recorded_ids.setdefault(service_id, recorded)

    def to_service(self, text: str) -> str:
        """Replace recorded ids in a text by ids of the service."""
        return UUID.sub(lambda found: self._service_ids.get(found[0], found[0]), text)

    def to_recorded(self, text: str) -> str:
        """Replace ids of the service in a text by recorded ids."""
        return UUID.sub(lambda found: self._recorded_ids.get(found[0], found[0]), text)

    def add_pairs(self, recorded: Any, service_id: Any) -> list[str]:
        """Add the pairs of ids at the same locations of two answers to the same request.

        Returns:
            The new recorded ids.
        """
        return [ours for ours, theirs in _pairs("", recorded, service_id) if self.bind(ours, theirs)]

    def add_page(self, recorded: Any, service_id: Any) -> None:
        """Map the start of the next page of a list; its format depends on the service."""
        ours, theirs = next_start(recorded), next_start(service_id)
        if ours and theirs:
            self._pages[ours] = theirs

    def page(self, recorded: str) -> str | None:
        """The start of a recorded page at the service; None if there is no such page."""
        return self._pages.get(recorded)


def _pairs(path: str, recorded: Any, service_id: Any) -> Iterator[tuple[str, str]]:
    if isinstance(recorded, str) and isinstance(service_id, str):
        ours, theirs = UUID.findall(recorded), UUID.findall(service_id)
        if len(ours) == len(theirs):
            yield from zip(ours, theirs, strict=True)
    elif isinstance(recorded, dict) and isinstance(service_id, dict):
        for name in sorted(recorded.keys() & service_id.keys() - {"trace"}):
            yield from _pairs(f"{path}.{name}" if path else name, recorded[name], service_id[name])
    elif isinstance(recorded, list) and isinstance(service_id, list):
        for ours, theirs in _elements(path, recorded, service_id):
            yield from _pairs(path, ours, theirs)


def _elements(path: str, recorded: list[Any], service_id: list[Any]) -> Iterator[tuple[Any, Any]]:
    """The matching elements of two lists; resources are matched by unique names, as a space has others too."""
    if path != "resources":
        yield from zip(recorded, service_id, strict=False)
        return
    ours, theirs = (_by_name(side) for side in (recorded, service_id))
    yield from ((ours[name], theirs[name]) for name in sorted(ours.keys() & theirs.keys()))


def _by_name(elements: list[Any]) -> dict[str, Any]:
    """The elements with a unique name."""
    named: dict[str, list[Any]] = {}
    for element in elements:
        metadata = element.get("metadata") if isinstance(element, dict) else None
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if isinstance(name, str):
            named.setdefault(name, []).append(element)
    return {name: found[0] for name, found in named.items() if len(found) == 1}

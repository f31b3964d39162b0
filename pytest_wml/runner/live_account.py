"""The state of a live run in the service's account: its processes, and the resources that remain."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_wml.live.processes import RunProcesses
    from pytest_wml.live.resource_journal import UndeletedResource
    from pytest_wml.runner.configuration import Configuration


class LiveAccount:
    """The processes and remaining resources of a live run.

    Args:
        configuration: of the run.

    Attributes:
        deleted: resources that were deleted at the end of the run.
        undeletable: resources that could not be deleted.
        of_killed_runs: resources of other live runs, which were killed.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self.deleted: list[str] = []
        self.undeletable: set[UndeletedResource] = set()
        self.of_killed_runs: list[str] = []

    @cached_property
    def processes(self) -> RunProcesses:
        """The state that the processes of the live run share."""
        from pytest_wml.live.processes import RunProcesses  # an offline run does not load it

        configuration = self._configuration
        usable = configuration.usable_credentials
        facts = {"url": usable.url, "space": usable.space_id} if usable else {}
        return RunProcesses(configuration.environ, configuration.settings.lifetime.value, facts)

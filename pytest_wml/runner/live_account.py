"""What a live run has in the account of the service: the processes that use it, and what they left behind."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_wml.live.processes import Together
    from pytest_wml.live.resource_journal import Owed
    from pytest_wml.runner.configuration import Configuration


class LiveAccount:
    """The state of a live run beside its requests.

    Args:
        configuration: of the run.

    Attributes:
        deleted: what the tests left behind and the end of the run deleted.
        undeletable: what could not be deleted at the end.
        forgotten: what other live runs left behind when they were killed.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self.deleted: list[str] = []
        self.undeletable: set[Owed] = set()
        self.forgotten: list[str] = []

    @cached_property
    def processes(self) -> Together:
        """The name of the live run and what its processes share."""
        from pytest_wml.live.processes import Together  # an offline run does not load it

        configuration = self._configuration
        usable = configuration.usable_credentials
        facts = {"url": usable.url, "space": usable.space_id} if usable else {}
        return Together(configuration.environ, configuration.settings.lifetime.value, facts)

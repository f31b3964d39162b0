"""The deployments of a run: their specifications, and which models they serve."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_wml.config.deployment_specs import Plan
    from pytest_wml.model.archive import ModelArchive
    from pytest_wml.runner.configuration import Configuration


class Deployments:
    """What is known of the deployments of this process, by name.

    Args:
        configuration: of the run.

    Attributes:
        current: name of the deployment that the running test uses; empty for the only one.
        tests_ended: how many tests of each of several deployments have ended.
        of_contract_files: specifications of the deployments that contract files name.
        served: the models that answered.
        stored: specifications of those that this run stored, with type and software specification.
        existing: of those that existed before the run: which model they serve, as far as it is known.
        linted: errors and warnings that lint had before a model was deployed live.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self.current = ""
        self.tests_ended: Counter[str] = Counter()
        self.of_contract_files: dict[str, Plan] = {}
        self.served: dict[str, ModelArchive] = {}
        self.stored: dict[str, Plan] = {}
        self.existing: dict[str, str] = {}
        self.linted: dict[str, list[str]] = {}

    def plan(self, name: str) -> Plan:
        """The specification of a deployment; for a contract file's tests that of the file."""
        if self.current == name and name in self.of_contract_files:
            return self.of_contract_files[name]
        return self._configuration.plans[name]

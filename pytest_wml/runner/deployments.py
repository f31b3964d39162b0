"""The deployments of a run: their specifications and models."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_wml.config.deployment_specs import Plan
    from pytest_wml.model.archive import ModelArchive
    from pytest_wml.runner.configuration import Configuration


class RunDeployments:
    """The deployments of this process.

    Args:
        configuration: of the run.

    Attributes:
        current: name of the deployment that the running test uses; empty if the run has only one.
        tests_ended: name → number of tests that have ended.
        of_contract_files: name → specification of a deployment that a contract file defines.
        served: name → archive of the model.
        stored: name → specification of a deployment that this run created, with type and software specification.
        existing: name of a deployment that existed before the run → description of its model.
        linted: name → lint's errors and warnings before the model was deployed live.
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
        """The specification of a deployment; for the tests of a contract file, the one of the file."""
        if self.current == name and name in self.of_contract_files:
            return self.of_contract_files[name]
        return self._configuration.plans[name]

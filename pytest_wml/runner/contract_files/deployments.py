"""The deployment of a contract file: one of the run, or one that the file defines."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pytest_wml.config import similar_names
from pytest_wml.config.deployment_specs import Plan
from pytest_wml.contract.files.document import ContractDocument
from pytest_wml.contract.files.mistakes import BadContractFile, Mistake, refused, shown
from pytest_wml.runner.configuration import TRAIN, Configuration, named_after
from pytest_wml.runner.fixture_values import sample_archive
from pytest_wml.runner.run import Run


def deployment_name(run: Run, written: ContractDocument) -> str:
    """The name of the file's deployment among those of the run; empty if the run has only one.

    A file with the model of a deployment of the run uses that deployment. Any other deployment is added to the run.

    Raises:
        BadContractFile: the model does not exist, or another deployment has the name.
    """
    configured = _of_the_run(run.configuration, written)
    if configured is not None:
        return configured.name if run.configuration.settings.deployments.value else ""
    plan = run.configuration.completed(_own(written), written.path.name)
    other = _same_name(run, plan)
    if other is not None and not _is_equal(run.configuration, other, plan):
        model = other.deployment or other.model or "the packaged sample"
        problem = f"a deployment called {shown(plan.name)} exists in this run, made of {model}; give another `name`"
        raise _refused(written, "name", problem)
    run.deployments.of_contract_files[plan.name] = plan
    return plan.name


def _is_equal(configuration: Configuration, one: Plan, other: Plan) -> bool:
    """Whether two specifications are equal except for their source."""
    return configuration.inferred(one)._replace(source="") == configuration.inferred(other)._replace(source="")


def recording_name(configuration: Configuration, name: str) -> str:
    """The name of the recording for requests of the file's tests other than scoring."""
    return f"{_plain(name or configuration.name)}.contract"


def _plain(name: str) -> str:
    """A name that is a valid file name on every system."""
    return re.sub(r"[^\w.-]", "_", name).lstrip(".") or "model"


def _of_the_run(configuration: Configuration, written: ContractDocument) -> Plan | None:
    """The plan of the run that the file names: by its name in the ini file, or by its path."""
    values = written.top.some("model", "deployment", "name", "type", "spec")
    configured = configuration.settings.deployments.value
    if set(values) == {"model"} and any(plan.name == values["model"] for plan in configured):
        return configuration.plans[values["model"]]
    for plan in configuration.plans.values():
        if _has_model(configuration, written, plan) and all(
            _value(configuration, plan, key) in (None, values[key]) for key in values
        ):
            return plan
    return None


def _value(configuration: Configuration, plan: Plan, key: str) -> str | None:
    """A plan's value for a key of a contract file; None for the model, whose path is compared."""
    if key in ("type", "spec"):
        plan = configuration.inferred(plan)
    values = {"name": plan.name, "type": plan.model_type, "spec": plan.software_spec, "deployment": plan.deployment}
    return values.get(key)


def _has_model(configuration: Configuration, written: ContractDocument, plan: Plan) -> bool:
    """Whether a plan has the model or the existing deployment of the file."""
    if plan.deployment or "deployment" in written.top.values:
        return bool(plan.deployment) and not plan.model and "model" not in written.top.values
    if plan.model == TRAIN:
        return False
    path = configuration.path(plan) if plan.model else sample_archive()
    return path.resolve() == _path(written).resolve()


def _own(written: ContractDocument) -> Plan:
    """The plan of a deployment that the file defines."""
    values = written.top.some("model", "deployment", "name", "type", "spec")
    if "model" in values and not _path(written).exists():
        similar = similar_names.files(_path(written))
        hint = f"; there is {similar}" if similar else ""
        problem = f"there is no model {shown(values['model'])}: neither a file nor a folder{hint}"
        raise _refused(written, "model", problem)
    name = values.get("name") or _plain(values.get("deployment") or named_after(_path(written)))
    model = str(_path(written)) if "model" in values else ""
    return Plan(name, model, values.get("type", ""), values.get("spec", ""), values.get("deployment", ""))


def _path(written: ContractDocument) -> Path:
    return Path(os.path.abspath(written.path.parent / written.top.values.get("model", "")))


def _same_name(run: Run, plan: Plan) -> Plan | None:
    """A deployment of the run with the same name, ignoring case as some file systems do."""
    others = [
        *run.deployments.of_contract_files.values(),
        *(run.configuration.plans.values() if run.configuration.names_a_model else ()),
    ]
    return next((other for other in others if other.name.lower() == plan.name.lower()), None)


def _refused(written: ContractDocument, key: str, text: str) -> BadContractFile:
    places = written.top.places
    place = places.get(key) or places.get("model") or written.top.place
    return refused(written.path.name, [Mistake(place, text)])

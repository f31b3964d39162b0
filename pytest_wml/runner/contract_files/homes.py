"""The deployment that a contract file is about: one of the run's, or one of its own."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pytest_wml.config import similar_names
from pytest_wml.config.deployment_specs import Plan
from pytest_wml.config.values import Setting
from pytest_wml.contract.files.document import ContractDocument
from pytest_wml.contract.files.mistakes import BadContractFile, Mistake, refused, shown
from pytest_wml.runner.configuration import TRAIN, Configuration, named_after
from pytest_wml.runner.run import Run
from pytest_wml.runner.supply import sample_archive


def home(run: Run, written: ContractDocument) -> str:
    """The name of the file's deployment among those of the run; empty for the only one of the run.

    A model that the run deploys anyway is deployed once. Any other is noted with the run.

    Raises:
        BadContractFile: there is no such model, or the name is taken by another one.
    """
    known = _of_the_run(run, written)
    if known is not None:
        return known.name if run.configuration.settings.deployments.value else ""
    plan = run.configuration.completed(_own(written), written.path.name)
    other = _taken(run, plan)
    if other is not None and not _alike(run.configuration, other, plan):
        made_of = other.deployment or other.model or "the packaged sample"
        told = f"a deployment called {shown(plan.name)} exists in this run, made of {made_of}; give another `name`"
        raise _refused(written, "name", told)
    run.deployments.of_contract_files[plan.name] = plan
    return plan.name


def _alike(configuration: Configuration, one: Plan, other: Plan) -> bool:
    """Whether two specifications differ at most in where they are written."""
    return configuration.inferred(one)._replace(source="") == configuration.inferred(other)._replace(source="")


def recording(run: Run, name: str) -> str:
    """The name of the recording of what the file's own tests ask beside scoring."""
    return f"{_plain(name or run.configuration.name)}.contract"


def _plain(name: str) -> str:
    """A name that can be a recording's file everywhere."""
    return re.sub(r"[^\w.-]", "_", name).lstrip(".") or "model"


def _of_the_run(run: Run, written: ContractDocument) -> Plan | None:
    """The run's own plan that the file means: by its name in the ini, or by its path."""
    said = written.top.some("model", "deployment", "name", "type", "spec")
    configured = run.configuration.settings.deployments.value
    if set(said) == {"model"} and any(plan.name == said["model"] for plan in configured):
        return run.configuration.plans[said["model"]]
    for plan in run.configuration.plans.values():
        if _same_model(run, written, plan) and all(_said(run, plan, key) in (None, said[key]) for key in said):
            return plan
    return None


def _said(run: Run, plan: Plan, key: str) -> str | None:
    """What a plan has for a key of a contract file; None for a model, of which the path is compared."""
    if key in ("type", "spec"):
        plan = run.configuration.inferred(plan)
    its = {"name": plan.name, "type": plan.model_type, "spec": plan.software_spec, "deployment": plan.deployment}
    return its.get(key)


def _same_model(run: Run, written: ContractDocument, plan: Plan) -> bool:
    if plan.deployment or "deployment" in written.top.values:
        return bool(plan.deployment) and not plan.model and "model" not in written.top.values
    if plan.model == TRAIN:
        return False
    path = run.configuration.resolve(Setting(plan.model, plan.source)) if plan.model else sample_archive()
    return path.resolve() == _path(written).resolve()


def _own(written: ContractDocument) -> Plan:
    """The plan of a deployment that only this file, and files about the same model, name."""
    said = written.top.some("model", "deployment", "name", "type", "spec")
    if "model" in said and not _path(written).exists():
        resembling = similar_names.files(_path(written))
        hint = f"; there is {resembling}" if resembling else ""
        raise _refused(written, "model", f"there is no model {shown(said['model'])}: neither a file nor a folder{hint}")
    name = said.get("name") or _plain(said.get("deployment") or named_after(_path(written)))
    model = str(_path(written)) if "model" in said else ""
    return Plan(name, model, said.get("type", ""), said.get("spec", ""), said.get("deployment", ""))


def _path(written: ContractDocument) -> Path:
    return Path(os.path.abspath(written.path.parent / written.top.values.get("model", "")))


def _taken(run: Run, plan: Plan) -> Plan | None:
    """Another deployment of the run with the same name; file systems that ignore case give both one recording."""
    others = [
        *run.deployments.of_contract_files.values(),
        *(run.configuration.plans.values() if run.configuration.names_a_model else ()),
    ]
    return next((other for other in others if other.name.lower() == plan.name.lower()), None)


def _refused(written: ContractDocument, key: str, text: str) -> BadContractFile:
    places = written.top.places
    place = places.get(key) or places.get("model") or written.top.place
    return refused(written.path.name, [Mistake(place, text)])

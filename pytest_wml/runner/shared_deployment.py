"""A live deployment that all processes of a run share, and with wml_reuse also the runs of a week."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from pytest_wml.client.deployment import Deployment, DeploymentFailed
from pytest_wml.client.existing import stored
from pytest_wml.config.deployment_specs import Plan
from pytest_wml.live import leftovers, resource_names
from pytest_wml.replay.cassette.file import write

if TYPE_CHECKING:
    from pytest_wml.live.created_resources import CreatedResources
    from pytest_wml.model.archive import ModelArchive
    from pytest_wml.runner.run import Run

WEEK = datetime.timedelta(days=7)
Create = Callable[[], Deployment]


def shared(run: Run, client: Any, archive: ModelArchive, plan: Plan, create: Create) -> Deployment:
    """A deployment that several processes use and that this process does not delete.

    The first process creates it, and the other processes of the run use it. The end of the run deletes it. With
    wml_reuse it is kept for a week, and later runs with the same model, type and software specification use it too.

    Args:
        run: a live run.
        client: IBM's APIClient with its default space set.
        archive: of the model.
        plan: specifies the deployment.
        create: stores and deploys the model, without deleting it.

    Raises:
        DeploymentFailed: the deployment failed, here or in the first process.
    """
    place = run.live.processes.folder / f"{hashlib.sha256(plan.name.encode()).hexdigest()[:16]}.json"
    with FileLock(place.with_suffix(".lock")):
        result = _read(place)
        if "problem" in result:
            raise DeploymentFailed(result["problem"], deployed_by="another worker of this run")
        if "deployment" in result:
            details = client.deployments.get_details(result["deployment"])
            return _existing(run.app.account.owned, client, archive, plan, details)
        reuse = run.configuration.settings.reuse.value
        try:
            deployment = _reused(run, client, archive, plan, create) if reuse else create()
        except Exception as error:
            write(place, json.dumps({"problem": str(error)}))
            raise
        write(place, json.dumps({"deployment": deployment.id}))
        return deployment


def _reused(run: Run, client: Any, archive: ModelArchive, plan: Plan, create: Create) -> Deployment:
    name = kept_name(archive, plan)
    # A deployment that expires before the end of this run is not used.
    end_of_run = resource_names.now() + datetime.timedelta(hours=run.configuration.settings.lifetime.value)
    for details, mark in list(_kept(client, plan.name)):
        if mark.expired(resource_names.now()):
            _remove(client, details, mark)
        elif mark.run == name and not mark.expired(end_of_run) and _serves(client, details, archive):
            run.deployments.existing[plan.name] = f"kept by an earlier run until {mark.expires:%Y-%m-%d %H:%M} UTC"
            return _existing(run.app.account.owned, client, archive, plan, details)
    mark = resource_names.marked(name, WEEK)
    with run.app.account.owned.keeping(mark):
        deployment = create()
    run.deployments.existing[plan.name] = f"created, and kept for later runs until {mark.expires:%Y-%m-%d %H:%M} UTC"
    return deployment


def kept_name(archive: ModelArchive, plan: Plan) -> str:
    """The name in the mark of a kept deployment: equal for the same model, type and software specification."""
    identity = f"{archive.basis}:{archive.model_digest} {plan.model_type} {plan.software_spec}"
    return f"kept{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def _kept(client: Any, name: str) -> Iterator[tuple[dict[str, Any], resource_names.Mark]]:
    for details in client.deployments.get_details(get_all=True)["resources"]:
        plain, mark = resource_names.parted(_name(details))
        if plain == name and mark is not None and mark.kept:
            yield details, mark


def _serves(client: Any, details: dict[str, Any], archive: ModelArchive) -> bool:
    """Whether a deployment is ready and serves this model, by the digest stored with its model."""
    if details["entity"].get("status", {}).get("state") != "ready":
        return False
    model = client.repository.get_model_details(details["entity"]["asset"]["id"])
    content = stored(model["entity"].get("custom"))
    return content is not None and (content.basis, content.model) == (archive.basis, archive.model_digest)


def _remove(client: Any, details: dict[str, Any], mark: resource_names.Mark) -> None:
    """Delete an expired deployment, and its model unless the deployment was updated with another one."""
    with contextlib.suppress(Exception):  # another run may delete it at the same time; sweep deletes the rest
        model_id = details["entity"]["asset"]["id"]
        name = str(client.repository.get_model_details(model_id)["metadata"]["name"])
        leftovers.remove(client, "deployment", details["metadata"]["id"])
        if resource_names.parted(name)[1] == mark:
            leftovers.remove(client, "model", model_id)


def _existing(
    owned: CreatedResources, client: Any, archive: ModelArchive, plan: Plan, details: dict[str, Any]
) -> Deployment:
    mark = resource_names.parted(_name(details))[1]
    if mark is not None:
        owned.know(mark)
    url = client.deployments.get_scoring_href(details)
    model_id = str(details["entity"].get("asset", {}).get("id", ""))
    return Deployment(client, details["metadata"]["id"], plan.name, archive, url, model_id, "live")


def _name(details: dict[str, Any]) -> str:
    return str(details["entity"].get("name") or details["metadata"].get("name"))


def _read(place: Path) -> dict[str, str]:
    try:
        return dict(json.loads(place.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}

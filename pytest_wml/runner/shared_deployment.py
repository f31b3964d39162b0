"""One live deployment for all processes of a run, and where it is asked for, for the runs of a week."""

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
    from pytest_wml.model.archive import ModelArchive
    from pytest_wml.runner.run import Run

WEEK = datetime.timedelta(days=7)
Create = Callable[[], Deployment]


def lent(run: Run, client: Any, archive: ModelArchive, plan: Plan, create: Create) -> Deployment:
    """A deployment that is not this process's to delete.

    Whoever comes first creates it, and the others of the run take it. At the end the run deletes it; where
    wml_reuse is on nobody does for a week, and later runs take it too, as long as model, type and software
    specification are the same.

    Args:
        run: live.
        client: IBM's APIClient, its default space set.
        archive: what is deployed.
        plan: says how.
        create: stores and deploys, and does not delete.

    Raises:
        DeploymentFailed: it failed here, or in the process that came first.
    """
    place = run.live.processes.folder / f"{hashlib.sha256(plan.name.encode()).hexdigest()[:16]}.json"
    with FileLock(place.with_suffix(".lock")):
        known = _read(place)
        if "problem" in known:
            raise DeploymentFailed(known["problem"], deployed_by="another worker of this run")
        if "deployment" in known:
            return _taken(run, client, archive, plan, client.deployments.get_details(known["deployment"]))
        try:
            made = _reused(run, client, archive, plan, create) if run.configuration.settings.reuse.value else create()
        except Exception as error:
            write(place, json.dumps({"problem": str(error)}))
            raise
        write(place, json.dumps({"deployment": made.id}))
        return made


def _reused(run: Run, client: Any, archive: ModelArchive, plan: Plan, create: Create) -> Deployment:
    wanted = kept_name(archive, plan)
    needed = resource_names.now() + datetime.timedelta(
        hours=run.configuration.settings.lifetime.value
    )  # what ends sooner is not begun with
    for details, mark in list(_kept(client, plan.name)):
        if mark.expired(resource_names.now()):
            _remove(client, details, mark)
        elif mark.run == wanted and not mark.expired(needed) and _serves(client, details, archive):
            run.deployments.existing[plan.name] = f"kept by an earlier run until {mark.expires:%Y-%m-%d %H:%M} UTC"
            return _taken(run, client, archive, plan, details)
    mark = resource_names.marked(wanted, WEEK)
    with run.app.account.owned.keeping(mark):
        made = create()
    run.deployments.existing[plan.name] = f"created, and kept for later runs until {mark.expires:%Y-%m-%d %H:%M} UTC"
    return made


def kept_name(archive: ModelArchive, plan: Plan) -> str:
    """The mark's name for what is kept: equal for the same model, stored in the same way."""
    what = f"{archive.basis}:{archive.model_digest} {plan.model_type} {plan.software_spec}"
    return f"kept{hashlib.sha256(what.encode()).hexdigest()[:12]}"


def _kept(client: Any, name: str) -> Iterator[tuple[dict[str, Any], resource_names.Mark]]:
    for details in client.deployments.get_details(get_all=True)["resources"]:
        plain, mark = resource_names.parted(_name(details))
        if plain == name and mark is not None and mark.kept:
            yield details, mark


def _serves(client: Any, details: dict[str, Any], archive: ModelArchive) -> bool:
    """Whether a deployment is ready and its model is this one, by the digest that was stored with it."""
    if details["entity"].get("status", {}).get("state") != "ready":
        return False
    model = client.repository.get_model_details(details["entity"]["asset"]["id"])
    content = stored(model["entity"].get("custom"))
    return content is not None and (content.basis, content.model) == (archive.basis, archive.model_digest)


def _remove(client: Any, details: dict[str, Any], mark: resource_names.Mark) -> None:
    """Delete what has expired, and its model: unless somebody has put another one in its place."""
    with contextlib.suppress(Exception):  # another run may be doing the same; sweep finds what is left
        model_id = details["entity"]["asset"]["id"]
        name = str(client.repository.get_model_details(model_id)["metadata"]["name"])
        leftovers.remove(client, "deployment", details["metadata"]["id"])
        if resource_names.parted(name)[1] == mark:
            leftovers.remove(client, "model", model_id)


def _taken(run: Run, client: Any, archive: ModelArchive, plan: Plan, details: dict[str, Any]) -> Deployment:
    mark = resource_names.parted(_name(details))[1]
    if mark is not None:
        run.app.account.owned.know(mark)
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

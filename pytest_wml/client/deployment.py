"""Stores a model, deploys it, waits until it is ready, scores it, deletes it."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_wml.client import captured_output
from pytest_wml.client.scoring import Prediction, payload, prediction
from pytest_wml.errors import WMLTestError
from pytest_wml.live.waiting import DEADLINE, PAUSE, delete, watched
from pytest_wml.model.archive import ModelArchive

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


_NOT_FOUND = "Not Found"
CUSTOM_DIGEST = "wml_model_digest"
CUSTOM_SIGNATURE = "wml_model_signature"
"""Custom properties of a stored model: its digest as `model:…` or `archive:…`, and its signature as text."""
_LONGEST_REASON = 8000


class DeploymentFailed(WMLTestError):
    """A model could not be stored or deployed."""


@dataclass(frozen=True, repr=False)
class Deployment:
    """An online deployment.

    Args:
        client: IBM's `APIClient` with its default space set.
        id: id of the deployment.
        name: name of the deployment.
        archive: the deployed archive, as far as it is known.
        scoring_url: URL for scoring over REST.
        model_id: id of the stored model; empty for an existing deployment.
        mode: the mode of the run: `replay`, `embedded` or `live`.
    """

    client: Any
    id: str
    name: str
    archive: ModelArchive
    scoring_url: str
    model_id: str = ""
    mode: str = ""

    def __repr__(self) -> str:
        return f"Deployment(name={self.name!r}, id={self.id!r}, model={self.archive.model_digest[:12]})"

    def score(self, meta_props: Mapping[str, Any]) -> dict[str, Any]:
        """Score as `client.deployments.score` does, without changing the caller's payload.

        Args:
            meta_props: `{"input_data": [{"values": […], "id": …, "fields": […]}]}`.

        Returns:
            `{"predictions": [{"id": …, "values": […]}]}`.
        """
        return self._scored(copy.deepcopy(dict(meta_props)))

    def predict(self, array: ArrayLike | Mapping[str, ArrayLike]) -> Prediction:
        """Score an array.

        Args:
            array: [N, …], or for a model with several inputs arrays by input name. Images are reshaped to the
                signature's shape, which `reshaped` then describes.

        Raises:
            BadPayload: the array does not fit the model's signature, or the answer does not have WML's format.
        """
        sent, reshaped = payload(array, self.archive.signature)
        return prediction(self._scored(sent), reshaped)

    def _scored(self, own: dict[str, Any]) -> dict[str, Any]:
        """Score a payload that is not used elsewhere: IBM's client modifies its arguments."""
        answer: dict[str, Any] = self.client.deployments.score(self.id, own)
        return answer


@contextlib.contextmanager
def deployed(
    client: Any, archive: ModelArchive, *, name: str, model_type: str, spec: str, mode: str, deadline: float = DEADLINE
) -> Iterator[Deployment]:
    """Create an online deployment of an archive, and delete it with its model at the end.

    The arguments and errors are those of `create`.
    """
    deployment = create(client, archive, name=name, model_type=model_type, spec=spec, mode=mode, deadline=deadline)
    try:
        yield deployment
    finally:
        pause = PAUSE if mode == "live" else 0.0
        deletion = _as_deployment_failure(
            "The deployment could not be deleted.", deployment=deployment.id, model=deployment.model_id
        )
        with deletion, _own_platform(client), captured_output.capture():
            # In this order: the service does not delete a deployed model.
            delete(client.deployments.delete, deployment.id, pause)
            delete(client.repository.delete, deployment.model_id, pause)


@captured_output.capture()
def create(
    client: Any, archive: ModelArchive, *, name: str, model_type: str, spec: str, mode: str, deadline: float = DEADLINE
) -> Deployment:
    """Store an archive and deploy it; a failure leaves nothing behind.

    Args:
        client: IBM's `APIClient` with its default space set.
        archive: the archive to deploy.
        name: name of model and deployment.
        model_type: WML's model type, such as `tensorflow_2.14`.
        spec: name of the software specification.
        mode: the mode of the run.
        deadline: seconds until the deployment must be ready.

    Raises:
        DeploymentFailed: the service refuses the specification, the model or the deployment.
        DeploymentStuck: the deployment stays `initializing`.
    """
    live = mode == "live"
    model_id = _store(client, archive, name, model_type, spec, mode)
    try:
        details = _deploy(client, model_id, name, deadline, live=live)
    except Exception:
        with contextlib.suppress(Exception):  # the original failure is raised
            delete(client.repository.delete, model_id, PAUSE if live else 0.0)
        raise
    url = client.deployments.get_scoring_href(details)
    return Deployment(client, details["metadata"]["id"], name, archive, url, model_id, mode)


def _spec_id(client: Any, spec: str, mode: str) -> str:
    try:
        spec_id = str(client.software_specifications.get_id_by_name(spec))
    except Exception as error:
        # Raised by the newer client; the older one returns a text.
        if type(error).__name__ != "ResourceIdByNameNotFound":
            raise
        spec_id = _NOT_FOUND
    if spec_id == _NOT_FOUND:
        service = "pytest-wml's embedded service" if mode == "embedded" else "The service"
        raise DeploymentFailed(
            f"{service} has no software specification {spec!r}.",
            fix="set wml_software_spec; client.software_specifications.list() shows the available ones",
        )
    return spec_id


def _store(client: Any, archive: ModelArchive, name: str, model_type: str, spec: str, mode: str) -> str:
    names = client.repository.ModelMetaNames
    spec_id = _spec_id(client, spec, mode)
    properties = {
        names.NAME: name,
        names.TYPE: model_type,
        getattr(names, "SOFTWARE_SPEC_UID", None) or names.SOFTWARE_SPEC_ID: spec_id,
        # Identifies the model in later runs against the same deployment.
        names.CUSTOM: {
            CUSTOM_DIGEST: f"{archive.basis}:{archive.model_digest}",
            CUSTOM_SIGNATURE: str(archive.signature or ""),
        },
    }
    with _as_deployment_failure(
        "The service refused the model.", archive=archive.path, model_type=model_type, spec=spec
    ):
        return str(client.repository.store_model(model=str(archive.path), meta_props=properties)["metadata"]["id"])


def _deploy(client: Any, model_id: str, name: str, deadline: float, *, live: bool) -> dict[str, Any]:
    names = client.deployments.ConfigurationMetaNames
    failure = _as_deployment_failure("The model was stored, but its deployment failed.", model=name)
    with failure, watched(client, deadline) as watch:
        try:
            return dict(client.deployments.create(model_id, meta_props={names.NAME: name, names.ONLINE: {}}))
        except Exception:
            _delete_deployment(client, watch.deployment_id, model_id, live=live)
            raise


def _delete_deployment(client: Any, deployment_id: str, model_id: str, *, live: bool) -> None:
    """Delete the deployment that a failed creation left behind: the service does not delete a deployed model."""
    pause = PAUSE if live else 0.0
    with contextlib.suppress(Exception):  # the original failure is raised
        if deployment_id:
            delete(client.deployments.delete, deployment_id, pause)
        elif live:  # the answer with its id may be lost
            for details in client.deployments.get_details(get_all=True)["resources"]:
                if details["entity"].get("asset", {}).get("id") == model_id:
                    delete(client.deployments.delete, details["metadata"]["id"], pause)


@contextlib.contextmanager
def _own_platform(client: Any) -> Iterator[None]:
    """Set the platform of this client on the client's classes, which keep that of the latest client."""
    replaced = []
    for kind in (type(client.repository), type(client.deployments)):
        for name in ("cloud_platform_spaces", "icp_platform_spaces"):
            if hasattr(kind, name):
                replaced.append((kind, name, getattr(kind, name)))
                setattr(kind, name, getattr(client, name.upper()))
    try:
        yield
    finally:
        for kind, name, value in replaced:
            setattr(kind, name, value)


@contextlib.contextmanager
def _as_deployment_failure(problem: str, **facts: Any) -> Iterator[None]:
    """Raise `DeploymentFailed` for errors of IBM's client, whose error classes differ between releases."""
    try:
        yield
    except WMLTestError:
        raise
    except Exception as error:
        reason = "\n".join(line for line in str(error).splitlines() if line.strip())[:_LONGEST_REASON]
        raise DeploymentFailed(problem, **facts, reason=reason or type(error).__name__) from error

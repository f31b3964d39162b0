"""The service: its state, its files, its tokens, and the rules that span them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_wml.embedded.contents import Content, Contents
from pytest_wml.embedded.refusals import Conflict, Invalid
from pytest_wml.embedded.runtimes.protocol import BadInput
from pytest_wml.embedded.scorers import Scorers
from pytest_wml.embedded.state.deployments import Deployment, DeploymentDraft, Deployments
from pytest_wml.embedded.state.jobs import Elements, Job, JobDraft, JobFailed, Jobs
from pytest_wml.embedded.state.models import Model, Models
from pytest_wml.embedded.state.spaces import Spaces
from pytest_wml.embedded.tokens import Tokens


@dataclass(frozen=True)
class Settings:
    """What can be chosen about a service."""

    clock: Callable[[], float]
    cpd_version: str
    json_limit: int
    """Bytes that a JSON body may have."""


class Service:
    """Everything behind the HTTP of the embedded WML.

    Args:
        folder: empty, and the service's own.
        spaces: ids of the spaces that are there from the start.
    """

    def __init__(self, folder: Path, spaces: Iterable[str], settings: Settings) -> None:
        self.settings = settings
        self.tokens = Tokens(settings.clock)
        self.contents = Contents(folder / "contents")
        self.scorers = Scorers(self.contents, folder / "models")
        self._lock = threading.RLock()
        self.spaces = Spaces(self._lock, settings.clock)
        self.models = Models(self._lock, settings.clock)
        self.deployments = Deployments(self._lock, settings.clock, self.scorers)
        self.jobs = Jobs(self._lock, settings.clock)
        for space_id in spaces:
            self.spaces.provision(space_id, owner="IBMid-embedded")

    def close(self) -> None:
        """Free every loaded model."""
        self.scorers.close()

    def upload(self, model_id: str, chunks: Iterable[bytes], content_format: str) -> Content:
        """Store the content of a model; what it held before stays with its revisions and deployments.

        Raises:
            Missing: there is no such model.
            Invalid: the upload is empty.
        """
        self.models.get(model_id)
        content, upload = self.contents.receive(chunks, content_format)
        try:
            with self._lock:
                self.models.set_content(model_id, content)
                self.contents.keep(content, upload)
        finally:
            self.contents.discard(upload)
        self._drop_unused()
        return content

    def deploy(self, draft: DeploymentDraft, space_id: str, owner: str) -> Deployment:
        """A new deployment of a stored model, `initializing`.

        Raises:
            Missing: there is no such model or revision in the space.
            Invalid: `invalid_serving_name`.
            Conflict: the serving name is taken.
        """
        with self._lock:
            model = self.models.read(draft.asset_id, space_id, draft.asset_rev)
            return self.deployments.create(draft, model.content, "model", space_id, owner)

    def redraft(
        self, deployment_id: str, redrafted: Callable[[Deployment], tuple[DeploymentDraft, set[str]]]
    ) -> tuple[Deployment, set[str]]:
        """Change a deployment, with nobody in between.

        Args:
            redrafted: makes a new draft of a deployment, and names the members that differ; with `asset` among
                them another model or revision is served under the same id.

        Raises:
            Missing: there is no such deployment, or no such model or revision in its space.
            Invalid: `invalid_serving_name`.
            Conflict: the serving name is taken.
        """
        with self._lock:
            deployment = self.deployments.get(deployment_id)
            draft, touched = redrafted(deployment)
            if "asset" not in touched:
                return self.deployments.update(deployment_id, draft), touched
            model = self.models.read(draft.asset_id, deployment.space_id, draft.asset_rev)
            return self.deployments.replace_asset(deployment_id, draft, model.content), touched

    def undeploy(self, deployment_id: str) -> None:
        """Delete a deployment with its jobs."""
        with self._lock:
            self.deployments.drop(deployment_id)
            for job in self.jobs.find(lambda job: job.draft.deployment_id == deployment_id):
                self.jobs.drop(job.id)
        self._drop_unused()

    def ready(self, deployment: Deployment, kind: Literal["online", "batch"]) -> Deployment:
        """The deployment after its model was loaded.

        Raises:
            Invalid: it is of the other kind.
            Conflict: its model cannot be served.
        """
        if deployment.draft.kind != kind:
            raise Invalid("invalid_deployment_type", f"Deployment '{deployment.id}' is not {kind}.")
        settled = self.deployments.settled(deployment)
        if settled.state != "ready":
            raise Conflict("deployment_is_not_ready", f"Deployment '{deployment.id}' is {settled.state}.")
        return settled

    def start_job(self, draft: JobDraft, space_id: str, owner: str) -> Job:
        """A new job of a batch deployment, `queued`.

        Raises:
            Missing: there is no such deployment in the space.
            Invalid: it is online.
            Conflict: its model cannot be served.
        """
        self.ready(self.deployments.locate(draft.deployment_id, space_id), "batch")
        return self.jobs.create(draft, space_id, owner)

    def advance(self, job: Job) -> Job:
        """The job one state further."""
        return self.jobs.advanced(job, self._scored)

    def _scored(self, job: Job) -> Elements:
        deployment = self.deployments.get(job.draft.deployment_id)
        try:
            return self.scorers.score(deployment.content, job.draft.input_data)
        except BadInput as problem:
            raise JobFailed(f"Bad input. {problem}") from problem

    def delete_model(self, model_id: str) -> Model:
        """Delete a model with its revisions and content.

        Raises:
            Missing: there is no such model.
            Conflict: it is deployed.
        """
        with self._lock:
            model = self.models.get(model_id)
            deployed = self.deployments.find(lambda deployment: deployment.draft.asset_id == model_id)
            if deployed:
                ids = ", ".join(deployment.id for deployment in deployed)
                raise Conflict("model_is_deployed", f"Model '{model_id}' has deployments, delete them first: {ids}.")
            self.models.drop(model_id)
        self._drop_unused()
        return model

    def delete_space(self, space_id: str) -> None:
        """Delete a space with its models.

        Raises:
            Missing: there is no such space.
            Conflict: it has deployments, which IBM's documentation says must be deleted before.
        """
        with self._lock:
            self.spaces.get(space_id)
            if self.deployments.find(lambda deployment: deployment.space_id == space_id):
                raise Conflict("space_has_deployments", f"Space '{space_id}' has deployments, delete them first.")
            self.spaces.drop(space_id)
            for model in self.models.find(lambda model: model.space_id == space_id):
                self.models.drop(model.id)
        self._drop_unused()

    def _drop_unused(self) -> None:
        with self._lock:
            models = self.models.find(lambda _: True)
            kept = [revision.content for model in models for revision in (model, *model.revisions)]
            kept += [deployment.content for deployment in self.deployments.find(lambda _: True)]
            dropped = self.contents.keep_only({content.digest for content in kept if content})
        self.scorers.forget(dropped)

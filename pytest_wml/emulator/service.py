"""The service: its state, its files, its tokens, and the rules that span them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pytest_wml.emulator.batch import Batch
from pytest_wml.emulator.contents import Contents, StoredContent
from pytest_wml.emulator.home import Home
from pytest_wml.emulator.refusals import Conflict
from pytest_wml.emulator.runtimes.loading import FUNCTION, Policy
from pytest_wml.emulator.scorers import Scorers
from pytest_wml.emulator.scoring_log import ScoringLog
from pytest_wml.emulator.served_asset import ServedAsset, training_fields
from pytest_wml.emulator.service_warnings import ServiceWarnings
from pytest_wml.emulator.state.deployments import (
    DeploymentDraft,
    DeploymentRecord,
    DeploymentRegistry,
    check_kind,
    check_not_failed,
)
from pytest_wml.emulator.state.jobs import JobRegistry
from pytest_wml.emulator.state.journal import StateJournal
from pytest_wml.emulator.state.models import ModelRecord, ModelRegistry
from pytest_wml.emulator.state.spaces import SpaceRecord, SpaceRegistry
from pytest_wml.emulator.tokens import Tokens
from pytest_wml.model.kinds import framework_of
from pytest_wml.wml.spaces import is_id

_OWNER = "IBMid-embedded"


@dataclass(frozen=True)
class ServiceSettings:
    """What can be chosen about a service."""

    clock: Callable[[], float]
    cpd_version: str
    json_limit: int
    """Bytes that a JSON body may have."""
    policy: Policy
    any_space: bool = False
    """Whether a space that is named by an unknown id is made."""


class EmbeddedService:
    """Everything behind the HTTP of the embedded WML.

    Args:
        home: where it keeps its data; data of an earlier service there is loaded again.
        spaces: ids of the spaces that are there from the start.
    """

    def __init__(self, home: Home, spaces: Iterable[str], settings: ServiceSettings) -> None:
        self.settings = settings
        self.tokens = Tokens(settings.clock, home.key)
        self.contents = Contents(home.contents, lasting=home.store is not None)
        self.warnings = ServiceWarnings()
        self.scoring_log: ScoringLog | None = None
        """The last ones, where somebody wants to see them."""
        self.crashes: list[Exception] = []
        self.scorers = Scorers(
            self.contents, home.scratch, settings.policy, self.warnings.add, crashed=self.crashes.append
        )
        self._journal = StateJournal(home.store)
        self.spaces = SpaceRegistry(self._journal, settings.clock)
        self.models = ModelRegistry(self._journal, settings.clock)
        self.functions = ModelRegistry(self._journal, settings.clock, kind=FUNCTION)
        self.deployments = DeploymentRegistry(self._journal, settings.clock, self.scorers)
        self.jobs = JobRegistry(self._journal, settings.clock)
        self.batch = Batch(self.jobs, self.deployments, self.scorers, self._journal, self.warnings, self.tokens)
        self.spaces.provision(spaces, owner=_OWNER)
        # What was uploaded, and not acknowledged before the service ended.
        self._drop_unused()

    def close(self) -> None:
        """Free every loaded model; wait until nothing is being written."""
        self.scorers.close()
        self._journal.close()

    def space(self, space_id: str) -> SpaceRecord:
        """The space of this id; where any is accepted, one that nobody made is made, with a warning.

        Raises:
            Missing: there is none, or not any more.
        """
        if self.settings.any_space and is_id(space_id) and not self.spaces.has_had(space_id):
            self.spaces.provision([space_id], owner=_OWNER)
            self.warnings.add(
                f"The code names space {space_id}, which the run does not; the embedded service made it. "
                "Live it must exist; WML_SPACE_ID names the space of the run."
            )
        return self.spaces.get(space_id)

    def registry_of(self, asset_id: str) -> ModelRegistry:
        """The functions where the id is one of theirs, else the models."""
        return self.functions if self.functions.find(lambda function: function.id == asset_id) else self.models

    def upload(
        self, registry: ModelRegistry, asset_id: str, chunks: Iterable[bytes], content_format: str
    ) -> StoredContent:
        """Store the content of a model or function; what it held before stays with its revisions and deployments.

        Raises:
            Missing: there is none of this id in the registry.
            Invalid: the upload is empty.
            NotKept: it could not be written; the asset holds what it held.
        """
        registry.get(asset_id)
        content, upload = self.contents.receive(chunks, content_format)
        try:
            with self._journal:
                # Before the record that names it: what is recorded is there.
                self.contents.keep(content, upload)
                registry.set_content(asset_id, content)
        finally:
            self.contents.discard(upload)
            self._drop_unused()
        return content

    def deploy(self, draft: DeploymentDraft, space_id: str, owner: str) -> DeploymentRecord:
        """A new deployment of a stored model or function, `initializing`.

        Raises:
            Missing: there is no such model, function or revision in the space.
            Invalid: `invalid_serving_name`.
            Conflict: the serving name is taken.
        """
        with self._journal:
            served, kind = self._served(draft, space_id)
            deployment = self.deployments.create(draft, served, kind, space_id, owner)
        self.deployments.begin(deployment)
        return deployment

    def redraft(
        self, deployment_id: str, redrafted: Callable[[DeploymentRecord], tuple[DeploymentDraft, set[str]]]
    ) -> tuple[DeploymentRecord, set[str]]:
        """Change a deployment, with nobody in between.

        Args:
            redrafted: makes a new draft of a deployment, and names the members that differ; with `asset` among
                them another model or revision is served under the same id.

        Raises:
            Missing: there is no such deployment, or no such model or revision in its space.
            Invalid: `invalid_serving_name`.
            Conflict: the serving name is taken.
        """
        with self._journal:
            deployment = self.deployments.get(deployment_id)
            draft, touched = redrafted(deployment)
            if "asset" not in touched:
                return self.deployments.update(deployment_id, draft), touched
            served, _ = self._served(draft, deployment.space_id)
            changed = self.deployments.replace_asset(deployment_id, draft, served)
        self._drop_unused()
        self.deployments.begin(changed)
        return changed, touched

    def _served(self, draft: DeploymentDraft, space_id: str) -> tuple[ServedAsset, str]:
        registry = self.registry_of(draft.asset_id)
        asset = registry.read(draft.asset_id, space_id, draft.asset_rev)
        framework = FUNCTION if registry is self.functions else framework_of(asset.draft.type)
        fields = training_fields(asset.draft.entity) if framework == "mllib" else ()
        return ServedAsset(asset.content, framework, asset.draft.software_spec, fields), registry.kind

    def undeploy(self, deployment_id: str) -> None:
        """Delete a deployment with its jobs."""
        with self._journal:
            self.deployments.drop(deployment_id)
            for job in self.jobs.find(lambda job: job.draft.deployment_id == deployment_id):
                self.batch.drop(job.id)
        self._drop_unused()

    def ready(self, deployment: DeploymentRecord) -> DeploymentRecord:
        """An online deployment after its model was loaded, which is waited for.

        Raises:
            Missing: it was deleted meanwhile.
            Invalid: it is a batch deployment.
            Conflict: its model cannot be served.
        """
        check_kind(deployment, "online")
        loaded = self.deployments.loaded(deployment)
        check_not_failed(loaded)
        return loaded

    def delete_asset(self, registry: ModelRegistry, asset_id: str) -> ModelRecord:
        """Delete a model or function with its revisions and content.

        Raises:
            Missing: there is none of this id in the registry.
            Conflict: it is deployed.
        """
        with self._journal:
            asset = registry.get(asset_id)
            deployed = self.deployments.find(lambda deployment: deployment.draft.asset_id == asset_id)
            if deployed:
                ids = ", ".join(deployment.id for deployment in deployed)
                raise Conflict(
                    f"{registry.kind}_is_deployed",
                    f"{registry.kind.capitalize()} '{asset_id}' has deployments, delete them first: {ids}.",
                )
            registry.drop(asset_id)
        self._drop_unused()
        return asset

    def delete_space(self, space_id: str) -> None:
        """Delete a space with its models and functions.

        Raises:
            Missing: there is no such space.
            Conflict: it has deployments, which IBM's documentation says must be deleted before.
        """
        with self._journal:
            self.spaces.get(space_id)
            if self.deployments.find(lambda deployment: deployment.space_id == space_id):
                raise Conflict("space_has_deployments", f"Space '{space_id}' has deployments, delete them first.")
            self.spaces.drop(space_id)
            for registry in (self.models, self.functions):
                for asset in registry.find(lambda asset: asset.space_id == space_id):
                    registry.drop(asset.id)
        self._drop_unused()

    def _drop_unused(self) -> None:
        with self._journal:
            assets = self.models.find(lambda _: True) + self.functions.find(lambda _: True)
            kept = [revision.content for asset in assets for revision in (asset, *asset.revisions)]
            served = [deployment.served for deployment in self.deployments.find(lambda _: True)]
            kept += [one.content for one in served]
            dropped = self.contents.keep_only({content.digest for content in kept if content})
            free = self.scorers.release(dropped, served)
        free()

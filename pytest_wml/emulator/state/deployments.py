"""Deployments and what becomes of them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pytest_wml.emulator.refusals import Conflict, Invalid, Missing
from pytest_wml.emulator.scorers import LoadOutcome, Scorers
from pytest_wml.emulator.served_asset import ServedAsset
from pytest_wml.emulator.state.journal import StateJournal
from pytest_wml.emulator.state.registry import RecordRegistry
from pytest_wml.model.serving import LoadFailed
from pytest_wml.wml.hardware_specs import DEFAULT_HARDWARE_SPEC, HardwareSpec

# Up to 36 of these letters: the service's own words in a recorded refusal.
_SERVING_NAME = re.compile(r"[a-z0-9_]{1,36}")
_BAD_SERVING_NAME = (
    "Field 'serving_name' is either blank or has invalid characters in it. Serving name can be up to 36 "
    "characters and can include _, a-z and 0-9. Try again with a valid serving name"
)

State = Literal["initializing", "updating", "ready", "failed"]


@dataclass(frozen=True)
class DeploymentDraft:
    """What a caller says of a deployment, checked."""

    name: str
    asset_id: str
    asset_rev: str | None = None
    kind: Literal["online", "batch"] = "online"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Of an online deployment; `serving_name` among them."""
    hardware_spec: HardwareSpec = DEFAULT_HARDWARE_SPEC
    num_nodes: int = 1
    description: str | None = None
    tags: tuple[Any, ...] | None = None
    custom: Mapping[str, Any] = field(default_factory=dict)

    @property
    def serving_name(self) -> str | None:
        return self.parameters.get("serving_name")


@dataclass(frozen=True)
class DeploymentRecord:
    number: int
    id: str
    space_id: str
    owner: str
    draft: DeploymentDraft
    served: ServedAsset
    asset_type: str
    """`model` or `function`."""
    created_at: float
    modified_at: float
    state: State = "initializing"
    failure: str = ""
    note: str = ""
    """What `entity.status.message` says."""


def _missing(deployment_id: str) -> Missing:
    return Missing(
        "deployment_does_not_exist",
        f"Deployment with id '{deployment_id}' does not exist. Re-try with a valid deployment id.",
    )


class DeploymentRegistry(RecordRegistry[DeploymentRecord]):
    """Deployments by id, online ones also by serving name.

    A record says `initializing`, or `updating` after a patch; whether the deployment is `ready` or has `failed` is
    known by the load of what it serves, which a record that outlives the process cannot know.
    """

    def __init__(self, journal: StateJournal, clock: Callable[[], float], scorers: Scorers) -> None:
        super().__init__(journal, "deployment", DeploymentRecord, _missing)
        self._clock = clock
        self._scorers = scorers
        # An earlier release recorded how the load ended; after a restart it may end otherwise.
        for ended in self.find(lambda deployment: deployment.state in ("ready", "failed")):
            self._records[ended.id] = replace(ended, state="initializing", failure="")

    def create(
        self, draft: DeploymentDraft, served: ServedAsset, asset_type: str, space_id: str, owner: str
    ) -> DeploymentRecord:
        """A new deployment, `initializing`.

        Raises:
            Invalid: `invalid_serving_name`.
            Conflict: the serving name is taken.
        """
        now = self._clock()
        with self._journal:
            self._check_serving_name(draft.serving_name)
            return self.put(
                DeploymentRecord(
                    number=self.next_number(),
                    id=str(uuid.uuid4()),
                    space_id=space_id,
                    owner=owner,
                    draft=draft,
                    served=served,
                    asset_type=asset_type,
                    created_at=now,
                    modified_at=now,
                )
            )

    def locate(self, id_or_serving_name: str, space_id: str | None = None) -> DeploymentRecord:
        """The deployment as it is, without waiting for it.

        Raises:
            Missing: there is none of this id or serving name in the space.
        """
        with self._journal.lock:
            deployment = self._records.get(id_or_serving_name) or self.by_serving_name(id_or_serving_name)
        if deployment is None or space_id not in (None, deployment.space_id):
            raise _missing(id_or_serving_name)
        return deployment

    def by_serving_name(self, serving_name: str) -> DeploymentRecord | None:
        found = self.find(lambda deployment: deployment.draft.serving_name == serving_name)
        return found[0] if found else None

    def begin(self, deployment: DeploymentRecord) -> None:
        """Load the model of a deployment that was made or patched; does not wait for it."""
        with self._journal.lock:
            if deployment.id in self._records:  # not deleted meanwhile
                self._scorers.begin(deployment.served)

    def look(self, deployment: DeploymentRecord) -> DeploymentRecord:
        """The deployment in the state of its load, which is begun if a restart has ended it; nothing is waited for."""
        with self._journal.lock:
            if deployment.id in self._records:
                self._scorers.resume(deployment.served)
        return self.shown(deployment)

    def shown(self, deployment: DeploymentRecord) -> DeploymentRecord:
        """The deployment in the state of its load; nothing is begun, and nothing waited for."""
        return _in_state(deployment, self._scorers.look(deployment.served))

    def loaded(self, deployment: DeploymentRecord) -> DeploymentRecord:
        """The deployment, `ready` or `failed`; waits for its load, which is begun if it was not.

        Raises:
            Missing: it was deleted meanwhile.
        """
        while True:
            failure = ""
            try:
                self._scorers.loaded(deployment.served)
            except LoadFailed as problem:
                failure = str(problem)
            current = self.get(deployment.id)
            # Patched to another asset meanwhile: that one is what is deployed now.
            if current.served == deployment.served:
                return _in_state(current, LoadOutcome(failure))
            deployment = current

    def update(self, deployment_id: str, draft: DeploymentDraft) -> DeploymentRecord:
        """Change what needs no restart.

        Raises:
            Invalid: `invalid_serving_name`.
            Conflict: the serving name is taken.
        """
        with self._journal:
            self._check_serving_name(draft.serving_name, except_for=deployment_id)
            return self.change(deployment_id, lambda current: replace(current, draft=draft, modified_at=self._clock()))

    def replace_asset(self, deployment_id: str, draft: DeploymentDraft, served: ServedAsset) -> DeploymentRecord:
        """Serve another asset or revision under the same id; `updating` until it is loaded."""

        def replaced(current: DeploymentRecord) -> DeploymentRecord:
            return replace(
                current,
                draft=draft,
                served=served,
                state="updating",
                note="Successfully patched the asset.",
                modified_at=self._clock(),
            )

        return self.change(deployment_id, replaced)

    def _check_serving_name(self, serving_name: object, except_for: str = "") -> None:
        if serving_name is None:
            return
        if not isinstance(serving_name, str) or not _SERVING_NAME.fullmatch(serving_name):
            raise Invalid("invalid_serving_name", _BAD_SERVING_NAME)
        holder = self.by_serving_name(serving_name)
        if holder and holder.id != except_for:
            raise Conflict("serving_name_already_exists", f"Serving name '{serving_name}' is already in use.")


def _in_state(deployment: DeploymentRecord, outcome: LoadOutcome | None) -> DeploymentRecord:
    if outcome is None:
        return deployment
    return replace(deployment, state="failed" if outcome.failure else "ready", failure=outcome.failure)


def check_kind(deployment: DeploymentRecord, kind: Literal["online", "batch"]) -> None:
    """Pass when a deployment is of this kind.

    Raises:
        Invalid: it is of the other one.
    """
    if deployment.draft.kind != kind:
        raise Invalid("invalid_deployment_type", f"Deployment '{deployment.id}' is not {kind}.")


def check_not_failed(deployment: DeploymentRecord) -> None:
    """Pass when a deployment's model is loaded, or may still be.

    Raises:
        Conflict: it cannot be.
    """
    if deployment.state == "failed":
        raise Conflict("deployment_is_not_ready", f"Deployment '{deployment.id}' is {deployment.state}.")

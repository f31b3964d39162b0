"""The configuration of a run, from options and credentials: mode, models, names, secrets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_wml.config import credentials as credentials_
from pytest_wml.config import similar_names
from pytest_wml.config.deployment_specs import Plan
from pytest_wml.config.option_table import SPACE_VARIABLES
from pytest_wml.config.options import Settings
from pytest_wml.config.values import Mode, Setting
from pytest_wml.errors import BadOption
from pytest_wml.model.kinds import ARCHIVES, MODEL_FILES, stored_as
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID, is_id

if TYPE_CHECKING:
    from pytest_wml.redaction.known import Secrets
    from pytest_wml.replay.cassette.varying import Varying

TRAIN = "train"
"""The word in place of a model's path that selects the sample network, trained in the run."""


def named_after(model: Path) -> str:
    """The default name of a deployment: its model's, without the suffix."""
    suffix = next((suffix for suffix in (*ARCHIVES, *MODEL_FILES) if model.name.endswith(suffix)), "")
    return model.name.removesuffix(suffix)


def names_file(plan: Plan) -> bool:
    """Whether a plan names a model's file or folder."""
    return not plan.deployment and plan.model not in ("", TRAIN)


class Configuration:
    """The values of a run's options and credentials; constant during the run.

    Args:
        settings: the options.
        root: pytest's root folder; relative paths of the ini file start there.
        environ: the environment at the start.
        started_in: the folder in which pytest was started; relative paths of the command line start there.
    """

    def __init__(self, settings: Settings, root: Path, environ: Mapping[str, str], started_in: Path) -> None:
        self.settings = settings
        self.root = root
        self._started_in = started_in
        self.environ = dict(environ)

    @property
    def mode(self) -> Mode:
        """The mode, which determines the source of the answers."""
        return self.settings.mode.value

    @property
    def cassettes(self) -> Path:
        """The folder of the cassettes."""
        setting = self.settings.cassettes
        return self.root / setting.value if setting.source == "default" else self.resolve(setting)

    @cached_property
    def plans(self) -> dict[str, Plan]:
        """Name → plan of each deployment of the run; one, unless wml_deployments names several."""
        settings, several = self.settings, self.settings.deployments
        if not several.value:
            model, source = settings.model
            return {self.name: self.completed(Plan(self.name, model, deployment=settings.deployment.value), source)}
        return {plan.name: self.completed(plan, several.source) for plan in several.value}

    def completed(self, plan: Plan, source: str) -> Plan:
        """A plan with its missing values taken from the options."""
        return plan._replace(
            model_type=plan.model_type or self.settings.model_type.value,
            software_spec=plan.software_spec or self.settings.software_spec.value,
            source=source,
        )

    def inferred(self, plan: Plan) -> Plan:
        """A plan with type and software specification, inferred from its model if missing.

        Reads the model's file, but does not fail if it is missing, damaged or not recognised.
        """
        options = (plan.model_type, plan.software_spec)
        if all(options):
            return plan
        from pytest_wml.model.storing import inferred

        storing = inferred(self.path(plan), *options) if names_file(plan) else stored_as(("tensorflow",), *options)
        return plan._replace(model_type=storing.model_type, software_spec=storing.software_spec)

    def path(self, plan: Plan) -> Path:
        """The path of a plan's model."""
        return self.resolve(Setting(plan.model, plan.source))

    @cached_property
    def name(self) -> str:
        """The name of the run's deployment and of its cassette; with several deployments, of the first."""
        if self.settings.deployments.value:
            return self.settings.deployments.value[0].name
        name = self.settings.name.value
        if name:
            return name
        if self.settings.model.value in ("", TRAIN):
            return "mnist_cnn"
        return named_after(self.resolve(self.settings.model).resolve())

    @property
    def names_a_model(self) -> bool:
        """Whether an option names the run's model or deployment."""
        settings = self.settings
        return any(one.value for one in (settings.model, settings.name, settings.deployment, settings.deployments))

    def resolve(self, setting: Setting[str]) -> Path:
        """A setting's path; relative to the root folder if the ini file gives it, else to the folder of the start."""
        return (self.root if setting.source.startswith("ini") else self._started_in) / setting.value

    @cached_property
    def found_credentials(self) -> credentials_.Credentials | None:
        """The credentials of the environment or a file; None if there are none.

        Raises:
            BadCredentials: they cannot be used.
        """
        file = self.settings.credentials
        path = str(self.resolve(file)) if file.value else ""
        return credentials_.find(self.environ, path, offline=self.mode is not Mode.LIVE)

    @property
    def credentials(self) -> credentials_.Credentials:
        """The credentials to use; built-in ones if an offline run has none.

        Raises:
            BadCredentials: a live run has none, or they cannot be used.
        """
        if self.mode is Mode.LIVE:
            return credentials_.required(self.found_credentials)
        credentials = self.found_credentials or credentials_.OFFLINE
        return credentials if credentials.space_id else credentials._replace(space_id=DEFAULT_SPACE_ID)

    @cached_property
    def secrets(self) -> Secrets:
        """The secrets of the run."""
        from pytest_wml.config.environment_secrets import secrets_of_environment
        from pytest_wml.redaction.known import Secrets

        secrets = self.usable_credentials.secrets if self.usable_credentials else ()
        own = [secret for secret in secrets if secret != credentials_.OFFLINE.apikey]
        return Secrets([*own, *secrets_of_environment(self.environ)])

    @property
    def apikey(self) -> str:
        """The API key of the run; empty if there is none."""
        return self.usable_credentials.apikey if self.usable_credentials else ""

    @property
    def knows_secrets(self) -> bool:
        """Whether the run has credentials."""
        return self.usable_credentials is not None

    @property
    def spaces(self) -> list[str]:
        """The ids of deployment spaces in the run's credentials and environment; the first one is used.

        Raises:
            BadCredentials: a live run has no credentials, or they cannot be used.
        """
        named = (self.environ.get(name, "").strip() for name in SPACE_VARIABLES)
        return list(dict.fromkeys([self.credentials.space_id, *filter(is_id, named)]))

    @property
    def aliases(self) -> dict[str, str]:
        """Id of the user's space → id of the space in recordings."""
        space = self.usable_credentials.space_id if self.usable_credentials else ""
        return {space: DEFAULT_SPACE_ID} if space not in ("", DEFAULT_SPACE_ID) else {}

    @cached_property
    def varying(self) -> Varying:
        """The permitted differences between a request and the recorded one."""
        from pytest_wml.config.json_paths import JsonPaths
        from pytest_wml.replay.cassette.varying import Varying, words_of

        return Varying(JsonPaths(self.settings.ignore.value), words_of(self.environ))

    @cached_property
    def ca(self) -> str:
        """The file with the certificate of a private authority; empty to trust the default authorities.

        Raises:
            BadOption: it cannot be used.
        """
        setting = self.settings.ca
        if not setting.value:
            return ""
        import ssl

        path = self.resolve(setting)
        try:
            ssl.create_default_context(cafile=str(path))
        except OSError as error:
            raise BadOption(
                f"{setting.source} names no file with certificates: {setting.value}.",
                looked_at=path,
                reason=error.strerror if not isinstance(error, ssl.SSLError) else "it contains no PEM certificate",
                there_is=similar_names.files(path),
                fix="give a PEM file with the certificate of the service's authority",
            ) from None
        return str(path)

    @property
    def usable_credentials(self) -> credentials_.Credentials | None:
        """The credentials; None for invalid ones, which are reported only by the fixture that needs them."""
        try:
            return self.found_credentials
        except credentials_.BadCredentials:
            return None

    @property
    def cpd_host(self) -> str | None:
        """The host of the Cloud Pak for Data in the credentials; None for IBM Cloud, or without credentials."""
        return self.usable_credentials.cpd_host if self.usable_credentials else None

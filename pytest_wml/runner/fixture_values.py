"""Creates the values of the fixtures from a run's configuration."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_wml.client import captured_output
from pytest_wml.config import similar_names
from pytest_wml.config.deployment_specs import Plan
from pytest_wml.config.folders import users_cache
from pytest_wml.config.values import Mode
from pytest_wml.errors import BadOption
from pytest_wml.runner import progress
from pytest_wml.runner.configuration import TRAIN, Configuration
from pytest_wml.runner.run import Run

if TYPE_CHECKING:
    from pytest_wml.client.deployment import Deployment
    from pytest_wml.contract import Contract
    from pytest_wml.model.archive import ModelArchive
    from pytest_wml.model.cnn import TrainedCNN


def cache_folder(config: pytest.Config) -> Path:
    """The folder of trained networks: in pytest's cache, or in the user's cache if pytest's is disabled."""
    cache = getattr(config, "cache", None)
    if cache is not None:
        return Path(cache.mkdir("wml"))
    return users_cache()


def trained_cnn(config: pytest.Config) -> TrainedCNN:
    """The sample network, from the cache or trained now, with progress on a terminal and the result in a log.

    Raises:
        MissingExtra: TensorFlow is not installed.
        TrainingFailed: there is no data to train on.
    """
    from pytest_wml.model.cache import trained_cnn
    from pytest_wml.model.recipe import Recipe

    with progress.progress_line(config, keep=True) as show:
        return trained_cnn(Recipe(), cache_folder(config), progress=show)


def sample_archive() -> Path:
    """The packaged sample: a trained MNIST network."""
    return Path(str(files("pytest_wml") / "data" / "mnist_cnn.tar.gz"))


def model_archive(
    configuration: Configuration,
    config: pytest.Config,
    plan: Plan,
    train: Callable[[], TrainedCNN],
    folder: Callable[[], Path],
) -> ModelArchive:
    """The archive of a plan's model; an unknown one for an existing deployment without a model.

    Args:
        configuration: of the run.
        config: pytest's, for its cache.
        plan: names the model.
        train: returns the trained sample network; called for the model `train` only, and not in replay.
        folder: returns a temporary folder; called only if the model has to be packed.

    Raises:
        BadOption: the file does not exist, or the type is for models of another kind.
        BadArchive: the archive is damaged, or no type is given and the model is not recognised.
    """
    if plan.model == TRAIN:
        return _trained_archive(configuration.mode, cache_folder(config) / f"{plan.name}.tar.gz", plan, train)
    return packed_archive(configuration, plan, folder)


def packed_archive(configuration: Configuration, plan: Plan, folder: Callable[[], Path]) -> ModelArchive:
    """The archive of a plan's model, packed if necessary.

    Raises:
        BadOption: the file does not exist, or the type is for models of another kind.
        BadArchive: the archive is damaged, or no type is given and the model is not recognised.
    """
    from pytest_wml.client.existing import unknown_archive
    from pytest_wml.model.storing import completed, packed

    if plan.deployment and not plan.model:
        return unknown_archive()
    path = _existing_path(configuration, plan) if plan.model else sample_archive()
    if not plan.deployment:
        completed(path, plan.model_type, plan.software_spec)  # its errors name the user's file, not the packed one
    return packed(path, plan.name, folder)


def _trained_archive(mode: Mode, packaged: Path, plan: Plan, train: Callable[[], TrainedCNN]) -> ModelArchive:
    from pytest_wml.model.archive import read_archive

    if mode is not Mode.REPLAY:
        return train().package(packaged)
    if packaged.exists():
        return read_archive(packaged)
    raise BadOption(
        f"{plan.source} is `train`, but replay does not train, and no trained network is stored here.",
        looked_for=packaged,
        fix="run once with --wml=embedded, which trains, packages and scores; then replay finds the network",
    )


def _existing_path(configuration: Configuration, plan: Plan) -> Path:
    path = configuration.path(plan)
    if not path.exists():
        raise BadOption(
            f"{plan.source} names a model that does not exist: {plan.model}.",
            looked_at=path,
            there_is=similar_names.files(path),
            fix="give an archive (.tar.gz, .tgz, .zip), a model's folder, a model file "
            "(.h5, .keras, .pkl, .onnx, .json, .xml, …) or `train`",
        )
    return path


@contextlib.contextmanager
def client(run: Run) -> Iterator[Any]:
    """IBM's client, whose requests the run's mode answers.

    Raises:
        MissingExtra: no client of IBM's is installed.
        BadCredentials: a live run has no credentials.
        MissingRecording: in replay, there are no recordings.
    """
    from pytest_wml.client.safe_client import safe_client

    if run.configuration.mode is Mode.REPLAY:
        for plan in run.configuration.plans.values() if len(run.configuration.plans) == 1 else ():
            if plan.model not in ("", TRAIN):
                _existing_path(run.configuration, plan)  # else a mistyped path would appear as a missing recording
        run.app.replay.require_any()
    with safe_client(run.configuration.credentials) as client:
        yield client


@contextlib.contextmanager
def deployment(
    run: Run, client: Any, archive: ModelArchive, plan: Plan, folder: Callable[[], Path], show: progress.ProgressLine
) -> Iterator[Deployment]:
    """A plan's deployment: created and deleted again, or an existing one.

    Args:
        run: the run.
        client: IBM's.
        archive: of the model; for an existing deployment the local archive of its model.
        plan: specifies the deployment; a missing type or software specification is inferred from the archive.
        folder: returns a temporary folder; called only if a model is downloaded.
        show: shows the progress of the upload, and the states of the deployment.

    Raises:
        MissingRecording: in replay, there is no recording with the plan's name.
        ModelChanged: in replay, the archive is not the recorded model.
        DeploymentFailed: the service refuses the model, or the deployment does not exist.
        Refused: the live service is known to refuse such files, so nothing was uploaded.
        BadOption: the type is for models of another kind, so nothing was uploaded.
        UnknownModel: no type is given, and none can be inferred.
    """
    from pytest_wml.client.deployment import create, deployed
    from pytest_wml.model.frameworks import require
    from pytest_wml.model.storing import completed
    from pytest_wml.replay.bodies import as_content

    if plan.deployment:
        with captured_output.capture():
            existing = _existing_deployment(run, client, archive, plan, folder)
        run.deployments.served[plan.name] = existing.archive
        yield existing
        return
    model_type, software_spec = completed(archive.path, plan.model_type, plan.software_spec)
    plan = plan._replace(model_type=model_type, software_spec=software_spec)
    run.deployments.served[plan.name], run.deployments.stored[plan.name] = archive, plan
    if run.configuration.mode is Mode.REPLAY:
        run.app.replay.require(plan.name, as_content(archive))
    elif run.configuration.mode is Mode.EMBEDDED and archive.kind == "savedmodel":
        require("tensorflow", "to score a SavedModel on the embedded service")
    options: dict[str, Any] = {"name": plan.name, "model_type": plan.model_type, "spec": plan.software_spec}
    options |= {"mode": run.configuration.mode.value, "deadline": run.configuration.settings.deadline.value}
    with contextlib.ExitStack() as stack:
        with show, run.app.report_progress(lambda line: show(f"{plan.name}: {line}")):
            if run.configuration.mode is Mode.LIVE:
                from pytest_wml.model.lint.report import before_live

                show(f"{plan.name}: lint")
                run.deployments.linted[plan.name] = before_live(archive, plan.model_type, plan.software_spec)
            if _is_shared(run):
                from pytest_wml.runner.shared_deployment import shared

                deployment = shared(run, client, archive, plan, lambda: create(client, archive, **options))
            else:
                deployment = stack.enter_context(deployed(client, archive, **options))
        yield deployment


def _is_shared(run: Run) -> bool:
    """Whether several processes use a deployment: workers of xdist in a live run, or later runs.

    A worker that records does not share: its recording must contain the creation and the deletion.
    """
    if run.configuration.mode is not Mode.LIVE or run.recording.enabled:
        return False
    return run.live.processes.is_worker or run.configuration.settings.reuse.value


def _existing_deployment(
    run: Run, client: Any, local: ModelArchive, plan: Plan, folder: Callable[[], Path]
) -> Deployment:
    """A deployment that existed before the run; its recording is valid for the model that it served."""
    from pytest_wml.client import existing
    from pytest_wml.client.deployment import Deployment
    from pytest_wml.replay.bodies import as_content
    from pytest_wml.replay.cassette.library import same_model

    replayed = run.configuration.mode is Mode.REPLAY
    recorded = run.app.replay.require(plan.name, None) if replayed else None
    details = existing.find(client, plan.deployment)
    run.app.assign(plan.name, details["metadata"]["id"])
    served = existing.served(client, details, None if replayed else folder() / f"{plan.name}.tar.gz")
    if served.content is None and recorded is not None:
        served = existing.ServedModel(recorded, None, "by the recording")
    if served.content is not None:
        run.recording.models[plan.name] = served.content
    text, archive = str(served), served.archive or existing.unknown_archive(served.content)
    if plan.model and (served.content is None or same_model(served.content, as_content(local))):
        archive = local
    elif plan.model:
        text += f"; {plan.source} names another model, {local.model_digest[:16]}"
    run.deployments.existing[plan.name] = text
    name, url = details["entity"]["name"], client.deployments.get_scoring_href(details)
    return Deployment(client, details["metadata"]["id"], name, archive, url, mode=run.configuration.mode.value)


def contract(run: Run, name: str, deployment: Deployment, show: progress.ProgressLine) -> Contract:
    """The checks of a deployment; the run stores their results.

    Args:
        run: the run.
        name: of the deployment's recording, in whose folder its references are.
        deployment: the deployment to check.
        show: shows the progress of large data sets and load tests.
    """
    from pytest_wml.contract import Contract, Scoring

    def keep_reference(file: Path, text: str, change: str) -> None:
        run.recording.keep_reference(name, run.request_log.requester, file, text, change)

    return Contract(
        deployment,
        Scoring(progress=show),
        reference=run.configuration.cassettes / name,
        record=keep_reference if run.recording.enabled else None,
        keep=run.results.checks.append,
        measuring=run.app.without_retries,
    )

"""What the fixtures give, made from a run's settings."""

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
from pytest_wml.runner.configuration import TRAIN
from pytest_wml.runner.run import Run

if TYPE_CHECKING:
    from pytest_wml.client.deployment import Deployment
    from pytest_wml.contract import Contract
    from pytest_wml.model.archive import ModelArchive
    from pytest_wml.model.cnn import TrainedCNN


def cache_folder(config: pytest.Config) -> Path:
    """Where what was trained is kept: pytest's cache, or the user's where that is switched off."""
    cache = getattr(config, "cache", None)
    if cache is not None:
        return Path(cache.mkdir("wml"))
    return users_cache()


def trained_cnn(config: pytest.Config) -> TrainedCNN:
    """The sample network, from the cache or trained now: with progress on a terminal, its outcome in a log.

    Raises:
        MissingExtra: TensorFlow is not installed.
        TrainingFailed: there is no data to train on.
    """
    from pytest_wml.model.cache import trained_cnn
    from pytest_wml.model.recipe import Recipe

    with progress.shown(config, keep=True) as show:
        return trained_cnn(Recipe(), cache_folder(config), progress=show)


def sample_archive() -> Path:
    """The packaged sample: a trained MNIST network."""
    return Path(str(files("pytest_wml") / "data" / "mnist_cnn.tar.gz"))


def model_archive(
    run: Run, config: pytest.Config, plan: Plan, train: Callable[[], TrainedCNN], folder: Callable[[], Path]
) -> ModelArchive:
    """The archive that a plan names; for a deployment that exists already and names none, an unknown one.

    Args:
        run: holds the options.
        config: pytest's, for its cache.
        plan: names the model.
        train: gives the trained sample network; only called for `train`, and never in replay.
        folder: gives a temporary folder; only called when something has to be packed.

    Raises:
        BadOption: there is no such file, or the type is for models of another kind.
        BadArchive: it is damaged, or no type is given and no model is recognised.
    """
    if plan.model == TRAIN:
        return _trained_archive(run, cache_folder(config) / f"{plan.name}.tar.gz", plan, train)
    return packed_archive(run, plan, folder)


def packed_archive(run: Run, plan: Plan, folder: Callable[[], Path]) -> ModelArchive:
    """The archive that a plan names, packed where that is needed.

    Raises:
        BadOption: there is no such file, or the type is for models of another kind.
        BadArchive: it is damaged, or no type is given and no model is recognised.
    """
    from pytest_wml.client.existing import unknown_archive
    from pytest_wml.model.storing import completed, packed

    if plan.deployment and not plan.model:
        return unknown_archive()
    path = _existing(run, plan) if plan.model else sample_archive()
    if not plan.deployment:
        completed(path, plan.model_type, plan.software_spec)  # what is wrong is said of the user's file
    return packed(path, plan.name, folder)


def _trained_archive(run: Run, packaged: Path, plan: Plan, train: Callable[[], TrainedCNN]) -> ModelArchive:
    from pytest_wml.model.archive import read_archive

    if run.configuration.mode is not Mode.REPLAY:
        return train().package(packaged)
    if packaged.exists():
        return read_archive(packaged)
    raise BadOption(
        f"{plan.source} is `train`, and replay never trains: no network was packaged here yet.",
        looked_for=packaged,
        fix="run once with --wml=embedded, which trains, packages and scores; then replay knows the model",
    )


def _existing(run: Run, plan: Plan) -> Path:
    path = run.configuration.path(plan)
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
    """IBM's client, answered by the run's mode.

    Raises:
        MissingExtra: no client of IBM's is installed.
        BadCredentials: a live run has none.
        MissingRecording: in replay, nothing at all was recorded.
    """
    from pytest_wml.client.safe_client import safe_client

    if run.configuration.mode is Mode.REPLAY:
        for plan in run.configuration.plans.values() if len(run.configuration.plans) == 1 else ():
            if plan.model not in ("", TRAIN):
                _existing(run, plan)  # a mistyped path would otherwise look like a missing recording
        run.app.replay.require_any()
    with safe_client(run.configuration.credentials) as made:
        yield made


@contextlib.contextmanager
def deployment(
    run: Run, client: Any, archive: ModelArchive, plan: Plan, folder: Callable[[], Path], show: progress.Shown
) -> Iterator[Deployment]:
    """A plan's deployment: stored, deployed and deleted again, or one that exists already.

    Args:
        run: knows the mode.
        client: IBM's.
        archive: what to deploy; of a deployment that exists, what is known of it here.
        plan: says how; a type or software specification that it does not name is inferred from the archive.
        folder: gives a temporary folder; only called when a model is downloaded.
        show: shows how the upload goes, and the states of the deployment.

    Raises:
        MissingRecording: in replay, nothing was recorded under the plan's name.
        ModelChanged: in replay, the archive is not the recorded model.
        DeploymentFailed: the service refuses the model, or has no such deployment.
        Refused: the live service is known to refuse such files, so nothing was uploaded.
        BadOption: the type is for models of another kind, so nothing was uploaded.
        UnknownModel: no type is given, and none can be inferred.
    """
    from pytest_wml.client.deployment import create, deployed
    from pytest_wml.model.extras import require
    from pytest_wml.model.storing import completed
    from pytest_wml.replay.bodies import as_content

    if plan.deployment:
        with captured_output.capture():
            found = _deployed_before(run, client, archive, plan, folder)
        run.deployments.served[plan.name] = found.archive
        yield found
        return
    model_type, software_spec = completed(archive.path, plan.model_type, plan.software_spec)
    plan = plan._replace(model_type=model_type, software_spec=software_spec)
    run.deployments.served[plan.name], run.deployments.stored[plan.name] = archive, plan
    if run.configuration.mode is Mode.REPLAY:
        run.app.replay.require(plan.name, as_content(archive))
    elif run.configuration.mode is Mode.EMBEDDED and archive.kind == "savedmodel":
        require("tensorflow", "to score a SavedModel on the embedded service")
    how: dict[str, Any] = {"name": plan.name, "model_type": plan.model_type, "spec": plan.software_spec}
    how |= {"mode": run.configuration.mode.value, "deadline": run.configuration.settings.deadline.value}
    with contextlib.ExitStack() as stack:
        with show, run.app.watched(lambda line: show(f"{plan.name}: {line}")):
            if run.configuration.mode is Mode.LIVE:
                from pytest_wml.lint.telling import before_live

                show(f"{plan.name}: lint")
                run.deployments.linted[plan.name] = before_live(archive, plan.model_type, plan.software_spec)
            if _is_lent(run):
                from pytest_wml.runner.shared_deployment import lent

                made = lent(run, client, archive, plan, lambda: create(client, archive, **how))
            else:
                made = stack.enter_context(deployed(client, archive, **how))
        yield made


def _is_lent(run: Run) -> bool:
    """Whether a deployment is for more than this process: live in xdist's workers, or kept between runs.

    What a worker records has to be whole: it deploys, scores and deletes by itself.
    """
    if run.configuration.mode is not Mode.LIVE or run.recording.wanted:
        return False
    return run.live.processes.is_worker or run.configuration.settings.reuse.value


def _deployed_before(run: Run, client: Any, local: ModelArchive, plan: Plan, folder: Callable[[], Path]) -> Deployment:
    """A deployment that exists already; a recording of it is bound to the model that it served."""
    from pytest_wml.client import existing
    from pytest_wml.client.deployment import Deployment
    from pytest_wml.replay.bodies import as_content
    from pytest_wml.replay.cassette.library import same_model

    replayed = run.configuration.mode is Mode.REPLAY
    recorded = run.app.replay.require(plan.name, None) if replayed else None
    details = existing.find(client, plan.deployment)
    run.app.own(plan.name, details["metadata"]["id"])
    found = existing.served(client, details, None if replayed else folder() / f"{plan.name}.tar.gz")
    if found.content is None and recorded is not None:
        found = existing.ServedModel(recorded, None, "by the recording")
    if found.content is not None:
        run.recording.models[plan.name] = found.content
    text, archive = str(found), found.archive or existing.unknown_archive(found.content)
    if plan.model and (found.content is None or same_model(found.content, as_content(local))):
        archive = local
    elif plan.model:
        text += f"; {plan.source} names another one, {local.model_digest[:16]}"
    run.deployments.existing[plan.name] = text
    name, url = details["entity"]["name"], client.deployments.get_scoring_href(details)
    return Deployment(client, details["metadata"]["id"], name, archive, url, mode=run.configuration.mode.value)


def contract(run: Run, name: str, deployment: Deployment, show: progress.Shown) -> Contract:
    """The checks bound to a deployment; their results are kept with the run.

    Args:
        run: holds the options.
        name: of the deployment's recording, beside which its references lie.
        deployment: that is checked.
        show: progress of large sets and load tests.
    """
    from pytest_wml.contract import Contract, Scoring

    def keep_reference(file: Path, text: str, told: str) -> None:
        run.recording.keep_reference(name, run.request_log.requester, file, text, told)

    return Contract(
        deployment,
        Scoring(progress=show),
        reference=run.configuration.cassettes / name,
        record=keep_reference if run.recording.wanted else None,
        keep=run.results.checks.append,
        measuring=run.app.without_retries,
    )

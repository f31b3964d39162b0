"""What the fixtures give, made from a run's settings."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_wml import progress
from pytest_wml.errors import BadOption
from pytest_wml.options import Mode
from pytest_wml.session import MODEL_FILES, Run

if TYPE_CHECKING:
    from pytest_wml.deployment import Deployment
    from pytest_wml.model.archive import ModelArchive
    from pytest_wml.model.cnn import TrainedCNN

TRAIN = "train"


def cache_folder(config: pytest.Config) -> Path:
    """Where what was trained is kept: pytest's cache, or the user's where that is switched off."""
    cache = getattr(config, "cache", None)
    if cache is not None:
        return Path(cache.mkdir("wml"))
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pytest-wml"


def trained_cnn(config: pytest.Config) -> TrainedCNN:
    """The sample network, from the cache or trained now with progress on the terminal.

    Raises:
        MissingExtra: TensorFlow is not installed.
        TrainingFailed: there is no data to train on.
    """
    from pytest_wml.model.cache import trained_cnn
    from pytest_wml.model.recipe import Recipe

    return trained_cnn(Recipe(), cache_folder(config), progress=progress.shown(config))


def sample_archive() -> Path:
    """The packaged sample: a trained MNIST network."""
    return Path(str(files("pytest_wml") / "data" / "mnist_cnn.tar.gz"))


def model_archive(
    run: Run, config: pytest.Config, train: Callable[[], TrainedCNN], folder: Callable[[], Path]
) -> ModelArchive:
    """The archive that the option wml_model names.

    Args:
        run: holds the options.
        config: pytest's, for its cache.
        train: gives the trained sample network; only called for `train`, and never in replay.
        folder: gives a temporary folder; only called when something has to be packed.

    Raises:
        BadOption: there is no such file.
        BadArchive: it is no model archive.
    """
    from pytest_wml.model.archive import read_archive, require_savedmodel
    from pytest_wml.model.packing import pack

    setting = run.settings.model
    if setting.value == TRAIN:
        packaged = cache_folder(config) / f"{run.name}.tar.gz"
        if run.mode is not Mode.REPLAY:
            return train().package(packaged)
        if packaged.exists():
            return read_archive(packaged)
        raise BadOption(
            f"{setting.source} is `train`, and replay never trains: no network was packaged here yet.",
            looked_for=packaged,
            fix="run once with --wml=embedded, which trains, packages and scores; then replay knows the model",
        )
    path = _existing(run) if setting.value else sample_archive()
    if path.is_dir():
        return pack(path, folder() / f"{run.name}.tar.gz")
    archive = read_archive(path)
    if path.suffix in MODEL_FILES and (not archive.members or path.suffix == ".keras"):
        return _alone(path, folder())
    if archive.kind == "other" and not any(name.endswith(MODEL_FILES) for name in archive.members):
        require_savedmodel(archive)
    return archive


def _alone(path: Path, folder: Path) -> ModelArchive:
    """A model that is one file, in an archive with that file at its root, as WML takes it."""
    import gzip
    import tarfile

    from pytest_wml.model.archive import read_archive

    made = folder / f"{path.name}.tar.gz"
    with gzip.GzipFile(made, "wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        info = tarfile.TarInfo(path.name)
        info.size = path.stat().st_size
        with path.open("rb") as content:
            archive.addfile(info, content)
    return read_archive(made)


def _existing(run: Run) -> Path:
    setting = run.settings.model
    path = run.resolve(setting)
    if not path.exists():
        raise BadOption(
            f"{setting.source} names a model that does not exist: {setting.value}.",
            looked_at=path,
            fix="give an archive (.tar.gz, .tgz, .zip), a SavedModel folder, a model file (.h5, .keras, .pkl, .onnx) "
            "or `train`",
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
    from pytest_wml.client import safe_client

    if run.mode is Mode.REPLAY:
        if run.settings.model.value not in ("", TRAIN):
            _existing(run)  # a mistyped path would otherwise look like a missing recording
        run.replay.require_any()
    with safe_client(run.credentials) as made:
        yield made


@contextlib.contextmanager
def deployment(run: Run, client: Any, archive: ModelArchive) -> Iterator[Deployment]:
    """The run's deployment: stored, deployed and deleted again, or one that exists already.

    Raises:
        MissingRecording: in replay, nothing was recorded under the run's name.
        ModelChanged: in replay, the archive is not the recorded model.
        DeploymentFailed: the service refuses the model.
    """
    from pytest_wml.answers.http import as_content
    from pytest_wml.deployment import deployed, existing
    from pytest_wml.model.extras import require

    if run.mode is Mode.REPLAY:
        run.replay.require(run.name, as_content(archive))
    elif run.mode is Mode.EMBEDDED and archive.kind == "savedmodel":
        require("tensorflow", "to score a SavedModel on the embedded service")
    settings = run.settings
    if settings.deployment.value:
        run.models[run.name] = as_content(archive)
        yield existing(client, archive, settings.deployment.value, mode=run.mode.value)
        return
    with deployed(
        client,
        archive,
        name=run.name,
        model_type=settings.model_type.value,
        spec=settings.software_spec.value,
        mode=run.mode.value,
    ) as made:
        yield made

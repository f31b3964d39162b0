"""Projects of imagined users, in which pytest is run inside pytest."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import tensorflow  # noqa: F401  before the inner runs, see tests/ibm.py

import tests.ibm  # noqa: F401
from tests.emulator.tiny_models import classifier
from tests.sharing import made_once

TESTS = """
    import numpy as np
    import pytest

    IMAGES = np.eye(4, dtype="float32").reshape(4, 2, 2, 1)

    def test_each_image_gets_its_class(wml_deployment):
        assert wml_deployment.predict(IMAGES).classes.tolist() == [0, 1, 2, 3]

    @pytest.mark.parametrize("number", range(4))
    def test_one_image(wml_deployment, number):
        assert wml_deployment.predict(IMAGES[number : number + 1]).classes.tolist() == [number]

    def test_the_deployment_is_ready(wml_client, wml_deployment):
        details = wml_client.deployments.get_details(wml_deployment.id)
        assert details["entity"]["status"]["state"] == "ready"
"""


@dataclass(frozen=True)
class Project:
    """A model repository: an archive, a test file, an ini that names the model, and a recording."""

    folder: Path
    archive: Path
    cassette: Path

    def replace_model(self, archive: Path) -> None:
        """Put another archive in the model's place, as a retraining would."""
        shutil.copy(archive, self.archive)


@pytest.fixture(scope="session")
def archives(tmp_path_factory):
    """Folder of tiny classifiers: `first`, `again` (the same weights, exported once more) and `other`."""

    def make(folder: Path) -> None:
        classifier(folder / "first")
        classifier(folder / "again")
        classifier(folder / "other", bias=(0.2, 0.0, 0.0, 0.0))

    folder = made_once(tmp_path_factory, "classifiers", make)
    return {name: folder / f"{name}.tar.gz" for name in ("first", "again", "other")}


@pytest.fixture(scope="session")
def recorded(archives, tmp_path_factory):
    """Folder with the cassettes of a recorded run of TESTS; made when first needed."""
    return tmp_path_factory.mktemp("recorded")


@pytest.fixture
def project(pytester, archives):
    """A project with a model and tests, not yet recorded."""
    pytester.makepyfile(test_model=TESTS)
    pytester.makeini("[pytest]\nwml_model = model.tar.gz\nwml_name = tiny\n")
    archive = pytester.path / "model.tar.gz"
    shutil.copy(archives["first"], archive)
    return Project(pytester.path, archive, pytester.path / "cassettes" / "tiny.yaml")


@pytest.fixture
def recorded_project(project, pytester, recorded):
    """A project whose deployment is recorded from the embedded service."""
    if not list(recorded.iterdir()):
        pytester.runpytest_inprocess("--wml=embedded", "--wml-record").assert_outcomes(passed=6)
        shutil.copytree(project.folder / "cassettes", recorded, dirs_exist_ok=True)
    shutil.copytree(recorded, project.folder / "cassettes", dirs_exist_ok=True)
    return project

"""Projects that hold contract files, in which pytest is run inside pytest."""

from __future__ import annotations

import shutil

import pytest
import tensorflow  # noqa: F401  before the inner runs, see tests/ibm.py

import tests.ibm  # noqa: F401
from tests.emulator.tiny_models import classifier

CONTRACT = """\
model: pixels.tar.gz
signature:
  inputs:
    images: float32 [any, 2, 2, 1]
  outputs:
    classes: int64 [any]
    probabilities: float32 [any, 4]
examples:
  - input: [[[1], [0]], [[0], [0]]]
    class: 0
  - input: three.npy
    class: 3
probabilities: {tolerance: 1e-5}
batch_consistency: yes
repeatability: {times: 2}
invariance: {transforms: [noise, darker]}
parity: yes
rest: yes
errors: yes
accuracy: {samples: set.npz, floor: 0.9}
latency: {p95: 60 s, requests: 3, concurrency: [1, 2]}
"""
KEPT = """
    from collections import Counter
    from pytest_wml.runner.activation import RUN

    def pytest_sessionfinish(session):
        run = session.config.stash[RUN]
        deploys = ("POST", "/ml/v4/deployments")
        made = [each for each in run.request_log.exchanges if (each.method, each.path) == deploys]
        print(f"\\n{len(made)} deployed; results:", ", ".join(result.check for result in run.results.checks))
"""


@pytest.fixture(scope="session")
def pixels(tmp_path_factory):
    """Archives of two small classifiers: `first` and `other`."""
    folder = tmp_path_factory.mktemp("archives")
    return {"first": classifier(folder / "first"), "other": classifier(folder / "other", bias=(9.0, 0.0, 0.0, 0.0))}


@pytest.fixture
def project(pytester, pixels):
    """A project of a team that does not write Python: a model, a contract, images."""
    import numpy as np

    images = np.eye(4, dtype=np.float32).reshape(4, 2, 2, 1)
    shutil.copy(pixels["first"], pytester.path / "pixels.tar.gz")
    np.save(pytester.path / "three.npy", images[3])
    np.savez(pytester.path / "set.npz", images=images, labels=np.arange(4))
    (pytester.path / "fraud.wml.yaml").write_text(CONTRACT)
    pytester.makeconftest(KEPT)
    return pytester


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """Folder with the cassettes of `project`; made when first needed."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def recorded(project, kept):
    """The project with its recording."""
    if not list(kept.iterdir()):
        result = project.runpytest_inprocess("-p", "no:recording", "--wml=embedded", "--wml-record", "-v")
        result.assert_outcomes(passed=11)
        shutil.copytree(project.path / "cassettes", kept, dirs_exist_ok=True)
        (kept / "said.txt").write_text(result.stdout.str())
    shutil.copytree(kept, project.path / "cassettes", dirs_exist_ok=True)
    return project

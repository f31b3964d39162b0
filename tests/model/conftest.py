"""Real SavedModels for the tests of pytest_wml.model, written by TensorFlow in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.sharing import made_once

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Models:
    """The same models exported twice, by two processes with different hash seeds and counters."""

    first: Path
    second: Path

    def tensorflow_says(self, kind: str) -> dict[str, Any]:
        """Every signature as TensorFlow itself loads it: name → [inputs, outputs] → key → [dtype, shape]."""
        return json.loads((self.first / "signatures.json").read_text())[kind]


def run_python(*arguments: str, **environment: str) -> str:
    """Run Python on the checkout, quietly, and give what it prints."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | quiet | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """One SavedModel of each kind, each exported twice; made once for all workers."""
    script = str(Path(__file__).with_name("make_models.py"))

    def make(folder: Path) -> None:
        run_python(script, str(folder / "first"), "0", PYTHONHASHSEED="1")
        run_python(script, str(folder / "second"), "3", PYTHONHASHSEED="2")

    folder = made_once(tmp_path_factory, "exported", make)
    return Models(folder / "first", folder / "second")


@pytest.fixture(scope="session")
def sample(models: Models) -> Path:
    """The sample network's SavedModel, with made-up weights."""
    return models.first / "sample"

"""A model in this process that hangs: its request is answered in time, and nobody else waits for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_wml.emulator.app import EmbeddedWML
from tests.emulator.rest import Rest, error_of, predictions_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def impatient():
    """A service whose models have a second."""
    with EmbeddedWML(deadline=1.0) as app:
        yield Rest(app)
    assert app.crashes == []


def test_a_graph_without_an_end_is_stopped(impatient, archives):
    """With a 504; the model can be asked again at once."""
    endless = impatient.ready(archives["endless"])
    answer = impatient.score(endless, {"values": [1.0]})
    assert (answer.status_code, error_of(answer)["code"]) == (504, "scoring_timed_out")
    assert (
        error_of(answer)["message"]
        == "The model did not answer within 1 s. pytest-wml's embedded service waits no longer."
    )
    assert predictions_of(impatient.score(endless, {"values": [3.0]})) == [{"id": "y", "values": [3.0]}]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are those of POSIX")
def test_what_cannot_be_stopped_is_not_asked_again_until_it_ends(impatient, archives, tmp_path):
    """Here it waits for somebody to write into a pipe."""
    pipe, file = tmp_path / "pipe", tmp_path / "file"
    os.mkfifo(pipe)
    file.write_text("there")
    reads = impatient.ready(archives["reads_a_file"])
    assert impatient.score(reads, {"values": [str(pipe)]}).status_code == 504
    answer = impatient.score(reads, {"values": [str(file)]})
    assert (answer.status_code, error_of(answer)["code"]) == (500, "scoring_failed")
    assert "still runs, so the model is not asked again" in error_of(answer)["message"]
    pipe.write_text("")
    while (answer := impatient.score(reads, {"values": [str(file)]})).status_code == 500:
        pass
    assert predictions_of(answer) == [{"id": "content", "values": "there"}]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are those of POSIX")
@pytest.mark.parametrize("model", ["reads_a_file", "endless"])
def test_the_process_ends_while_a_model_hangs(archives, tmp_path, model):
    """Neither closing the service nor the interpreter waits for it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    script = f"""
import pathlib, sys, threading
sys.path.append({str(ROOT)!r})
from pytest_wml.emulator.app import EmbeddedWML
from tests.emulator.rest import Rest
with EmbeddedWML() as app:
    rest = Rest(app)
    deployment_id = rest.ready(pathlib.Path({str(archives[model])!r}))
    values = [{str(pipe)!r}] if {model!r} == "reads_a_file" else [1.0]
    scoring = threading.Thread(target=rest.score, args=(deployment_id, {{"values": values}}), daemon=True)
    scoring.start()
    scoring.join(0.5)
    print("closing", scoring.is_alive(), flush=True)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("closing True\n", 0), done.stderr

"""The repository that `pytest-wml init` writes, and its CI as its owner runs it: command by command."""

from __future__ import annotations

from tests.downstream.environments import serving

# What a slip in a training script does: two conditions change places.
BROKEN = """
import numpy as np
import train

model = train.network(0)
with np.load("weights.npz") as weights:
    *others, last, bias = [weights[name] for name in weights.files]
model.set_weights([*others, last[:, [2, 1, 0]], bias[[2, 1, 0]]])
train.package(model, train.HERE / "pump.tar.gz")
"""


def test_every_push_is_replayed(replaying, workflows, pump):
    """With a client of IBM's and without TensorFlow."""
    assert not replaying.has("tensorflow")
    for command in workflows["replay"][1:]:
        told = replaying.must(command, pump)
    assert "10 passed, 1 skipped" in told
    assert "replay: 46 requests answered, live calls: 0" in told


def test_two_workers_replay_too(replaying, pump):
    """With a report of what both did."""
    assert "10 passed, 1 skipped" in replaying.must("pytest -n 2 --wml-report=report", pump)
    assert "pump.wml.yaml::accuracy" in (pump / "report" / "index.html").read_text()


def test_a_change_of_the_model_is_scored(scoring, workflows, pump):
    """By the embedded service, with the page that the job keeps."""
    for command in workflows["embedded"][1:]:
        told = scoring.must(command, pump)
    assert "11 passed" in told
    page = (pump / "report" / "index.html").read_text()
    assert "pump.wml.yaml::parity" in page
    assert "confusion" in page.lower()


def test_two_workers_score_and_record_too(scoring, replaying, pump):
    """And what they recorded is replayed."""
    for recording in (pump / "cassettes").iterdir():
        recording.unlink()
    assert "11 passed" in scoring.must("pytest -n 2 --wml=embedded --wml-record", pump)
    assert "10 passed, 1 skipped" in replaying.must("pytest", pump)


def test_the_same_weights_packaged_again_replay(scoring, replaying, pump):
    """Another archive, byte for byte, and the same model."""
    before = (pump / "pump.tar.gz").read_bytes()
    scoring.must("python train.py --package", pump)
    assert (pump / "pump.tar.gz").read_bytes() != before
    assert "10 passed, 1 skipped" in replaying.must("pytest", pump)


def test_a_retrained_model_has_to_be_recorded_again(scoring, replaying, pump):
    """Replay fails and says what to do; both ways that it names are gone, and replay passes."""
    scoring.must("python train.py --seed 1", pump)
    ended = replaying.run("pytest", pump)
    assert ended.code == 1, ended
    assert "The model changed: cassette pump was recorded with another one." in ended.output
    for command in ("pytest --wml=embedded", "pytest --wml=embedded --wml-record"):
        assert command in ended.output
        assert "11 passed" in scoring.must(command, pump)
    assert "10 passed, 1 skipped" in replaying.must("pytest", pump)


def test_a_broken_model_fails_where_it_is_scored(scoring, workflows, pump):
    """By the promises that it breaks, and nothing else; nothing of it is recorded."""
    scoring.must(f"python - <<'END'\n{BROKEN}\nEND", pump)
    before = {path.name: path.read_bytes() for path in (pump / "cassettes").iterdir()}
    ended = scoring.run(f"{workflows['embedded'][-1]} --wml-record", pump)
    assert ended.code == 1, ended
    failed = {line.split()[1] for line in ended.output.splitlines() if line.startswith("FAILED")}
    assert failed == {
        "pump.wml.yaml::classes",
        "pump.wml.yaml::accuracy",
        "test_pump.py::test_a_failing_pump_is_told_from_a_healthy_one",
    }
    assert "8 passed" in ended.output
    assert (pump / "report" / "index.html").exists()
    assert (pump / "cassettes" / "pump.yaml").read_bytes() == before["pump.yaml"]


def test_the_nightly_job_runs_against_a_server(scoring, workflows, pump, tmp_path):
    """Live mode with verified TLS, with what the job's secrets would hold; the server is pytest-wml's own."""
    with serving(scoring, tmp_path) as given:
        for command in workflows["live"][1:]:
            told = scoring.must(command, pump, **given)
    assert "11 passed" in told


def test_a_model_of_ones_own(scoring, replaying, pump, tmp_path):
    """Put in the template's place, it is scored, recorded and replayed without a line being written."""
    scoring.must("pytest-wml init mine --model pump/pump.tar.gz", tmp_path)
    assert "passed" in scoring.must("pytest --wml=embedded --wml-record", tmp_path / "mine")
    assert "passed" in replaying.must("pytest", tmp_path / "mine")
    assert (tmp_path / "mine" / "cassettes" / "pump.yaml").exists()

"""`pytest-wml cassette verify --against live`: another process behind TLS, reached by the real gateway, end to end."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_wml.live.gateway import Live
from pytest_wml.model.archive import read_archive
from pytest_wml.replay.bodies import as_content
from pytest_wml.replay.cassette.tape import ArchiveContent
from pytest_wml.tools.cli import main
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.serve.inside import serving
from tests.emulator.serve.process import served
from tests.emulator.tiny_models import classifier
from tests.tools.doctor.proxying import proxying
from tests.tools.verify import journeys
from tests.tools.verify.recording import CPD, Traveller, recorded, written

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "cassettes"
KEY = "a-key-that-nobody-may-see"
SPACE = {"space_id": DEFAULT_SPACE_ID}
ROWS = {"input_data": [{"values": [[[[1.0], [0.0]], [[0.0], [0.0]]], [[[0.0], [0.0]], [[0.0], [1.0]]]]}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all that leave it empty."""
    with served(tmp_path_factory.mktemp("serve")) as running:
        yield running


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Two classifiers with different weights."""
    folder = tmp_path_factory.mktemp("models")
    return classifier(folder / "first"), classifier(folder / "other", bias=(0.0, 0.0, 0.0, 3.0))


@contextlib.contextmanager
def visiting(server):
    """Somebody else who uses the same service."""
    gateway = Live(server.ca)
    try:
        yield Traveller(gateway, CPD._replace(url=server.url))
    finally:
        gateway.close()


def left(server):
    """The names of whatever is at the service; the space that was there from the start is left out."""
    with visiting(server) as at:
        found = at.ask("GET", "/v2/spaces")["resources"]
        names = [each["entity"]["name"] for each in found if each["metadata"]["id"] != DEFAULT_SPACE_ID]
        for kind in ("models", "functions", "deployments"):
            names += [each["metadata"]["name"] for each in at.ask("GET", f"/ml/v4/{kind}", **SPACE)["resources"]]
        return names + at.ask("GET", "/ml/v4/deployment_jobs", **SPACE)["resources"]


def command(server, *options, without=(), **variables):
    """A verification against the server, and its environment."""
    environment = {**server.told_environment(), "WML_APIKEY": KEY, "TF_CPP_MIN_LOG_LEVEL": "3", **variables}
    for name in without:
        environment.pop(name, None)
    start = [sys.executable, "-m", "pytest_wml.tools.cli", "cassette", "verify", "--against=live"]
    return [*start, *map(str, options)], environment


def without_secrets(out, err):
    """What a verification wrote, in which no secret may be."""
    encoded = {base64.b64encode(b"\0" * shift + KEY.encode()).decode()[4:-4] for shift in range(3)}
    for secret in (KEY, *encoded, "proxy-password", "eyJ"):
        assert secret not in out + err
    return json.loads(out) if out else None, err


def verified_apart(server, *options, **more):
    """The exit status, what is told in JSON, and the standard error of a verification in a process of its own."""
    line, environment = command(server, "--yes", "--json", *options, **more)
    done = subprocess.run(line, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=240)
    return done.returncode, *without_secrets(done.stdout, done.stderr)


@pytest.fixture
def verified(monkeypatch, capsys):
    """The same in this process."""

    def verified(server, *options, without=()):
        with monkeypatch.context() as patch:
            for name in ("PYTEST_WML_GUARD", *without):
                patch.delenv(name, raising=False)
            for name, value in {**server.environment, "WML_APIKEY": KEY}.items():
                if name not in without:
                    patch.setenv(name, value)
            capsys.readouterr()
            status = main(["cassette", "verify", "--against=live", "--yes", "--json", *map(str, options)])
        return status, *without_secrets(*capsys.readouterr())

    return verified


def levels(told):
    return [(each["level"], each["path"]) for one in told["cassettes"] for each in one["differences"]]


def test_the_shipped_recordings_as_a_cloud_pak_for_data(server):
    """Recorded as IBM Cloud: all agrees but for what only IBM Cloud has, a note says so, and nothing is left."""
    status, told, errors = verified_apart(server, SHIPPED)
    assert status == 0, told
    kind = {"entity.hybrid_pipeline_software_specs", "metadata.resource_key"}
    assert set(levels(told)) == {("info", path) for path in kind}
    assert sum(one["compared"] for one in told["cassettes"]) == 38
    assert told["cassettes"][0]["notes"] == ["recorded from IBM Cloud, verified against Cloud Pak for Data"]
    assert "mnist_cnn: 33 requests, 1 deployment, 19 scorings" in errors
    assert left(server) == []


def test_the_shipped_recordings_as_ibm_cloud(server):
    """Through a proxy to three hosts; in the cloud a specification's life cycle depends on the day, which is noted."""
    variables = {"WML_URL": "https://eu-de.ml.cloud.ibm.com", "no_proxy": ""}
    without = ("WML_USERNAME", "WML_INSTANCE_ID", "WML_VERSION", "https_proxy")
    with proxying(server.port) as proxy:
        status, told, _ = verified_apart(server, SHIPPED, without=without, HTTPS_PROXY=proxy.url, **variables)
    assert status == 0, told
    assert set(levels(told)) <= {("info", "resources.0.metadata.life_cycle")}, told
    assert [one["notes"] for one in told["cassettes"]] == [[], []]
    assert {host.partition(":")[0] for host in proxy.asked} == {
        "iam.cloud.ibm.com",
        "eu-de.ml.cloud.ibm.com",
        "api.eu-de.dataplatform.cloud.ibm.com",
    }
    assert left(server) == []


@pytest.mark.parametrize("journey", journeys.ALL, ids=lambda journey: journey.__name__)
def test_journeys(verified, server, journey, tmp_path):
    """What they leave undone is deleted; nothing differs. What is for another space than the given one is not asked."""
    status, told, _ = verified(server, written(tmp_path, recorded(journey, CPD)))
    assert (status, told["verdict"]) == (0, "info"), told
    elsewhere = {"it is for a project, or for another space than that of the credentials"}
    reasons = {each["reason"] for each in told["cassettes"][0]["left_out"]}
    assert reasons == (elsewhere if journey is journeys.two_spaces else set()), told
    assert {path for _, path in levels(told)} <= {"next.href"}
    assert left(server) == []


def test_an_authority_by_the_option(verified, server, tmp_path):
    """Without it the certificate is not trusted, and nothing is asked."""
    file = written(tmp_path, recorded(journeys.refusals, CPD))
    trust = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
    status, _, errors = verified(server, file, without=trust)
    assert (status, "did not answer" in errors) == (2, True)
    status, told, _ = verified(server, file, f"--ca={server.ca}", without=trust)
    assert (status, levels(told)) == (0, [])


def scored(archive):
    def journey(at):
        made = at.deployed(archive)
        at.ask("POST", f"/ml/v4/deployments/{made}/predictions", ROWS)
        at.ask("POST", f"/ml/v4/deployments/{made}/predictions", {"input_data": []})

    return recorded(journey, CPD)


def test_another_model(verified, server, tmp_path, archives):
    """It is refused by its digest; where it hides behind the recorded one, its predictions are errors."""
    first, other = archives
    honest = scored(first)
    file = written(tmp_path, honest)
    status, _, errors = verified(server, file, f"--model={other}")
    assert (status, "was not found" in errors) == (2, True)
    status, told, _ = verified(server, file, f"--model={other}", f"--model={first}")
    assert (status, levels(told)) == (0, [])
    hidden = tuple(
        dataclasses.replace(each, body=as_content(read_archive(other)))
        if isinstance(each.body, ArchiveContent)
        else each
        for each in honest.interactions
    )
    file = written(tmp_path, dataclasses.replace(honest, interactions=hidden))
    status, told, _ = verified(server, file, f"--model={other}")
    assert status == 1
    assert {level for level, _ in levels(told)} == {"error"}
    assert ("error", "predictions.0.values.0") in levels(told)
    assert {each["route"] for each in told["cassettes"][0]["differences"]} == {
        "POST /ml/v4/deployments/{deployment_id}/predictions"
    }
    assert left(server) == []


def test_a_job_is_compared_when_it_has_ended(verified, server, tmp_path, archives):
    """Recorded polls were more; its states pass."""

    def journey(at):
        made = at.deployed(archives[0], batch={})
        job = {"name": "job", **SPACE, "deployment": {"id": made}, "scoring": ROWS}
        job_id = at.ask("POST", "/ml/v4/deployment_jobs", job)["metadata"]["id"]
        for _ in range(5):
            at.ask("GET", f"/ml/v4/deployment_jobs/{job_id}", **SPACE)

    status, told, _ = verified(server, written(tmp_path, recorded(journey, CPD)), f"--model={archives[0]}")
    assert (status, levels(told)) == (0, []), told
    assert left(server) == []


def test_strangers_things_are_not_touched(verified, server, tmp_path):
    """A recording that deletes whatever is listed deletes only what this run made."""
    with visiting(server) as at:
        precious = at.model("precious")
        cassette = recorded(journeys.a_careless_cleaner, CPD, before=journeys.somebody_elses)
        assert [each.method for each in cassette.interactions] == ["GET", "DELETE"]
        status, told, _ = verified(server, written(tmp_path, cassette))
        reasons = [each["reason"] for each in told["cassettes"][0]["left_out"]]
        assert (status, reasons) == (0, ["it would change a resource that this run did not create"])
        assert left(server) == ["precious"]
        at.ask("DELETE", f"/ml/v4/models/{precious}", **SPACE)


def test_no_day_is_written_for_an_embedded_service(verified, server, tmp_path):
    """It is told by its own answers, whatever address it has."""
    for name in ("fidelity.json", "FIDELITY.md"):
        shutil.copy(ROOT / name, tmp_path)
    file = written(tmp_path, recorded(journeys.refusals, CPD))
    status, told, errors = verified(server, file, f"--write-fidelity={tmp_path / 'fidelity.json'}")
    assert (status, told["verdict"]) == (2, "info")
    assert "is an embedded service" in errors
    for name in ("fidelity.json", "FIDELITY.md"):
        assert (tmp_path / name).read_text() == (ROOT / name).read_text()


@pytest.mark.parametrize(
    ("fault", "options", "status", "expected"),
    [
        ('status code=500 on="POST /predictions" nth=2 times=1', (), 1, ("error", "status")),
        ("deployment-stuck", ("--timeout=1",), 1, ("error", "entity.status.state")),
        ('deployment-failed reason="no memory"', (), 1, ("error", "entity.status.state")),
        ('status code=503 on="DELETE /models" times=2', (), 0, None),
        ('cut after-bytes=20 on="POST /predictions" times=1', (), 2, None),
        ('cut after-bytes=20 on="POST /deployments" times=1', (), 2, None),
    ],
)
def test_faults(verified, tmp_path, archives, fault, options, status, expected):
    """Each is found at its level; whatever happens, the server has nothing left."""
    file = written(tmp_path, scored(archives[0]))
    with serving(tmp_path, fault) as running:
        found, told, errors = verified(running, file, f"--model={archives[0]}", *options)
        assert found == status, (told, errors)
        assert expected is None or expected in levels(told), told
        assert told["complete"] is (status != 2)
        assert "Traceback" not in errors
        assert all(one["left_behind"] == [] for one in told["cassettes"])
        assert left(running) == []


def test_what_cannot_be_deleted_is_told(verified, tmp_path):
    """By its path, and the exit status says so."""
    file = written(tmp_path, recorded(lambda at: at.model("stays"), CPD))
    with serving(tmp_path, 'status code=403 on="DELETE /models"') as running:
        status, told, _ = verified(running, file)
        (path,) = told["cassettes"][0]["left_behind"]
        assert (status, path.startswith("/ml/v4/models/")) == (1, True)
        assert [name.partition("-pytest-wml-")[0] for name in left(running)] == ["stays"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_one_leaves_nothing(tmp_path, archives, number):
    """Ctrl-C, or a cancelled CI job, while a scoring is under way: it is answered, then everything is deleted."""
    file = written(tmp_path, scored(archives[0]))
    with serving(tmp_path, 'slow seconds=2 on="POST /predictions"') as running:
        line, environment = command(running, "--yes", file, f"--model={archives[0]}")
        process = subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.wait_for("GET /ml/v4/deployments")
        process.send_signal(number)
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 130, errors
        assert "Traceback" not in errors
        assert out.rstrip().endswith("; not complete")
        assert left(running) == []


def test_after_a_kill_sweep_finds_what_is_left(tmp_path, archives):
    """What was made is named after the run and journaled: what a `kill -9` leaves is found."""
    file = written(tmp_path, scored(archives[0]))
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    with serving(tmp_path, 'slow seconds=30 on="POST /predictions"') as running:
        line, environment = command(running, "--yes", file, f"--model={archives[0]}", **state)
        process = subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        running.wait_for("GET /ml/v4/deployments")
        process.kill()
        process.wait(timeout=60)
        assert [name.partition("-pytest-wml-")[0] for name in left(running)] == ["tiny", "tiny"]
        swept = [sys.executable, "-m", "pytest_wml.tools.cli", "sweep", "--yes"]
        done = subprocess.run(swept, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        assert left(running) == []

"""`pytest-wml serve` as its user meets it."""

from __future__ import annotations

import errno
import gzip
import os
import signal
import socket
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from pytest_wml.config.stopped_server import TRUST_VARIABLES
from pytest_wml.tools.cli import main
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.benchmarks.serving import loaded
from tests.emulator.rest import SPEC
from tests.emulator.serve.process import served
from tests.emulator.test_loading import Slow
from tests.emulator.test_workers import gone

pytest.importorskip("trustme")


@pytest.fixture
def refusal(capsys):
    """Gives what the command says when it does not start."""

    def said(*options: str) -> str:
        status = main(["serve", *options])
        told = capsys.readouterr()
        assert (status, told.out) == (2, "")
        return told.err

    return said


def ask(server, path: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(server.url + path, verify=server.ca, timeout=20)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A server that was started with a log, asked, and told to stop; its exit code, and what it had while it ran."""
    folder = tmp_path_factory.mktemp("serve")
    with served(folder, "-v", "--space", "first", "--space", "second", "--cpd-version", "5.1.2") as server:
        server.version = ask(server, "/ml/wml_services/version").json()
        server.page = ask(server, "/").headers["Content-Type"]
        server.asked = ask(server, "/a%1b%5b2J?apikey=secret").status_code
        server.mode = server.ready.stat().st_mode & 0o777
        server.files = {file.name: file.read_text() for file in Path(server.ca).parent.glob("*.pem")}
        with socket.socket() as elsewhere:
            server.elsewhere = elsewhere.connect_ex(("127.0.0.2", server.port))
        server.code = server.stop()
        yield server


def test_it_is_ended_by_sigterm(stopped):
    """With 0, and nothing is left: no ready file, no folder, no word of an error."""
    assert stopped.code == 0
    assert not stopped.ready.exists()
    assert not Path(stopped.ca).parent.exists()
    assert stopped.errors == ""


def test_it_prints_what_a_shell_can_run(stopped):
    """Every line is an export or a comment, and says the same as the ready file."""
    lines = [line for line in stopped.said if line.startswith("export ")]
    script = "\n".join([*lines, "env"])
    told = subprocess.run(["sh", "-c", script], capture_output=True, text=True, env={"PATH": os.environ["PATH"]}).stdout
    assert set(told.splitlines()) >= {f"{name}={value}" for name, value in stopped.environment.items()}
    assert stopped.environment["WML_SPACE_ID"] == "first"
    assert stopped.environment["WML_VERSION"] == "5.1"


def test_it_is_what_its_options_say(stopped):
    """The version of the Cloud Pak for Data; a page for people."""
    assert stopped.version == {"version": "5.1.2"}
    assert stopped.page.startswith("text/html")


def test_requests_are_logged_without_secrets(stopped):
    """Method, path, status, time; no query, and nothing that moves a terminal's cursor."""
    log = [line for line in stopped.said if line.startswith("GET ")]
    assert [line.split()[:3] for line in log] == [
        ["GET", "/ml/wml_services/version", "200"],
        ["GET", "/", "200"],
        ["GET", r"/a\x1b[2J", "501"],
    ]
    assert "secret" not in "\n".join(stopped.said)


def test_no_key_is_written(stopped):
    """What is on the disk are certificates."""
    assert set(stopped.files) == {"ca.pem"}
    bundle = Path(stopped.environment["REQUESTS_CA_BUNDLE"]).read_text()
    assert "PRIVATE" not in stopped.files["ca.pem"] + bundle
    assert bundle.startswith(stopped.files["ca.pem"])


def test_other_programs_work_on_after_its_end(stopped):
    """In a shell that has the exports, requests, curl and Node still find whom to trust, in a file that is there."""
    import certifi

    files = {stopped.environment[name] for name in TRUST_VARIABLES}
    assert files == {str(stopped.ready.parent / "pytest-wml" / "serve" / "ca-bundle.pem")}
    trusted = ssl.create_default_context(cafile=files.pop()).get_ca_certs(binary_form=True)
    anyway = ssl.create_default_context(cafile=certifi.where()).get_ca_certs(binary_form=True)
    assert set(trusted) > set(anyway)


def test_its_last_line_takes_the_exports_back(stopped):
    """`unset` with each name that it said to export."""
    assert stopped.said[-1] == f"unset {' '.join(stopped.environment)}"


def test_other_interfaces_need_a_flag(refusal, tmp_path):
    """An address that others can reach is refused, with the risk, unless that is asked for."""
    said = refusal("--host", "0.0.0.0", "--ready-file", str(tmp_path / "ready"))
    assert "0.0.0.0 is an address that others may reach." in said
    assert "Any API key is accepted" in said
    assert "--allow-remote" in said
    assert not (tmp_path / "ready").exists()


def test_a_remote_address_is_warned_of(tmp_path):
    """And has no page, which asks for no token."""
    with served(tmp_path, "--host", "0.0.0.0", "--allow-remote") as server:
        assert ask(server, "/").status_code == 501
        assert server.stop(signal.SIGINT) == 0
        assert server.errors.startswith("warning: Others on the network can reach this port.")


def test_only_loopback_is_listened_on(stopped):
    """Another address of this machine refuses connections on the port."""
    assert stopped.elsewhere == errno.ECONNREFUSED


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--port", "70000"], "--port is no port: 70000."),
        (["--host", "nobody.invalid"], "cannot listen on nobody.invalid"),
        (["--ready-file", "/nowhere/at/all"], "The ready file /nowhere/at/all cannot be written."),
        (["--cpd-version", "five"], "--cpd-version is no version: 'five'."),
        (["--faults", "/nowhere"], "The file of faults cannot be read: /nowhere."),
    ],
)
def test_a_bad_option_is_told(refusal, options, said):
    """What is wrong and what to do; never a traceback."""
    told = refusal(*options)
    assert said in told
    assert "what to do: " in told
    assert "Traceback" not in told


def test_a_taken_port_is_told(refusal):
    """By number."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = refusal("--port", str(taken.getsockname()[1]))
    assert "Address already in use" in said


def test_what_is_stored_is_kept(tmp_path):
    """With --data-dir the next server has it, and knows the tokens of the one before."""
    options = ("--data-dir", str(tmp_path / "data"))
    with served(tmp_path, *options) as server, logged_in(server) as session:
        space = session.post(f"{server.url}/v2/spaces", json={"name": "kept"}).json()["metadata"]["id"]
        assert server.stop() == 0
    with served(tmp_path, *options) as again:
        session.verify = again.ca
        assert session.get(f"{again.url}/v2/spaces/{space}").json()["entity"]["name"] == "kept"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are those of POSIX")
def test_it_does_not_wait_for_what_is_being_loaded(tmp_path):
    """A scoring that waits for a load without an end is answered, and nothing of the load is left."""
    slow = Slow(tmp_path)
    with served(tmp_path, "--allow-pickle") as server, logged_in(server) as session, ThreadPoolExecutor(1) as pool:
        scoring = pool.submit(scored, session, f"{server.url}/ml/v4", slow.source)
        pid = slow.pid()
        assert server.stop(signal.SIGINT) == 0
        assert scoring.result().json()["errors"][0]["code"] == "deployment_is_not_ready"
        assert "in flight" not in server.errors
    assert gone(pid)


def scored(session: requests.Session, url: str, source: str) -> requests.Response:
    """The answer to a scoring of a function that is stored and deployed for it."""
    session.params = {"version": "2021-06-21", "space_id": DEFAULT_SPACE_ID}
    draft = {"name": "f", "software_spec": SPEC, "space_id": DEFAULT_SPACE_ID}
    function = session.post(f"{url}/functions", json=draft).json()["metadata"]["id"]
    session.put(f"{url}/functions/{function}/code", data=gzip.compress(source.encode()))
    draft = {"name": "d", "asset": {"id": function}, "online": {}, "space_id": DEFAULT_SPACE_ID}
    deployment = session.post(f"{url}/deployments", json=draft).json()["metadata"]["id"]
    return session.post(f"{url}/deployments/{deployment}/predictions", json={"input_data": [{"values": [1]}]})


def test_faults_are_injected_and_told(tmp_path):
    """Those of the file, and how often, when the server ends."""
    (tmp_path / "faults").write_text("status code=503 nth=2 on=spaces\ncut on=software_specifications\n")
    with served(tmp_path, "--faults", str(tmp_path / "faults")) as server, logged_in(server) as session:
        statuses = [session.get(f"{server.url}/v2/spaces").status_code for _ in range(3)]
        with pytest.raises(requests.RequestException):
            session.get(f"{server.url}/v2/software_specifications")
        assert server.stop() == 0
    assert statuses == [200, 503, 200]
    assert len([line for line in server.said if line.startswith("# fault: ")]) == 2


def logged_in(server) -> requests.Session:
    """A session with a token."""
    session = requests.Session()
    session.trust_env = False
    session.verify = server.ca
    login = session.post(f"{server.url}/icp4d-api/v1/authorize", json={"username": "me", "api_key": "any"})
    session.headers["Authorization"] = f"Bearer {login.json()['token']}"
    return session


@pytest.mark.slow
def test_a_load_is_held_and_ended(tmp_path):
    """Two hundred connections that score: none fails, memory is held, and SIGTERM loses nothing that was answered."""
    pytest.importorskip("tensorflow")
    with served(tmp_path) as server:
        load = loaded(server, connections=200, seconds=10)
        errors = server.errors
    assert load.failures == []
    assert load.exit_code == 0
    assert len(load.seconds) > 200
    assert load.told + load.unanswered == 200
    # In MiB. When each request left its buffer behind until a late garbage collection, this was 80.
    assert load.memory[-1] - load.memory[5] < 40
    assert "Traceback" not in errors

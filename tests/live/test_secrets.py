"""The key of a live run, and the tokens made with it, reach nothing that is written or shown."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.live.conftest import DEPLOYS_AND_WAITS, wait_for

pytestmark = pytest.mark.slow

KEY = "Zq7+live/key=never&shown"
FORMS = (KEY, base64.b64encode(KEY.encode()).decode(), quote(KEY, safe=""), quote(KEY))
TOKEN = re.compile(rb"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*")
TESTS = """
    import logging
    import pytest

    def test_fails_with_everything_in_its_hands(wml_client, wml_deployment, pytestconfig):
        from pytest_wml.runner.activation import RUN
        credentials = pytestconfig.stash[RUN].configuration.credentials
        token = getattr(wml_client, "token", None) or wml_client.wml_token
        given = wml_client.wml_credentials
        logging.getLogger("mine").warning("credentials: %r", given)
        print(token, given)
        assert repr(credentials) == "nothing"

    def test_is_refused(wml_client):
        wml_client.deployments.get_details("11111111-2222-4333-8444-555555555555")

    def test_passes(wml_client, wml_deployment):
        assert wml_deployment.score({"input_data": [{"values": [[0.0] * 784]}]})
"""


def leaks(text: bytes) -> list[str]:
    """What of the key or of a token is in it."""
    return [form for form in FORMS if form.encode() in text] + [found[:12].decode() for found in TOKEN.findall(text)]


def test_nothing_written_holds_them(suite, remote, monkeypatch):
    """Terminal, log, JUnit, report, recording, journal, sweep and doctor."""
    suite.at(remote)
    monkeypatch.setenv("WML_APIKEY", KEY)
    told = ["--wml-report=report", "--junitxml=junit.xml", "--log-file=log.txt", "--showlocals", "-vv", "-rA"]
    result = suite.run_apart(TESTS, *told, "--wml-record")
    assert result.parseoutcomes()["failed"] == 2
    (suite.folder / "terminal.txt").write_text(result.stdout.str() + result.stderr.str())
    (suite.folder / "sweep.txt").write_text(suite.tool("sweep", "--json")[1])
    (suite.folder / "doctor.txt").write_text(suite.tool("doctor")[1])
    written = [path for path in suite.folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert {"index.html", "junit.xml", "log.txt", "terminal.txt"} <= {path.name for path in written}
    # What the test itself logs to a file is its own doing: pytest writes that file as it goes.
    own = {"log.txt"}
    found = {path.name: leaks(path.read_bytes()) for path in written if path.name not in own}
    assert {name: leak for name, leak in found.items() if leak} == {}


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc here")
def test_no_process_shows_them(suite, remote, monkeypatch):
    """Neither the run nor its workers have them among their arguments."""
    monkeypatch.setenv("WML_APIKEY", KEY)
    with suite.at(remote).started(DEPLOYS_AND_WAITS, "-n", "1"):
        wait_for((suite.folder / "deployed").exists)
        lines = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                lines.append(path.read_bytes())
            except OSError:
                continue
    assert [line for line in lines if leaks(line)] == []

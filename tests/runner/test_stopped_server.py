"""A shell that has the exports of a `pytest-wml serve` that has stopped."""

from __future__ import annotations

import socket

import pytest
import trustme

from pytest_wml.config import stopped_server
from pytest_wml.emulator.serve.announce import ServerFacts

CONNECTS = "def test_connects(wml_client): pass"


@pytest.fixture
def exports(tmp_path, monkeypatch):
    """What a server said to export whose port is closed; its file of authorities is there."""
    bundle = tmp_path / "ca-bundle.pem"
    trustme.CA().cert_pem.write_to_path(bundle)
    with socket.socket() as taken:  # and not listening: nobody else gets the port meanwhile
        taken.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{taken.getsockname()[1]}"
        environment = ServerFacts(url, bundle, bundle, "5ace0000-0000-4000-8000-000000000000", "5.0.3").environment
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield environment


def test_the_line_that_takes_them_back_names_them_all(exports):
    """Every variable that the server says to export."""
    assert stopped_server.unset() == f"unset {' '.join(exports)}"


def test_a_server_that_is_gone_is_said_to_be_gone(exports, pytester):
    """A live run does not blame the credentials."""
    pytester.makepyfile(CONNECTS)
    result = pytester.runpytest_inprocess("--wml=live", "-p", "no:cacheprovider")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            f"No server listens at {exports['WML_URL']}.",
            "*what to do: was pytest-wml serve stopped? start it again and paste its lines, or unset the variables:",
            f"*unset {' '.join(exports)}",
        ]
    )
    assert "refuses the credentials" not in result.stdout.str()


@pytest.mark.parametrize("mode", ["live", "embedded"])
def test_lost_authorities_are_said_to_be_lost(mode, exports, tmp_path, pytester):
    """In every mode: IBM's client fails with a variable that names a file which is not there."""
    (tmp_path / "ca-bundle.pem").unlink()
    pytester.makepyfile(CONNECTS)
    result = pytester.runpytest_inprocess(f"--wml={mode}", "-p", "no:cacheprovider")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [f"REQUESTS_CA_BUNDLE names a file of trusted authorities that does not exist: {tmp_path}*", "*unset WML_URL*"]
    )
    assert "credentials" not in result.stdout.str()


def test_elsewhere_the_server_is_not_suspected(exports, monkeypatch):
    """With credentials of one's own the port, and the variable, are named alone."""
    monkeypatch.setenv("WML_USERNAME", "admin")
    gone = stopped_server.gone(exports["WML_URL"], {"WML_USERNAME": "admin"})
    lost = stopped_server.lost_authority({"SSL_CERT_FILE": "/nowhere/ca.pem"})
    assert gone is not None
    assert lost is not None
    assert gone.fix == "start the server, or correct WML_URL"
    assert lost.fix == "unset SSL_CERT_FILE, or give the path of a PEM file"


def test_a_host_elsewhere_is_not_asked():
    """Whether something listens is looked up on this machine alone."""
    assert stopped_server.gone("https://us-south.ml.cloud.ibm.com", {}) is None

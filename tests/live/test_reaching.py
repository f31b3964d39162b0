"""The way to the live service: verified TLS, each request sent once, as a Cloud Pak for Data and as IBM Cloud."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_wml.config.stopped_server import TRUST_VARIABLES
from tests.live.conftest import TESTS

pytestmark = pytest.mark.slow

CONNECTS = "def test_connects(wml_client): pass"
SCORES = """
    def test_a_five_and_a_four(wml_deployment, wml_digits):
        assert wml_deployment.predict([wml_digits[5], wml_digits[4]]).classes.tolist() == [5, 4]
"""


@pytest.fixture
def untrusted(suite, remote, monkeypatch):
    """The service, by whose authority nobody swears; IBM's client is told not to care."""
    suite.at(remote)
    for name in (*TRUST_VARIABLES, "WML_CLIENT_VERIFY_REQUESTS", "WX_CLIENT_VERIFY_REQUESTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WML_CLIENT_VERIFY_REQUESTS", "False")
    return suite


def test_an_untrusted_certificate_is_refused(untrusted):
    """Whatever IBM's client is told: nothing is sent, and the message says how to trust it."""
    result = untrusted.run(CONNECTS)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*The live service at 127.0.0.1:* did not answer.*", "*reason: SSLError*", "*--wml-ca*"]
    )


def test_an_own_authority(untrusted, remote):
    """Named by the option, it is trusted."""
    untrusted.run(CONNECTS, f"--wml-ca={remote.server.ca}").assert_outcomes(passed=1)


def test_an_own_authority_from_the_ini(untrusted, remote):
    """A path in the ini counts from the root folder."""
    (untrusted.folder / "authority.pem").write_bytes(Path(remote.server.ca).read_bytes())
    (untrusted.folder / "pytest.ini").write_text("[pytest]\nwml_ca = authority.pem\n")
    untrusted.run(CONNECTS).assert_outcomes(passed=1)
    assert untrusted.tool("sweep") == (0, "no resources of ended runs are left")


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), ("no certificate", "no PEM certificate")])
def test_a_file_that_holds_no_authority(untrusted, content, reason):
    """It is told before anything is asked."""
    if content is not None:
        (untrusted.folder / "ca.pem").write_text(content)
    result = untrusted.run(CONNECTS, "--wml-ca=ca.pem")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--wml-ca names no file with certificates: ca.pem.*", f"*{reason}*"])


def test_as_ibm_cloud(suite, remote):
    """IBM Cloud's own hosts, by way of a proxy that leads to the server: login, space, deployment, scoring."""
    with suite.as_ibm_cloud(remote) as proxy:
        suite.run(SCORES).assert_outcomes(passed=1)
    assert {"iam.cloud.ibm.com:443", "api.dataplatform.cloud.ibm.com:443"} < set(proxy.asked)
    assert remote.names == []


def test_with_the_newer_client(suite, remote, pytester):
    """ibm-watsonx-ai, where it is the only one: the same journal, the same names."""
    pytester.makeconftest(
        """
        from pytest_wml.client import safe_client as client
        client.package = lambda: "ibm_watsonx_ai"
        """
    )
    suite.at(remote).run_apart(TESTS).assert_outcomes(passed=1)
    assert remote.names == []


def test_nothing_is_sent_twice(suite, faulty):
    """IBM's client sends everything again after an error of the network; it never sees one."""
    remote = faulty('cut after-bytes=0 on="POST /models" times=1')
    suite.at(remote).run(TESTS).assert_outcomes(errors=1)
    assert len([line for line in remote.server.said if re.match("POST /ml/v4/models ", line)]) == 1


def test_the_deadline(suite, faulty):
    """A deployment that never gets ready fails when it is over, with the states that were seen."""
    remote = faulty("deployment-stuck")
    result = suite.at(remote).run(TESTS, "--wml-deadline=8")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*The deployment was not ready within 8 seconds*", "*states: initializing ×*"])
    assert remote.names == []

"""IBM's identity service is everybody's: WML's keys are answered here, others pass where that is asked."""

from __future__ import annotations

import contextlib
import importlib
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.interception import Door
from pytest_wml.interception.request_log import RequestLog
from pytest_wml.live.gateway import Live

trustme = pytest.importorskip("trustme")
pytest.importorskip("ibm_watson_machine_learning")  # before the inner runs, see tests/ibm.py

TESTS = """
    import os
    import httpx
    import requests
    from ibm_watson_machine_learning import APIClient

    def token(key, post=requests.post):
        form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": key}
        return post("https://iam.cloud.ibm.com/identity/token", data=form, timeout=5).json()["access_token"]

    def test_another_services_key():
        assert [token("another-key", post) == "real" for post in (requests.post, httpx.post)] == [PASSES, PASSES]

    def test_wmls_key():
        assert token("wmls-key") != "real"

    def test_a_key_that_ibms_client_uses():
        if os.environ["WML_MODE"] == "embedded":
            client = APIClient({"url": "https://us-south.ml.cloud.ibm.com", "apikey": "a-key-of-the-suites-own"})
            assert client.wml_token != "real"
"""


@pytest.fixture
def iam(tmp_path, monkeypatch):
    """A proxy in the environment behind which stands an IAM with a certificate; gives the hosts that were asked for."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("iam.cloud.ibm.com").configure_cert(context)
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.request = self.connection = context.wrap_socket(self.connection, server_side=True)
            self.setup()
            self.close_connection = False  # http.client asks for tunnels in HTTP/1.0

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"access_token": "real"}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def finish(self):
            super().finish()
            self.connection.close()

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        for variable in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        monkeypatch.setenv("WML_APIKEY", "wmls-key")
        yield asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("mode", ["replay", "embedded"])
@pytest.mark.parametrize("passes", [False, True])
def test_keys_of_other_services(pytester, iam, monkeypatch, mode, passes):
    """By default every key is answered here; with the option, those that are not WML's go to the real IAM."""
    monkeypatch.setenv("WML_MODE", mode)
    pytester.makeini(f"[pytest]\nwml_pass_iam = {passes}\n")
    pytester.makepyfile(TESTS.replace("PASSES", str(passes)))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=3)
    # Other libraries in this process may talk too: onnxruntime sends telemetry through the proxy.
    ibms = {host for host in iam if "ibm.com" in host}
    assert ibms == ({"iam.cloud.ibm.com:443"} if passes else set())
    result.stdout.fnmatch_lines([f"*live calls: {2 if passes else 0}*"])


@pytest.mark.parametrize("client", ["ibm_watson_machine_learning", "ibm_watsonx_ai"])
def test_a_guessed_host_that_nobody_answers_at(client, monkeypatch):
    """Live, with a password: the guess goes unanswered, the login goes on without it, and TLS stays verified."""
    wrapper = importlib.import_module("ibm_watson_machine_learning._wrappers.requests")
    monkeypatch.setattr(wrapper, "verify", None)
    for variable in ("DEPLOYMENT_PLATFORM", "DEPLOYMENT_PRIVATE", "WSD_PLATFORM"):
        monkeypatch.setenv(variable, "")  # what the clients write is taken back with it
    live, logins = Live(), []

    with EmbeddedWML(cpd_version="5.0.3") as app, contextlib.closing(live):

        def answer(environ, start_response):
            if environ["HTTP_HOST"].startswith("cp-console"):
                logins.append(environ["HTTP_HOST"])
                return live(environ, start_response)
            return app(environ, start_response)

        request_log = RequestLog(answer)
        door = Door(request_log, skip_waits=False, fail_closed=False)
        door.open()
        try:
            given = {"url": "https://cpd-wml.apps.invalid", "username": "me", "password": "p", "version": "5.0"}
            module = importlib.import_module(client)
            if client == "ibm_watsonx_ai":
                made = module.APIClient(module.Credentials(**given))
                made.httpx_client.close()
            else:
                module.APIClient({**given, "instance_id": "openshift"})
        finally:
            door.close()
    assert logins == ["cp-console-wml.apps.invalid"]
    assert request_log.take_failures() == []
    assert wrapper.verify is None

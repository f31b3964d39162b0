"""`pytest-wml doctor` against `pytest-wml serve`, another process behind TLS: the real way from end to end."""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
import ssl
import subprocess
import sys
from urllib.parse import urlencode

import pytest

from tests.emulator.serve.inside import serving
from tests.emulator.serve.process import served
from tests.tools.doctor.proxying import proxying

pytestmark = pytest.mark.slow

KEY = "a-key-that-nobody-may-see"
NO_SPACE = "11111111-2222-4333-8444-555555555555"
TRUST = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
WITHOUT_CLIENTS = """
import sys
for name in ("ibm_watson_machine_learning", "ibm_watsonx_ai", "httpx"):
    sys.modules[name] = None
"""
BOTH_FORMS = """
import sys
from pytest_wml.tools.cli import main
main(["doctor", *sys.argv[1:]])
print("in JSON:")
sys.exit(main(["doctor", *sys.argv[1:], "--json"]))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all; at its end it was asked for tokens and documents only."""
    with served(tmp_path_factory.mktemp("serve"), "-v") as running:
        yield running
        assert running.stop() == 0
        asked = {tuple(line.split()[:2]) for line in running.said if re.match(r"[A-Z]+ /", line)}
        tokens = {"/icp4d-api/v1/authorize", "/identity/token"}
        assert {path for method, path in asked if method != "GET"} - {"/v2/spaces"} <= tokens
        assert sum(line.startswith("POST /v2/spaces") for line in running.said) == 1  # the test's own


def doctor(server, *options, without=(), code="", **variables):
    """The exit status, and check → verdict and what was found; no secret is in what it writes."""
    environment = {**server.told_environment(), "WML_APIKEY": KEY, **variables}
    for name in without:
        environment.pop(name, None)
    command = [sys.executable, "-c", code + BOTH_FORMS, "--timeout=5", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    output = done.stdout + done.stderr
    assert done.returncode in (0, 1), output
    encoded = {base64.b64encode(b"\0" * more + KEY.encode()).decode()[4:-4] for more in range(3)}
    for secret in (KEY, *encoded, "proxy-password", "eyJ", environment.get("WML_TOKEN") or KEY):
        assert secret not in output
    told = json.loads(done.stdout.partition("in JSON:\n")[2])
    return done.returncode, {line["check"]: (line["verdict"], line["found"]) for line in told["lines"]}


def cloud(server, proxy, **variables):
    """The environment of somebody who uses IBM Cloud, whose hosts are found here."""
    more = {"WML_URL": "https://us-south.ml.cloud.ibm.com", "HTTPS_PROXY": proxy.url, "no_proxy": "", **variables}
    return doctor(server, without=("WML_USERNAME", "WML_INSTANCE_ID", "WML_VERSION", "https_proxy"), **more)


def asked(server, host, method, path, body, **headers):
    """One request of the test's own, to the server as a host of IBM Cloud."""
    context = ssl.create_default_context(cafile=server.ca)
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=30, context=context)
    try:
        connection.request(method, path, body, {"Host": host, **headers})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


@pytest.mark.parametrize("code", ["", WITHOUT_CLIENTS], ids=["usual", "without clients"])
def test_all_is_well(server, code):
    """A Cloud Pak for Data, also where none of IBM's clients is installed."""
    status, told = doctor(server, code=code)
    assert status == 0
    host = f"127.0.0.1:{server.port}"
    for check in ("name 127.0.0.1", f"connection {host}", "TLS 127.0.0.1", "clock", "token", "space"):
        assert told[check][0] == "pass", told
    assert told["software specification runtime-24.1-py3.11, at the service"] == ("pass", "supported")
    assert told["service"][1].startswith("an embedded service")


def test_an_untrusted_certificate(server, tmp_path):
    """Nothing is sent; with the authority named by the option all is well."""
    status, told = doctor(server, without=TRUST)
    assert status == 1
    assert told["TLS 127.0.0.1"][0] == "fail"
    assert "not trusted" in told["TLS 127.0.0.1"][1]
    assert "token" not in told
    status, told = doctor(server, f"--ca={server.ca}", without=TRUST)
    assert (status, told["token"][0]) == (0, "pass")


@pytest.mark.parametrize("name", TRUST)
def test_an_authority_of_ones_own(server, name):
    """Named by the variable that other tools read too."""
    status, told = doctor(server, without=set(TRUST) - {name})
    assert (status, told["TLS 127.0.0.1"][0]) == (0, "pass")
    assert f"from {name}" in told["TLS 127.0.0.1"][1]


def test_a_space_that_is_not_there(server):
    """Told with the service that does not have it."""
    status, told = doctor(server, WML_SPACE_ID=NO_SPACE)
    assert status == 1
    assert told["space"] == ("fail", f"does not exist: {NO_SPACE} at {server.url}")
    assert told["software specification runtime-24.1-py3.11, at the service"][0] == "pass"


def test_a_specification_that_is_going(server):
    """The suite's own, by the words of the service, and one that it does not have."""
    _, told = doctor(server, "--wml-software-spec=runtime-23.1-py3.10", "--wml-model-type=tensorflow_2.12")
    assert told["software specification runtime-23.1-py3.10, at the service"] == ("warn", "deprecated")
    status, told = doctor(server, "--wml-software-spec=no-such-thing")
    assert status == 1
    assert "it does not exist" in told["software specification no-such-thing, at the service"][1]


def test_a_token_that_was_given(server):
    """It is not made anew; one of another service is refused."""
    login = {"username": "me", "api_key": "k"}
    answer = asked(server, f"127.0.0.1:{server.port}", "POST", "/icp4d-api/v1/authorize", json.dumps(login))
    status, told = doctor(server, without=("WML_APIKEY",), WML_TOKEN=answer["token"])
    assert (status, told["space"][0]) == (0, "pass")
    assert "given directly" in told["token"][1]
    payload = base64.urlsafe_b64encode(b'{"exp": 4102444800}').decode().rstrip("=")
    status, told = doctor(server, without=("WML_APIKEY",), WML_TOKEN=f"eyJhbGciOiJub25lIn0.{payload}.zzzzzz")
    assert (status, told["space"][0]) == (1, "fail")
    assert "the token is refused" in told["space"][1]


def test_ibm_cloud_through_a_proxy(server):
    """Three hosts, a plan with its limits; the proxy's password is not shown."""
    with proxying(server.port) as proxy:
        status, told = cloud(server, proxy)
    assert status == 0
    for host in ("iam.cloud.ibm.com", "us-south.ml.cloud.ibm.com", "api.dataplatform.cloud.ibm.com"):
        assert told[f"TLS {host}"][0] == "pass"
        assert told[f"proxy for {host}"][0] == "pass"
        assert f"{host}:443" in proxy.asked
    assert told["instance"] == ("pass", "plan lite")
    assert told["plan limits"] == ("pass", "0 of 20 capacity unit hours used")


def test_a_space_without_an_instance(server):
    """In IBM Cloud nothing can be deployed there."""
    form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": "k"}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    token = asked(server, "iam.cloud.ibm.com", "POST", "/identity/token", urlencode(form), **kind)["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    made = asked(server, "api.dataplatform.cloud.ibm.com", "POST", "/v2/spaces", '{"name": "bare"}', **bearer)
    with proxying(server.port) as proxy:
        status, told = cloud(server, proxy, WML_SPACE_ID=made["metadata"]["id"])
    assert status == 1
    assert told["instance"][0] == "fail"
    assert "no instance of Watson Machine Learning is associated" in told["instance"][1]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ('status code=401 on="POST /icp4d-api/v1/authorize"', "refused: 401"),
        ('status code=503 on="POST /icp4d-api/v1/authorize"', "not available at present: 503"),
        ('cut after-bytes=20 on="POST /icp4d-api/v1/authorize"', "did not answer"),
        ('slow seconds=60 on="POST /icp4d-api/v1/authorize"', "did not answer"),
    ],
)
def test_no_token(tmp_path, fault, words):
    """A wrong key, a service that is down, cut off, or silent."""
    with serving(tmp_path, fault) as running:
        status, told = doctor(running, "--timeout=1")
    assert status == 1
    assert told["token"][0] == "fail"
    assert words in told["token"][1]
    assert "space" not in told


def test_nobody_there(server):
    """A name that is none, a closed port, and a port that accepts and says nothing."""
    status, told = doctor(server, WML_URL="https://nobody.invalid")
    assert (status, told["name nobody.invalid"][0]) == (1, "fail")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        status, told = doctor(server, "--timeout=1", WML_URL=f"https://{place}")
        assert (status, told["TLS 127.0.0.1"][0]) == (1, "fail")
        assert "no answer in time" in told["TLS 127.0.0.1"][1]
    status, told = doctor(server, WML_URL=f"https://{place}")
    assert (status, told[f"connection {place}"][0]) == (1, "fail")

"""Beside other plugins: network blockers, recorders, clocks; and before them, where one talks at its import."""

from __future__ import annotations

import http.server
import json
import threading

import ibm_watsonx_ai  # noqa: F401  before the inner runs, as in conftest
import pytest
import vcr  # noqa: F401

from tests.ibm import needs_older

RECORD = ("--wml=embedded", "--wml-record")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--disable-socket"],
        ["--disable-socket", "--allow-unix-socket", "--block-network", "--record-mode=none"],
        ["--allow-hosts=127.0.0.1,us-south.ml.cloud.ibm.com"],
    ],
)
def test_a_network_that_is_off(pytester, recorded_project, arguments):
    """pytest-socket's and pytest-recording's ways to switch the network off leave the door open."""
    pytester.runpytest_inprocess(*arguments).assert_outcomes(passed=6)


def test_a_proxy_in_the_environment(pytester, recorded_project, monkeypatch):
    """With every variable of a proxy set, in capitals and not, nothing goes there."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
        monkeypatch.setenv(variable.lower(), "http://127.0.0.1:9")
    pytester.runpytest_inprocess().assert_outcomes(passed=6)
    pytester.runpytest_inprocess("--wml=embedded").assert_outcomes(passed=6)


def test_a_swallowed_refusal_fails_its_test(pytester):
    """What goes past the door fails the test that caused it, by name; also after a test of pytest-socket's."""
    pytester.makepyfile(
        """
        import asyncio, contextlib, socket, urllib.request
        import pytest

        HOST = "us-south.ml.cloud.ibm.com"

        @pytest.mark.disable_socket
        def test_off(): pass

        def test_urllib():
            with contextlib.suppress(Exception):
                urllib.request.urlopen(f"https://{HOST}/x", timeout=5)

        def test_connect():
            with contextlib.suppress(Exception), socket.socket() as sock:
                sock.connect((HOST, 443))

        def test_aiohttp():
            aiohttp = pytest.importorskip("aiohttp")

            async def get():
                async with aiohttp.ClientSession(trust_env=True) as session:
                    await session.get(f"https://{HOST}/x")

            with contextlib.suppress(Exception):
                asyncio.run(get())

        def test_innocent(): pass
        """
    )
    # A process of its own: pytest-socket puts back what it found when it was imported, before any door was open.
    result = pytester.runpytest_subprocess("--wml=embedded")
    result.assert_outcomes(passed=2, failed=3)
    result.stdout.fnmatch_lines(
        ["A connection to us-south.ml.cloud.ibm.com was refused*"]
        + ["as above: A connection to us-south.ml.cloud.ibm.com was refused*::test_urllib)"] * 2
        + ["FAILED *::test_urllib*", "FAILED *::test_connect*", "FAILED *::test_aiohttp*"]
    )


def test_the_live_mode_is_not_in_the_way(pytester):
    """With answers from the service nothing is refused, no wait is left out, and requests are carried all the same."""
    pytester.makepyfile(
        """
        import socket, time
        import requests, urllib3.connection

        def test_state():
            for function in (socket.create_connection, socket.socket.connect, time.sleep):
                assert not hasattr(function, "__wrapped__")
            assert hasattr(urllib3.connection.HTTPSConnection.connect, "__wrapped__")
        """
    )
    pytester.runpytest_subprocess("--wml=live").assert_outcomes(passed=1)


def test_a_cassette_of_ones_own(pytester, recorded_project):
    """A test with a vcrpy cassette for another host scores too: nothing of IBM's is written there, nor refused."""

    class Hello(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Hello) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        pytester.makepyfile(
            test_model=f"""
            import httpx
            import numpy as np
            import pytest
            import requests

            OTHER = "http://127.0.0.1:{server.server_port}/"
            IMAGES = np.eye(4, dtype="float32").reshape(4, 2, 2, 1)

            @pytest.mark.vcr
            @pytest.mark.parametrize("ask", [requests.get, httpx.get])
            def test_both(wml_deployment, ask):
                assert ask(OTHER).text == "hello"
                assert wml_deployment.predict(IMAGES).classes.tolist() == [0, 1, 2, 3]
                assert ask("https://us-south.ml.cloud.ibm.com/ml/v1/foundation_model_specs").status_code == 400
            """
        )
        pytester.runpytest_inprocess(*RECORD, "--record-mode=once").assert_outcomes(passed=2)
        server.shutdown()
        thread.join()
    (first, second) = (path.read_text() for path in sorted((pytester.path / "cassettes").rglob("test_both*.yaml")))
    assert "127.0.0.1" in first
    assert "ibm.com" not in first + second
    pytester.runpytest_inprocess("--block-network").assert_outcomes(passed=2)


def test_a_cassette_that_holds_ibms_answers(pytester):
    """A suite that was recorded with vcrpy, WML and all, goes on playing its own cassette."""
    pytester.makepyfile(
        test_old="""
        import pytest
        import requests

        @pytest.mark.vcr
        def test_old():
            assert requests.get("https://us-south.ml.cloud.ibm.com/ml/v4/old", timeout=5).text == "from vcrpy"
        """
    )
    interaction = {
        "request": {"method": "GET", "uri": "https://us-south.ml.cloud.ibm.com/ml/v4/old", "body": None, "headers": {}},
        "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": "from vcrpy"}},
    }
    folder = pytester.mkdir("cassettes") / "test_old"
    folder.mkdir()
    (folder / "test_old.yaml").write_text(json.dumps({"version": 1, "interactions": [interaction]}))
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


CLOCKS = """
    import datetime
    import numpy as np
    import pytest
    import time_machine
    from freezegun import freeze_time
    from ibm_watson_machine_learning import APIClient
    import ibm_watsonx_ai

    CLOUD = {"url": "https://us-south.ml.cloud.ibm.com"}
    CPD = {"url": "https://cpd-wml.apps.example.com", "username": "me", "version": "5.0"}
    SPACE = "5ace0000-0000-4000-8000-000000000000"

    def old_cloud():
        return APIClient({**CLOUD, "apikey": "k"})

    def old_cpd():
        return APIClient({**CPD, "password": "p", "instance_id": "openshift"})

    def new_cloud():
        return ibm_watsonx_ai.APIClient(ibm_watsonx_ai.Credentials(**CLOUD, api_key="k"))

    def new_cpd():
        return ibm_watsonx_ai.APIClient(ibm_watsonx_ai.Credentials(**CPD, password="p"))

    @pytest.mark.parametrize("year", [2001, 2099])
    @pytest.mark.parametrize("clock", [freeze_time, time_machine.travel], ids=["freezegun", "time-machine"])
    def test_clock(wml_deployment, clock, year):
        images = np.eye(4, dtype="float32").reshape(4, 2, 2, 1)
        with clock(datetime.datetime(year, 6, 1, 12)):
            assert wml_deployment.predict(images).classes.tolist() == [0, 1, 2, 3]
            clients = [make() for make in (old_cloud, old_cpd, new_cloud, new_cpd)]
            for client in clients:
                client.set.default_space(SPACE)
                assert client.hardware_specifications.get_id_by_name("S") != "Not Found"
            assert datetime.datetime.now().year == year
        for client in clients:
            assert client.hardware_specifications.get_id_by_name("S") != "Not Found"
            if hasattr(client, "httpx_client"):
                client.httpx_client.close()
"""


@needs_older
@pytest.mark.slow
def test_other_clocks(pytester, project):
    """Years behind and ahead, both clients, on the cloud and not: tokens hold, and are renewed where they must be."""
    pytester.makepyfile(test_model=CLOCKS)
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=4)
    pytester.runpytest_inprocess().assert_outcomes(passed=4)


def test_a_frozen_run_waits_for_nothing(pytester, project):
    """A deployment polled under a clock that stands still."""
    pytester.makepyfile(
        test_model="""
        import pytest
        from freezegun import freeze_time

        @pytest.fixture(scope="session", autouse=True)
        def frozen():
            with freeze_time("2099-01-01"):
                yield

        def test_one(frozen, wml_deployment):
            assert wml_deployment.id
        """
    )
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=1)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["* s of waiting left out*"])

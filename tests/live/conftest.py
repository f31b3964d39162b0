"""A service that is reached as a live one: the server of `pytest-wml serve`, over TLS, journaled, budgeted."""

from __future__ import annotations

import contextlib
import inspect
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import tensorflow  # noqa: F401  before the inner runs, see tests/ibm.py

import pytest_wml.model.lint.linter  # noqa: F401  likewise
import tests.ibm  # noqa: F401
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.serve.inside import Inside, serving
from tests.tools.doctor.proxying import Proxy, proxying

pytest.importorskip("trustme")

TESTS = """
    def test_the_deployment_is_there(wml_deployment, wml_client):
        details = wml_client.deployments.get_details(wml_deployment.id)
        assert details["entity"]["name"] == "tiny"
"""
DEPLOYS_AND_WAITS = """
    import pathlib, time

    def test_it_takes_long(wml_deployment):
        pathlib.Path("deployed").touch()
        time.sleep(120)
"""


class Remote:
    """The service, as somebody who looks into its space sees it."""

    def __init__(self, server: Inside) -> None:
        self.server = server

    def asked(self, *lines: str) -> list[dict]:
        headers = {"Authorization": f"Bearer {self._token()}"}
        answers = []
        for kind in lines:
            answer = requests.get(
                f"{self.server.url}/ml/v4/{kind}",
                params={"version": "2021-06-21", "space_id": DEFAULT_SPACE_ID},
                headers=headers,
                verify=self.server.ca,
                timeout=30,
            )
            answers += answer.json()["resources"]
        return answers

    def _token(self) -> str:
        given = self.server.environment
        login = {"username": given["WML_USERNAME"], "api_key": given["WML_APIKEY"]}
        url = f"{self.server.url}/icp4d-api/v1/authorize"
        return requests.post(url, json=login, verify=self.server.ca, timeout=30).json()["token"]

    @property
    def names(self) -> list[str]:
        """What models, functions and deployments in the space are called."""
        found = self.asked("models", "functions", "deployments")
        return sorted(one["metadata"].get("name") or one["entity"]["name"] for one in found)


@pytest.fixture(scope="session")
def remote(tmp_path_factory) -> Iterator[Remote]:
    """One for all that leave it empty."""
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield Remote(server)


@pytest.fixture
def faulty(tmp_path):
    """Starts a service in this process that injects these faults; gives it."""
    with contextlib.ExitStack() as stack:

        def start(*faults: str) -> Remote:
            return Remote(stack.enter_context(serving(tmp_path, *faults)))

        yield start


class Suite:
    """A user's suite, run live."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self._pytester = pytester
        self._monkeypatch = monkeypatch
        self.folder = pytester.path
        self.state = pytester.path / "state"
        monkeypatch.setenv("XDG_STATE_HOME", str(self.state))
        # The outer run's guard and options are not the user's.
        for name in ("PYTEST_WML_GUARD", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_WML_RUN"):
            monkeypatch.delenv(name, raising=False)

    def at(self, remote: Remote) -> Suite:
        for name, value in remote.server.environment.items():
            self._monkeypatch.setenv(name, value)
        return self

    @contextlib.contextmanager
    def as_ibm_cloud(self, remote: Remote) -> Iterator[Proxy]:
        """The same service at the hosts of IBM Cloud, by way of a proxy that leads to it."""
        with proxying(remote.server.port) as proxy, self._monkeypatch.context() as patch:
            for name, value in remote.server.environment.items():
                patch.setenv(name, value)
            for name in ("WML_USERNAME", "WML_INSTANCE_ID", "WML_VERSION"):
                patch.delenv(name)
            patch.setenv("WML_URL", "https://us-south.ml.cloud.ibm.com")
            patch.setenv("HTTPS_PROXY", proxy.url)
            yield proxy

    def replay(self, *options: str) -> pytest.RunResult:
        """The suite as it was written last, offline and without credentials."""
        return self._pytester.runpytest_inprocess("--wml-name=tiny", "-p", "no:cacheprovider", *options)

    def run(self, tests: str, *options: str) -> pytest.RunResult:
        with self._monkeypatch.context() as patch:
            # The outer run is offline and leaves out what IBM's client waits. A live run waits; here a tenth as long.
            sleep = inspect.unwrap(time.sleep)
            patch.setattr(time, "sleep", lambda seconds: sleep(seconds / 10))
            return self._pytester.runpytest_inprocess(*self._arguments(tests), *options)

    def run_apart(self, tests: str, *options: str) -> pytest.RunResult:
        """The same in a process of its own: for what ends it, or changes it for good."""
        return self._pytester.runpytest_subprocess(*self._arguments(tests), *options)

    @contextlib.contextmanager
    def started(self, tests: str, *options: str) -> Iterator[pytest.Subprocess]:
        """A run in its own group of processes; ended with the block, whatever it does."""
        arguments = [*self._pytester._getpytestargs(), *self._arguments(tests), *options]
        with (self.folder / "out.txt").open("w") as out:
            # What nohup starts is deaf to the end of its terminal, and so would be all that it starts.
            heeds = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)}
            process = self._pytester.popen(arguments, stdout=out, stderr=out, start_new_session=True, **heeds)
            try:
                yield process
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    @property
    def said(self) -> str:
        return (self.folder / "out.txt").read_text()

    def tool(self, *arguments: str) -> tuple[int, str]:
        """A `pytest-wml` command: its exit status, and what it said."""
        ended = self._pytester.run(sys.executable, "-m", "pytest_wml.tools.cli", *arguments)
        return int(ended.ret), ended.stdout.str() + ended.stderr.str()

    @property
    def journals(self) -> list[Path]:
        return sorted(self.state.rglob("*.jsonl"))

    def _arguments(self, tests: str) -> list[str]:
        self._pytester.makepyfile(test_live=tests)
        return ["--wml-live", "--wml-name=tiny", "-p", "no:cacheprovider"]


@pytest.fixture
def suite(pytester, monkeypatch) -> Suite:
    return Suite(pytester, monkeypatch)


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Return when something is so that another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.2)


MARKED = re.compile(r"tiny-pytest-wml-[0-9a-f]{8}-\d{8}T\d{4}Z")

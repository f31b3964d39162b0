"""Before a live deployment the model is looked at: against the server of `pytest-wml serve`."""

from __future__ import annotations

import re

import pytest

import pytest_wml.model.lint.linter  # noqa: F401  before the inner runs, see tests/ibm.py
import tests.ibm  # noqa: F401
from tests.emulator.serve.inside import serving
from tests.model.lint import packing
from tests.model.lint.packing import Files, below, tarred

pytestmark = pytest.mark.slow
pytest.importorskip("tensorflow")

SUITE = """
def test_five(wml_deployment, wml_digits):
    assert wml_deployment.predict([wml_digits[5]]).classes.tolist() == [5]
"""
# The archive, and where the way on must lead.
REFUSED = {
    "in a folder": (lambda files: below(files, "export"), r"pack the inner folder: tar -C export -czf model\.tar\.gz"),
    "beside a Keras file": (
        lambda files: {**below(files, "export"), "old/network.h5": b"x"},
        r"pack the inner folder: tar -C export -czf model\.tar\.gz",
    ),
    "no graph": (
        lambda files: {"notes/model.h5": b"x", "variables/variables.index": b""},
        r"export the model with model\.export\(folder\) or tf\.saved_model\.save",
    ),
}


@pytest.fixture(scope="module")
def sample() -> Files:
    return packing.unpacked(packing.sample_path())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all: each test looks at what it was asked since."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def live(pytester, monkeypatch, server):
    """Runs a suite live for an archive with these files; gives what it printed and what the server was asked."""
    pytester.makepyfile(SUITE)

    def ran(files: Files, *options: str) -> tuple[pytest.RunResult, list[str]]:
        (pytester.path / "model.tar.gz").write_bytes(tarred(files))
        for name in ("PYTEST_WML_GUARD", "PYTEST_ADDOPTS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        before = len(server.said)
        result = pytester.runpytest_inprocess("--wml=live", "--wml-model=model.tar.gz", *options)
        return result, server.said[before:]

    return ran


def of_models(asked: list[str]) -> list[str]:
    return [line for line in asked if re.match(r"(POST|PUT) /ml/v4/models", line)]


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_service_refuses_is_not_uploaded(live, sample, what):
    """The test fails with the reason and the way on; the server was asked nothing of a model."""
    change, way_on = REFUSED[what]
    result, asked = live(change(sample))
    result.assert_outcomes(errors=1)
    assert re.search(way_on, result.stdout.str())
    assert asked, "the server's log tells no requests"
    assert of_models(asked) == []


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_warning_is_told_and_the_model_is_deployed(live, sample, workers):
    """In the summary, from a worker of xdist's too."""
    result, asked = live({**sample, "__MACOSX/._saved_model.pb": b"x"}, "-n", workers)
    result.assert_outcomes(passed=1)
    told = re.findall(r"^model: lint: (.*)$", result.stdout.str(), re.MULTILINE)
    assert any(line.startswith("warn mac-files: macOS left 1 files of its own.") for line in told), told
    assert len(of_models(asked)) == 2

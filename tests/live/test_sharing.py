"""One deployment for a whole run, and for the runs of a week."""

from __future__ import annotations

import re

import pytest

from tests.live.conftest import TESTS

pytestmark = pytest.mark.slow

FOUR = """
    import pytest

    @pytest.mark.parametrize("number", range(4))
    def test_it_is_there(wml_deployment, number):
        assert wml_deployment.client.deployments.get_details(wml_deployment.id)["entity"]["status"]["state"] == "ready"
        print("scored", wml_deployment.id)
"""


def test_two_workers_share_one(suite, remote):
    """Created by whoever comes first, deleted when all have ended."""
    result = suite.at(remote).run(FOUR, "-n", "2", "-rP")
    result.assert_outcomes(passed=4)
    assert len(set(re.findall(r"scored (\S+)", result.stdout.str()))) == 1
    result.stdout.fnmatch_lines(["spent: 1 deployment, 1 thing stored, 1 upload*"])
    assert remote.names == []


def test_a_failure_is_shared_too(suite, faulty):
    """It is tried once, not once a worker."""
    remote = faulty('deployment-failed reason="out of memory"')
    result = suite.at(remote).run(FOUR, "-n", "2")
    result.assert_outcomes(errors=4)
    assert "out of memory" in result.stdout.str()
    result.stdout.fnmatch_lines(["spent: 1 deployment, 1 thing stored, 1 upload*"])
    assert remote.names == []


def test_a_deployment_is_kept_for_the_next_run(suite, remote):
    """The same model takes it; it is not deleted, and it expires."""
    first = suite.at(remote).run(TESTS, "--wml-reuse")
    first.assert_outcomes(passed=1)
    first.stdout.fnmatch_lines(["tiny: *created, and kept for later runs until 20*"])
    (name, _) = kept = remote.names
    assert re.fullmatch(r"tiny-pytest-wml-kept[0-9a-f]{12}-\d{8}T\d{4}Z", name)
    second = suite.run(TESTS, "--wml-reuse", "-n", "2")
    second.assert_outcomes(passed=1)
    second.stdout.fnmatch_lines(["tiny: *kept by an earlier run until 20*"])
    assert "1 deployment" not in second.stdout.str()
    assert remote.names == kept
    status, said = suite.tool("sweep", "--yes")
    assert status == 0
    assert said.count("kept for later runs") == 2
    assert remote.names == kept
    suite.tool("sweep", "--yes", "--run", name.split("-")[3])
    assert remote.names == []


def test_another_model_does_not_take_it(suite, remote, tmp_path):
    """Its digest is part of the name, and is looked up in the stored model."""
    from tests.emulator.tiny_models import classifier

    for bias in (0.0, 0.2):
        archive = classifier(tmp_path / f"m{bias}", bias=(bias, 0.0, 0.0, 0.0))
        suite.at(remote).run(TESTS, "--wml-reuse", f"--wml-model={archive}").assert_outcomes(passed=1)
    names = remote.names
    assert len(names) == 4
    assert len({name.split("-")[3] for name in names}) == 2
    for run in {name.split("-")[3] for name in names}:
        suite.tool("sweep", "--yes", "--run", run)
    assert remote.names == []


def test_recording_and_reusing_do_not_go_together(suite):
    """A recording has to hold the creation."""
    result = suite.run(TESTS, "--wml-reuse", "--wml-record")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*A reused deployment cannot be recorded*"])

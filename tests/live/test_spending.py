"""What a live run spends is told, and may be limited."""

from __future__ import annotations

import io
import os
import tarfile

import pytest

from pytest_wml.runner.fixture_values import sample_archive
from tests.live.conftest import TESTS

pytestmark = pytest.mark.slow

MANY = """
    import pytest

    @pytest.mark.parametrize("number", range(20))
    def test_asks(wml_client, number):
        wml_client.deployments.get_details()
"""


def test_what_was_spent_is_told(suite, remote):
    """By purpose, what costs first; limits that are not reached are not noticed."""
    limits = ("--wml-max-requests=100", "--wml-max-deployments=1", "--wml-max-upload=1")
    result = suite.at(remote).run(TESTS, *limits)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["spent: 1 deployment, 1 thing stored, 1 upload (0.3 MB), 2 deletions, * looks, 1 token;*"]
    )


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_stops_before_the_next_request(suite, remote, workers):
    """The test that would ask fails, and no other begins; two workers count together."""
    result = suite.at(remote).run(MANY, "--wml-max-requests=12", "-n", workers)
    assert result.ret in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.TESTS_FAILED)
    result.stdout.fnmatch_lines(["*The run's budget is spent: 12 requests.*", "*set by: --wml-max-requests*"])
    assert result.parseoutcomes()["failed"] <= 2
    assert result.parseoutcomes().get("passed", 0) <= 12 - 4


def test_deployments_are_limited(suite, remote, monkeypatch):
    """What was created before the limit is deleted, though no request is left."""
    monkeypatch.setenv("WML_MAX_DEPLOYMENTS", "1")
    tests = f"""{TESTS}
    def test_a_second_one(wml_client, wml_deployment):
        names = wml_client.deployments.ConfigurationMetaNames
        wml_client.deployments.create(wml_deployment.model_id, meta_props={{names.NAME: "two", names.ONLINE: {{}}}})
    """
    result = suite.at(remote).run(tests)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*The run's budget is spent: 1 deployments.*", "*set by: WML_MAX_DEPLOYMENTS*"])
    assert remote.names == []


def test_uploads_are_limited(suite, remote, tmp_path):
    """Before a byte of the one that would be too much."""
    archive = tmp_path / "large.tar.gz"
    # A member of noise, which no compression makes small.
    with tarfile.open(sample_archive()) as sample, tarfile.open(archive, "w:gz") as large:
        for member in sample.getmembers():
            large.addfile(member, sample.extractfile(member) if member.isfile() else None)
        noise = tarfile.TarInfo("assets/noise.bin")
        noise.size = 3_000_000
        large.addfile(noise, io.BytesIO(os.urandom(noise.size)))
    result = suite.at(remote).run(TESTS, f"--wml-model={archive}", "--wml-max-upload=2")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*The run's budget is spent: 2 MB of upload.*", "*next upload: 3.* MB*"])
    assert remote.names == []


def test_busy_times_are_told(suite, faulty):
    """A look that the service had no time for was sent again."""
    remote = faulty("status code=429 retry-after=0 on='GET /deployments' times=2")
    result = suite.at(remote).run(TESTS)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["sent again: 429 on GET * ×*"])


def test_a_latency_check_sees_each_refusal(suite, faulty):
    """A scoring that the service had no time for is not sent again behind its back."""
    remote = faulty("status code=429 retry-after=1 on='POST /predictions' times=2")
    tests = """
    def test_fast(wml_contract, wml_digits):
        wml_contract.latency(wml_digits[5][None], requests=3, concurrency=1)
    """
    result = suite.at(remote).run(tests)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*1 of 3 requests failed*429*"])
    assert "sent again" not in result.stdout.str()

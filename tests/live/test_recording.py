"""What is recorded live is replayed offline, by whoever has no account."""

from __future__ import annotations

import pytest

from tests.live.conftest import TESTS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_live_recording_is_replayed(suite, remote, workers):
    """It says that it is from live, holds no run's mark, and needs neither the service nor credentials."""
    with suite.as_ibm_cloud(remote):
        suite.run(TESTS, "--wml-record", "-n", workers).assert_outcomes(passed=1)
    assert remote.names == []
    text = (suite.folder / "cassettes" / "tiny.yaml").read_text(encoding="utf-8")
    assert '"recorded_from": "live"' in text
    assert "-pytest-wml-" not in text
    replayed = suite.replay()
    replayed.assert_outcomes(passed=1)
    replayed.stdout.fnmatch_lines(
        [
            "not asked of the service, because it was recorded: 1 deployment, 1 upload (0.3 MB)",
            "tiny.yaml: * from live, *",
        ]
    )

"""Whatever ends a live run, nothing that it created stays in the service."""

from __future__ import annotations

import signal
import sys

import pytest

from tests.live.conftest import DEPLOYS_AND_WAITS, MARKED, TESTS, wait_for

pytestmark = pytest.mark.slow

STORES = """
    from pytest_wml.runner.fixture_values import sample_archive

    def stored(client, name):
        names = client.repository.ModelMetaNames
        spec = client.software_specifications.get_id_by_name("runtime-24.1-py3.11")
        meta = {names.NAME: name, names.TYPE: "tensorflow_2.14", names.SOFTWARE_SPEC_UID: spec}
        return client.repository.store_model(str(sample_archive()), meta_props=meta)
"""


def test_a_run_leaves_nothing(suite, remote):
    """Neither in the service nor in the journal."""
    suite.at(remote).run(TESTS).assert_outcomes(passed=1)
    assert remote.names == []
    assert suite.journals == []


def test_what_tests_create_by_themselves_is_deleted_too(suite, remote):
    """Told by name, with the test; the test itself sees the name that it gave, also when it looks for it."""
    tests = f"""{STORES}
    def test_by_hand(wml_client):
        assert stored(wml_client, "by hand")["metadata"]["name"] == "by hand"
        listed = wml_client.repository.get_model_details(get_all=True)["resources"]
        assert [model["metadata"]["name"] for model in listed] == ["by hand"]
    """
    result = suite.at(remote).run(tests)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["deleted at the end: model by hand (created by test_live.py::test_by_hand)"])
    assert remote.names == []


def test_what_is_renamed_is_still_ours(suite, remote):
    """A name that an update gives has the mark too."""
    tests = f"""{STORES}
    def test_by_hand(wml_client):
        model_id = stored(wml_client, "first")["metadata"]["id"]
        names = wml_client.repository.ModelMetaNames
        updated = wml_client.repository.update_model(model_id, {{names.NAME: "second"}})
        assert updated["metadata"]["name"] == "second"
        import os
        os.kill(os.getpid(), 9)
    """
    suite.at(remote).run_apart(tests)
    (name,) = remote.names
    assert name.startswith("second-pytest-wml-")
    assert suite.tool("sweep", "--yes")[0] == 0
    assert remote.names == []


@pytest.mark.parametrize(
    ("number", "workers"),
    [(signal.SIGINT, "0"), (signal.SIGTERM, "0"), (signal.SIGHUP, "0"), (signal.SIGINT, "2"), (signal.SIGTERM, "2")],
)
def test_a_signal(suite, remote, number, workers):
    """Ctrl-C and what CI systems send: to the controller alone, as `kill` sends it."""
    with suite.at(remote).started(DEPLOYS_AND_WAITS, "-n", workers) as process:
        wait_for((suite.folder / "deployed").exists)
        assert all(MARKED.fullmatch(name) for name in remote.names)
        assert len(remote.names) == 2
        process.send_signal(number)
        assert process.wait(timeout=150) == pytest.ExitCode.INTERRUPTED, suite.said
    assert remote.names == []
    assert suite.journals == []


def test_a_signal_while_it_deploys(suite, faulty):
    """Between the creation of the deployment and its being ready."""
    remote = faulty("deployment-stuck")
    tests = """
    import os, signal, threading

    def test_it_is_interrupted(wml_deployment):
        pass
    """
    conftest = """
    import os, signal, threading
    from pytest_wml.runner.activation import RUN

    def pytest_runtest_setup(item):
        def watch():
            while not any(one.method == "POST" and one.path.rstrip("/").endswith("/deployments")
                          for one in item.config.stash[RUN].request_log.exchanges):
                pass
            os.kill(os.getpid(), signal.SIGTERM)
        threading.Thread(target=watch, daemon=True).start()
    """
    suite._pytester.makeconftest(conftest)
    result = suite.at(remote).run_apart(tests)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["deleted at the end: deployment tiny*", "deleted at the end: model tiny*"])
    assert remote.names == []


def test_a_crashed_worker(suite, remote):
    """What it had created, the controller deletes."""
    tests = """
    import os

    def test_it_crashes(wml_deployment):
        os._exit(3)
    """
    result = suite.at(remote).run_apart(tests, "-n", "1", "--max-worker-restart=0")
    result.stdout.fnmatch_lines(["deleted at the end: deployment tiny*"])
    assert remote.names == []


def test_kill_9_before_the_deployment_is_ready(suite, faulty):
    """Nothing can be done in the killed run; sweep finds it, shows it, and deletes it when told to."""
    remote = faulty("deployment-stuck")
    with suite.at(remote).started(TESTS) as process:
        wait_for(lambda: len(remote.names) == 2)
        process.kill()
        process.wait()
    status, said = suite.tool("sweep")
    assert status == 1
    assert said.count("would be deleted (--yes does it)") == 2
    assert len(remote.names) == 2, "a dry run has deleted"
    status, said = suite.tool("sweep", "--yes")
    assert (status, remote.names, suite.journals) == (0, [], []), said


def test_the_next_run_tells_what_a_killed_one_left(suite, remote):
    """And leaves it alone."""
    with suite.at(remote).started(DEPLOYS_AND_WAITS) as process:
        wait_for((suite.folder / "deployed").exists)
        process.kill()
        process.wait()
    suite.run("def test_asks(wml_client): pass").stdout.fnmatch_lines(
        ["left by a run that was killed (pytest-wml sweep --yes deletes it): model tiny-*, deployment tiny-*"]
    )
    assert len(remote.names) == 2
    assert suite.tool("sweep", "--yes")[0] == 0
    assert remote.names == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ('cut after-bytes=0 on="PUT /content"', "did not answer"),
        ('cut after-bytes=0 on="POST /models"', "did not answer"),
        ('cut after-bytes=0 on="POST /deployments"', "did not answer"),
        ("token-expires after=7", "expired"),
        ('status code=507 on="PUT /content"', "507"),
    ],
)
def test_what_fails_on_the_way(suite, faulty, fault, told):
    """The network cut, a token that ends in mid-run, a full disk at the service: the test fails, nothing stays."""
    remote = faulty(f"{fault} times=1")
    result = suite.at(remote).run(TESTS)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert told in result.stdout.str()
    assert remote.names == []
    assert suite.journals == []


def test_a_deletion_that_is_refused_twice(suite, faulty):
    """409 means not yet."""
    remote = faulty('status code=409 on="DELETE /deployments" times=2')
    suite.at(remote).run(TESTS).assert_outcomes(passed=1)
    assert remote.names == []


def test_a_deletion_that_is_always_refused(suite, faulty):
    """The run fails and says what is left; sweep deletes it later."""
    remote = faulty('status code=403 on="DELETE /deployments" times=10')
    result = suite.at(remote).run(TESTS)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*What this run created is still in the deployment space.*", "*pytest-wml sweep*"])
    assert suite.journals != []
    assert suite.tool("sweep", "--yes")[0] == 0
    assert remote.names == []


def test_what_lies_in_another_space_is_deleted_there(suite, remote):
    """Not looked for where it is not, and called deleted."""
    tests = f"""{STORES}
    def test_by_hand(wml_client):
        names = wml_client.spaces.ConfigurationMetaNames
        space = wml_client.spaces.store(meta_props={{names.NAME: "other"}})["metadata"]["id"]
        own = wml_client.default_space_id
        wml_client.set.default_space(space)
        model_id = stored(wml_client, "there")["metadata"]["id"]
        names = wml_client.deployments.ConfigurationMetaNames
        wml_client.deployments.create(model_id, meta_props={{names.NAME: "there", names.ONLINE: {{}}}})
        wml_client.set.default_space(own)
    """
    result = suite.at(remote).run(tests)
    result.assert_outcomes(passed=1)
    told = [f"deleted at the end: {kind} (created by *)" for kind in ("deployment there", "model there", "space other")]
    result.stdout.fnmatch_lines(told)
    assert result.ret == 0
    assert suite.journals == []


OWN_CLIENT = f"""{STORES}
    import os
    from pytest_wml.client.safe_client import safe_client
    from pytest_wml.config.credentials import find

    def client():
        given = {{name.removeprefix("OTHER_"): value for name, value in os.environ.items() if name[:6] == "OTHER_"}}
        return safe_client(find(given, ""))
"""


def test_a_client_with_credentials_that_nobody_knows(suite, remote, monkeypatch):
    """Nothing can be deleted with them: the run fails and says what is left."""
    for name, value in remote.server.environment.items():
        monkeypatch.setenv(name.replace("WML_", "OTHER_WML_") if name.startswith("WML_") else name, value)
    tests = f"""{OWN_CLIENT}
    def test_by_hand():
        with client() as made:
            stored(made, "mine")
    """
    host = remote.server.url.partition("//")[2]
    result = suite.run(tests, f"--wml-cpd-hosts={host}")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*What this run created is still in the deployment space.*", "*model mine-*WML_URL*"])
    suite.at(remote).tool("sweep", "--yes")
    assert remote.names == []


def test_a_conftest_that_breaks(suite, remote):
    """pytest does not begin; what the conftest created is deleted all the same."""
    for name, value in remote.server.environment.items():
        suite._monkeypatch.setenv(name.replace("WML_", "OTHER_WML_"), value)
    suite._pytester.makeconftest(f"""{OWN_CLIENT}
    with client() as made:
        stored(made, "mine")
    raise RuntimeError("broken")
    """)
    result = suite.at(remote).run_apart(TESTS)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert remote.names == []
    assert [path.name for path in suite.state.rglob("*") if path.is_file()] == []


def test_a_deployment_that_is_to_be_kept_and_is_not_ready(suite, faulty):
    """Ctrl-C before it is: nobody could use it, so it goes."""
    remote = faulty("deployment-stuck")
    with suite.at(remote).started(TESTS, "--wml-reuse") as process:
        wait_for(lambda: len(remote.names) == 2)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=150) == pytest.ExitCode.INTERRUPTED, suite.said
    assert remote.names == []


def test_a_script_whose_deployment_cannot_be_deleted(suite, faulty):
    """It is told with what is left, as in a test run."""
    remote = faulty('status code=403 on="DELETE /deployments" times=20')
    script = suite._pytester.makepyfile(
        script="""
        import time
        from pytest_wml import WmlDeployment

        sleep = time.sleep
        time.sleep = lambda seconds: sleep(seconds / 10)  # what lies between two tries is not the subject
        block = WmlDeployment(mode="live", name="tiny")
        with block as deployment:
            deployment.client.deployments.create(deployment.model_id, meta_props={"name": "by hand", "online": {}})
    """
    )
    ended = suite.at(remote)._pytester.run(sys.executable, script)
    assert "What this run created is still in the deployment space." in ended.stderr.str()


def test_sweep_leaves_a_run_alone_that_is_going_on(suite, remote):
    """On this machine that is known: also where it is named, or lasts longer than its lifetime."""
    with suite.at(remote).started(DEPLOYS_AND_WAITS) as process:
        wait_for((suite.folder / "deployed").exists)
        names = remote.names
        status, said = suite.tool("sweep", "--yes", "--run", names[0].split("-")[3])
        assert (status, said.count("is active"), remote.names) == (0, 2, names)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=150)
    assert remote.names == []

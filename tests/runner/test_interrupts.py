"""Ctrl-C ends a run at once, with a line."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys

import pytest

from pytest_wml.model.frameworks import importing
from tests.emulator.test_workers import gone

INTERRUPTED = """
    def test_one(wml_digits):
        raise KeyboardInterrupt
"""


def test_an_interrupted_import_says_what_was_imported():
    """Without the frames of the import, each of which pytest would look up in its source."""
    with pytest.raises(KeyboardInterrupt, match="while TensorFlow was imported") as interrupt, importing("TensorFlow"):
        raise KeyboardInterrupt
    assert interrupt.value.__suppress_context__


@pytest.mark.parametrize(("options", "lines"), [(["--wml=embedded"], 1), ([], 0)])
def test_a_run_says_at_once_that_it_is_interrupted(options, lines, pytester):
    """Before it tears its fixtures down, and before pytest describes the interrupt; a replay ends without words."""
    pytester.makepyfile(INTERRUPTED)
    result = pytester.runpytest_inprocess(*options, no_reraise_ctrlc=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert result.stdout.str().count("wml: interrupted: the run ends\n") == lines
    result.stdout.fnmatch_lines(["*! KeyboardInterrupt !*"])


def test_a_run_that_pytest_stops_is_not_interrupted(pytester):
    """A module that cannot be imported ends the collection: pytest says so, and nothing has to be given up."""
    pytester.makepyfile("import nothing_of_this_name")
    result = pytester.runpytest_inprocess("--wml=embedded")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.no_fnmatch_line("*wml: interrupted*")


def test_garbage_is_found_after_an_interrupted_run(pytester):
    """A program that called pytest goes on: nothing of it stays frozen."""
    frozen = gc.get_freeze_count()
    pytester.makepyfile(INTERRUPTED)
    pytester.runpytest_inprocess("--wml=embedded", no_reraise_ctrlc=True)
    assert gc.get_freeze_count() == frozen


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are those of POSIX")
def test_a_deployment_that_is_being_made_is_given_up(pytester):
    """While a model that never gets loaded is waited for; its process is gone too."""
    pipe = pytester.path / "pipe"
    os.mkfifo(pipe)
    pytester.makepyfile(
        f"""
        import gzip

        SOURCE = "import os, time; open({str(pipe)!r}, 'w').write(str(os.getpid())); time.sleep(600)"

        def test_one(wml_client):
            with open("function.py.gz", "wb") as file:
                file.write(gzip.compress(SOURCE.encode()))
            names = wml_client.repository.FunctionMetaNames
            spec = wml_client.software_specifications.get_id_by_name("runtime-24.1-py3.11")
            meta = {{names.NAME: "f", names.SOFTWARE_SPEC_UID: spec}}
            function = wml_client.repository.store_function(function="function.py.gz", meta_props=meta)
            config = wml_client.deployments.ConfigurationMetaNames
            meta = {{config.NAME: "d", config.ONLINE: {{}}}}
            wml_client.deployments.create(function["metadata"]["id"], meta_props=meta)
        """
    )
    command = [sys.executable, "-m", "pytest", "-n", "0", "--wml=embedded", "--wml-allow-pickle"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=pytester.path)
    pid = int(pipe.read_text())
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=60)
    assert running.returncode == pytest.ExitCode.INTERRUPTED
    assert "wml: interrupted: the loading of models is cancelled" in said
    assert gone(pid)

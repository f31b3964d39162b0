"""What IBM's client prints is kept back where it explains nothing."""

from __future__ import annotations

import contextlib
import sys
import threading

from pytest_wml.client.captured_output import capture

BANNER = "\n\n####\n\nSynchronous deployment creation for uid: '1' started\n\n####\n"


def test_a_banner_is_kept_back(capsys):
    """Nothing is printed where all went well, and the standard output is as it was."""
    before = sys.stdout
    with capture():
        print(BANNER)
    assert sys.stdout is before
    assert capsys.readouterr().out == ""


def test_a_note_of_the_service_is_printed(capsys):
    """That a framework is deprecated, say."""
    with capture():
        print(BANNER)
        print("Note: Software specification `default_py3.8` is deprecated.")
    assert capsys.readouterr().out == "Note: Software specification `default_py3.8` is deprecated.\n"


def test_all_is_printed_where_it_fails(capsys):
    """But for the rules around it and empty lines."""
    with contextlib.suppress(RuntimeError), capture():
        print(BANNER)
        raise RuntimeError
    assert capsys.readouterr().out == "Synchronous deployment creation for uid: '1' started\n"


def test_other_threads_print(capsys):
    """A user's thread may print meanwhile."""
    with capture():
        print("of the client")
        thread = threading.Thread(target=print, args=["of the user"])
        thread.start()
        thread.join()
    assert capsys.readouterr().out == "of the user\n"

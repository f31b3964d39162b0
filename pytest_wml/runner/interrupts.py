"""Ctrl-C: a run ends within two seconds, and says at once that it does."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest


class Interruption:
    """Handles an interrupt before pytest describes it, tears down fixtures and reports.

    Args:
        config: pytest's.
        give_up: cancels work in other threads and processes; returns what it did, for the user.
    """

    def __init__(self, config: pytest.Config, give_up: Callable[[], str]) -> None:
        self._config = config
        self._give_up = give_up
        self._frozen = False
        config.add_cleanup(self._unfreeze)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        if isinstance(excinfo.value, pytest.Session.Interrupted):
            # pytest stops the run by itself: after errors of collection, or where a plugin asked for it.
            return
        done = self._give_up()
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if done and reporter is not None and isinstance(excinfo.value, KeyboardInterrupt):
            reporter.ensure_newline()
            reporter.write_line(f"wml: interrupted: {done}")
        # TensorFlow is a million objects. pytest looks for garbage among them ten times at its end, and Python once.
        if hasattr(gc, "freeze") and not gc.get_freeze_count():
            gc.freeze()
            self._frozen = True

    def _unfreeze(self) -> None:
        # A program that called pytest goes on, and its garbage is to be found.
        if self._frozen:
            gc.unfreeze()

"""The imports of a thread are paused while the process ends."""

from __future__ import annotations

import importlib
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from pytest_wml.emulator.runtimes import import_pause


@pytest.fixture
def framework(tmp_path, monkeypatch):
    """A package that, half imported, waits for `go`; it notes when its second module is imported."""
    package = tmp_path / "slow_framework"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from tests.emulator.test_import_pause import GO, HALF\nHALF.set()\nGO.wait(20)\nimport slow_framework.rest\n"
    )
    (package / "rest.py").touch()
    (tmp_path / "unrelated.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    HALF.clear()
    GO.clear()
    finders = list(sys.meta_path)
    yield "slow_framework"
    sys.meta_path[:] = finders
    for name in ("slow_framework", "slow_framework.rest", "unrelated"):
        sys.modules.pop(name, None)


HALF, GO = threading.Event(), threading.Event()


def test_an_import_pauses_and_then_goes_on(framework, monkeypatch):
    """Meanwhile others import what they like; nothing of the import is lost."""
    slept, wake = [], threading.Event()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        wake.wait(20)

    monkeypatch.setattr(import_pause, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    thread = threading.Thread(target=importlib.import_module, args=[framework])
    thread.start()
    assert HALF.wait(20)
    import_pause.pause_imports(thread.ident, 60.0)
    GO.set()
    importlib.import_module("unrelated")
    assert "slow_framework.rest" not in sys.modules
    wake.set()
    thread.join(20)
    (seconds,) = slept
    assert 0.0 < seconds <= 60.0
    module = sys.modules["slow_framework.rest"]
    assert type(module.__spec__.loader) is type(sys.modules["unrelated"].__spec__.loader)

"""An import in a thread that rests while the process ends."""

from __future__ import annotations

import importlib
import sys
import threading
import time

import pytest

from pytest_wml.embedded.runtimes.resting import rest


@pytest.fixture
def framework(tmp_path, monkeypatch):
    """A package that, half imported, waits for `go`; it notes when its second module is imported."""
    package = tmp_path / "slow_framework"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from tests.embedded.test_resting import GO, HALF\nHALF.set()\nGO.wait(20)\nimport slow_framework.rest\n"
    )
    (package / "rest.py").write_text("import time\nimported_at = time.monotonic()\n")
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


def test_an_import_rests_and_then_goes_on(framework):
    """Meanwhile others import what they like; nothing of the import is lost."""
    thread = threading.Thread(target=importlib.import_module, args=[framework])
    thread.start()
    assert HALF.wait(20)
    begun = time.monotonic()
    rest(thread.ident, 0.3)
    GO.set()
    importlib.import_module("unrelated")
    assert "slow_framework.rest" not in sys.modules
    thread.join(20)
    module = sys.modules["slow_framework.rest"]
    assert module.imported_at - begun >= 0.3
    assert type(module.__spec__.loader) is type(sys.modules["unrelated"].__spec__.loader)

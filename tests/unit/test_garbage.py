"""What is imported for good takes no part in garbage collections while the run lasts."""

from __future__ import annotations

import contextlib
import gc
import weakref

import pytest

from pytest_wml import garbage


class Cycle:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.self = self


@pytest.fixture(autouse=True)
def thawed():
    # IBM's client may have been imported by a test before, in this process.
    gc.unfreeze()
    garbage.let_in()
    yield
    gc.unfreeze()
    gc.enable()


def test_what_is_imported_is_kept_out_until_the_end():
    """It is in no generation any more, and is again once it is let in."""
    with garbage.kept_out():
        imported = Cycle()
    assert gc.get_freeze_count() > 0
    assert not any(one is imported for one in gc.get_objects())
    garbage.let_in()
    assert gc.get_freeze_count() == 0
    assert any(one is imported for one in gc.get_objects())


def test_garbage_from_before_is_finalized_before():
    """A warning of what earlier tests left open comes where it came without us: not with the end of the process."""
    left = weakref.ref(Cycle())
    with garbage.kept_out():
        assert left() is None


def test_garbage_of_later_is_collected():
    """Only what was there is kept out."""
    with garbage.kept_out():
        pass
    later = weakref.ref(Cycle())
    gc.collect()
    assert later() is None


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_stays_on_or_off(on):
    """Also where the import fails."""
    (gc.enable if on else gc.disable)()
    seen = []
    with contextlib.suppress(ImportError), garbage.kept_out():
        seen.append(gc.isenabled())
        raise ImportError
    assert [*seen, gc.isenabled()] == [False, on]


def test_what_somebody_else_has_frozen_stays_so():
    """A suite that freezes for itself knows why."""
    gc.freeze()
    before = gc.get_freeze_count()
    with garbage.kept_out():
        assert gc.isenabled()
    garbage.let_in()
    assert gc.get_freeze_count() == before


def test_it_is_the_run_that_lets_in(pytester):
    """IBM's client is kept out as soon as a test uses it, and the process is as it was once the run is over."""
    pytester.makepyfile(
        outer="""
        import gc, sys, pytest
        code = pytest.main(["-q", "--wml=embedded", "inner.py"])
        print("FROZEN AT THE END", gc.get_freeze_count())
        sys.exit(code)
        """,
        inner="""
        import gc
        def test_client(wml_client):
            assert gc.isenabled()
            assert gc.get_freeze_count() > 50_000
        """,
    )
    ran = pytester.runpython("outer.py")
    ran.stdout.fnmatch_lines(["*1 passed*", "FROZEN AT THE END 0"])
    assert ran.ret == 0

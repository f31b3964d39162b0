"""While IBM's client is imported nothing is collected; otherwise garbage is what it is without us."""

from __future__ import annotations

import contextlib
import gc
import weakref

import pytest

from pytest_wml.client import garbage


class Cycle:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.self = self


@pytest.fixture(autouse=True)
def as_it_was():
    """Whatever another test has frozen: these begin with nothing frozen, and leave nothing frozen."""
    gc.unfreeze()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.skipif(gc.get_freeze_count() > 0, reason="this Python freezes objects of its own")
def test_what_is_imported_counts_as_old():
    """It is in the oldest generation at once, and nothing stays frozen."""
    with garbage.paused():
        imported = Cycle()
    assert any(one is imported for one in gc.get_objects(generation=2))
    assert gc.get_freeze_count() == 0


def test_garbage_is_found_as_ever():
    """What was made before, meanwhile and after: a suite's own tests of leaks hold, and pytest's warnings come."""
    before = Cycle()
    with garbage.paused():
        meanwhile = Cycle()
    after = Cycle()
    left = [weakref.ref(one) for one in (before, meanwhile, after)]
    del before, meanwhile, after
    gc.collect()
    assert [one() for one in left] == [None, None, None]


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_stays_on_or_off(on):
    """Also where the import fails."""
    (gc.enable if on else gc.disable)()
    seen = []
    with contextlib.suppress(ImportError), garbage.paused():
        seen.append(gc.isenabled())
        raise ImportError
    assert [*seen, gc.isenabled()] == [False, on]


def test_what_somebody_has_frozen_stays_frozen():
    """A suite that freezes for itself knows why."""
    frozen, young = Cycle(), None
    gc.freeze()
    with garbage.paused():
        young = Cycle()
    tracked = gc.get_objects()
    assert any(one is young for one in tracked)
    assert not any(one is frozen for one in tracked)


@pytest.mark.slow
def test_a_suite_that_leaks_hears_of_it(pytester):
    """What is alive when IBM's client is imported, and breaks when it is collected, is told by pytest."""
    pytester.makepyfile(
        """
        import pytest

        class Model:
            def __init__(self): self.me = self
            def __del__(self): raise RuntimeError("broken close")

        @pytest.fixture(scope="session", autouse=True)
        def engine():
            model = Model()
            yield model

        def test_client(wml_client):
            pass
        """
    )
    result = pytester.runpytest_subprocess("--wml=embedded", "-W", "error::pytest.PytestUnraisableExceptionWarning")
    assert result.ret != 0
    result.stderr.fnmatch_lines(["*broken close*"])

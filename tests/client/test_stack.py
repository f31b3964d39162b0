"""Wherever it begins, work with room never asks the system for the same piece of stack again and again."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable

import pytest

from pytest_wml.client.stack import with_room

CALLS = 2000
DEPTHS = range(150)  # more than the frames that a chunk of the stack holds


def leaf() -> int:
    """What a loop calls, with a frame larger than those below, so that one of the depths is unlucky."""
    a = b = c = d = e = f = g = h = i = j = 0
    return a + b + c + d + e + f + g + h + i + j


def faults_of_a_loop() -> int:
    """Pages that the system provides meanwhile: one a call, where each call gets a new piece of stack."""
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(CALLS):
        leaf()
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def at_depth(depth: int, work: Callable[[], int]) -> int:
    """What `work` returns, with so many frames between."""
    return at_depth(depth - 1, work) if depth else work()


@pytest.mark.skipif(sys.platform != "linux", reason="counts the pages as Linux does")
def test_no_depth_is_unlucky():
    """Without room one among some 136 is."""
    if max(at_depth(depth, faults_of_a_loop) for depth in DEPTHS) < CALLS:
        pytest.skip("this Python does not give its stack back")
    assert max(at_depth(depth, lambda: with_room(faults_of_a_loop)) for depth in DEPTHS) < CALLS / 10


def test_what_work_returns_and_raises_arrives():
    """As if it were called."""
    assert with_room(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        with_room(lambda: 1 // 0)


def test_it_can_be_used_inside_itself():
    """Also far down."""
    assert at_depth(50, lambda: with_room(lambda: at_depth(50, lambda: with_room(lambda: 4)))) == 4

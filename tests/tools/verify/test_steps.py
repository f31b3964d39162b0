"""In which order a recording's requests are asked again."""

from __future__ import annotations

import random

import pytest

from pytest_wml.replay.cassette.file import Cassette
from pytest_wml.replay.cassette.merge import merged
from pytest_wml.replay.cassette.normalise import normalised
from pytest_wml.tools.verify.steps import cost, steps
from tests.replay.taping import exchange, lifecycle

IDS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
SPEC = "33333333-3333-4333-8333-333333333333"


def cassette(tape):
    return Cassette("tiny", {}, tuple(merged([normalised(tape, "tiny", {})])))


def test_polls_are_one_request():
    """However often a state was asked for; its last answer counts. What was asked after a change is another one."""
    planned = steps(cassette(lifecycle(*IDS)))
    asked = [f"{step.asked.method} {step.asked.path.rpartition('/')[2]}" for step in planned]
    states = [step.asked.answer for step in planned if step.asked.method == "GET"]
    assert [text.partition(" ")[0] for text in asked] == ["POST", "PUT", "POST", "GET", "POST", "DELETE", "GET"]
    assert b"ready" in states[0]
    assert b"errors" in states[1]


def test_what_it_costs():
    """Deployments and scorings are what is paid for."""
    assert str(cost(steps(cassette(lifecycle(*IDS))))) == "7 requests, 1 deployment, 1 scoring"


def listed(start, following):
    answer = {"resources": [], **({"next": {"href": f"/ml/v4/models?start={following}"}} if following else {})}
    return exchange("GET", "/ml/v4/models", answer, query=f"start={start}" if start else "")


@pytest.mark.parametrize("seed", range(8))
def test_what_is_needed_comes_first(seed):
    """The pages of a list follow the links to them, a specification its look-up by name, however they stand."""
    found = exchange("GET", "/v2/zz_names", {"resources": [{"metadata": {"name": "a", "id": SPEC}}]})
    read = exchange("GET", f"/v2/a_specification/{SPEC}", {"metadata": {"id": SPEC}})
    tape = [found, read, listed("", "2"), listed("2", "3"), listed("3", "")]
    random.Random(seed).shuffle(tape)
    asked = [str(step.asked.request) for step in steps(Cassette("tiny", {}, tuple(normalised(tape, "tiny", {}))))]
    assert len(asked) == 5
    assert asked.index("GET /v2/zz_names") < asked.index(f"GET /v2/a_specification/{SPEC}")
    pages = [each for each in asked if "models" in each]
    assert pages == ["GET /ml/v4/models", "GET /ml/v4/models?start=2", "GET /ml/v4/models?start=3"]

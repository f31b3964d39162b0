"""Where an unanswered request parts from the nearest recorded one."""

from __future__ import annotations

import fnmatch
import json
import random
from dataclasses import replace

import pytest

from pytest_wml.replay.cassette.batches import elsewhere, few_rows
from pytest_wml.replay.cassette.identity import request
from pytest_wml.replay.cassette.nearest import differences, nearest
from pytest_wml.replay.cassette.normalise import normalised
from pytest_wml.wml.hosts import Role
from tests.replay.taping import exchange

SCORE = "/ml/v4/deployments/d/predictions"


def recorded(*bodies, path=SCORE):
    return normalised([exchange("POST", path, {}, body=body) for body in bodies], "c", {})


def asked(body, path=SCORE, query=""):
    return request("POST", Role.ML, path, query, json.dumps(body).encode())


def test_the_json_path_is_named():
    """One pixel of one row differs: its place is named, with both values."""
    rows = [[0.0] * 5, [0.25, 0.5, 0.75, 1.0, 0.0]]
    other = [rows[0], [0.25, 0.5, 0.7, 1.0, 0.0]]
    ours = asked({"input_data": [{"values": other}]})
    near = nearest(ours, recorded({"input_data": [{"values": rows}]}, {"input_data": []}))
    assert list(differences(ours, near)) == ["body $.input_data.0.values.1.2: asked 0.7, recorded 0.75"]


def scoring(values, **section):
    return {"input_data": [{**section, "values": values}]}


IRIS = scoring([[5.1, 3.5, 1.4, 0.25]])
NEARER_AND_FARTHER = {
    "near numbers, not the shortest": (IRIS, scoring([[4.9, 3.0, 1.4, 0.2]]), scoring([])),
    "near numbers, not the same length": (
        IRIS,
        scoring([[5.099999904632568, 3.5, 1.4, 0.25]]),
        scoring([[1, 2, 3, 4.5]]),
    ),
    "few columns less, not nothing": (IRIS, scoring([[5.1, 3.5, 1.4]]), {"input_data": []}),
    "the structure, not the values": (IRIS, scoring([[9.0, 9.0, 9.0, 9.0]]), scoring([[5.1, 3.5, 1.4, 0.25, 0.0]])),
    "small differences, not few large ones": (IRIS, scoring([[5.2, 3.4, 1.5, 0.2]]), scoring([[5.1, 3.5, 1.4, 900.0]])),
    "one row more, not many": (IRIS, scoring([[5.1, 3.5, 1.4, 0.25]] * 2), scoring([[5.1, 3.5, 1.4, 0.25]] * 9)),
    "a number, not a text": (scoring([[1]]), scoring([[1.0]]), scoring([["1"]])),
    "a like word": (scoring([["setosa"]]), scoring([["setosas"]]), scoring([["virginica"]])),
    "the same columns": (
        scoring([[1.5]], fields=["a"]),
        scoring([[9.5]], fields=["a"]),
        scoring([[1.5]], fields=["b"] * 9),
    ),
    "no value, not another kind": (scoring([[None]]), scoring([[7.0]]), scoring([[[]], []])),
}


@pytest.mark.parametrize("number", [0, 200], ids=["few", "many"])
@pytest.mark.parametrize(("ours", "near", "far"), NEARER_AND_FARTHER.values(), ids=NEARER_AND_FARTHER)
def test_the_nearest_is_like_it_in_structure_and_then_in_values(ours, near, far, number):
    """Among a few, and among so many that most are only looked at in passing."""
    others = [scoring([[1000.0 + n] * 7] * 5) for n in range(number)]
    found = nearest(asked(ours), recorded(far, *others[::2], near, *others[1::2]))
    assert json.loads(found.body) == near


def test_the_nearest_of_many_images_differs_in_a_pixel():
    """Of hundreds of images with as many values the one is found, though most are read in part only."""
    generator = random.Random(1)
    images = [
        [round(generator.random(), 3) if generator.random() < 0.2 else 0.0 for _ in range(784)] for _ in range(300)
    ]
    changed = [pixel if number != 400 else 0.5 for number, pixel in enumerate(images[123])]
    near = nearest(asked(scoring([changed])), recorded(*(scoring([image]) for image in images)))
    assert json.loads(near.body) == scoring([images[123]])


def test_the_nearest_query_is_found():
    """A page with another limit is nearer than one that names other parameters."""
    tape = [exchange("GET", "/ml/v4/models", {}, query=query) for query in ("space_id=s&limit=50", "name=x", "")]
    ours = request("GET", Role.ML, "/ml/v4/models", "space_id=s&limit=5", b"")
    assert dict(nearest(ours, normalised(tape, "c", {})).query)["limit"] == "50"


BATCHES = {
    "in a larger one": (
        [[1.5]],
        [[[0.5], [1.5], [2.5]]],
        "these rows are recorded in a batch of 3: [[0.5], [1.5], [2.5]]",
    ),
    "in the smallest": ([[1.5], [2.5]], [[[1.5], [2.5], [0.5], [0.6]], [[2.5], [0.5], [1.5]]], "* in a batch of 3: *"),
    "in another order": ([[1.5], [2.5]], [[[2.5], [1.5]]], "these rows are recorded in another order: [[2.5], [1.5]]"),
    "one by one": ([[1.5], [2.5]], [[[1.5]], [[2.5]]], "these rows are recorded one by one, *"),
    "in several": ([[1.5], [2.5]], [[[1.5], [0.0]], [[2.5]]], "* in several batches, one of them of 2: [[1.5], [0.0]]"),
    "some of them": ([[1.5], [9.5]], [[[1.5], [2.5]]], "1 of these 2 rows is recorded in a batch of 2: [[1.5], [2.5]]"),
    "none": ([[9.5]], [[[1.5]]], ""),
    "beside others in the same": ([[1.5]], [[[1.5]]], ""),
}


@pytest.mark.parametrize(("ours", "batches", "told"), BATCHES.values(), ids=BATCHES)
def test_rows_that_are_recorded_in_another_batch_are_named(ours, batches, told):
    """A batch is one request: its rows are not answered one by one."""
    found = elsewhere(asked(scoring(ours, id="other")), recorded(*map(scoring, batches)))
    assert fnmatch.fnmatchcase(found, told.replace("[", "[[]"))


def test_a_few_rows_tell_scorings_apart():
    """All scorings of a deployment have the same path; many rows do not fit in a line."""
    assert few_rows(asked(scoring([[4.9, 3.0], [1.4, 0.2]]))) == " with [[4.9, 3.0], [1.4, 0.2]]"
    assert few_rows(asked(scoring([[0.0] * 784]))) == ""
    assert few_rows(asked({"name": "m"}, path="/ml/v4/models")) == ""


@pytest.mark.parametrize(
    "body", [{}, [], "text", {"input_data": 1}, scoring([1.5]), scoring(None), {"input_data": [1]}]
)
def test_what_has_no_rows_is_in_no_batch(body):
    """Whatever was sent."""
    assert elsewhere(asked(body), recorded(body, scoring([[1.5]]))) == ""


def test_the_same_path_is_nearer_than_a_like_one():
    """A request for the same deployment wins over one with a like body elsewhere."""
    ours = asked({"a": 1})
    interactions = [*recorded({"a": 1}, path="/ml/v4/deployments/e/predictions"), *recorded({"b": [1] * 90})]
    assert nearest(ours, interactions).path == SCORE


def test_long_lists_of_differences_are_cut():
    """A wholly different payload does not flood the terminal."""
    ours, theirs = asked([0] * 1000), recorded([1] * 1000)[0].request
    shown = list(differences(ours, theirs))
    assert len(shown) == 9
    assert shown[-1] == "… and further places"


def test_a_query_that_differs_is_named():
    """Paging beyond what was recorded says so."""
    ours, theirs = asked({}, query="limit=5&version=1"), asked({}, query="version=2")
    assert list(differences(ours, theirs)) == ["query limit: asked '5', recorded None"]


@pytest.mark.parametrize("flaw", ["", "without a token"])
def test_a_request_with_the_same_token_is_nearer(flaw):
    """Of two scorings with one body, the one that was recorded with a token is near to one with a token."""
    bodies = [request("POST", Role.ML, SCORE, "", b'{"x": 1}', each) for each in ("without a token", "")]
    interactions = [replace(recorded({"x": 1})[0], identity=one.identity, refusable=one.refusable) for one in bodies]
    assert nearest(request("POST", Role.ML, SCORE, "", b'{"x": 2}', flaw), interactions).refusable == flaw


def test_nothing_recorded_has_nothing_near():
    """An empty cassette has no nearest request."""
    assert nearest(asked({}), []) is None


def test_the_other_kind_of_service_is_named():
    """What a Cloud Pak for Data was asked is not played to a client of IBM Cloud, and the reason shows."""
    ours, theirs = (request("GET", role, "/v2/spaces/s", "", b"") for role in (Role.PLATFORM, Role.CPD))
    assert list(differences(ours, theirs)) == [
        "service: asked IBM Cloud, recorded Cloud Pak for Data (WML_URL says which it is, in replay too)"
    ]

"""Where an unanswered request parts from the nearest recorded one."""

from __future__ import annotations

import json

from pytest_wml.cassette.identity import request
from pytest_wml.cassette.nearest import differences, nearest
from pytest_wml.cassette.normalise import normalised
from pytest_wml.hosts import Role
from tests.cassette.taping import exchange

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


def test_nothing_recorded_has_nothing_near():
    """An empty cassette has no nearest request."""
    assert nearest(asked({}), []) is None


def test_the_other_kind_of_service_is_named():
    """What a Cloud Pak for Data was asked is not played to a client of IBM Cloud, and the reason shows."""
    ours, theirs = (request("GET", role, "/v2/spaces/s", "", b"") for role in (Role.PLATFORM, Role.CPD))
    assert list(differences(ours, theirs)) == [
        "service: asked IBM Cloud, recorded Cloud Pak for Data (WML_URL says which it is, in replay too)"
    ]

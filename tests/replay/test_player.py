"""Which recorded answer comes next."""

from __future__ import annotations

import pytest

from pytest_wml.replay.cassette.file import Cassette
from pytest_wml.replay.cassette.identity import request
from pytest_wml.replay.cassette.normalise import normalised
from pytest_wml.replay.cassette.player import Player
from pytest_wml.wml.hosts import Role
from tests.replay.taping import exchange, lifecycle

MODEL, DEPLOYMENT = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def interactions():
    return normalised(lifecycle(MODEL, DEPLOYMENT), "c", {})


@pytest.fixture
def player(interactions):
    return Player(Cassette("c", {}, tuple(interactions)))


def exchanged(method, path, body=b""):
    return request(method, Role.ML, path, "", body)


def statuses(player, interaction, times):
    return [player.play(interaction.request).status for _ in range(times)]


def test_answers_come_in_order_and_the_last_one_again(player, interactions):
    """A poll goes through the recorded states, and extra polls repeat the last one."""
    poll = interactions[3]
    player.play(interactions[2].request)
    states = [b"ready" in player.play(poll.request).answer for _ in range(6)]
    assert states == [False, False, True, True, True, True]


def test_an_answer_after_a_change_waits_for_the_change(player, interactions):
    """Asking ten times more does not make the deployment disappear before it is deleted."""
    for change in interactions[:3]:
        player.play(change.request)
    poll, delete = interactions[3], interactions[7]
    assert statuses(player, poll, 10) == [200] * 10
    assert player.play(delete.request).status == 204
    assert statuses(player, poll, 2) == [404, 404]


def test_fewer_polls_than_recorded_are_fine(player, interactions):
    """Whoever deletes at once sees the deployment gone, not the polls that were left out."""
    player.play(interactions[2].request)
    player.play(interactions[7].request)
    assert player.play(interactions[3].request).status == 404


def test_what_was_not_recorded_is_not_answered(player):
    """There is no nearest answer: no answer."""
    assert player.play(exchanged("GET", "/ml/v4/other")) is None


def test_what_was_asked_is_known(player, interactions):
    """What a run never asked for can be reported."""
    player.play(interactions[0].request)
    assert player.tally().played == {interactions[0].identity}


def test_equal_requests_with_different_answers_are_played_in_turn():
    """A model that answers differently each time is replayed as it answered."""
    score = [exchange("POST", "/ml/v4/deployments/d/predictions", {"n": n}, body={"x": 1}) for n in range(3)]
    one, two, three = normalised(score, "c", {})
    player = Player(Cassette("c", {}, (one, two, three)))
    assert [player.play(one.request) for _ in range(4)] == [one, two, three, three]


def test_the_same_value_in_other_bytes_is_the_same_request(player, interactions):
    """A client that writes its JSON in another way, with another release's version, gets the recorded answer."""
    player.play(interactions[2].request)
    score = interactions[6]
    other = request("POST", Role.ML, score.path, "version=2099-01-01", b'{ "input_data":[1.5]  }')
    assert player.play(other) == score

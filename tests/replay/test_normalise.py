"""The same service gives the same recording, whoever records and when."""

from __future__ import annotations

from pytest_wml.replay.cassette.file import Cassette, dump
from pytest_wml.replay.cassette.merge import merged
from pytest_wml.replay.cassette.normalise import normalised
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.replay.taping import exchange, lifecycle

FIRST = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222", "2026-01-01T00:00:00.000Z")
SECOND = ("33333333-3333-4333-8333-333333333333", "44444444-4444-4444-8444-444444444444", "2027-06-05T04:03:02.001Z")


def test_ids_dates_and_hosts_are_the_same_in_every_recording():
    """Two recordings of the same requests, a year apart, are equal."""
    assert normalised(lifecycle(*FIRST), "c", {}) == normalised(lifecycle(*SECOND), "c", {})


def test_ids_hang_together():
    """The id that the creation answers is the one that the next request asks for."""
    made, stored, deployed, poll, *_ = normalised(lifecycle(*FIRST), "c", {})
    model = stored.path.split("/")[4]
    assert model.encode() in made.answer
    assert model.encode() in deployed.body
    assert poll.path.split("/")[4].encode() in deployed.answer
    assert FIRST[0].encode() not in made.answer


def test_scoring_urls_name_no_region():
    """A recording made in Frankfurt names the canonical host."""
    answer = normalised(lifecycle(*FIRST), "c", {})[2].answer
    assert b"https://us-south.ml.cloud.ibm.com/ml/v4/deployments/" in answer
    assert b"eu-de" not in answer


def test_ids_that_the_caller_knew_stay():
    """A software specification's id is the service's own and the same everywhere."""
    spec = "45f12dfe-aa78-5b8d-9f38-0ee223c47309"
    tape = [exchange("POST", "/ml/v4/models", {"entity": {"software_spec": {"id": spec}}}, body={"spec": spec})]
    assert spec.encode() in normalised(tape, "c", {})[0].answer


def test_the_space_of_whoever_records_is_a_variable():
    """Any member of the team records the same file."""
    mine = "99999999-9999-4999-8999-999999999999"
    tape = [exchange("GET", "/ml/v4/models", {"space_id": mine}, query=f"space_id={mine}&version=2026-01-01")]
    interaction = normalised(tape, "c", {mine: DEFAULT_SPACE_ID})[0]
    assert DEFAULT_SPACE_ID in interaction.query
    assert mine not in interaction.query + interaction.answer.decode()


def test_predictions_are_left_as_they_are():
    """What a model answers is never touched, whatever it looks like."""
    answer = {"predictions": [{"values": ["2026-01-01T00:00:00Z"], "created_at": "2026-01-01T00:00:00Z"}]}
    tape = [exchange("POST", "/ml/v4/deployments/d/predictions", answer, body={"input_data": []})]
    assert b'"created_at": "2026-01-01T00:00:00Z"' in normalised(tape, "c", {})[0].answer


def test_shards_of_several_workers_give_the_bytes_of_one():
    """Four workers that deployed each for themselves and scored different digits, in any order."""

    def score(n, deployment):
        return exchange("POST", f"/ml/v4/deployments/{deployment}/predictions", {"n": n}, body={"input_data": [n]})

    def recorded(ids, scores):
        tape = lifecycle(*ids)
        tape[6:7] = [score(n, ids[1]) for n in scores]
        return normalised(tape, "c", {})

    alone = merged([recorded(FIRST, range(8))])
    shards = [recorded(ids, scores) for ids, scores in ((FIRST, (7, 1)), (SECOND, (0, 3, 5)), (FIRST, (6, 4, 2, 1)))]
    assert dump(Cassette("c", {}, merged(shards))) == dump(Cassette("c", {}, alone))
    assert len(alone) == 8 + 3 + 1 + 1 + 1  # scores, changes before, delete, ready, gone


def test_how_often_a_deployment_was_polled_is_not_recorded():
    """Five looks, one look or a list on the way to `ready` leave the same recording; a last look is kept as it was."""
    place, listing = "/ml/v4/deployments/d", "/ml/v4/deployments"

    def seen(state, path=place):
        shown = {"entity": {"status": {"state": state}}}
        return exchange("GET", path, shown if path == place else {"resources": [shown]})

    def recorded(*tape):
        return dump(Cassette("c", {}, merged([normalised(tape, "c", {})])))

    once = recorded(seen("ready"), seen("ready", listing))
    often = [seen("initializing"), seen("initializing", listing), seen("updating"), seen("initializing")]
    assert recorded(*often, seen("ready"), seen("ready"), seen("ready", listing)) == once
    assert recorded(seen("initializing")) != recorded(seen("ready"))

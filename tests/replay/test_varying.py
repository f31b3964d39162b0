"""Requests that differ from the recorded ones only in what each run makes anew, and their answers."""

from __future__ import annotations

import json
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_wml.config.json_paths import parsed
from pytest_wml.replay.cassette.file import Cassette
from pytest_wml.replay.cassette.identity import request
from pytest_wml.replay.cassette.library import Library
from pytest_wml.replay.cassette.normalise import Interaction, Known, learned, normalised
from pytest_wml.replay.cassette.places import deviations
from pytest_wml.replay.cassette.player import Player
from pytest_wml.replay.cassette.varying import Varying, aligned, words_of
from pytest_wml.replay.misses import Misses, advice
from pytest_wml.wml.hosts import Role
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID, recorded_as
from tests.replay.taping import exchange

MINE, YOURS = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
OTHER = "cccccccc-0000-4000-8000-000000000003"


NEUTRAL = {"name": "the deployment space", "description": ""}


def model(id_, **members):
    named = {name: members.pop(name) for name in ("name", "description", "tags") if name in members}
    return {"metadata": {"id": id_, **named}, "entity": members}


def suite(names, space=DEFAULT_SPACE_ID):
    """What a suite asks that stores models, looks for each by its name, renames it and lists all."""
    query = f"version=2026-01-01&space_id={space}"
    ids = {name: str(uuid.uuid4()) for name in names}
    tape = [exchange("GET", f"/v2/spaces/{space}", {"metadata": {"id": space}, "entity": NEUTRAL})]
    for name in names:
        found = exchange("GET", "/ml/v4/models", {"resources": []}, query=f"{query}&name={name}")
        stored = model(ids[name], name=name, description=f"made for {name}", space_id=space)
        body = {"name": name, "description": f"made for {name}", "space_id": space}
        tape += [found, exchange("POST", "/ml/v4/models", stored, body=body, status=201)]
    for name in names:
        patch = [{"op": "replace", "path": "/name", "value": f"{name}-old"}]
        renamed = model(ids[name], name=f"{name}-old", description=f"made for {name}")
        tape.append(exchange("PATCH", f"/ml/v4/models/{ids[name]}", renamed, body=patch, query=query))
    listed = [model(ids[name], name=f"{name}-old") for name in reversed(names)]
    return [*tape, exchange("GET", "/ml/v4/models", {"resources": listed}, query=query)]


def recorded(tape, varying=None):
    return Player(Cassette("c", {}, tuple(normalised(tape, "c", {}, varying=varying))), varying)


def asked(taped, ids):
    """The request of a run, in which the service's ids are the recorded ones."""
    texts = [taped.path, taped.query, taped.body.decode()]
    for real, held in ids.items():
        texts = [text.replace(real, held) for text in texts]
    return request(taped.method, taped.role, texts[0], texts[1], texts[2].encode())


def played(player, tape, ids):
    """The answers of a run that asks what a tape holds."""
    answers = []
    for taped in tape:
        interaction = player.play(asked(taped, ids))
        assert interaction is not None, taped
        answers.append(json.loads(interaction.answer))
    return answers


def expected(tape, ids):
    text = json.dumps([json.loads(taped.answer) for taped in tape])
    for real, held in ids.items():
        text = text.replace(real, held)
    return json.loads(text)


def ids_of(tape, like):
    """The ids of one run → those of the recording of another one."""
    held = learned(like, "c", {}).ids
    here, there = ([taped for taped in one if taped.method == "POST"] for one in (tape, like))
    pairs = zip(here, there, strict=True)
    return {_made(mine): held[_made(theirs)] for mine, theirs in pairs}


def _made(taped):
    return json.loads(taped.answer)["metadata"]["id"]


FORMS = [
    lambda one: f"iris-{one}",
    lambda one: f"iris-{one.hex[:8]}",
    lambda one: f"{one.hex}",
    lambda one: f"rose_{int(one) % 10**9 + 10**9}",
    lambda one: f"m-{1900 + int(one) % 150}-05-01T12:{int(one) // 7 % 60:02d}:{int(one) // 1000 % 60:02d}",
]
UUIDS = st.lists(st.uuids(), min_size=3, max_size=3, unique_by=lambda one: int(one) % 10**9)


@st.composite
def two_runs(draw):
    """The names of two runs of one suite."""
    forms = draw(st.lists(st.sampled_from(FORMS), min_size=1, max_size=3))
    runs = [[form(one) for form, one in zip(forms, draw(UUIDS), strict=False)] for _ in range(2)]
    if any(len(set(run)) != len(run) for run in runs):
        runs = [[f"iris-{uuid.uuid4()}" for _ in forms] for _ in range(2)]
    return runs


@settings(max_examples=25)
@given(two_runs())
def test_every_run_of_a_suite_gives_one_recording(runs):
    """Generated names are variables: two recordings are equal, whatever the names were."""
    first, second = (normalised(suite(names), "c", {}) for names in runs)
    assert first == second


@settings(max_examples=25)
@given(two_runs(), st.sampled_from([DEFAULT_SPACE_ID, MINE, YOURS]))
def test_every_run_of_a_suite_is_answered_with_its_own_names(runs, space):
    """Replayed under other names and in another space: each answer is that of a run with these names."""
    first, second = suite(runs[0], MINE), suite(runs[1], space)
    ids = ids_of(second, first)
    assert played(recorded(first), second, ids) == expected(second, ids)


@settings(max_examples=25)
@given(two_runs())
def test_recordings_that_hold_what_was_sent_are_answered_too(runs):
    """A recording of an earlier release holds the names of its run."""
    first, second = (suite(names) for names in runs)
    raw = tuple(_raw(taped) for taped in first)
    here, there = ([one for one in tape if one.method == "POST"] for tape in (second, first))
    ids = {_made(mine): _made(theirs) for mine, theirs in zip(here, there, strict=True)}
    assert played(Player(Cassette("c", {}, raw)), second, ids) == expected(second, ids)
    assert played(Player(Cassette("c", {}, raw)), first, {}) == expected(first, {})


def _raw(taped):
    identity = request(taped.method, taped.role, taped.path, taped.query, taped.body).identity
    return Interaction(identity, taped.method, taped.role, taped.path, taped.query, "application/json", taped.body,
                       taped.status, "application/json", taped.answer)  # fmt: skip


def test_a_name_has_one_partner():
    """A model that this run has stored under one recorded name is not found under another one."""
    names = ["iris-3f9a1c2e", "iris-77777777"]
    found = exchange("GET", "/ml/v4/models", {"resources": ["the second"]}, query=f"name={names[1]}")
    tape = [exchange("POST", "/ml/v4/models", {}, body={"name": name}, status=201) for name in names]
    player = recorded([*tape, found])
    own = [request("POST", Role.ML, "/ml/v4/models", "", json.dumps({"name": f"iris-{n * 8}"}).encode()) for n in "45"]
    assert [player.play(one).status for one in own] == [201, 201]
    assert player.play(request("GET", Role.ML, "/ml/v4/models", "name=iris-44444444", b"")) is None
    assert player.play(request("GET", Role.ML, "/ml/v4/models", "name=iris-55555555", b"")) is not None


def test_a_test_that_runs_again_gets_the_same_answers():
    """pytest-rerunfailures, --count: new names in the same session."""
    first = suite([f"iris-{uuid.uuid4()}"])
    player = recorded(first)
    for _ in range(3):
        again = suite([f"iris-{uuid.uuid4()}"])
        ids = ids_of(again, first)
        assert played(player, again[:4], ids) == expected(again[:4], ids)


def test_other_names_are_not_answered():
    """A changed word, an id that nobody gave, a generated value where nothing is named."""
    player = recorded(suite(["iris-3f9a1c2e"]))
    for body in ({"name": "rose-3f9a1c2e"}, {"name": "iris-v2"}, {"name": "iris-3f9a1c2e", "type": "x"}):
        sent = {"description": "made for iris-3f9a1c2e", "space_id": DEFAULT_SPACE_ID, **body}
        assert player.play(request("POST", Role.ML, "/ml/v4/models", "", json.dumps(sent).encode())) is None
    assert player.play(request("GET", Role.ML, f"/ml/v4/models/{uuid.uuid4()}", "", b"")) is None


def test_a_models_rows_are_no_names():
    """A feature called `name`, and a generated text in a payload, are compared as they are."""
    body = {"name": "n", "scoring": {"input_data": [{"fields": ["name"], "values": [["iris-3f9a1c2e"]]}]}}
    player = recorded([exchange("POST", "/ml/v4/deployment_jobs", {}, body=body, status=202)])
    body["scoring"]["input_data"][0]["values"] = [["iris-3f9a1c2f"]]
    assert player.play(request("POST", Role.ML, "/ml/v4/deployment_jobs", "", json.dumps(body).encode())) is None


def test_custom_properties_and_tags(tmp_path):
    """Numbers that are times, texts in lists; the list of another test shows them as well."""

    def tape(run, at):
        body = {"name": "m", "tags": ["nightly", run], "custom": {"at": at, "run": run, "kept": 7}}
        return [exchange("POST", "/ml/v4/models", model("11111111-1111-4111-8111-111111111111", **body), body=body)]

    listed = [exchange("GET", "/ml/v4/models", {"resources": [model("x", tags=["nightly", "3f9a1c2e"])]}, query="a=1")]
    first = tape("3f9a1c2e", 1714560000.25)
    known = learned(first, "c", {})
    cassettes = {"c": normalised(first, "c", {}), "t": normalised(listed, "t", {}, Known(known.ids, known.values))}
    library = Library(tmp_path, "c")
    library._players = {name: Player(Cassette(name, {}, tuple(one))) for name, one in cassettes.items()}
    (own,) = tape("77777777", 1795847220.5)
    sent = request(own.method, own.role, own.path, own.query, own.body)
    answer = json.loads(library.play(sent, "c")[1].answer)
    assert answer["entity"]["custom"] == {"at": 1795847220.5, "run": "77777777", "kept": 7}
    asks = request("GET", Role.ML, "/ml/v4/models", "a=1", b"")
    assert json.loads(library.play(asks, "t")[1].answer)["resources"][0]["metadata"]["tags"][1] == "77777777"


def test_the_number_of_a_ci_run():
    """It is known by the environment's variable, short as it is."""
    assert words_of({"GITHUB_RUN_NUMBER": "1523", "BUILD_NUMBER": "7", "GITHUB_SHA": "", "HOME": "1"}) == {"1523"}
    first, second = (Varying(words=frozenset({number})) for number in ("1523", "1600"))
    player = recorded(suite(["nightly-1523"]), varying=first)
    assert recorded(suite(["nightly-1600"]), varying=second).cassette == player.cassette
    own = suite(["nightly-1600"])
    player = Player(player.cassette, second)
    assert player.play(asked(own[1], {})) is not None
    assert json.loads(player.play(asked(own[2], {})).answer)["metadata"]["name"] == "nightly-1600"


def visits(*spaces, looked_at=()):
    """What a suite asks that looks at spaces, and stores the same model in each of some."""
    tape = [exchange("GET", f"/v2/spaces/{one}", {"metadata": {"id": one}}) for one in (*looked_at, *spaces)]
    for number, one in enumerate(spaces):
        made = model(f"{number}" * 8 + "-1111-4111-8111-111111111111", space_id=one)
        tape.append(exchange("POST", "/ml/v4/models", made, body={"name": "m", "space_id": one}, status=201))
    for one in spaces:
        tape.append(exchange("GET", "/ml/v4/models", {"resources": [one]}, query=f"space_id={one}"))
    return tape


@pytest.mark.parametrize("recorder", [visits(MINE), visits(MINE, looked_at=[YOURS]), visits(DEFAULT_SPACE_ID)])
def test_the_space_that_is_used_is_the_first(recorder):
    """Whoever records: an own space of the client that is only looked at stands with the one that is used."""
    found = {
        one.path: one.answer for one in normalised(recorder, "c", {YOURS: DEFAULT_SPACE_ID}) if one.method == "GET"
    }
    assert found == {one.path: one.answer for one in normalised(visits(OTHER), "c", {}) if one.method == "GET"}


@pytest.mark.parametrize("spaces", [(MINE, YOURS), (YOURS, MINE), (DEFAULT_SPACE_ID, MINE), (MINE, DEFAULT_SPACE_ID)])
def test_two_spaces_are_told_apart(spaces):
    """In whatever order their ids are, and where one of them is that of runs without credentials."""
    first, second = visits(MINE, OTHER), visits(*spaces)
    assert normalised(first, "c", {}) == normalised(second, "c", {})
    ids = ids_of(second, first)
    assert played(recorded(first), second, ids) == expected(second, ids)


def test_one_space_where_two_were_recorded():
    """Whoever has the second space as their own replays too."""
    first, second = visits(MINE, OTHER), visits(OTHER, OTHER)
    answers = played(recorded(first), second[:4], ids_of(second[:3], first[:3]))
    assert [one["entity"]["space_id"] for one in answers[2:]] == [OTHER, OTHER]


def test_a_space_that_is_refused_stays():
    """A test of the refusal gets it, whatever other spaces there are."""
    refused = exchange("GET", f"/v2/spaces/{OTHER}", {"errors": []}, status=404)
    player = recorded([*visits(MINE), refused])
    assert player.play(request("GET", Role.ML, f"/v2/spaces/{OTHER}", "", b"")).status == 404
    assert player.play(request("GET", Role.ML, f"/v2/spaces/{YOURS}", "", b"")).status == 200


def test_projects_are_variables_too():
    """A project of whoever recorded is that of whoever replays; a space is none."""

    def tape(project):
        return [
            exchange("GET", "/ml/v4/models", {"resources": [{"project_id": project}]}, query=f"project_id={project}")
        ]

    assert normalised(tape(MINE), "c", {}) == normalised(tape(YOURS), "c", {})
    assert recorded_as("project") in normalised(tape(MINE), "c", {})[0].query
    answer = recorded(tape(MINE)).play(request("GET", Role.ML, "/ml/v4/models", f"project_id={YOURS}", b"")).answer
    assert YOURS.encode() in answer
    assert recorded(tape(MINE)).play(request("GET", Role.ML, "/ml/v4/models", f"space_id={YOURS}", b"")) is None


IGNORED = Varying(parsed("$.custom.build, $.input_data[*].values[*][1]"))


def stores(build):
    body = {"name": "m", "custom": {"build": build, "kept": 1}}
    return exchange("POST", "/ml/v4/models", model("11111111-1111-4111-8111-111111111111", **body), body=body)


def scores(noise):
    values = [[0.5, noise], [0.25, noise]]
    return exchange("POST", "/ml/v4/deployments/d/predictions", {"n": 1}, body={"input_data": [{"values": values}]})


@pytest.mark.parametrize("held", [IGNORED, None], ids=["recorded so", "recorded before"])
@pytest.mark.parametrize("build", [18, "release 4 of the year", None, {"a": 1}])
def test_what_is_ignored_is_not_compared(held, build):
    """In properties and in rows, whether or not the recording was made with the option."""
    tape = [stores(17), scores(0.1)]
    player = Player(recorded(tape, varying=held).cassette, IGNORED)
    assert player.play(asked(stores(build), {})) is not None
    assert player.play(asked(scores(0.9), {})) is not None
    other = scores(0.9).body.replace(b"0.25", b"0.75")
    assert player.play(request("POST", Role.ML, "/ml/v4/deployments/d/predictions", "", other)) is None


def test_what_is_ignored_is_in_no_recording():
    """The file is the same whatever the value was, and a replay shows its own."""
    first, second = (normalised([stores(n), scores(n / 7)], "c", {}, varying=IGNORED) for n in (17, 18))
    assert first == second
    answer = recorded([stores(17)], varying=IGNORED).play(asked(stores(4_000_000), {})).answer
    assert json.loads(answer)["entity"]["custom"] == {"build": 4_000_000, "kept": 1}


def test_a_recording_says_what_it_does_not_compare():
    """Its file is replayed without the option too."""
    cassette = recorded([stores(17)], varying=IGNORED).cassette
    noted = Cassette("c", {"ignored": ["$.custom.build"]}, cassette.interactions)
    assert Player(noted).play(asked(stores(18), {})) is not None
    assert Player(cassette).play(asked(stores(18), {})) is None


def test_what_still_differs_is_what_is_reported():
    """A miss names the places that matter, and not a generated name, a space or what is ignored."""
    held = recorded(suite(["iris-3f9a1c2e"], MINE)).cassette.interactions[2].request
    body = {"name": "iris-77777777", "description": "changed", "space_id": YOURS}
    sent = request("POST", Role.ML, "/ml/v4/models", "", json.dumps(body).encode())
    places = [one.place for one in deviations(aligned(sent, held, Varying()), held)]
    assert places == [("$", "description")]


def differing(misses, *asked_values, recorded_value=0):
    one, other = ({"custom": {"n": value, "same": 1}} for value in (asked_values[0], recorded_value))
    pair = [request("POST", Role.ML, "/ml/v4/models", "", json.dumps(body).encode()) for body in (one, other)]
    return misses.differing("test POST /ml/v4/models", deviations(*pair))


def test_a_value_that_differs_twice_in_a_row():
    """The second run knows: neither the recorded value nor the one of the run before."""
    first = Misses()
    assert differing(first, 1) == []
    again = Misses(first.all)
    assert differing(again, 1) == []
    third = Misses(again.all)
    assert differing(third, 2) == [("$", "custom", "n")]


def test_no_file_holds_what_was_missed():
    """The memory is made of hashes: a value may be a secret."""
    misses = Misses()
    differing(misses, "s3cret-of-somebody")
    assert "s3cret" not in json.dumps(misses.all())


def test_what_to_do_about_values_that_differ_on_every_run():
    """One path for all rows of a payload; many places are a seed that is not fixed."""
    shown, fix = advice([("$", "custom", "n")])
    assert (shown, fix) == (
        "$.custom.n",
        "this value differs on every run; make it constant, or name it in the ini: wml_ignore = $.custom.n",
    )
    shown, _ = advice([("$", "input_data", 0, "values", row, 3) for row in range(9)])
    assert shown == "$.input_data[*].values[*][3]"
    _, fix = advice([("$", "input_data", 0, "values", 0, column) for column in range(9)])
    assert fix == "these values differ on every run; make them constant (a fixed seed)"
    _, fix = advice([("query", "limit")])
    assert "wml_ignore" not in fix


def test_deeply_nested_bodies_are_kept():
    """A hostile body breaks neither a recording nor a replay."""
    deep = b'{"name": "iris-3f9a1c2e", "custom": ' + b"[" * 900 + b"]" * 900 + b"}"
    taped = exchange("POST", "/ml/v4/models", {"errors": []}, status=400)
    taped = type(taped)(**{**vars(taped), "body": deep})
    player = recorded([taped], IGNORED)
    assert player.play(request("POST", Role.ML, "/ml/v4/models", "", deep)) is not None
    other = deep.replace(b"3f9a1c2e", b"77777777")
    player.play(request("POST", Role.ML, "/ml/v4/models", "", other))

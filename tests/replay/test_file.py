"""The file of a cassette: readable by stock tools, refused when it is not whole."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pytest_wml.replay.cassette.file import BadCassette, Cassette, dump, load, write
from pytest_wml.replay.cassette.normalise import normalised
from tests.replay.taping import MODEL, exchange, lifecycle

IDS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")


@pytest.fixture
def cassette():
    metadata = {
        "recorded_from": "embedded",
        "recorded_at": "2026-01-01",
        "model": {"digest": "b" * 64, "basis": "model"},
    }
    return Cassette("c", metadata, tuple(normalised(lifecycle(*IDS), "c", {})))


@pytest.fixture
def path(tmp_path, cassette):
    write(tmp_path / "c.yaml", dump(cassette))
    return tmp_path / "c.yaml"


def test_what_is_written_is_read_back(path, cassette):
    """A round trip loses nothing."""
    assert load(path) == cassette


@given(st.text(st.characters(codec="utf-8")), st.binary(max_size=50))
def test_any_text_and_bytes_survive_as_json_and_as_yaml(tmp_path_factory, text, raw):
    """Whatever a service answers: the file is JSON and YAML with one meaning, and gives it back."""
    tape = [exchange("GET", "/a", {"x": text}), exchange("GET", "/b", None)]
    tape[1] = tape[1].__class__(**{**tape[1].__dict__, "answer": raw})
    cassette = Cassette("c", {}, tuple(normalised(tape, "c", {})))
    written = dump(cassette)
    assert yaml.safe_load(written) == json.loads(written)
    path = tmp_path_factory.mktemp("cassette") / "c.yaml"
    write(path, written)
    assert load(path) == cassette


def test_an_archive_is_kept_by_its_digests(path):
    """The upload is there with its digests and size, not with its bytes."""
    assert load(path).interactions[1].body == MODEL
    assert path.stat().st_size < 10_000


def test_stock_vcrpy_plays_the_file(path):
    """vcrpy without any setting of ours answers the recorded requests."""
    import requests
    import vcr

    with vcr.use_cassette(str(path), record_mode="none"):
        answer = requests.delete(f"https://us-south.ml.cloud.ibm.com{load(path).interactions[7].path}", timeout=5)
    assert answer.status_code == 204


BROKEN = {
    "empty": (lambda text: "", "is empty"),
    "cut off": (lambda text: text[: len(text) // 2], "cut off or damaged"),
    "stock vcrpy": (lambda text: "interactions:\n- request: {}\nversion: 1\n", "recorded by vcrpy"),
    "stock vcrpy as JSON": (lambda text: '{"version": 1, "interactions": []}', "recorded by vcrpy"),
    "newer": (lambda text: text.replace('"format": 2', '"format": 99'), "format 99"),
    "edited": (lambda text: text.replace("initializing", "failed", 1), "Interaction 2 of cassette c was changed"),
    "no cassette": (lambda text: '{"some": "json"}', "is no cassette"),
    "a list": (lambda text: "[1, 2]", "is no cassette"),
    "no interactions": (lambda text: '{"version": 1, "interactions": [1]}', "interactions that are none"),
    "deep": (lambda text: "[" * 100_000, "too deeply"),
    "binary": (lambda text: "\udcff\udcfe", "cannot be read"),
}


@pytest.mark.parametrize(("damage", "message"), BROKEN.values(), ids=BROKEN)
def test_a_damaged_file_is_refused_with_the_place_at_fault(path, damage, message):
    """Each kind of damage has its message, and a way on."""
    path.write_text(damage(path.read_text()), errors="surrogateescape")
    with pytest.raises(BadCassette, match=message):
        load(path)


LOST = {
    "a change": (2, "the change is missing after which this was recorded: DELETE /ml/v4/deployments/"),
    "the first change": (0, "the change is missing after which this was recorded: PUT /ml/v4/models/"),
    "one of several answers": (4, "of 3 answers to GET /ml/v4/deployments/[^ ]* 2 are there"),
    "the last of several answers": (5, "of 3 answers to GET /ml/v4/deployments/[^ ]* 2 are there"),
}


@pytest.mark.parametrize(("number", "found"), LOST.values(), ids=LOST)
def test_an_interaction_taken_out_is_noticed(path, number, found):
    """A file that is still valid JSON, but lost what other answers depend on, is refused."""
    document = json.loads(path.read_text())
    del document["interactions"][number]
    path.write_text(json.dumps(document))
    with pytest.raises(BadCassette, match="not whole") as refusal:
        load(path)
    assert re.search(f"found: {found}", str(refusal.value))


def test_the_order_of_lines_does_not_matter(path, cassette):
    """Each interaction says after which change it was recorded, and which of several answers it is."""
    document = json.loads(path.read_text())
    document["interactions"].reverse()
    path.write_text(json.dumps(document))
    changes = [one for one in load(path).interactions if one.mutates]
    assert changes == [one for one in cassette.interactions if one.mutates]
    states = [one.answer for one in load(path).interactions if one.path.endswith(IDS[1]) and one.status == 200]
    assert states == [one.answer for one in cassette.interactions if one.path.endswith(IDS[1]) and one.status == 200]


def test_an_interaction_that_is_there_twice_counts_once(path, cassette):
    """Two branches added the same one, and a merge kept both."""
    document = json.loads(path.read_text())
    document["interactions"].insert(7, document["interactions"][6])
    path.write_text(json.dumps(document))
    assert load(path) == cassette


@pytest.mark.parametrize("number", [2, 6])
def test_two_answers_in_one_place_are_refused(path, cassette, number):
    """A merge by hand kept what each branch recorded for the same request, or for the same point in time."""
    changed = replace(cassette.interactions[number], answer=b"{}", status=201)
    others = [*cassette.interactions[:number], changed, *cassette.interactions[number + 1 :]]
    entries = json.loads(dump(replace(cassette, interactions=tuple(others))))["interactions"]
    document = json.loads(path.read_text())
    document["interactions"].append(entries[number])
    path.write_text(json.dumps(document))
    with pytest.raises(BadCassette, match="contradict each other"):
        load(path)


SHIPPED = sorted(
    [*Path("cassettes").glob("*.yaml"), *Path("pytest_wml/tools/init/template").rglob("cassettes/pump.yaml")]
)


@pytest.mark.parametrize("shipped", SHIPPED, ids=str)
def test_format_1_is_read_and_kept_in_format_2(tmp_path, shipped):
    """It has a checksum and a count of the whole, which find what is missing; nothing is lost in the other format."""
    old = load(shipped)
    write(tmp_path / shipped.name, dump(old))
    assert load(tmp_path / shipped.name) == old
    document = json.loads(shipped.read_text())
    assert document["metadata"]["pytest-wml"]["format"] == 1
    del document["interactions"][-1]
    (tmp_path / shipped.name).write_text(json.dumps(document))
    with pytest.raises(BadCassette, match="not whole"):
        load(tmp_path / shipped.name)


def test_a_writer_that_dies_leaves_the_old_file(path, monkeypatch):
    """The file changes in one step or not at all, and no rest is left behind."""
    before = path.read_text()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        write(path, "something else")
    assert path.read_text() == before
    assert [file.name for file in path.parent.iterdir()] == ["c.yaml"]


def test_many_writers_leave_one_whole_file(path, cassette):
    """Whoever comes last wins; nobody sees a mixture."""
    threads = [threading.Thread(target=write, args=(path, dump(cassette))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert load(path) == cassette


VALUES = st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)


def read_or_refusal(path):
    try:
        return load(path)
    except BadCassette as refusal:
        return refusal


def _places(node, path=()):
    yield path
    if isinstance(node, (dict, list)):
        for key, member in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _places(member, (*path, key))


@given(data=st.data())
def test_whatever_stands_in_the_file_only_our_error_comes_out(tmp_path_factory, data):
    """Any member replaced by anything, with the checksums put right: refused, or read as what it is."""
    from pytest_wml.replay.cassette.entries import checksum, entry_checksum

    cassette = Cassette("c", {}, tuple(normalised(lifecycle(*IDS)[:3], "c", {})))
    document = json.loads(dump(cassette))
    place = data.draw(st.sampled_from([path for path in _places(document) if path]))
    node = document
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = data.draw(VALUES)
    try:
        for entry in document["interactions"]:
            entry["pytest-wml"]["checksum"] = entry_checksum(entry)
        document["metadata"]["pytest-wml"]["checksum"] = checksum(document["interactions"])
    except (KeyError, TypeError, AttributeError, IndexError):
        pass
    path = tmp_path_factory.mktemp("hostile") / "c.yaml"
    path.write_text(json.dumps(document))
    assert isinstance(read_or_refusal(path), (Cassette, BadCassette))

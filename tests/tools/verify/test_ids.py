"""Which id of a recording is which one at the other side."""

from __future__ import annotations

import json
import uuid

from hypothesis import given
from hypothesis import strategies as st

from pytest_wml.tools.verify.ids import IdMap

UUIDS = st.uuids().map(str)
WORDS = st.text(alphabet="ghijk /:?&=_{}\"'", max_size=8)


@st.composite
def bindings(draw):
    """Pairs one to one, the sides apart or overlapping, as where a service has the same id for something."""
    ours = draw(st.lists(UUIDS, unique=True, max_size=6))
    theirs = draw(st.lists(st.sampled_from(ours) | UUIDS if ours else UUIDS, unique=True, max_size=6))
    return list(zip(ours, theirs, strict=False))


def bound(pairs):
    ids = IdMap()
    for ours, theirs in pairs:
        assert ids.bind(ours, theirs)
    return ids


@given(bindings(), st.data())
def test_there_and_back(pairs, data):
    """A text of the recording comes back as it was, whatever stands around its ids."""
    ids = bound(pairs)
    parts = st.sampled_from([ours for ours, _ in pairs]) | WORDS if pairs else WORDS
    text = " ".join(data.draw(st.lists(parts, max_size=8)))
    assert ids.to_recorded(ids.to_service(text)) == text


@given(bindings())
def test_each_id_has_one_other(pairs):
    """No two ids of the recording become one, and no id is learned anew."""
    ids = bound(pairs)
    assert len({ids.to_service(ours) for ours, _ in pairs}) == len(pairs)
    for ours, theirs in pairs:
        assert not ids.bind(ours, str(uuid.uuid4()))
        assert not ids.bind(str(uuid.uuid4()), theirs)
        assert ids.to_service(ours) == theirs


@given(bindings(), WORDS)
def test_what_is_unknown_stays(pairs, words):
    """An id that nobody made, such as one that is asked for to be refused."""
    ids, stranger = bound(pairs), str(uuid.uuid4())
    assert ids.to_service(words + stranger) == words + stranger


SHAPES = st.recursive(
    st.just("id") | st.just("url") | st.integers() | st.none() | st.text(alphabet="xyz"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="klm", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(SHAPES)
def test_ids_are_learned_by_their_place(shape):
    """Two answers of one shape: afterwards the one is the other with its own ids."""
    pairs = []

    def filled(node, side):
        if node in ("id", "url"):
            made = str(uuid.uuid4())
            side.append(made)
            return made if node == "id" else f"https://a.b/ml/v4/models/{made}?x=1"
        if isinstance(node, dict):
            return {name: filled(member, side) for name, member in node.items()}
        return [filled(member, side) for member in node] if isinstance(node, list) else node

    ours, theirs, ids = [], [], IdMap()
    recorded, answered = filled(shape, ours), filled(shape, theirs)
    pairs += zip(ours, theirs, strict=True)
    assert set(ids.add_pairs(recorded, answered)) == set(ours)
    assert ids.to_service(json.dumps(recorded)) == json.dumps(answered)
    assert all(ids.to_service(one) == other for one, other in pairs)
    assert ids.add_pairs(recorded, answered) == []


def test_strangers_in_a_list_are_not_taken_for_ours():
    """What others keep in a space stands in the same lists: only what has the same name belongs together."""
    ours, theirs, stranger = (str(uuid.uuid4()) for _ in range(3))

    def listed(*pairs):
        return {"resources": [{"metadata": {"name": name, "id": made}} for name, made in pairs]}

    ids = IdMap()
    assert ids.add_pairs(listed(("mine", ours)), listed(("other", stranger), ("mine", theirs))) == [ours]
    assert ids.to_service(ours) == theirs
    twice = IdMap()
    assert twice.add_pairs(listed(("mine", ours)), listed(("mine", stranger), ("mine", theirs))) == []


def test_pages_begin_where_each_service_says():
    """What `start` means is the service's own: it is taken from the link that leads there."""
    ids = IdMap()
    ids.add_page({"next": {"href": "/v2/spaces?limit=2&start=17"}}, {"next": {"href": "/v2/spaces?start=opaque%3D"}})
    ids.add_page({"resources": []}, {"next": {"href": "/v2/spaces?start=9"}})
    assert (ids.page("17"), ids.page("9")) == ("opaque=", None)

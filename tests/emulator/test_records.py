"""Records as JSON and back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_wml.emulator.contents import StoredContent
from pytest_wml.emulator.served_asset import ServedAsset
from pytest_wml.emulator.state.deployments import DeploymentDraft, DeploymentRecord
from pytest_wml.emulator.state.jobs import JobDraft, JobRecord
from pytest_wml.emulator.state.models import ModelDraft, ModelRecord
from pytest_wml.emulator.state.spaces import SpaceRecord
from pytest_wml.emulator.storage.records import NotARecord, decoded, encoded
from pytest_wml.wml.hardware_specs import HARDWARE_SPECS
from pytest_wml.wml.software_specs import SOFTWARE_SPECS, SoftwareSpec

# Lone surrogates too: JSON from a client can carry them.
TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
NUMBER = st.integers(1)
TIME = st.floats(0, 1e12) | st.integers(0, 10**12)
LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
JSON = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6
)
MEMBERS = st.dictionaries(TEXT, JSON, max_size=3)
TAGS = st.none() | st.lists(JSON, max_size=2).map(tuple)
SOFTWARE = st.sampled_from(SOFTWARE_SPECS)
CONTENT = st.none() | st.builds(StoredContent, TEXT, NUMBER, TEXT, TEXT)
MAYBE_TEXT, MAYBE_TIME = st.none() | TEXT, st.none() | TIME


def models(revisions):
    draft = st.builds(ModelDraft, TEXT, TEXT, SOFTWARE, MAYBE_TEXT, TAGS, MEMBERS)
    owned = (NUMBER, TEXT, TEXT, TEXT, draft, TIME, TIME)
    return st.builds(ModelRecord, *owned, MAYBE_TIME, MAYBE_TEXT, CONTENT, TEXT, revisions)


SPACES = st.builds(SpaceRecord, NUMBER, TEXT, TEXT, TEXT, TEXT, TIME, TIME, TEXT, TEXT, MEMBERS)
MODELS = models(st.lists(models(st.just(())), max_size=2).map(tuple))
DEPLOYMENT_DRAFTS = st.builds(
    DeploymentDraft,
    name=TEXT,
    asset_id=TEXT,
    asset_rev=MAYBE_TEXT,
    kind=st.sampled_from(["online", "batch"]),
    parameters=MEMBERS,
    hardware_spec=st.sampled_from(HARDWARE_SPECS),
    description=MAYBE_TEXT,
    tags=TAGS,
    custom=MEMBERS,
)
DEPLOYMENTS = st.builds(
    DeploymentRecord,
    *(NUMBER, TEXT, TEXT, TEXT, DEPLOYMENT_DRAFTS, st.builds(ServedAsset, CONTENT, TEXT, SOFTWARE), TEXT, TIME, TIME),
    state=st.sampled_from(["initializing", "updating", "ready", "failed"]),
)
JOBS = st.builds(
    JobRecord,
    *(NUMBER, TEXT, TEXT, TEXT, st.builds(JobDraft, TEXT, TEXT, st.lists(MEMBERS, max_size=2), MEMBERS), TIME),
    state=st.sampled_from(["queued", "running", "completed", "failed", "canceled"]),
    running_at=MAYBE_TIME,
    predictions=JSON,
)
RECORDS = SPACES | MODELS | DEPLOYMENTS | JOBS


@settings(max_examples=60)
@given(RECORDS)
def test_a_record_comes_back_as_it_was(record):
    """Whatever a client put into it, and of the same types; in ASCII."""
    text = encoded(record)
    assert text.isascii()
    back = decoded(type(record), text)
    assert back == record
    assert repr(back) == repr(record)


def test_numbers_that_are_none_come_back():
    """NaN and Infinity are kept: one client sends them."""
    draft = JobDraft("job", "deployment", [{"values": [float("nan"), float("-inf")]}])
    back = decoded(JobDraft, encoded(draft))
    assert repr(back) == repr(draft)


@settings(max_examples=30)
@given(RECORDS, st.sampled_from([SpaceRecord, ModelRecord, DeploymentRecord, JobRecord]), JSON)
def test_what_is_no_record_is_refused(record, kind, junk):
    """Another kind, junk, or a record with a member too many or too few: never half a record, never another error."""
    if kind is not type(record):
        with pytest.raises(NotARecord):
            decoded(kind, encoded(record))
    with pytest.raises(NotARecord):
        decoded(kind, json.dumps(junk))
    members = json.loads(encoded(record))
    without_id = {name: value for name, value in members.items() if name != "id"}
    for broken in (without_id, {**members, "draft": junk, "x": 1}, {**members, "__class__": "os.system"}):
        with pytest.raises(NotARecord):
            decoded(type(record), json.dumps(broken))
    with pytest.raises(NotARecord):
        decoded(type(record), encoded(record)[:-1])
    with pytest.raises(NotARecord):
        decoded(type(record), "[" * 100_000)


def test_fields_of_an_earlier_version_are_left_out():
    """A data folder of an earlier version is read: it kept the life cycle with each software specification."""
    spec = SOFTWARE_SPECS[0]
    text = json.dumps(
        {"id": spec.id, "name": spec.name, "types": [], "lifecycle": "deprecated", "replacement": "other"}
    )
    assert decoded(SoftwareSpec, text) == SoftwareSpec(spec.id, spec.name)

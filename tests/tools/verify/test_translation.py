"""What is sent for a recorded request, and what never is."""

from __future__ import annotations

import json
import uuid

import pytest

from pytest_wml.replay.cassette.normalise import ACCOUNTS_INSTANCE, Interaction, normalised
from pytest_wml.tools.verify.service import ServiceReply
from pytest_wml.tools.verify.translation import Translation
from pytest_wml.wml.hosts import Role
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.replay.taping import exchange

SPACE, INSTANCE, STRANGER = (str(uuid.UUID(int=number)) for number in (7, 8, 9))
CRN = "crn:v1:bluemix:public:pm-20:eu-de:a/mine:mine::"


def recorded(*tape) -> list[Interaction]:
    return normalised(tape, "tiny", {})


@pytest.fixture
def live():
    """What is known before the first request: the space of the credentials, with its instance."""
    translation = Translation(SPACE, live=True)
    translation.learn_space(
        {"entity": {"compute": [{"guid": INSTANCE, "crn": CRN}], "storage": {"resource_crn": "crn:storage"}}}
    )
    return translation


def test_space_and_instance(live):
    """Of the recording they are constants, there they are the credentials' own."""
    (asked,) = recorded(exchange("GET", f"/ml/v4/instances/{ACCOUNTS_INSTANCE}", query=f"space_id={DEFAULT_SPACE_ID}"))
    assert (live.path(asked), live.query(asked)) == (f"/ml/v4/instances/{INSTANCE}", f"space_id={SPACE}")


def test_what_stands_for_the_account(live):
    """A new space gets the instance and the storage of the space that is there, and no placeholder."""
    draft = {"name": "a", "compute": [{"crn": "crn:theirs"}], "storage": {"resource_crn": "crn:theirs"}}
    (asked,) = recorded(exchange("POST", "/v2/spaces", {}, body=draft, status=202))
    assert "theirs" not in asked.body.decode()
    assert json.loads(live.body(asked)) == {
        "name": "a",
        "compute": [{"crn": CRN}],
        "storage": {"resource_crn": "crn:storage"},
    }


@pytest.mark.parametrize(
    ("taped", "reason"),
    [
        (exchange("DELETE", f"/v2/spaces/{DEFAULT_SPACE_ID}", status=202), "it would change"),
        (exchange("PATCH", f"/v2/spaces/{DEFAULT_SPACE_ID}", {}, body=[]), "it would change"),
        (exchange("DELETE", f"/ml/v4/models/{STRANGER}", status=204), "it would change"),
        (exchange("PUT", f"/ml/v4/models/{STRANGER}/content", {}, body={}, status=201), "it would change"),
        (exchange("POST", f"/ml/v4/models/{STRANGER}/revisions", {}, body={}, status=201), "it would change"),
        (exchange("DELETE", "/ml/v4/deployments/my_name", status=204), "it would change"),
        (exchange("POST", "/v2/connections", {}, body={"password": "p"}, status=201), "its secrets"),
        (exchange("GET", "/ml/v4/models", {}, query="start=5"), "the list has no such page"),
        (exchange("GET", "/ml/v4/models", {}, query=f"project_id={STRANGER}"), "it is for a project"),
        (exchange("GET", f"/ml/v4/models/{STRANGER}", {}), ""),
        (exchange("POST", f"/ml/v4/deployments/{STRANGER}/predictions", {}, body={"input_data": []}), ""),
        (exchange("POST", "/ml/v4/models", {}, body={"name": "m"}, status=201), ""),
    ],
)
def test_what_is_left_out_of_a_live_run(live, taped, reason):
    """Whatever changes something that this run did not make; what cannot be sent as it was."""
    (asked,) = recorded(taped)
    found = live.reason_to_leave_out(asked)
    assert found.startswith(reason)
    assert bool(found) is bool(reason)


def test_the_second_space_of_whoever_recorded(live):
    """The credentials of a live run name one space: what was asked in another one is left out."""
    first, second = recorded(
        *(exchange("GET", "/ml/v4/models", {}, query=f"space_id={one}") for one in (SPACE, STRANGER))
    )
    assert live.reason_to_leave_out(first) == ""
    assert "for another space" in live.reason_to_leave_out(second)


def test_nobody_elses_thing_is_hit_by_chance(live):
    """A deletion that was refused because there was nothing of this id asks for an id that nobody has."""
    (asked,) = recorded(exchange("DELETE", f"/ml/v4/models/{STRANGER}", {"errors": []}, status=404))
    assert live.reason_to_leave_out(asked) == ""
    assert live.path(asked).startswith("/ml/v4/models/")
    assert STRANGER not in live.path(asked)


def test_what_this_run_made_may_be_deleted(live):
    """By the id that it has there."""
    there = str(uuid.uuid4())
    made, deleted = recorded(
        exchange("POST", "/ml/v4/models", {"metadata": {"id": STRANGER}}, body={"name": "m"}, status=201),
        exchange("DELETE", f"/ml/v4/models/{STRANGER}", status=204),
    )
    live.learn(made, ServiceReply(201, "application/json", json.dumps({"metadata": {"id": there}}).encode()))
    assert live.reason_to_leave_out(deleted) == ""
    assert live.path(deleted) == f"/ml/v4/models/{there}"


def test_storage_is_another_service(live):
    """IBM's clients ask it on their own."""
    asked = Interaction(
        identity="i",
        method="GET",
        role=Role.STORAGE,
        path="/bucket",
        query="",
        content_type="",
        body=b"",
        status=200,
        answer_type="",
        answer=b"",
    )
    assert live.reason_to_leave_out(asked) == "it is for another service"

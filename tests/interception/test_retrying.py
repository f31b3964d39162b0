"""What the live service had no time for is sent again, where that is safe: here before the embedded service."""

from __future__ import annotations

import contextlib

import pytest

from pytest_wml.client import safe_client as client_
from pytest_wml.config.credentials import Credentials
from pytest_wml.config.fault_rules import parse
from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.interception import open_door
from pytest_wml.interception.faults import Faults
from pytest_wml.live.retry import Retrying, pause
from pytest_wml.runner.fixture_values import sample_archive
from pytest_wml.wml.operations import Purpose
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID

CLOUD = Credentials(apikey="k", space_id=DEFAULT_SPACE_ID)


@pytest.fixture(scope="module")
def service():
    with EmbeddedWML() as app:
        yield app


@contextlib.contextmanager
def client(service, *faults):
    """IBM's client before a service with faults; the seconds that passed between two tries are kept and not waited."""
    waits = []

    def wait(seconds):
        waits.append(seconds)
        return False

    faulty = Faults(service, parse(faults))
    retrying = Retrying(faulty, wait)
    with open_door(retrying), client_.safe_client(CLOUD) as made:
        yield made, waits, retrying


def test_a_storm_of_429(service):
    """Looks are repeated as the service asks, and the client sees one answer."""
    with client(service, "status code=429 retry-after=7 on=/software_specifications times=3") as (
        made,
        waits,
        retrying,
    ):
        assert made.software_specifications.get_id_by_name("runtime-24.1-py3.11") != "Not Found"
    assert waits == [7, 7, 7]
    assert retrying.repeated == {"429 on GET …/software_specifications": 3}


def test_it_ends(service):
    """After five tries the answer is passed on."""
    with client(service, "status code=503 on=/software_specifications") as (made, waits, _):
        with pytest.raises(Exception, match="503"):
            made.software_specifications.get_id_by_name("runtime-24.1-py3.11")
    # IBM's newer client begins anew, three times.
    assert len(waits) in (4, 16)
    assert all(2 ** (number % 4) <= seconds <= 1.25 * 2 ** (number % 4) for number, seconds in enumerate(waits))


def test_a_token_is_asked_for_again(service):
    """A login changes nothing."""
    with client(service, "status code=500 on=/identity/token times=1", "status code=500 on=/oidc/token times=1") as (
        made,
        waits,
        _,
    ):
        assert made.default_space_id == DEFAULT_SPACE_ID
    assert len(waits) == 1


@pytest.mark.parametrize("code", [429, 500, 503])
def test_what_creates_is_sent_once(service, code):
    """Nobody knows whether it was done."""
    with client(service, f"status code={code} on='POST /models'") as (made, waits, retrying):
        names = made.repository.ModelMetaNames
        spec = made.software_specifications.get_id_by_name("runtime-24.1-py3.11")
        meta = {names.NAME: "m", names.TYPE: "tensorflow_2.14", names.SOFTWARE_SPEC_UID: spec}
        with pytest.raises(Exception, match=str(code)):
            made.repository.store_model(str(sample_archive()), meta_props=meta)
        assert made.repository.get_model_details()["resources"] == []
    assert waits == []
    assert not retrying.repeated


@pytest.mark.parametrize(
    ("status", "why", "attempt", "asked", "seconds"),
    [
        (200, Purpose.LOOK, 1, "", None),
        (404, Purpose.LOOK, 1, "", None),
        (401, Purpose.TOKEN, 1, "", None),
        (500, Purpose.SCORE, 1, "", None),  # the model's own answer
        (503, Purpose.SCORE, 1, "0", 0.0),
        (429, Purpose.LOOK, 5, "1", None),  # enough
        (429, Purpose.LOOK, 1, "31", None),  # longer than anybody waits
        (429, Purpose.LOOK, 1, "Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    ],
)
def test_when_and_how_long(status, why, attempt, asked, seconds):
    """By status, purpose, number of tries and Retry-After."""
    assert pause(status, why, attempt, asked) == seconds


@pytest.mark.parametrize("asked", ["", "soon", "-1", "1e9", "٣", "inf"])
def test_a_retry_after_that_is_none(asked):
    """Whatever a proxy writes there: the wait is bounded, or there is none."""
    seconds = pause(429, Purpose.LOOK, 1, asked)
    assert seconds is None or 0 <= seconds <= 30

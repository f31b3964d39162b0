"""Software and hardware specifications over plain REST."""

from __future__ import annotations

import datetime

import pytest

from pytest_wml.emulator.app import EmbeddedWML
from tests.emulator.rest import CPD, Rest, error_of

PLATFORM = "https://api.dataplatform.cloud.ibm.com"


def test_specifications_are_found_by_name(rest):
    """One answer for a name that exists, none for one that does not."""
    found = rest.space("GET", "/v2/software_specifications", name="runtime-23.1-py3.10").json
    assert found["total_results"] == 1
    assert found["resources"][0]["metadata"]["asset_id"] == "336b29df-e0e1-5e7d-b6a5-f6ab722625b2"
    assert rest.space("GET", "/v2/software_specifications", name="none").json == {
        "total_results": 0,
        "resources": [],
    }


def test_specifications_are_listed_by_id(rest):
    """As the service lists them; a name that was edited by hand is not among them."""
    listed = rest.space("GET", "/v2/software_specifications").json
    ids = [one["metadata"]["asset_id"] for one in listed["resources"]]
    assert ids == sorted(set(ids))
    assert listed["total_results"] == len(ids)


def test_an_earlier_id_is_found(rest):
    """The specification has the id of today."""
    found = rest.space("GET", "/v2/software_specifications/160fcf8b-0f8e-4043-ba83-e3bf021ea4fa").json["metadata"]
    assert (found["name"], found["asset_id"]) == ("tensorflow_2.1-py3.6", "1eb25b84-d6ed-5dde-b6a5-3fbdf1665666")


@pytest.mark.parametrize(
    ("host", "day", "life_cycle"),
    [
        (PLATFORM, "2026-08-19", None),
        (PLATFORM, "2026-08-20", {"replacement_name": "runtime-25.1-py3.12"}),
        (CPD, "2026-08-20", None),
    ],
)
def test_the_clock_decides_the_life_cycle(host, day, life_cycle):
    """IBM Cloud planned to remove Runtime 24.1 on that day: its state since is not known, and it is accepted."""
    noon = datetime.datetime.fromisoformat(f"{day}T12:00+00:00").timestamp()
    with EmbeddedWML(clock=lambda: noon) as app:
        rest = Rest(app)
        query = {"name": "runtime-24.1-py3.11"}
        found = rest.send("GET", "/v2/software_specifications", host=host, query=query).json["resources"][0]
        assert found["metadata"].get("life_cycle") == life_cycle
        assert rest.create_model().status_code == 201


def test_a_specification_without_a_replacement_names_none(rest):
    """The state alone."""
    found = rest.space("GET", "/v2/software_specifications", name="spark-mllib_3.4").json["resources"][0]
    assert found["metadata"]["life_cycle"] == {"deprecated": True}


def test_a_specification_tells_its_language(rest):
    """The platform is read from the name that IBM gave."""
    found = rest.space("GET", "/v2/software_specifications", name="tensorflow_rt22.1-py3.9-horovod").json
    configuration = found["resources"][0]["entity"]["software_specification"]["software_configuration"]
    assert configuration == {"platform": {"name": "python", "version": "3.9"}}
    found = rest.space("GET", "/v2/software_specifications", name="runtime-24.1-r4.3").json
    assert found["resources"][0]["metadata"]["description"] == "R 4.3"


def test_states_are_listed(rest):
    """The list of states can be narrowed to one."""
    every = rest.space("GET", "/ml/v4/list/software_specifications").json["results"]
    retired = rest.space("GET", "/ml/v4/list/software_specifications", state="retired").json["results"]
    assert {"id", "name", "state", "replacement"} == set(every[0])
    assert 0 < len(retired) < len(every)
    assert {one["state"] for one in retired} == {"retired"}


def test_hardware_is_found_by_name(rest):
    """Descriptions are there because one client needs them."""
    found = rest.space("GET", "/v2/hardware_specifications", name="M").json["resources"]
    assert found[0]["metadata"]["asset_id"] == "c076e82c-b2a7-4d20-9c0f-1f0c2fdf5a24"
    assert found[0]["metadata"]["description"] == "4 CPU and 16 GB of memory"


def test_hardware_is_read_by_id(rest):
    """Nodes tell processors and memory."""
    read = rest.space("GET", "/v2/hardware_specifications/e7ed1d6c-2e89-42d7-aed5-863b972c1d2b").json
    assert read["entity"]["hardware_specification"] == {"nodes": {"cpu": {"units": "2"}, "mem": {"size": "8Gi"}}}


@pytest.mark.parametrize("kind", ["software", "hardware"])
def test_an_unknown_specification_is_not_found(rest, kind):
    """404 in JSON."""
    answer = rest.space("GET", f"/v2/{kind}_specifications/none")
    assert answer.status_code == 404
    assert error_of(answer)["code"] == f"{kind}_spec_does_not_exist"

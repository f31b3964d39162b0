"""Software and hardware specifications over plain REST."""

from __future__ import annotations

import pytest

from tests.embedded.rest import error_of


def test_specifications_are_found_by_name(rest):
    """One answer for a name that exists, none for one that does not."""
    found = rest.space("GET", "/v2/software_specifications", name="runtime-23.1-py3.10").json
    assert found["total_results"] == 1
    assert found["resources"][0]["metadata"]["asset_id"] == "336b29df-e0e1-5e7d-b6a5-f6ab722625b2"
    assert rest.space("GET", "/v2/software_specifications", name="none").json == {
        "total_results": 0,
        "resources": [],
    }


def test_a_specification_tells_its_life_cycle(rest):
    """A deprecated one names its replacement; a supported one has no life cycle."""
    place = "/v2/software_specifications"
    deprecated = rest.space("GET", f"{place}/336b29df-e0e1-5e7d-b6a5-f6ab722625b2").json["metadata"]
    assert deprecated["life_cycle"] == {"deprecated": True, "replacement_name": "runtime-24.1-py3.11"}
    assert "life_cycle" not in rest.space("GET", f"{place}/45f12dfe-aa78-5b8d-9f38-0ee223c47309").json["metadata"]


def test_a_specification_tells_its_python(rest):
    """The platform is read from the name that IBM gave."""
    found = rest.space("GET", "/v2/software_specifications", name="tensorflow_rt22.1-py3.9-horovod").json
    configuration = found["resources"][0]["entity"]["software_specification"]["software_configuration"]
    assert configuration == {"platform": {"name": "python", "version": "3.9"}}


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

"""Names, descriptions, tags and custom properties that a suite makes anew on every run."""

from __future__ import annotations

import json

import pytest

from tests.ibm import needs_older

RECORD = ("--wml=embedded", "--wml-record")
CLIENT = """
    import datetime, time, uuid
    import numpy as np
    import pytest
    from ibm_watson_machine_learning import APIClient

    SPACE = "5ace0000-0000-4000-8000-000000000000"

    @pytest.fixture
    def client():
        made = APIClient({"url": "https://us-south.ml.cloud.ibm.com", "apikey": "some-key"})
        made.set.default_space(SPACE)
        return made

    def stored(client, name, **meta):
        names = client.repository.ModelMetaNames
        spec = client.software_specifications.get_id_by_name("runtime-24.1-py3.11")
        given = {names.NAME: name, names.TYPE: "tensorflow_2.14", names.SOFTWARE_SPEC_UID: spec}
        given |= {getattr(names, key.upper()): value for key, value in meta.items()}
        return client.repository.store_model(model="model.tar.gz", meta_props=given)
"""
NIGHTLY = (
    CLIENT
    + """
    def test_nightly(client):
        name, run = f"iris-nightly-{uuid.uuid4()}", uuid.uuid4().hex[:8]
        moment = datetime.datetime.now().isoformat()
        model = stored(client, name, description=f"built {moment}", tags=[run], custom={"at": time.time(), "run": run})
        assert model["metadata"]["name"] == name
        assert model["metadata"]["description"] == f"built {moment}"
        assert model["metadata"]["tags"] == [run]
        assert model["entity"]["custom"]["run"] == run
        found = client.repository.get_details(model["metadata"]["id"])
        assert (found["metadata"]["name"], found["entity"]["custom"]) == (name, model["entity"]["custom"])
        listed = client.repository.get_model_details(get_all=True)["resources"]
        assert [one["metadata"]["id"] for one in listed if one["metadata"]["name"] == name] == [model["metadata"]["id"]]
        config = client.deployments.ConfigurationMetaNames
        serving = f"iris_{run}"
        meta = {config.NAME: f"{name} served", config.ONLINE: {"parameters": {"serving_name": serving}}}
        made = client.deployments.create(model["metadata"]["id"], meta_props=meta)
        assert made["entity"]["name"] == f"{name} served"
        assert any(serving in url for url in made["entity"]["status"]["serving_urls"])
        rows = np.eye(4, dtype="float32").reshape(4, 2, 2, 1).tolist()
        answer = client.deployments.score(serving, {"input_data": [{"values": rows}]})
        assert answer["predictions"][0]["values"] == [0, 1, 2, 3]
        names = client.repository.ModelMetaNames
        client.repository.update_model(model["metadata"]["id"], {names.NAME: f"{name} old"})
        assert client.repository.get_details(model["metadata"]["id"])["metadata"]["name"] == f"{name} old"
        client.deployments.delete(made["metadata"]["id"])
        client.repository.delete(model["metadata"]["id"])
"""
)


def documents(project):
    found = {path.name: json.loads(path.read_text()) for path in (project.folder / "cassettes").glob("*.yaml")}
    for document in found.values():
        document["metadata"]["pytest-wml"].pop("recorded_at")
    return found


BUILD = (
    CLIENT
    + """
    import os

    def test_build(client):
        build = int(os.environ["BUILD"])
        model = stored(client, "m", custom={"build": build})
        assert client.repository.get_details(model["metadata"]["id"])["entity"]["custom"] == {"build": build}
        client.repository.delete(model["metadata"]["id"])
"""
)


def run(pytester, monkeypatch, build, *arguments):
    monkeypatch.setenv("BUILD", str(build))
    return pytester.runpytest_inprocess(*arguments)


@needs_older
def test_a_value_that_differs_on_every_run(pytester, project, monkeypatch):
    """The second miss says so, and what to write into the ini; with that the same recording answers, and a new one."""
    pytester.makepyfile(test_model=BUILD)
    run(pytester, monkeypatch, 1_000_017, *RECORD).assert_outcomes(passed=1)
    advice = "  what to do: this value differs on every run; make it constant, or name it in the ini: "
    advice += "wml_ignore = $.custom.build"
    first = run(pytester, monkeypatch, 1_000_018)
    first.stdout.fnmatch_lines(["  they part at: body $.custom.build: asked 1000018, recorded 1000017"])
    assert advice not in first.stdout.lines
    assert advice in run(pytester, monkeypatch, 1_000_019).stdout.lines
    with (project.folder / "tox.ini").open("a") as file:
        file.write("\nwml_ignore =\n    # the number of the build\n    $.custom.build\n")
    run(pytester, monkeypatch, 1_000_020, *RECORD).assert_outcomes(passed=1)
    recorded = documents(project)
    assert "1000020" not in json.dumps(recorded)
    result = run(pytester, monkeypatch, 1_000_021)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["wml: *ignore = $.custom.build (from ini wml_ignore)*"])


def test_what_is_no_json_path(pytester):
    """The ini's line is named, and what a path looks like."""
    pytester.makeini("[pytest]\nwml_ignore = custom.build\n")
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stderr.str()
    assert "ini wml_ignore has an invalid value: 'custom.build'." in text
    assert "JSON paths such as $.custom.build" in text


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("-n", "2"), ("-p", "no:cacheprovider")])
def test_the_memory_of_misses(pytester, project, monkeypatch, arguments):
    """xdist's workers remember through the controller; without pytest's cache nothing is remembered."""
    pytester.makepyfile(test_model=BUILD)
    run(pytester, monkeypatch, 1_000_017, *RECORD).assert_outcomes(passed=1)
    results = [run(pytester, monkeypatch, 1_000_018 + number, *arguments) for number in range(2)]
    assert ("differs on every run" in results[1].stdout.str()) is ("-n" in arguments)


@needs_older
def test_a_nightly_run(pytester, project):
    """Each run's own names are in what its client sees, and every recording is the same file."""
    pytester.makepyfile(test_model=NIGHTLY)
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=1)
    first = documents(project)
    for _ in range(2):
        pytester.runpytest_inprocess().assert_outcomes(passed=1)
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=1)
    assert documents(project) == first

"""Deployment spaces: the run's own, whichever variable names it, and those that stand in the code of a suite."""

from __future__ import annotations

import json

import pytest

from tests.ibm import needs_older

RECORD = ("--wml=embedded", "--wml-record")
MINE, YOURS = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
CODED, OTHER = "cccccccc-0000-4000-8000-000000000003", "dddddddd-0000-4000-8000-000000000004"

CLIENTS = """
    import pytest

    CLOUD = {"url": "https://us-south.ml.cloud.ibm.com", "apikey": "some-key"}
    CPD = {"url": "https://cpd.example.org", "username": "me", "apikey": "some-key", "instance_id": "openshift"}

    def older(given):
        from ibm_watson_machine_learning import APIClient

        return APIClient({**given, "version": "5.0"} if "username" in given else dict(given))

    def newer(given):
        from ibm_watsonx_ai import APIClient, Credentials

        known = {"apikey": "api_key"}
        named = {known.get(name, name): value for name, value in given.items() if name != "instance_id"}
        return APIClient(Credentials(**named, **({"version": "5.0"} if "username" in given else {})))
"""
STORES = """
    def stored(client, name, space):
        names = client.repository.ModelMetaNames
        spec = client.software_specifications.get_id_by_name("runtime-24.1-py3.11")
        field = getattr(names, "SOFTWARE_SPEC_ID", None) or names.SOFTWARE_SPEC_UID
        meta = {names.NAME: name, names.TYPE: "tensorflow_2.14", field: spec}
        model = client.repository.store_model(model="model.tar.gz", meta_props=meta)
        assert model["entity"].get("space_id", model["metadata"]["space_id"]) == space
        return model["metadata"]["id"]
"""


def without_date(folder):
    documents = {path.name: json.loads(path.read_text()) for path in folder.glob("*.yaml")}
    for document in documents.values():
        document["metadata"]["pytest-wml"].pop("recorded_at")
    return documents


def test_a_space_alone_is_enough_offline(pytester, project, monkeypatch):
    """A developer without a key names a space: it is the client's, in embedded and in replay."""
    monkeypatch.setenv("WATSONX_SPACE_ID", MINE)
    pytester.makepyfile(
        test_model=f"""
        def test_space(wml_client):
            assert wml_client.default_space_id == "{MINE}"
            assert wml_client.spaces.get_details("{MINE}")["metadata"]["id"] == "{MINE}"
        """
    )
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=1)
    assert MINE not in "".join(path.read_text() for path in project.cassette.parent.iterdir())
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("doubt: *space*")


def test_a_name_in_place_of_an_id(pytester, project, monkeypatch):
    """It is refused offline as in a live run, by the variable's name."""
    monkeypatch.setenv("WML_SPACE_ID", "my space")
    pytester.makepyfile(test_model="def test_it(wml_client): pass\n")
    result = pytester.runpytest_inprocess("--wml=embedded")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["WML_SPACE_ID is not a valid id: 'my space'."])


@needs_older
def test_a_space_in_the_code(pytester, project, monkeypatch):
    """Both clients, as IBM Cloud and Cloud Pak for Data: recorded without a variable, replayed with anybody's."""
    (project.folder / "tox.ini").write_text("[pytest]\nwml_cpd_hosts = cpd.example.org\n")
    pytester.makepyfile(
        test_model=CLIENTS
        + STORES
        + f"""
    @pytest.mark.parametrize("credentials", [CLOUD, CPD], ids=["cloud", "cpd"])
    @pytest.mark.parametrize("client", [older, newer])
    def test_stores(client, credentials):
        made = client(credentials)
        assert made.set.default_space("{CODED}") == "SUCCESS"
        made.repository.delete(stored(made, "m", "{CODED}"))
        """
    )
    result = pytester.runpytest_inprocess(*RECORD)
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines([f"doubt: *space {CODED}*WML_SPACE_ID*"])
    first = without_date(project.folder / "cassettes")
    assert CODED not in json.dumps(first)
    for path in (project.folder / "cassettes").iterdir():
        path.unlink()
    monkeypatch.setenv("WML_SPACE_ID", MINE)
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=4)
    assert without_date(project.folder / "cassettes") == first
    monkeypatch.setenv("WML_SPACE_ID", YOURS)
    pytester.runpytest_inprocess().assert_outcomes(passed=4)


TWO_SPACES = (
    CLIENTS
    + STORES
    + f"""
    def test_two_spaces():
        client = older(CLOUD)
        made = []
        for space in ("{CODED}", "{OTHER}"):
            client.set.default_space(space)
            made.append(stored(client, "m", space))
        assert made[0] != made[1]
        for space, model in zip(("{CODED}", "{OTHER}"), made):
            client.set.default_space(space)
            listed = [one["metadata"]["id"] for one in client.repository.get_model_details()["resources"]]
            assert listed == [model]
            client.repository.delete(model)
"""
)


@pytest.mark.slow
def test_two_spaces_are_told_apart(pytester, project, monkeypatch):
    """A suite that goes from one space to another gets each one's models, whoever recorded and whoever replays."""
    pytester.makepyfile(test_model=TWO_SPACES)
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=1)
    for owner in ("", CODED, OTHER, MINE):
        monkeypatch.setenv("WML_SPACE_ID", owner)
        pytester.runpytest_inprocess().assert_outcomes(passed=1)


@needs_older
def test_deleted_and_malformed_spaces_stay_refused(pytester, project):
    """In embedded and in replay."""
    pytester.makepyfile(
        test_model=CLIENTS
        + f"""
    from ibm_watson_machine_learning.wml_client_error import CannotSetProjectOrSpace

    def test_refused():
        client = older(CLOUD)
        client.set.default_space("{CODED}")
        client.spaces.delete("{CODED}")
        for space in ("{CODED}", "no-id"):
            with pytest.raises(CannotSetProjectOrSpace, match="does not exist"):
                client.set.default_space(space)
        """
    )
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=1)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)

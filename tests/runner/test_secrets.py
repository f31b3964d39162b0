"""Secrets that users give to the service are in no recording, no report and no log."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pytest_wml.replay.cassette.file import Cassette, dump, load
from pytest_wml.tools.cli import main

RECORD = ("--wml=embedded", "--wml-record")
AWS_ID, AWS_KEY = "AKIA" + "IOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
OTHERS = {AWS_ID: "AKIA" + "QQQQQQQQ7EXAMPLE", AWS_KEY: "another-secret-of-another-length-1"}
TESTS = f"""
    SECRETS = {{"AWS_ACCESS_KEY_ID": "{AWS_ID}", "AWS_SECRET_ACCESS_KEY": "{AWS_KEY}", "replicas": 2}}

    def test_custom_properties(wml_client, wml_deployment):
        names = wml_client.deployments.ConfigurationMetaNames
        meta = {{names.NAME: "with secrets", names.ONLINE: {{}}, names.CUSTOM: SECRETS,
                names.DESCRIPTION: "reads s3 as me:{AWS_KEY[:12]}@s3"}}
        made = wml_client.deployments.create(wml_deployment.model_id, meta_props=meta)
        assert made["entity"]["custom"]["replicas"] == 2
        print("custom:", made["entity"]["custom"])
        wml_client.deployments.delete(made["metadata"]["id"])
"""


@pytest.fixture
def recorded_with_secrets(pytester, project):
    """A project that was recorded while its test gave secrets to the service."""
    pytester.makepyfile(test_model=TESTS)
    pytester.runpytest_inprocess(*RECORD).assert_outcomes(passed=1)
    return project


def test_secrets_in_custom_properties_are_not_recorded(recorded_with_secrets, monkeypatch, capsys):
    """Masked by their names, as long as they were; `cassette scan` agrees that nothing is left."""
    text = recorded_with_secrets.cassette.read_text()
    assert AWS_ID not in text
    assert AWS_KEY not in text
    custom = [
        json.loads(one["request"]["body"])["custom"]
        for one in json.loads(text)["interactions"]
        if "replicas" in str(one) and one["request"]["method"] == "POST"
    ]
    assert custom == [{"AWS_ACCESS_KEY_ID": "*" * 20, "AWS_SECRET_ACCESS_KEY": "*" * 40, "replicas": 2}]
    monkeypatch.chdir(recorded_with_secrets.folder)
    assert main(["cassette", "scan"]) == 0
    assert "no secrets found" in capsys.readouterr().out


def test_a_colleague_with_other_secrets_replays(recorded_with_secrets, pytester):
    """A secret does not decide about the answer, and neither does its length."""
    test = recorded_with_secrets.folder / "test_model.py"
    for mine, theirs in OTHERS.items():
        test.write_text(test.read_text().replace(mine, theirs))
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_secrets_are_in_no_report(pytester, project):
    """A failing assertion shows values, captured output too; a secret in them is masked."""
    pytester.makepyfile(
        test_model=TESTS
        + """        assert made["entity"]["custom"]["AWS_SECRET_ACCESS_KEY"] == "x"
    """
    )
    result = pytester.runpytest_inprocess("--wml=embedded", "--wml-report=report", "--junitxml=junit.xml", "-rP")
    result.assert_outcomes(failed=1)
    shown = [result.stdout.str(), (project.folder / "junit.xml").read_text()]
    shown.append((project.folder / "report" / "index.html").read_text())
    for text in shown:
        assert AWS_KEY not in text
        assert AWS_ID not in text
    assert "AWS_SECRET_ACCESS_KEY" in shown[0]


def test_a_recording_that_holds_secrets_in_clear_still_replays(recorded_with_secrets, pytester):
    """A file that an older version wrote is found by what it would hold today."""

    path = recorded_with_secrets.cassette
    cassette = load(path)
    old = [
        replace(one, body=one.body.replace(b"*" * 40, AWS_KEY.encode()), identity="0" * 32)
        if isinstance(one.body, bytes) and b"*" * 40 in one.body
        else one
        for one in cassette.interactions
    ]
    path.write_text(dump(Cassette(cassette.name, cassette.metadata, tuple(old))))
    assert AWS_KEY in path.read_text()
    pytester.runpytest_inprocess().assert_outcomes(passed=1)

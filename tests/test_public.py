"""What users rely on by name: a difference here is a change for them, and belongs into the CHANGELOG."""

from __future__ import annotations

import argparse
import importlib
import json

import pytest

from pytest_wml.config.option_table import FAMILIES, TABLE
from pytest_wml.replay.cassette.file import FORMAT
from pytest_wml.tools import cli

NAMES = {
    "pytest_wml": "DEFAULT_SPACE_ID Deployment EmbeddedWML Prediction WMLTestError WmlDeployment __version__ embedded "
    "open_door",
    "pytest_wml.contract": "BadContract Contract ContractBroken Finding Refused Result Scoring check_accuracy "
    "check_batch_consistency check_classes check_directional check_drift check_errors check_invariance check_latency "
    "check_parity check_probabilities check_repeatability check_rest check_signature image_transforms",
    "pytest_wml.model.archive": "ContentDigests Limits ModelArchive digest_content read_archive require_savedmodel "
    "safe_extract",
}
OPTIONS = """mode record model name cassettes credentials deployment deployments software_spec model_type allow_pickle
ignore max_age cpd_hosts pass_iam faults report ca deadline max_requests max_deployments max_upload reuse lifetime"""
FIXTURES = "wml_client wml_contract wml_deployment wml_digits wml_model_archive wml_name wml_trained_cnn"
COMMANDS = {
    "init": "FOLDER --model",
    "cassette list": "FOLDER --json",
    "cassette inspect": "FILE --full --json",
    "cassette diff": "OLD NEW --json",
    "cassette scan": "PATHS --json",
    "cassette prune": "FOLDER --yes --json",
    "cassette merge": "FILES --json",
    "cassette verify": "PATHS --against --model --rtol --atol --timeout --allow-pickle --credentials --ca --dry-run "
    "--yes --strict --verbose --report --write-fidelity --json",
    "cassette": "",
    "serve": "--port --host --allow-remote --ready-file --space --data-dir --faults --no-page --cpd-version "
    "--allow-pickle --quiet --verbose",
    "lint": "ARCHIVES --spec --type --strict --json",
    "doctor": "--wml-credentials --wml-software-spec --wml-model-type --ca --timeout --offline --json",
    "sweep": "--yes --run --wml-credentials --wml-ca --json",
    "contract init": "ARCHIVE --samples --output --force",
    "contract schema": "",
    "contract": "",
}
CONTRACT_FILE = """model deployment name type spec markers threshold batch_size signature examples probabilities
batch_consistency repeatability invariance parity rest errors accuracy latency"""


@pytest.mark.parametrize("module", NAMES)
def test_names(module):
    """Of the modules that users import."""
    imported = importlib.import_module(module)
    assert sorted(imported.__all__) == sorted(NAMES[module].split())
    assert [name for name in imported.__all__ if not hasattr(imported, name)] == []


def test_options():
    """Their names; flag, variable and ini key follow from each."""
    assert [option.name for option in TABLE] == OPTIONS.split()
    first = TABLE[1]
    assert (first.flag, first.env, first.ini) == ("--wml-record", "WML_RECORD", "wml_record")


def test_variables_of_credentials():
    """Number of names that give each field: see the documentation of credentials."""
    fields = sorted({field for family in FAMILIES for field in family.values()})
    assert fields == ["apikey", "instance_id", "password", "space_id", "token", "url", "username", "version"]


def test_fixtures(pytester):
    """As `pytest --fixtures` lists them."""
    listed = pytester.runpytest_inprocess("--fixtures", "-pno:cacheprovider").stdout.str()
    found = {line.partition(" ")[0] for line in listed.splitlines() if line.startswith("wml_")}
    assert found == set(FIXTURES.split())


def test_commands():
    """`pytest-wml`'s commands with their arguments."""
    assert dict(_commands(cli.parser())) == COMMANDS


def _commands(parser: argparse.ArgumentParser, path: str = ""):
    own = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield from _commands(below, f"{path} {name}".strip())
        elif not isinstance(action, argparse._HelpAction):
            own.append(action.option_strings[-1] if action.option_strings else action.dest.upper())
    if path:
        yield path, " ".join(own)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["cassette", "list", "."], 0), (["lint", "broken.zip"], 1), (["lint", "missing.zip"], 2), (["cassette"], 2)],
)
def test_exit_codes(arguments, code, tmp_path, monkeypatch, capsys):
    """0 when all is well, 1 when something was found, 2 when it cannot be done."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.zip").write_bytes(b"PK\3\4 broken")
    assert cli.main(arguments) == code
    capsys.readouterr()


def test_formats(capsys):
    """Of recordings, and the keys of a contract file."""
    assert FORMAT == 2
    assert cli.main(["contract", "schema"]) == 0
    assert list(json.loads(capsys.readouterr().out)["properties"]) == CONTRACT_FILE.split()

"""The file of trusted authorities that `pytest-wml serve` says to export."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from pytest_wml.config.stopped_server import TRUST_VARIABLES
from pytest_wml.emulator.serve.certificate import certified

trustme = pytest.importorskip("trustme")


@pytest.fixture(autouse=True)
def _no_authorities_of_this_shell(monkeypatch):
    for name in TRUST_VARIABLES:
        monkeypatch.delenv(name, raising=False)


def started(folder: Path, lasting: Path) -> tuple[bytes, Path]:
    """The certificate of a server's authority, and the bundle that its clients trust."""
    folder.mkdir()
    made = certified(folder, ["localhost"], lasting)
    return ssl.PEM_cert_to_DER_cert(made.ca.read_text()), made.bundle


def trusted(bundle: Path) -> list[bytes]:
    return ssl.create_default_context(cafile=bundle).get_ca_certs(binary_form=True)


def test_two_servers_are_trusted_by_one_file(tmp_path):
    """The file is the same for the next server, so that a shell with the exports of the first can ask it too."""
    first, bundle = started(tmp_path / "first", tmp_path / "kept")
    second, again = started(tmp_path / "second", tmp_path / "kept")
    assert again == bundle
    assert {first, second} < set(trusted(bundle))


def test_authorities_of_the_environment_stay_trusted(tmp_path, monkeypatch):
    """A company's authority, also in a shell in which the bundle has taken the place of the company's file."""
    company = trustme.CA(organization_name="company").cert_pem.bytes()
    (tmp_path / "company.pem").write_bytes(company)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "company.pem"))
    _, bundle = started(tmp_path / "first", tmp_path / "kept")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    before = len(trusted(bundle))
    started(tmp_path / "second", tmp_path / "kept")
    assert ssl.PEM_cert_to_DER_cert(company.decode()) in trusted(bundle)
    assert len(trusted(bundle)) == before + 1


def test_a_folder_that_cannot_be_written(tmp_path):
    """The server starts all the same, with the file among its own."""
    (tmp_path / "kept").write_text("a file")
    own, bundle = started(tmp_path / "serve", tmp_path / "kept")
    assert bundle == tmp_path / "serve" / "ca-bundle.pem"
    assert own in trusted(bundle)

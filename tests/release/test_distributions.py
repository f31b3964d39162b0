"""What is released: all that is needed, and nothing else."""

from __future__ import annotations

import email
import tarfile
import tomllib
import zipfile

import pytest

import pytest_wml
from pytest_wml.tools.doctor.versions import _LEAST
from tests.release.conftest import ROOT

NEEDED = [
    "pytest_wml/py.typed",
    "pytest_wml/data/digits.npz",
    "pytest_wml/data/mnist_cnn.tar.gz",
    "pytest_wml/contract/files/contract.schema.json",
    "pytest_wml/interception/inherited/sitecustomize.py",
    "pytest_wml/emulator/page/page.html",
    "pytest_wml/emulator/page/page.js",
    "pytest_wml/runner/report/page.css",
    "pytest_wml/tools/init/template/common/.gitignore",
    "pytest_wml/tools/init/template/common/.gitattributes",
    "pytest_wml/tools/init/template/common/.github/workflows/contract-replay.yml",
    "pytest_wml/tools/init/template/pump/pump.tar.gz",
]


def contents(wheel):
    """Name of each member → its content."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def metadata(wheel):
    """The wheel's METADATA."""
    (text,) = (content for name, content in contents(wheel).items() if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(text)


def in_tree(*folders):
    """Every file below folders of the tree, but what Python and other tools leave there."""
    return {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not {"__pycache__", ".pytest_cache", ".hypothesis"} & set(path.parts)
    }


@pytest.mark.parametrize("name", NEEDED)
def test_what_is_no_python_is_in_the_wheel(wheel, name):
    """Data, pages, schema, template, the mark of a typed package."""
    assert name in contents(wheel)


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    """Every file of it, and what describes it, with its licence."""
    folder = f"pytest_wml-{pytest_wml.__version__}.dist-info"
    described = {f"{folder}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    assert set(contents(wheel)) == in_tree("pytest_wml") | described | {f"{folder}/licenses/LICENSE"}
    assert wheel.stat().st_size < 2_000_000


def test_the_sdist_holds_what_its_own_tests_need(sdist):
    """Package, tests, recordings, sample, documents; no build, no cache, nothing of a machine's."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    folders = ("pytest_wml", "tests", "cassettes", "sample_model", "docs")
    assert in_tree(*folders) <= names
    assert not [name for name in names if "__pycache__" in name]
    others = {name for name in names if not name.startswith(tuple(f"{folder}/" for folder in folders))}
    written = {path.name for path in ROOT.glob("*.md")} | {"LICENSE", "pyproject.toml", "tox.ini", "fidelity.json"}
    assert others == written | {"PKG-INFO", ".gitignore"}


def test_a_wheel_of_the_sdist_is_the_wheel_of_the_tree(wheel, wheel_of_sdist):
    """Member by member, byte by byte."""
    assert wheel_of_sdist.name == wheel.name
    assert contents(wheel_of_sdist) == contents(wheel)


def test_the_version_is_written_once(wheel):
    """In the package; the build reads it there."""
    assert metadata(wheel)["Version"] == pytest_wml.__version__
    assert "version" not in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"## {pytest_wml.__version__} – " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_it_is_found_as_a_typed_plugin_of_pytest(wheel):
    """By classifiers, and by the entry points that make it one."""
    described = metadata(wheel)
    assert {"Framework :: Pytest", "Typing :: Typed"} <= set(described.get_all("Classifier"))
    assert described["License-Expression"] == "Apache-2.0"
    assert described["Description-Content-Type"] == "text/markdown"
    (points,) = (text for name, text in contents(wheel).items() if name.endswith("entry_points.txt"))
    assert points.decode().split() == [
        *("[console_scripts]", "pytest-wml", "=", "pytest_wml.tools.cli:main"),
        *("[pytest11]", "wml", "=", "pytest_wml.plugin"),
    ]


def test_doctor_asks_for_what_the_metadata_asks_for(wheel):
    """The lowest versions of both are the same."""
    required = metadata(wheel).get_all("Requires-Dist")
    for name, least in _LEAST.items():
        assert any(line.startswith(f"{name}>={least}") for line in required), name

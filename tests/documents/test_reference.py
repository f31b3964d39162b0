"""The reference is made from the code and holds all of it."""

from __future__ import annotations

import importlib.util
import json
import re

import pytest

import pytest_wml
from pytest_wml import contract
from pytest_wml.config.option_table import TABLE
from pytest_wml.contract.files import schema
from pytest_wml.runner import marker
from pytest_wml.tools import cli
from tests.documents.pages import ROOT

PAGES = sorted((ROOT / "docs" / "reference").glob("*.md"))


@pytest.fixture(scope="module")
def generated():
    """The module of the documentation's build that makes the reference."""
    spec = importlib.util.spec_from_file_location("generated", ROOT / "docs" / "_ext" / "generated.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made(generated, name: str) -> str:
    return "\n".join(generated.directives(name))


def test_every_option(generated):
    """Flag, variable and ini key, what it means, and what it is by default."""
    text = made(generated, "options")
    for option in TABLE:
        (told,) = re.findall(rf"^`+{{option}} {option.flag}(?: [A-Z]+)?\n(.*?)^`{{5}}$", text, re.DOTALL | re.MULTILINE)
        assert option.help.rstrip(".") in told
        assert f"Variable `{option.env}`, ini `{option.ini}`, default " in told
    assert "--wml-live" in text


def test_every_fixture(generated, pytester):
    """As `pytest --fixtures` tells them."""
    told = pytester.runpytest_inprocess("--fixtures", "-p", "no:cacheprovider").stdout.str()
    names = set(re.findall(r"^(wml_\w+)", told, flags=re.MULTILINE))
    assert {"wml_deployment", "wml_contract"} < names
    assert names == set(generated.fixture_names()) == set(re.findall(r"{fixture} (\w+)", made(generated, "fixtures")))
    assert "Scope: session." in made(generated, "fixtures")


def test_the_marker(generated):
    """Each of its words, explained."""
    text = made(generated, "markers")
    assert set(re.findall(r"^- `(\w+)`: ", text, re.MULTILINE)) == set(marker.wml.__kwdefaults__)


def test_every_command(generated):
    """Each subcommand, with every option that its --help tells."""
    text = made(generated, "commands")
    leaves = list(generated.subcommands(cli.parser()))
    assert {"pytest-wml serve", "pytest-wml doctor", "pytest-wml cassette list"} < {words for words, _ in leaves}
    for words, parser in leaves:
        section = text.partition(f"## {words}\n")[2].partition("\n## ")[0]
        assert set(re.findall(r"--[a-z-]+", parser.format_help())) - {"--help"} <= set(
            re.findall(r"--[a-z-]+", section)
        )


def test_every_key_of_a_contract_file(generated):
    """With its description, also of keys in keys."""
    text = made(generated, "contract-file")
    described = re.findall(r'"description": ("(?:[^"\\]|\\.)*")', schema.shipped_schema())
    assert len(re.findall(r"{contract-key} ", text)) == len(described)
    assert [json.loads(each) for each in described if json.loads(each) not in text] == []
    assert "accuracy.floor" in text


def test_every_check(generated):
    """Each method of `wml_contract`, with the arguments of the function that it calls explained."""
    text = made(generated, "checks")
    names = {name for name in contract.__all__ if name.startswith("check_")}
    assert names == {f"check_{name}" for name in generated.check_names()} - {"check_scoring"}
    assert set(re.findall(r"{py:method} wml_contract\.(\w+)\(", text)) == set(generated.check_names())
    assert re.search(r"wml_contract\.accuracy.*?- `floor`: ", text, re.DOTALL)


def test_every_public_name(generated):
    """What `pytest_wml` exports."""
    text = made(generated, "api")
    assert [name for name in pytest_wml.__all__ if f" pytest_wml.{name}" not in text] == []


def test_every_part_is_on_a_page(generated):
    """Each on one."""
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert sorted(generated.MADE.findall(pages)) == sorted(generated.GENERATORS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_holds_what_the_code_says(generated, page):
    """As plain Markdown, which code hosts show too. Write it again with: python docs/_ext/generated.py"""
    text = page.read_text(encoding="utf-8")
    assert text == generated.rewritten(text), "write it again with: python docs/_ext/generated.py"


def test_plain_pages_and_the_site_say_the_same(generated):
    """Every name that the site links to stands in the page of the tree."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name in generated.GENERATORS:
        for part in generated.GENERATORS[name]():
            if not isinstance(part, str):
                assert part.name.replace("|", "\\|") in text or part.name in text


def test_directives_are_for_the_site_only(generated):
    """A page of the tree has none; that of the site has one for each part."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert "```{" not in text
        assert re.search(r"^```{wml-reference} [\w-]+\n```$", generated.for_the_site(text), re.MULTILINE)

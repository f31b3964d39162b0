"""Every block of README and docs/ is run by test_pages.py, or says why it is not and is checked as far as it can be."""

from __future__ import annotations

import re

import pytest

from pytest_wml.config.option_table import TABLE
from tests.documents.checking import anchors, links, mistakes
from tests.documents.pages import KNOWN, ROOT, Block, blocks, pages

EVERY = [block for page in pages() for block in blocks(page) if not block.language.startswith("{")]
NOT_RUN = [block for block in EVERY if block.reason is not None]
MARKDOWN = [*ROOT.glob("*.md"), *pages()[1:], ROOT / "sample_model" / "README.md", ROOT / "cassettes" / "README.md"]


@pytest.mark.parametrize("block", NOT_RUN, ids=lambda block: f"{block.where} {block.reason}")
def test_what_is_not_run(block: Block):
    """It has a reason; it parses; its commands, options, ini keys, extras and environments exist."""
    assert len(block.reason or "") > 8
    assert list(mistakes(block)) == []


def test_blocks_say_only_what_is_known():
    """A mistyped word would be as good as none."""
    assert [f"{block.where}: {word}" for block in EVERY for word in block.attributes if word not in KNOWN] == []
    assert [block.where for block in EVERY if not block.language] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_are_used(page):
    """A file that no later command could read proves nothing."""
    waiting = []
    for block in blocks(page):
        if block.reason is None and block.file:
            waiting.append(block.where)
        elif block.reason is None and block.language in ("console", "python"):
            waiting = []
    assert waiting == []


@pytest.mark.parametrize("file", sorted((ROOT / "docs" / "examples").glob("*.y*ml")), ids=lambda file: file.name)
def test_examples(file):
    """What is there to be copied parses, and its commands and options exist."""
    block = Block(file.relative_to(ROOT).as_posix(), 1, "yaml", file.read_text(encoding="utf-8"))
    assert list(mistakes(block)) == []


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    """To files of the tree and headings in them, so that they work on a code host too."""
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_options_exist(page):
    """Each `--wml-…` that a page names."""
    known = {option.flag for option in TABLE} | {"--wml-live"}
    named = set(re.findall(r"--wml[a-z-]*", page.read_text(encoding="utf-8")))
    assert {flag for flag in named if flag not in known} == set()


def test_readme_is_short():
    """Who reads it has little time."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 130

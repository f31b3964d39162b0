"""How a block is read, and how what it shows is compared."""

from __future__ import annotations

import pytest

from tests.documents import pages
from tests.documents.pages import Block, blocks
from tests.documents.projects import Differs, Project
from tests.documents.transcripts import Step, matches, steps


def test_commands_with_their_output():
    """Each after a `$`; a backslash goes on."""
    assert steps("$ one\na\nb\n\n$ two \\\n  three\n") == [Step("one", "a\nb"), Step("two \\\n  three", None)]


def test_a_script():
    """Without any `$` the block is one."""
    assert steps("one\ntwo\n") == [Step("one\ntwo\n", None)]


@pytest.mark.parametrize(
    ("shown", "output"),
    [("a\nb", "a  \nb\n\n"), ("a\n…\nd", "a\nb\nc\nd"), ("a\n…\nd", "a\nd"), ("in … s", "in 2.41 s"), ("…\nz", "y\nz")],
)
def test_what_is_shown_is_printed(shown, output):
    """But for spaces at the ends of lines, and what `…` stands for."""
    assert matches(shown, output)


@pytest.mark.parametrize(
    ("shown", "output"), [("a", "a\nb"), ("a\nb", "a\nc"), ("in … s", "in 2\n s"), ("a.c", "abc"), ("b", "a\nb")]
)
def test_what_is_shown_is_not_printed(shown, output):
    """`…` within a line stays in it, and nothing may be left out unsaid."""
    assert not matches(shown, output)


def test_a_part():
    """Whole lines of it."""
    assert matches("b\nc", "a\nb\nc\nd", whole=False)
    assert not matches("b", "ab\nbc", whole=False)


@pytest.fixture
def project(tmp_path):
    """An empty project."""
    made = Project(tmp_path)
    yield made
    made.close()


def console(text: str, **attributes: str) -> Block:
    return Block("page.md", 1, "console", text, attributes)


def test_variables_last(project):
    """What one command exports the next one has, in the next block too; what a script leaves running is ended."""
    project.take(console("$ export NAME=ada\n"))
    project.take(console("$ echo $NAME\nada\n"))
    project.take(console("sleep 1000 &\ntrue\n"))


@pytest.mark.parametrize(
    "block",
    [console("$ echo b\na\n"), console("$ false\n"), console("false\ntrue\n"), console("$ true\n", exit="1")],
)
def test_a_page_that_lies(project, block):
    """Another output, another exit status."""
    with pytest.raises(Differs, match=r"page\.md:1"):
        project.take(block)


def test_reading_a_page(tmp_path, monkeypatch):
    """Info strings say more than the language; a file may name itself."""
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- given: model.tar.gz -->\n"
        '```console not-run="an account is needed" exit=1\na\n```\n'
        "```python\n# test_a.py: the test\n```\n"
        "- ```json file=b.json\n"
        "```json file=b.json\n{}\n```\n"
        "````{option} --a\n```\n````\n"
    )
    given, first, second, third, directive = blocks(page)
    assert (given.language, given.text) == ("given", "model.tar.gz")
    assert (first.reason, first.attributes["exit"], first.line) == ("an account is needed", "1", 2)
    assert (second.file, third.file, directive.language) == ("test_a.py", "b.json", "{option}")


def test_a_block_without_end(tmp_path, monkeypatch):
    """Whatever follows would be code."""
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    (tmp_path / "page.md").write_text("```console\n")
    with pytest.raises(ValueError, match=r"page\.md:1: the block does not end"):
        blocks(tmp_path / "page.md")

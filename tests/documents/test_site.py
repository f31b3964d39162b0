"""The built site, and the picture of a failing run."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from pytest_wml.config.option_table import TABLE
from tests.documents.failing_run import PICTURE, runs, text_of
from tests.documents.pages import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Built with every warning as an error, with the pictures of the tree."""
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-D", "wml_pictures=tree"]
    done = subprocess.run(
        [*command, "-d", str(tmp_path_factory.mktemp("doctrees")), str(ROOT / "docs"), str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def test_every_page_is_there(site):
    """As a page that the others lead to, with FIDELITY.md and the changelog."""
    index = (site / "index.html").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        address = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        assert (site / address).exists(), address
        assert address == "index.html" or f'href="{address}"' in index, address
    assert "/ml/v4/deployments" in (site / "background" / "fidelity.html").read_text(encoding="utf-8")
    assert "The first version." in (site / "background" / "changelog.html").read_text(encoding="utf-8")


def test_options_can_be_linked_to(site):
    """Each has an anchor of its own."""
    page = (site / "reference" / "options.html").read_text(encoding="utf-8")
    assert [option.flag for option in TABLE if f'id="cmdoption-{option.flag.lstrip("-")}"' not in page] == []


def test_no_page_shows_how_it_is_made(site):
    """Neither a directive nor what only tests read."""
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"wml-reference|not-run=|exit=1|{option}", re.sub(r"<script.*?</script>", "", text)), page


def test_the_picture_of_a_failing_run():
    """What stands in it is what the commands print now, but for times, dates, digests, versions, probabilities."""
    printed = "\n".join(f"$ {command}\n{output}" for command, output in runs())
    assert comparable(text_of(PICTURE)) == comparable(printed)


def comparable(text: str) -> str:
    """Without colours, what differs between two days or machines, and where lines were wrapped."""
    text = re.sub(r"\x1b\[[\d;]*m", "", text)
    text = re.sub(r"\d{4}-\d\d-\d\d( \(.*?\))?|\d+\.\d+(\.\d+)?|[0-9a-f]{16,64}", "?", text)
    return re.sub(r"\s+", "", text)

"""Every block of README and docs/ is run, as its reader would, or says why it is not."""

from __future__ import annotations

import pytest

from tests.documents.pages import ROOT, blocks, pages
from tests.documents.projects import Project

pytestmark = pytest.mark.slow

PAGES = [page for page in pages() if any(block.reason is None and block.language[0] != "{" for block in blocks(page))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page(page, tmp_path):
    """From top to bottom in one folder: files are written, commands run, what is shown is what they print."""
    project = Project(tmp_path)
    try:
        for block in blocks(page):
            if block.reason is None and not block.language.startswith("{"):
                project.take(block)
    finally:
        project.close()

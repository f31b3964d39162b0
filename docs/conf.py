"""How Sphinx builds the documentation: `tox run -e docs`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "pytest-wml"
author = "the authors of pytest-wml"
extensions = ["myst_parser", "wml_reference", "wml_pictures"]
exclude_patterns = ["_ext"]
html_theme = "furo"
html_title = "pytest-wml"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
toc_object_entries_show_parents = "hide"
add_function_parentheses = False
# The transcripts are text: no two consoles are coloured alike.
highlight_language = "text"

# Pages link to these where they are in the tree; the site has them as pages of its own.
OUTSIDE = {"FIDELITY.md": "/background/fidelity.md", "CHANGELOG.md": "/background/changelog.md"}


def _inside(_: Sphinx, page: str, source: list[str]) -> None:
    """A page of the tree as the site has it."""
    from generated import for_the_site

    def home(link: re.Match[str]) -> str:
        return f"]({OUTSIDE[link[1]]}"

    included = {address[1:].removesuffix(".md"): file for file, address in OUTSIDE.items()}
    if page in included:
        source[0] = f"```{{include}} ../../{included[page]}\n```\n"
    source[0] = for_the_site(source[0])
    source[0] = re.sub(rf"\]\((?:\.\./)+({'|'.join(OUTSIDE)})", home, source[0])


def setup(app: Sphinx) -> None:
    app.connect("source-read", _inside)

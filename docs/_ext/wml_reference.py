"""`{wml-reference} options`: a part of the reference, made from the code."""

from __future__ import annotations

from typing import Any, ClassVar

from docutils import nodes
from generated import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class Reference(SphinxDirective):
    """The Markdown of one generator, in the directive's place."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        text = "\n".join(directives(self.arguments[0]))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("wml-reference", Reference)
    app.add_object_type("fixture", "fixture", "%s (fixture)", objname="fixture")
    app.add_object_type("contract-key", "contract-key", "%s (contract file)", objname="key of a contract file")
    return {"parallel_read_safe": True, "parallel_write_safe": True}

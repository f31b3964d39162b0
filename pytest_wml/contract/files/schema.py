"""The JSON Schema for editors, shipped with the package; a test holds it to the table that the parser reads by."""

from __future__ import annotations

from importlib.resources import files

NAME = "contract.schema.json"


def text() -> str:
    """The schema's file."""
    return (files("pytest_wml.contract.files") / NAME).read_text(encoding="utf-8")

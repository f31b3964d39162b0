"""Digests of models with lookup tables: what a table holds is part of the model, and in which table."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from pytest_wml.model.archive import read_archive
from tests.model.conftest import run_python
from tests.model.make_tables import KINDS, VARIANTS

# Not told yet: TensorFlow 1's tables, loaded and saved by TensorFlow 2, lie inside its functions.
NAMES = [make.__name__ for make in KINDS]
NAMES += [f"again_{name}" for name in NAMES if not name.startswith("old_")]
MUTABLE = [name for name in NAMES if "mutable" in name or "dense" in name]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Every kind of table with every content; and once more by another process, as it is."""
    script = str(Path(__file__).with_name("make_tables.py"))
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    run_python(script, str(first), "0", *VARIANTS, PYTHONHASHSEED="1")
    run_python(script, str(second), "3", "plain", PYTHONHASHSEED="2")
    return first, second


@cache
def digest(folder: Path) -> str:
    archive = read_archive(folder)
    assert archive.basis == "model"
    return archive.model_digest


@pytest.mark.parametrize("name", NAMES)
def test_what_a_table_holds_counts(tables: tuple[Path, Path], name: str) -> None:
    """One other value, one entry more, and two tables that exchange what they hold make another model."""
    digests = {digest(tables[0] / f"{name}_{variant}") for variant in ("plain", "other", "grown", "swapped")}
    assert len(digests) == 4


@pytest.mark.parametrize("name", MUTABLE)
def test_the_order_of_insertion_does_not_count(tables: tuple[Path, Path], name: str) -> None:
    """The same pairs, inserted in another order, are the same model."""
    assert digest(tables[0] / f"{name}_plain") == digest(tables[0] / f"{name}_reordered")


@pytest.mark.parametrize("name", NAMES)
def test_exported_again_tables_are_the_same(tables: tuple[Path, Path], name: str) -> None:
    """Two processes with other hash seeds and counters give a model with tables one digest."""
    first, second = (folder / f"{name}_plain" for folder in tables)
    assert digest(first) == digest(second)

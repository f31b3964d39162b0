"""A contract file, read: what it says, with everything that is wrong in it told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_wml.contract.files.kinds import FileName
from pytest_wml.contract.files.mistakes import Mistake, Mistakes, Place, refused, shown
from pytest_wml.contract.files.nodes import LARGEST, tree
from pytest_wml.contract.files.records import Section
from pytest_wml.contract.files.rows import Row, files
from pytest_wml.contract.files.table import CONTRACT

PROMISES = (
    *("signature", "examples", "probabilities", "batch_consistency", "repeatability", "invariance"),
    *("parity", "rest", "errors", "accuracy", "latency"),
)
"""The keys of which each is a test."""


@dataclass(frozen=True)
class Example:
    """What is sent as one row, and the class that it must get, if any.

    Args:
        row: a value, or a mapping of input names to values.
        label: as text.
        place: in the file.
    """

    row: Row
    label: str | None
    place: Place


@dataclass(frozen=True)
class Written:
    """A contract file.

    Args:
        path: of the file.
        top: what it holds.
        examples: in their order.
    """

    path: Path
    top: Section
    examples: tuple[Example, ...]

    @property
    def promises(self) -> tuple[str, ...]:
        """The keys that are tests of their own, in the order of the file; examples without classes are none."""
        return tuple(name for name in self.top.values if self._is_test(name))

    def _is_test(self, name: str) -> bool:
        if name == "examples":
            return any(example.label is not None for example in self.examples)
        return name in PROMISES and self.top.values[name] is not None

    def beside(self, file: FileName) -> Path:
        """Where a file is that the contract names."""
        return self.path.parent / file.text


def load(path: Path) -> Written:
    """Read a contract file.

    Raises:
        BadContractFile: there are mistakes in it; all of them are told.
    """
    try:
        with path.open("rb") as file:
            return read(path, file.read(LARGEST + 1))
    except OSError as error:
        raise refused(path, [Mistake(Place(1, 1), f"it cannot be read: {error.strerror}")]) from None


def read(path: Path, content: bytes) -> Written:
    """Read a contract file's content.

    Raises:
        BadContractFile: there are mistakes in it; all of them are told.
    """
    try:
        top = CONTRACT.read(tree(content))
        given: tuple[Section, ...] = top.values.get("examples", ())
        examples = tuple(Example(one.values["input"], one.values.get("class"), one.places["input"]) for one in given)
        written = Written(path, top, examples)
        wrong = [*_missing_files(written), *_contradictions(written)]
        if wrong:
            raise Mistakes(wrong)
    except Mistakes as mistakes:
        raise refused(path.name, mistakes.found) from None
    return written


def _missing_files(written: Written) -> Iterator[Mistake]:
    for example in written.examples:
        for file in files(example.row):
            if not written.beside(file).is_file():
                yield Mistake(file.place, f"there is no file {shown(file.text)} in {written.path.parent}")
    accuracy = written.top.values.get("accuracy")
    if accuracy is not None:
        samples: FileName = accuracy.values["samples"]
        found = written.beside(samples)
        if not (found.is_dir() or (found.is_file() and found.suffix.lower() == ".npz")):
            yield Mistake(samples.place, f"there is no folder and no .npz file {shown(samples.text)}")


def _contradictions(written: Written) -> Iterator[Mistake]:
    top = written.top
    if not written.promises:
        yield Mistake(top.place, f"the file promises nothing; it can promise {', '.join(PROMISES)}")
    named = {frozenset(one.row) if isinstance(one.row, Mapping) else frozenset() for one in written.examples}
    if len(named) > 1:
        yield Mistake(top.places["examples"], "`examples`: all must have the same inputs")
    if _promised(top, "batch_consistency") and len(written.examples) == 1:
        yield Mistake(top.places["batch_consistency"], "`batch_consistency` needs two examples or more, or none")
    if _promised(top, "invariance") and not written.examples:
        yield Mistake(top.places["invariance"], "`invariance` needs `examples`")


def _promised(top: Section, name: str) -> Any:
    return top.values.get(name) is not None

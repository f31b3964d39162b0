"""Reads and validates a contract file; all mistakes are reported together."""

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
from pytest_wml.contract.files.schema import CONTRACT

PROMISES = (
    *("signature", "examples", "probabilities", "batch_consistency", "repeatability", "invariance"),
    *("parity", "rest", "errors", "accuracy", "latency"),
)
"""The keys that are tests."""


@dataclass(frozen=True)
class Example:
    """One example: the row to send and its expected class.

    Args:
        row: a value, or values by input name.
        label: expected class as text; None if the example has none.
        place: position in the file.
    """

    row: Row
    label: str | None
    place: Place


@dataclass(frozen=True)
class ContractDocument:
    """A contract file that was read.

    Args:
        path: path of the file.
        top: the record at the top level.
        examples: the examples, in their order.
    """

    path: Path
    top: Section
    examples: tuple[Example, ...]

    @property
    def promises(self) -> tuple[str, ...]:
        """The keys that are tests, in the order of the file; examples without classes are not a test."""
        return tuple(name for name in self.top.values if self._is_test(name))

    def _is_test(self, name: str) -> bool:
        if name == "examples":
            return any(example.label is not None for example in self.examples)
        return name in PROMISES and self.top.values[name] is not None

    def beside(self, file: FileName) -> Path:
        """The path of a file that is given relative to the contract file."""
        return self.path.parent / file.text


def load(path: Path) -> ContractDocument:
    """Read a contract file.

    Raises:
        BadContractFile: the file has mistakes; the message lists all of them.
    """
    try:
        with path.open("rb") as file:
            return read(path, file.read(LARGEST + 1))
    except OSError as error:
        raise refused(path, [Mistake(Place(1, 1), f"the file cannot be read: {error.strerror}")]) from None


def read(path: Path, content: bytes) -> ContractDocument:
    """Read a contract file's content.

    Raises:
        BadContractFile: the file has mistakes; the message lists all of them.
    """
    try:
        top = CONTRACT.read(tree(content))
        sections: tuple[Section, ...] = top.values.get("examples", ())
        examples = tuple(Example(one.values["input"], one.values.get("class"), one.places["input"]) for one in sections)
        document = ContractDocument(path, top, examples)
        mistakes_found = [*_missing_files(document), *_contradictions(document)]
        if mistakes_found:
            raise Mistakes(mistakes_found)
    except Mistakes as mistakes:
        raise refused(path.name, mistakes.found) from None
    return document


def _missing_files(document: ContractDocument) -> Iterator[Mistake]:
    for example in document.examples:
        for file in files(example.row):
            if not document.beside(file).is_file():
                yield Mistake(file.place, f"there is no file {shown(file.text)} in {document.path.parent}")
    accuracy = document.top.values.get("accuracy")
    if accuracy is not None:
        samples: FileName = accuracy.values["samples"]
        samples_path = document.beside(samples)
        if not (samples_path.is_dir() or (samples_path.is_file() and samples_path.suffix.lower() == ".npz")):
            yield Mistake(samples.place, f"there is no folder and no .npz file {shown(samples.text)}")


def _contradictions(document: ContractDocument) -> Iterator[Mistake]:
    top = document.top
    if not document.promises:
        yield Mistake(top.place, f"the file contains no promise; accepted promises are {', '.join(PROMISES)}")
    named = {frozenset(one.row) if isinstance(one.row, Mapping) else frozenset() for one in document.examples}
    if len(named) > 1:
        yield Mistake(top.places["examples"], "`examples`: all examples must have the same inputs")
    if _promised(top, "batch_consistency") and len(document.examples) == 1:
        yield Mistake(top.places["batch_consistency"], "`batch_consistency` needs at least two examples, or none")
    if _promised(top, "invariance") and not document.examples:
        yield Mistake(top.places["invariance"], "`invariance` needs `examples`")


def _promised(top: Section, name: str) -> Any:
    return top.values.get(name) is not None

"""Converts the promises of a contract file to tests that call the checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_wml.contract.files.document import ContractDocument, Example
from pytest_wml.contract.files.kinds import FileName
from pytest_wml.contract.files.records import Section
from pytest_wml.contract.files.rows import Row

if TYPE_CHECKING:
    from pytest_wml.contract import Contract


class Promise(NamedTuple):
    """The test of one promise of a contract file.

    Args:
        name: name of the test.
        line: line in the file, counted from 1.
        check: calls the check with a contract; raises the errors of the check.
    """

    name: str
    line: int
    check: Callable[[Contract], None]


def promises(document: ContractDocument) -> list[Promise]:
    """The tests of a contract file, in the order of the file."""
    return [
        Promise("classes" if key == "examples" else key, document.top.places[key].line, _check_function(document, key))
        for key in document.promises
    ]


def _check_function(document: ContractDocument, key: str) -> Callable[[Contract], None]:
    def check(contract: Contract) -> None:
        __tracebackhide__ = True
        scoring = document.top.some("threshold", "batch_size")
        section = document.top.values[key]
        _CHECKS[key](contract.scoring(**scoring), document, section)

    return check


def _signature(contract: Contract, document: ContractDocument, section: Section) -> object:
    __tracebackhide__ = True
    rows = _rows(document, document.examples) if document.examples else None
    return contract.signature(**section.values, images=rows)


def _classes(contract: Contract, document: ContractDocument, _: Any) -> object:
    __tracebackhide__ = True
    labelled = [(example, example.label) for example in document.examples if example.label is not None]
    return contract.classes(_rows(document, [example for example, _ in labelled]), [label for _, label in labelled])


def _rows_check(name: str) -> Callable[[Contract, ContractDocument, Section], object]:
    """A check of rows whose arguments have the same names as the keys of the file."""

    def check(contract: Contract, document: ContractDocument, section: Section) -> object:
        __tracebackhide__ = True
        return getattr(contract, name)(_rows_to_send(contract, document), **section.values)

    return check


def _repeatability(contract: Contract, document: ContractDocument, section: Section) -> object:
    __tracebackhide__ = True
    times = {"n": section.values["times"]} if "times" in section.values else {}
    return contract.repeatability(_rows_to_send(contract, document), **times, **section.some("rtol", "atol"))


def _invariance(contract: Contract, document: ContractDocument, section: Section) -> object:
    __tracebackhide__ = True
    from pytest_wml.contract import image_transforms

    built_in = image_transforms(shape=section.values.get("image"))
    # With neither key, the check itself decides whether the rows are images.
    names = section.values.get("transforms", built_in if "image" in section.values else None)
    chosen = None if names is None else {name: built_in[name] for name in names}
    return contract.invariance(_rows(document, document.examples), chosen, **section.some("at_least"))


def _errors(contract: Contract, _: ContractDocument, section: Section) -> object:
    __tracebackhide__ = True
    return contract.errors(dict.fromkeys(section.values.get("leave_out", ())))


def _accuracy(contract: Contract, document: ContractDocument, section: Section) -> object:
    __tracebackhide__ = True
    from pytest_wml.contract.files.labelled_samples import read_samples

    samples = read_samples(document.beside(section.values["samples"]))
    return contract.accuracy(samples.rows, samples.labels, floor=section.values["floor"])


def _latency(contract: Contract, document: ContractDocument, section: Section) -> object:
    __tracebackhide__ = True
    budget = section.some("p50", "p95", "p99")
    others = section.some("requests", "concurrency", "max_growth")
    return contract.latency(_rows_to_send(contract, document), budget=budget or None, **others)


_CHECKS: dict[str, Callable[[Contract, ContractDocument, Any], object]] = {
    "signature": _signature,
    "examples": _classes,
    **{name: _rows_check(name) for name in ("probabilities", "batch_consistency", "parity", "rest")},
    "repeatability": _repeatability,
    "invariance": _invariance,
    "errors": _errors,
    "accuracy": _accuracy,
    "latency": _latency,
}


def _rows_to_send(contract: Contract, document: ContractDocument) -> Any:
    """The examples; rows of zeros if the file has none.

    Raises:
        BadContract: there are no examples, and the model's inputs are unknown or too large to generate rows.
    """
    if document.examples:
        return _rows(document, document.examples)
    from pytest_wml.contract.errors import BadContract
    from pytest_wml.contract.signature import zeros

    signature = contract.deployment.archive.signature
    rows = zeros(signature.inputs) if signature else None
    if rows is None:
        raise BadContract(
            "There is nothing to send: the file has no examples, and no rows can be generated for this model.",
            fix="give `examples`",
        )
    return rows


def _rows(document: ContractDocument, examples: tuple[Example, ...] | list[Example]) -> Any:
    """The rows of examples: an array [N, …], or one for each input.

    Raises:
        BadContract: a file cannot be read, or the rows have different shapes.
    """
    first = examples[0].row
    if isinstance(first, Mapping):
        return {name: _stacked(document, [(one, one.row[name]) for one in examples]) for name in first}
    return _stacked(document, [(one, one.row) for one in examples])


def _stacked(document: ContractDocument, values: list[tuple[Example, Row]]) -> Any:
    import numpy as np

    from pytest_wml.contract.errors import BadContract

    arrays = [_array(document.path.parent, value) for _, value in values]
    for (example, _), array in zip(values, arrays, strict=True):
        if array.shape != arrays[0].shape:
            raise BadContract(
                "The examples have different shapes.",
                first=list(arrays[0].shape),
                other=f"{list(array.shape)}, {document.path.name} {example.place}",
            )
    return np.stack(arrays)


def _array(folder: Path, value: Row) -> Any:
    import numpy as np

    from pytest_wml.contract.image_files import read_image

    return read_image(folder / value.text) if isinstance(value, FileName) else np.asarray(value)

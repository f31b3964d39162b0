"""A contract file's promises as tests: each asks the checks of the contract toolkit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_wml.contract.files.kinds import FileName
from pytest_wml.contract.files.records import Section
from pytest_wml.contract.files.rows import Row
from pytest_wml.contract.files.written import Example, Written

if TYPE_CHECKING:
    from pytest_wml.contract import Contract


class Promise(NamedTuple):
    """One promise of a file.

    Args:
        name: of its test.
        line: in the file, counted from 1.
        check: asks the deployment; raises what a check raises.
    """

    name: str
    line: int
    check: Callable[[Contract], None]


def promises(written: Written) -> list[Promise]:
    """The promises of a file, in its order."""
    return [
        Promise("classes" if key == "examples" else key, written.top.places[key].line, _bound(written, key))
        for key in written.promises
    ]


def _bound(written: Written, key: str) -> Callable[[Contract], None]:
    def check(contract: Contract) -> None:
        __tracebackhide__ = True
        scoring = written.top.some("threshold", "batch_size")
        section = written.top.values[key]
        _CHECKS[key](contract.scoring(**scoring), written, section)

    return check


def _signature(contract: Contract, written: Written, said: Section) -> object:
    __tracebackhide__ = True
    rows = _rows(written, written.examples) if written.examples else None
    return contract.signature(**said.values, images=rows)


def _classes(contract: Contract, written: Written, _: Any) -> object:
    __tracebackhide__ = True
    labelled = [(example, example.label) for example in written.examples if example.label is not None]
    return contract.classes(_rows(written, [example for example, _ in labelled]), [label for _, label in labelled])


def _simple(name: str) -> Callable[[Contract, Written, Section], object]:
    """A check of rows whose arguments have the names that the file uses."""

    def check(contract: Contract, written: Written, said: Section) -> object:
        __tracebackhide__ = True
        return getattr(contract, name)(_asked(contract, written), **said.values)

    return check


def _repeatability(contract: Contract, written: Written, said: Section) -> object:
    __tracebackhide__ = True
    times = {"n": said.values["times"]} if "times" in said.values else {}
    return contract.repeatability(_asked(contract, written), **times, **said.some("rtol", "atol"))


def _invariance(contract: Contract, written: Written, said: Section) -> object:
    __tracebackhide__ = True
    from pytest_wml.contract import image_transforms

    ready = image_transforms(shape=said.values.get("image"))
    # With neither key, the check itself asks whether the rows are images.
    names = said.values.get("transforms", ready if "image" in said.values else None)
    chosen = None if names is None else {name: ready[name] for name in names}
    return contract.invariance(_rows(written, written.examples), chosen, **said.some("at_least"))


def _errors(contract: Contract, _: Written, said: Section) -> object:
    __tracebackhide__ = True
    return contract.errors(dict.fromkeys(said.values.get("leave_out", ())))


def _accuracy(contract: Contract, written: Written, said: Section) -> object:
    __tracebackhide__ = True
    from pytest_wml.contract.files.samples import read_samples

    samples = read_samples(written.beside(said.values["samples"]))
    return contract.accuracy(samples.rows, samples.labels, floor=said.values["floor"])


def _latency(contract: Contract, written: Written, said: Section) -> object:
    __tracebackhide__ = True
    budget = said.some("p50", "p95", "p99")
    others = said.some("requests", "concurrency", "max_growth")
    return contract.latency(_asked(contract, written), budget=budget or None, **others)


_CHECKS: dict[str, Callable[[Contract, Written, Any], object]] = {
    "signature": _signature,
    "examples": _classes,
    **{name: _simple(name) for name in ("probabilities", "batch_consistency", "parity", "rest")},
    "repeatability": _repeatability,
    "invariance": _invariance,
    "errors": _errors,
    "accuracy": _accuracy,
    "latency": _latency,
}


def _asked(contract: Contract, written: Written) -> Any:
    """The examples; rows of zeros where the file has none.

    Raises:
        BadContract: there are no examples, and the model's inputs are not known or too large to make any.
    """
    if written.examples:
        return _rows(written, written.examples)
    from pytest_wml.contract.errors import BadContract
    from pytest_wml.contract.signature import zeros

    signature = contract.deployment.archive.signature
    rows = zeros(signature.inputs) if signature else None
    if rows is None:
        raise BadContract("There is nothing to send, and no rows can be made up for this model.", fix="give `examples`")
    return rows


def _rows(written: Written, examples: tuple[Example, ...] | list[Example]) -> Any:
    """The rows of examples: an array [N, …], or one for each input.

    Raises:
        BadContract: a file cannot be read, or the rows have different shapes.
    """
    first = examples[0].row
    if isinstance(first, Mapping):
        return {name: _stacked(written, [(one, one.row[name]) for one in examples]) for name in first}
    return _stacked(written, [(one, one.row) for one in examples])


def _stacked(written: Written, values: list[tuple[Example, Row]]) -> Any:
    import numpy as np

    from pytest_wml.contract.errors import BadContract

    arrays = [_array(written.path.parent, value) for _, value in values]
    for (example, _), array in zip(values, arrays, strict=True):
        if array.shape != arrays[0].shape:
            raise BadContract(
                "The examples have different shapes.",
                first=list(arrays[0].shape),
                other=f"{list(array.shape)}, {written.path.name} {example.place}",
            )
    return np.stack(arrays)


def _array(folder: Path, value: Row) -> Any:
    import numpy as np

    from pytest_wml.contract.reading import read_image

    return read_image(folder / value.text) if isinstance(value, FileName) else np.asarray(value)

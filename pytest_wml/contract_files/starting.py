"""A first contract file, from a SavedModel's signature and a few labelled samples."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pytest_wml.contract_files import quoting
from pytest_wml.contract_files.rows import DTYPES
from pytest_wml.contract_files.schema import NAME as SCHEMA
from pytest_wml.model.signature import Signature, TensorSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_wml.contract_files.samples import Samples

_INLINE = 32
"""Numbers of a row that stand in the file itself; larger rows become .npy files beside it."""
_EXAMPLES = 10
_PROBABILITIES = ("probabilities", "probability")


@dataclass(frozen=True)
class First:
    """A first contract.

    Args:
        text: of the file.
        arrays: the rows that do not stand in it, by their path relative to the file.
    """

    text: str
    arrays: Mapping[str, NDArray[Any]]


def first(signature: Signature, model: Path, target: Path, samples: Samples | None, given: Path | None) -> First:
    """Write the text of a first contract.

    Args:
        signature: that a deployment of the model answers with.
        model: its path.
        target: where the contract will be.
        samples: labelled rows, if there are any.
        given: where they lie, if they are the user's own.
    """
    arrays: dict[str, NDArray[Any]] = {}
    examples = list(_examples(samples, target, arrays)) if samples else []
    lines = [
        f"# yaml-language-server: $schema={SCHEMA}",
        "# What this model promises; `pytest --wml=embedded` checks it here, `--wml-live` on IBM's service.",
        f"model: {quoting.text(_relative(model, target))}",
        "# type: tensorflow_2.14",
        "# spec: runtime-24.1-py3.11",
        "",
        *_signature(signature),
        *(_with(examples) if examples else _without(signature)),
        *_promises(signature),
        *_accuracy(given, target),
    ]
    return First("\n".join(lines) + "\n", arrays)


def reads_digits(signature: Signature) -> bool:
    """Whether a model takes images of MNIST's size and gives ten probabilities."""
    if len(signature.inputs) != 1 or "float" not in signature.inputs[0].dtype:
        return False
    images = (signature.inputs[0].shape or ())[1:]
    ten = any("float" in spec.dtype and (spec.shape or ())[1:] == (10,) for spec in signature.outputs)
    return ten and images in ((784,), (28, 28), (28, 28, 1))


def _relative(path: Path, target: Path) -> str:
    try:
        return PurePosixPath(Path(os.path.relpath(path, target.parent))).as_posix()
    except ValueError:  # another drive
        return path.absolute().as_posix()


def _signature(signature: Signature) -> Iterator[str]:
    sides = {"inputs": signature.inputs, "outputs": signature.outputs}
    if any(spec.shape is None or spec.dtype not in DTYPES for side in sides.values() for spec in side):
        yield "# Inputs and outputs of unknown shape or type cannot be promised; the answer is held to the archive's."
        yield "signature: yes"
        return
    yield "signature:"
    for side, specs in sides.items():
        yield f"  {side}:"
        yield from quoting.block([quoting.tensor(spec) for spec in specs], 4)


def _examples(samples: Samples, target: Path, arrays: dict[str, NDArray[Any]]) -> Iterator[str]:
    """Yield the lines of a few examples, as many of each class as there is room for; note what needs a file."""
    for number in _chosen([str(label) for label in samples.labels.tolist()]):
        label = str(samples.labels[number])
        row = samples.row(number)
        if samples.files:
            yield f"  - input: {quoting.text(_relative(samples.files[number], target))}"
        elif isinstance(row, Mapping):
            yield "  - input:"
            for name, array in row.items():
                yield f"      {quoting.text(name)}: {_placed(array, f'{number}.{len(arrays)}', target, arrays)}"
        else:
            yield f"  - input: {_placed(row, str(number), target, arrays)}"
        yield f"    class: {quoting.label(label)}"


def _chosen(labels: Sequence[str]) -> list[int]:
    """The numbers of a few rows: the first of each class, then the second ones."""
    seen: dict[str, int] = {}
    turns = []
    for number, label in enumerate(labels):
        seen[label] = seen.get(label, -1) + 1
        turns.append((seen[label], number))
    return sorted(number for _, number in sorted(turns)[:_EXAMPLES])


def _placed(array: NDArray[Any], name: str, target: Path, arrays: dict[str, NDArray[Any]]) -> str:
    if array.size <= _INLINE:
        return quoting.values(array.tolist())
    path = f"{target.name.removesuffix('.wml.yaml')}.samples/{name}.npy"
    arrays[path] = array
    return quoting.text(path)


def _with(examples: Sequence[str]) -> list[str]:
    return [
        "",
        "# Each example must get its class; `input` is a .png or .npy file, or the values themselves.",
        "examples:",
        *examples,
    ]


def _without(signature: Signature) -> list[str]:
    if len(signature.inputs) > 1:
        inputs = ["#   - input:", *(f"#       {quoting.text(spec.name)}: …" for spec in signature.inputs)]
    else:
        inputs = ["#   - input: five.png"]
    return [
        "",
        "# Without examples, rows of zeros are sent. Give a few, with the class that each must get:",
        "# examples:",
        *inputs,
        "#     class: 5",
    ]


def _promises(signature: Signature) -> Iterator[str]:
    yield ""
    if any(_is_distribution(spec) for spec in signature.outputs):
        yield "probabilities: yes"
    if all(_takes_any_batch(spec) for spec in (*signature.inputs, *signature.outputs)):
        yield "batch_consistency: yes"
    yield "repeatability: yes"
    yield "errors: yes"
    yield "# Your own budget; a replay measures, and never fails for it."
    yield "latency: {p95: 5 s, requests: 5, concurrency: 1}"


def _is_distribution(spec: TensorSpec) -> bool:
    shape = spec.shape or ()
    return spec.name in _PROBABILITIES and "float" in spec.dtype and len(shape) == 2 and shape[1] != 1


def _takes_any_batch(spec: TensorSpec) -> bool:
    return spec.shape is not None and spec.shape[:1] == (None,)


def _accuracy(given: Path | None, target: Path) -> list[str]:
    where = quoting.text(_relative(given, target)) if given else "samples"
    return [
        "# How often it must be right on a labelled set, a folder of class/image.png or an .npz:",
        f"# accuracy: {{samples: {where}, floor: 0.95}}",
    ]

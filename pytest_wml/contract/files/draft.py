"""Drafts a contract file from a model's signature, if it is readable, and from labelled samples."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pytest_wml.contract.files import quoting
from pytest_wml.contract.files.rows import DTYPES
from pytest_wml.contract.files.schema import FILE_NAME
from pytest_wml.contract.images import is_image
from pytest_wml.model.kinds import StoredAs
from pytest_wml.model.signature import Signature, TensorSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_wml.contract.files.labelled_samples import LabelledSamples

_INLINE = 32
"""Largest number of values that a row may have in the contract file itself; larger rows become .npy files."""
_EXAMPLES = 10
_PROBABILITIES = ("probabilities", "probability")
_LATENCY = (
    "# Set your own budget; a replay measures the times but does not assert them.",
    "latency: {p95: 5 s, requests: 5, concurrency: 1}",
)


@dataclass(frozen=True)
class ContractDraft:
    """A drafted contract file.

    Args:
        text: text of the file.
        arrays: rows in files of their own, by path relative to the contract file.
    """

    text: str
    arrays: Mapping[str, NDArray[Any]]


def draft_contract(
    signature: Signature | None,
    model: Path,
    stored: StoredAs,
    target: Path,
    samples: LabelledSamples | None,
    samples_path: Path | None,
) -> ContractDraft:
    """Draft a contract file.

    Args:
        signature: signature of the deployed model; None if it cannot be read.
        model: path of the model.
        stored: inferred type and software specification.
        target: path of the contract file.
        samples: labelled rows, if there are any.
        samples_path: path of the samples, if they are the user's own.
    """
    arrays: dict[str, NDArray[Any]] = {}
    examples = list(_examples(samples, target, arrays)) if samples else []
    lines = [
        f"# yaml-language-server: $schema={FILE_NAME}",
        "# The contract of this model. `pytest --wml=embedded` checks it locally, `--wml-live` on IBM's service.",
        f"model: {quoting.text(_relative(model, target))}",
        f"# type: {stored.model_type}",
        f"# spec: {stored.software_spec}",
        *(["", *_signature(signature)] if signature else [] if examples else [""]),
        *(_examples_section(examples) if examples else _placeholder_section(signature)),
        *(_promises(signature) if signature else _promises_of_rows(bool(examples))),
        *_accuracy(signature, samples_path, target),
    ]
    return ContractDraft("\n".join(lines) + "\n", arrays)


def is_digit_model(signature: Signature) -> bool:
    """Whether a model takes images of MNIST's size and returns ten probabilities."""
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
        yield "# A shape or type is unknown, so only the answer and the archive's signature are compared."
        yield "signature: yes"
        return
    yield "signature:"
    for side, specs in sides.items():
        yield f"  {side}:"
        yield from quoting.block([quoting.tensor(spec) for spec in specs], 4)


def _examples(samples: LabelledSamples, target: Path, arrays: dict[str, NDArray[Any]]) -> Iterator[str]:
    """Yield the lines of the examples, and put rows that need a file into `arrays`."""
    for number in _chosen([str(label) for label in samples.labels.tolist()]):
        label = str(samples.labels[number])
        row = samples.row(number)
        if samples.files:
            yield f"  - input: {quoting.text(_relative(samples.files[number], target))}"
        elif isinstance(row, Mapping):
            yield "  - input:"
            for name, array in row.items():
                yield f"      {quoting.text(name)}: {_row_text(array, f'{number}.{len(arrays)}', target, arrays)}"
        else:
            yield f"  - input: {_row_text(row, str(number), target, arrays)}"
        yield f"    class: {quoting.label(label)}"


def _chosen(labels: Sequence[str]) -> list[int]:
    """The numbers of the chosen rows: the first row of each class, then the second rows."""
    counts: dict[str, int] = {}
    ranks = []
    for number, label in enumerate(labels):
        counts[label] = counts.get(label, -1) + 1
        ranks.append((counts[label], number))
    return sorted(number for _, number in sorted(ranks)[:_EXAMPLES])


def _row_text(array: NDArray[Any], name: str, target: Path, arrays: dict[str, NDArray[Any]]) -> str:
    if array.size <= _INLINE:
        return quoting.values(array.tolist())
    path = f"{target.name.removesuffix('.wml.yaml')}.samples/{name}.npy"
    arrays[path] = array
    return quoting.text(path)


def _examples_section(examples: Sequence[str]) -> list[str]:
    return [
        "",
        "# Each example must get its class; `input` is a .png or .npy file, or values.",
        "examples:",
        *examples,
    ]


def _placeholder_section(signature: Signature | None) -> list[str]:
    if signature is None:
        return [
            "# The model's inputs cannot be read from its file. Give a few rows with their expected classes:",
            "# examples:",
            "#   - input: [5.1, 3.5, 1.4, 0.2]",
            "#     class: 0",
        ]
    if len(signature.inputs) > 1:
        inputs = ["#   - input:"]
        inputs += [f"#       {quoting.text(spec.name)}: {placeholder(spec)}" for spec in signature.inputs]
    else:
        inputs = [f"#   - input: {placeholder(spec)}" for spec in signature.inputs]
    classes = _classes(signature)
    return [
        "",
        "# Without examples, rows of zeros are sent. Give a few"
        + (" rows with their expected classes:" if classes else " rows:"),
        "# examples:",
        *inputs,
        *([f"#     class: {classes}"] if classes else []),
    ]


def placeholder(spec: TensorSpec) -> str:
    """A placeholder for one row of an input: values, or a file if there are many."""
    row = (spec.shape or ())[1:]
    if not spec.shape or None in row:
        return "row.npy"
    lengths = [length or 0 for length in row]
    if is_image(lengths):
        coloured = len(lengths) == 3 and 1 not in (lengths[0], lengths[-1])
        return "image.npy" if coloured else "image.png"
    if math.prod(lengths) > _INLINE:
        return "row.npy"
    return quoting.values(_filled(lengths, filler_value(spec.dtype)))


def filler_value(dtype: str) -> float | int | bool | str:
    """A placeholder value of a type."""
    if "float" in dtype:
        return 0.0
    if dtype == "string":
        return "a text"
    return False if dtype == "bool" else 0


def _filled(lengths: Sequence[int], value: object) -> Any:
    return [_filled(lengths[1:], value) for _ in range(lengths[0])] if lengths else value


def _classes(signature: Signature) -> str:
    """A placeholder class for an example; empty if the model does not answer with classes."""
    if any(spec.dtype == "string" for spec in signature.outputs):
        return "a class"
    whole = any(spec.dtype.startswith(("int", "uint")) for spec in signature.outputs)
    return "0" if whole or any(map(_is_distribution, signature.outputs)) else ""


def _promises(signature: Signature) -> Iterator[str]:
    yield ""
    if any(_is_distribution(spec) for spec in signature.outputs):
        yield "probabilities: yes"
    if all(_takes_any_batch(spec) for spec in (*signature.inputs, *signature.outputs)):
        yield "batch_consistency: yes"
    yield "repeatability: yes"
    yield "errors: yes"
    yield from _LATENCY


def _promises_of_rows(examples: bool) -> Iterator[str]:
    """The promises of a model whose signature is unknown: all promises except `errors` need rows to send."""
    yield ""
    yield "errors: yes"
    if not examples:
        yield "# With examples, more promises are possible:"
    for line in ("repeatability: yes", *_LATENCY):
        yield line if examples or line.startswith("#") else f"# {line}"


def _is_distribution(spec: TensorSpec) -> bool:
    shape = spec.shape or ()
    return spec.name in _PROBABILITIES and "float" in spec.dtype and len(shape) == 2 and shape[1] != 1


def _takes_any_batch(spec: TensorSpec) -> bool:
    return spec.shape is not None and spec.shape[:1] == (None,)


def _accuracy(signature: Signature | None, samples_path: Path | None, target: Path) -> list[str]:
    if signature and not _classes(signature):
        return []
    files = (
        signature is not None
        and len(signature.inputs) == 1
        and placeholder(signature.inputs[0]).endswith((".png", ".npy"))
    )
    forms = "a folder of class/image.png or an .npz" if files else "an .npz with labels and the inputs by name"
    where = quoting.text(_relative(samples_path, target)) if samples_path else "samples" if files else "samples.npz"
    return [
        f"# Required accuracy on a labelled set, {forms}:",
        f"# accuracy: {{samples: {where}, floor: 0.95}}",
    ]

"""Checks names, types and shapes of a model's inputs and outputs, in its archive and in an answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_wml.contract.answers import DEFAULT_SCORING, Scoring
from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.rows import Rows, RowsLike, rows_of
from pytest_wml.model.signature import TensorSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_wml.client.deployment import Deployment

PromisedTensors = (
    Sequence[TensorSpec | tuple[str, Any, Sequence[int | None]]] | Mapping[str, tuple[Any, Sequence[int | None]]]
)
"""Tensors in order: `{"image": ("float32", [None, 784])}`, or `[("image", "float32", [None, 784])]`."""

_NUMPY_KINDS = {"float": "fiu", "bfloat": "fiu", "int": "iu", "uint": "iu", "bool": "b", "string": "US"}
_LARGEST = 1_000_000
"""Largest number of values that a generated example may have."""


def check_signature(
    deployment: Deployment,
    *,
    inputs: PromisedTensors | None = None,
    outputs: PromisedTensors | None = None,
    images: RowsLike | None = None,
    how: Scoring = DEFAULT_SCORING,
) -> Result:
    """Names, shapes and types match the promise in the archive's signature and in an answer.

    Only the outputs of an answer have an order: a SavedModel keeps inputs and outputs in an unordered map.

    Args:
        deployment: the deployment to check.
        inputs: promised inputs; those of the archive's signature by default.
        outputs: promised outputs, in their order; those of the archive's signature by default.
        images: rows to score; zeros in the shape of the inputs by default.
        how: scoring settings; `batch_size` limits the number of rows.

    Raises:
        BadContract: a promise cannot be read, or neither a promise nor the archive's signature is known.
    """
    signature = deployment.archive.signature
    promised_in, promised_out = _specs("inputs", inputs), _specs("outputs", outputs)
    findings: list[Finding] = []
    notes: list[str] = []
    if signature is None:
        notes.append("the archive's signature is unknown: only an answer was checked")
    else:
        findings += [] if promised_in is None else _archive_differences("input", promised_in, signature.inputs)
        findings += [] if promised_out is None else _archive_differences("output", promised_out, signature.outputs)
    wanted = promised_out if promised_out is not None else signature.outputs if signature else None
    if wanted is None:
        raise BadContract(
            "The outputs are unknown: none were given, and the archive's signature is unknown.", fix="give outputs={…}"
        )
    rows = _example_rows(deployment, images, signature.inputs if signature else promised_in or ())
    answered: dict[str, NDArray[Any]] = {}
    if rows is None:
        notes.append("no answer was checked: give images=…")
    else:
        rows = rows.take(slice(0, how.batch_size))
        answered = dict(deployment.predict(rows.model_input).outputs)
        findings += _answer_differences(wanted, answered, len(rows), ordered=promised_out is not None)
    return Result(
        "signature",
        deployment.name,
        deployment.mode,
        promised=f"({_format(promised_in or (signature.inputs if signature else ()))}) → ({_format(wanted)})",
        measured={
            "archive": str(signature) if signature else "unknown",
            "answer": ", ".join(f"{name} {list(array.shape)}" for name, array in answered.items()),
        },
        findings=tuple(findings),
        notes=tuple(notes),
    )


def _format(specs: Sequence[TensorSpec]) -> str:
    return ", ".join(map(str, specs))


def _specs(side: str, promised: PromisedTensors | None) -> tuple[TensorSpec, ...] | None:
    if promised is None:
        return None
    try:
        if isinstance(promised, Mapping):
            promised = [(name, *rest) for name, rest in promised.items()]
        return tuple(tensor if isinstance(tensor, TensorSpec) else _spec(*tensor) for tensor in promised)
    except (TypeError, ValueError) as error:
        raise BadContract(
            f"The promised {side} cannot be read.",
            given=repr(promised)[:200],
            reason=error,
            fix=f"give {side}={{'name': ('float32', [None, 784])}}, None for a dimension of any length",
        ) from None


def _spec(name: str, dtype: Any, shape: Sequence[int | None]) -> TensorSpec:
    if not isinstance(name, str) or isinstance(shape, str):
        raise TypeError(f"{name!r}: {shape!r}")
    plain = "string" if dtype in ("string", str) else dtype if dtype == "bfloat16" else np.dtype(dtype).name
    return TensorSpec(name, plain, tuple(None if length in (None, -1) else int(length or 0) for length in shape))


def _archive_differences(
    side: str, promised: Sequence[TensorSpec], signature: Sequence[TensorSpec]
) -> Iterator[Finding]:
    there = {spec.name: spec for spec in signature}
    for spec in promised:
        found = there.pop(spec.name, None)
        if found is None:
            yield Finding(f"{side} {spec.name!r} is promised, but the model does not have it")
            continue
        if found.dtype != spec.dtype:
            yield Finding(f"{side} {spec.name!r} is {found.dtype} instead of {spec.dtype}")
        if found.shape != spec.shape:
            yield Finding(f"{side} {spec.name!r} has shape {_shape(found)} instead of {_shape(spec)}")
    for name, spec in there.items():
        yield Finding(f"{side} {name!r} is not promised, but the model has it: {spec}")


def _shape(spec: TensorSpec) -> str:
    return "of unknown rank" if spec.shape is None else str(list(spec.shape))


def _answer_differences(
    wanted: Sequence[TensorSpec], answered: Mapping[str, NDArray[Any]], rows: int, *, ordered: bool
) -> Iterator[Finding]:
    names = [spec.name for spec in wanted]
    for spec in wanted:
        if spec.name not in answered:
            yield Finding(f"output {spec.name!r} is missing from the answer, which has {', '.join(answered)}")
            continue
        array = answered[spec.name]
        kinds = next((kinds for start, kinds in _NUMPY_KINDS.items() if spec.dtype.startswith(start)), array.dtype.kind)
        if array.dtype.kind not in kinds:
            yield Finding(f"output {spec.name!r} is answered as {array.dtype.name} instead of {spec.dtype}")
        if spec.shape is not None and not _fits(array.shape, (rows, *spec.shape[1:]) if spec.shape else ()):
            yield Finding(f"output {spec.name!r} is answered as {list(array.shape)} for {rows} rows of {_shape(spec)}")
    for name in answered:
        if name not in names:
            yield Finding(f"output {name!r} is answered but not promised")
    if ordered and set(names) == set(answered) and names != list(answered):
        yield Finding(f"outputs are answered in the order {', '.join(answered)} instead of {', '.join(names)}")


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(length in (None, came) for length, came in zip(wanted, shape, strict=True))


def _example_rows(deployment: Deployment, images: RowsLike | None, inputs: Sequence[TensorSpec]) -> Rows | None:
    return zeros(inputs) if images is None else rows_of(deployment, images)


def zeros(inputs: Sequence[TensorSpec]) -> Rows | None:
    """Two rows of zeros, or as many as the model requires; None if no such rows can be sent."""
    if not inputs or not all(map(_is_small, inputs)):
        return None
    arrays = {spec.name: _zeros(spec) for spec in inputs}
    return Rows(arrays if len(arrays) > 1 else {"": next(iter(arrays.values()))})


def _is_small(spec: TensorSpec) -> bool:
    """Whether zeros of this shape and type can be sent: not too many, and of a type that JSON can represent."""
    size = math.prod(length or 1 for length in spec.shape or ())
    return bool(spec.shape) and size <= _LARGEST and any(spec.dtype.startswith(kind) for kind in _NUMPY_KINDS)


def _zeros(spec: TensorSpec) -> NDArray[Any]:
    first, *rest = spec.shape or ()
    shape = [2 if first is None else first, *(1 if length is None else length for length in rest)]
    dtype: Any = {"string": np.str_, "bfloat16": np.float32}.get(spec.dtype) or np.dtype(spec.dtype)
    return np.zeros(shape, dtype)

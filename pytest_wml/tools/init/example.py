"""Generates a first test in Python with example rows for a model."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pytest_wml.contract.files.draft import filler_value
from pytest_wml.contract.images import is_image
from pytest_wml.model.signature import Signature, TensorSpec

_SPELLED = 8
"""Largest number of values in a row that is written out for editing."""


def first_test(signature: Signature | None, contract: str) -> str:
    """The source of a module with one test, which sends a row of zeros or texts.

    Args:
        signature: signature of the deployed model; None if it cannot be read.
        contract: name of the contract file in the same folder.
    """
    rows = [_row(spec) for spec in signature.inputs] if signature else []
    lines = [f'"""Tests that are easier in Python than in {contract}."""', "", "from __future__ import annotations", ""]
    if signature is None or not rows or None in rows:
        return "\n".join([*lines, *_unknown(signature)]) + "\n"
    names = ", ".join(f'"{_escaped(name)}"' for name in sorted(spec.name for spec in signature.outputs))
    lines += [
        "import numpy as np",
        "",
        *_rows(signature, [row or "" for row in rows]),
        "",
        "",
        "def test_a_row_is_answered(wml_deployment):",
        '    """Replace the rows above, and the expected answer below."""',
        "    answer = wml_deployment.predict(ROWS)",
        f"    assert sorted(answer.outputs) == [{names}]",
    ]
    return "\n".join(lines) + "\n"


def _rows(signature: Signature, rows: list[str]) -> Iterator[str]:
    if len(rows) == 1:
        yield f"# {_description(signature.inputs[0])}"
        yield f"ROWS = {rows[0]}"
        return
    yield "ROWS = {"
    for spec, row in zip(signature.inputs, rows, strict=True):
        yield f"    # {_description(spec)}"
        yield f'    "{_escaped(spec.name)}": {row},'
    yield "}"


def _description(spec: TensorSpec) -> str:
    kind = "an image" if is_image([length or 0 for length in (spec.shape or ())[1:]]) else "one row"
    return _escaped(f"{kind} of {spec}")


def _escaped(name: str) -> str:
    """A name escaped for a comment or a string: TensorFlow accepts any characters in it."""
    return name.encode("unicode_escape").decode("ascii").replace('"', '\\"')


def _row(spec: TensorSpec) -> str | None:
    """A batch of one row as Python source; None if the length of a row is unknown."""
    if not spec.shape or None in spec.shape[1:]:
        return None
    shape = [1 if spec.shape[0] is None else spec.shape[0], *(length or 0 for length in spec.shape[1:])]
    value = str(filler_value(spec.dtype)) if spec.dtype != "string" else f'"{filler_value(spec.dtype)}"'
    dtype = "" if spec.dtype == "string" else f", dtype=np.{_numpy(spec.dtype)}"
    if math.prod(shape) <= _SPELLED:
        return f"np.array({_nested(shape, value)}{dtype})"
    if spec.dtype == "string":
        return f"np.full({tuple(shape)}, {value})"
    return f"np.zeros({tuple(shape)}{dtype})"


def _numpy(dtype: str) -> str:
    return {"bool": "bool_", "bfloat16": "float32"}.get(dtype, dtype)


def _nested(shape: list[int], value: str) -> str:
    if not shape:
        return value
    return f"[{', '.join([_nested(shape[1:], value)] * shape[0])}]"


def _unknown(signature: Signature | None) -> Iterator[str]:
    if signature is None:
        yield "# The model's inputs cannot be read from its file. With your own rows:"
    else:
        taken = ", ".join(map(str, signature.inputs))
        yield f"# The model takes {_escaped(taken)}; the length of a row is unknown. With your own rows:"
    yield "#"
    yield "# def test_a_row_is_answered(wml_deployment):"
    yield "#     assert wml_deployment.predict(ROWS).classes.tolist() == [0]"

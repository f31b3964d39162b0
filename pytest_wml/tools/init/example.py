"""A first test in Python, for rows as the model takes them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pytest_wml.contract.files.draft import filler_value
from pytest_wml.contract.images import is_image
from pytest_wml.model.signature import Signature, TensorSpec

_SPELLED = 8
"""Numbers of a row that are spelled out, to be edited."""


def first_test(signature: Signature | None, contract: str) -> str:
    """The text of a module with one test, which sends a row of zeros, or of texts.

    Args:
        signature: that a deployment of the model answers with; None where its file does not say.
        contract: the name of the contract file beside it.
    """
    rows = [_row(spec) for spec in signature.inputs] if signature else []
    lines = [f'"""What is easier said in Python than in {contract}."""', "", "from __future__ import annotations", ""]
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
        '    """Put rows of yours above, and what they must get below."""',
        "    answer = wml_deployment.predict(ROWS)",
        f"    assert sorted(answer.outputs) == [{names}]",
    ]
    return "\n".join(lines) + "\n"


def _rows(signature: Signature, rows: list[str]) -> Iterator[str]:
    if len(rows) == 1:
        yield f"# {_told(signature.inputs[0])}"
        yield f"ROWS = {rows[0]}"
        return
    yield "ROWS = {"
    for spec, row in zip(signature.inputs, rows, strict=True):
        yield f"    # {_told(spec)}"
        yield f'    "{_escaped(spec.name)}": {row},'
    yield "}"


def _told(spec: TensorSpec) -> str:
    kind = "an image" if is_image([length or 0 for length in (spec.shape or ())[1:]]) else "one row"
    return _escaped(f"{kind} of {spec}")


def _escaped(name: str) -> str:
    """A name within a comment or quotes: TensorFlow lets it hold anything."""
    return name.encode("unicode_escape").decode("ascii").replace('"', '\\"')


def _row(spec: TensorSpec) -> str | None:
    """A batch of one row as Python; None where the signature does not say how long a row is."""
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
        yield "# What the model takes cannot be read from its file. With rows of yours:"
    else:
        taken = ", ".join(map(str, signature.inputs))
        yield f"# The model takes {_escaped(taken)}: how long a row is, it does not say. With rows of yours:"
    yield "#"
    yield "# def test_a_row_is_answered(wml_deployment):"
    yield "#     assert wml_deployment.predict(ROWS).classes.tolist() == [0]"

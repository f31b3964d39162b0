"""What a served model takes and gives: the contract's types and shapes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pytest_wml.errors import BadArchive

Shape = tuple[int | None, ...] | None
DEFAULT_SIGNATURE = "serving_default"

_SIGNATURE = re.compile(r"(.+?)\((.*)\) -> (.*)")
_SPEC = re.compile(r"([^,]+?): (\w+)(?: \[((?:None|\d{1,18}|, )*)\]| of unknown rank)(?:, |$)")


@dataclass(frozen=True)
class TensorSpec:
    """One input or output.

    Attributes:
        name: its key in the signature; for a scoring answer the prediction's id.
        dtype: a numpy-like name: ``float32``, ``int64``, ``string``, ``bool``…
        shape: one entry a dimension, None where any length is taken; None for an unknown rank.
    """

    name: str
    dtype: str
    shape: Shape

    def __str__(self) -> str:
        if self.shape is None:
            return f"{self.name}: {self.dtype} of unknown rank"
        return f"{self.name}: {self.dtype} [{', '.join(str(length) for length in self.shape)}]"

    def as_json(self) -> dict[str, Any]:
        """Give a value that ``json.dumps`` takes and ``from_json`` reads back."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "shape": None if self.shape is None else list(self.shape),
        }


@dataclass(frozen=True)
class Signature:
    """A SavedModel's signature: inputs and outputs, each sorted by name.

    The file holds them in a map, so no other order could be relied on.
    """

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def __str__(self) -> str:
        taken = ", ".join(map(str, self.inputs))
        given = ", ".join(map(str, self.outputs))
        return f"{self.name}({taken}) -> {given}"

    @classmethod
    def from_text(cls, text: str) -> Signature | None:
        """Read what ``str`` gave; None for anything else."""
        match = _SIGNATURE.fullmatch(text)
        if match is None:
            return None
        name, *sides = match.groups()
        inputs, outputs = (tuple(_from_text(*each.groups()) for each in _SPEC.finditer(side)) for side in sides)
        found = cls(name, inputs, outputs)
        # A name with a comma or an arrow in it cannot be distinguished from the rest.
        return found if str(found) == text else None

    def as_json(self) -> dict[str, Any]:
        """Give a value that ``json.dumps`` takes and ``from_json`` reads back."""
        return {
            "name": self.name,
            "inputs": [spec.as_json() for spec in self.inputs],
            "outputs": [spec.as_json() for spec in self.outputs],
        }

    @classmethod
    def from_json(cls, value: Any) -> Signature:
        """Read what ``as_json`` gave.

        Raises:
            BadArchive: the value is no signature.
        """
        try:
            inputs, outputs = (tuple(map(_spec, value[side])) for side in ("inputs", "outputs"))
            return cls(str(value["name"]), inputs, outputs)
        except (KeyError, TypeError, ValueError) as error:
            raise BadArchive("A stored signature cannot be read.", found=repr(value)[:200]) from error


def _from_text(name: str, dtype: str, shape: str | None) -> TensorSpec:
    if shape is None:
        return TensorSpec(name, dtype, None)
    lengths = [length.strip() for length in shape.split(",") if length.strip()]
    return TensorSpec(name, dtype, tuple(None if length == "None" else int(length) for length in lengths))


def _spec(value: Any) -> TensorSpec:
    shape = value["shape"]
    lengths = None if shape is None else tuple(None if length is None else int(length) for length in shape)
    return TensorSpec(str(value["name"]), str(value["dtype"]), lengths)


def served(signatures: tuple[Signature, ...]) -> Signature | None:
    """Give the signature that a deployment answers with.

    ``serving_default`` where the model has it, else the only one whatever its name, else the first by name.
    """
    by_name = {signature.name: signature for signature in sorted(signatures, key=lambda each: each.name)}
    return by_name.get(DEFAULT_SIGNATURE) or next(iter(by_name.values()), None)

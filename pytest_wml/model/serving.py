"""Which archives and which signatures can be served, and why the others cannot; without TensorFlow."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

from pytest_wml.errors import BadArchive
from pytest_wml.model.kinds import GRAPH, KERAS, KERAS_FILES, SAVED_MODEL, TEXT_GRAPH, ModelKind
from pytest_wml.model.signature import DEFAULT_SIGNATURE

Family = Literal["float", "integer", "boolean", "string"]

_FAMILIES: tuple[tuple[str, Family], ...] = (
    (r"b?float\d+(_e\w+)?", "float"),
    (r"u?int\d+", "integer"),
    (r"bool", "boolean"),
    (r"string", "string"),
)


_SHOWN_FACTS = ("member", "reason", "limit")
"""The facts of a damaged archive that the message shows."""
_LONGEST_FACT = 200


class LoadFailed(Exception):
    """The archive cannot be served; the message is what the deployment's failure will say."""


def unreadable(damage: BadArchive, folder: Path | None = None) -> LoadFailed:
    """Why an archive is not served, with what is known of the member that is at fault.

    Args:
        damage: what is wrong with it.
        folder: where it was unpacked, which the message leaves out.
    """
    facts = {name: damage.facts[name] for name in _SHOWN_FACTS if name in damage.facts}
    if folder and Path(facts.get("member", "")).is_relative_to(folder):
        facts["member"] = str(Path(facts["member"]).relative_to(folder))
    known = "; ".join(f"{name}: {fact[:_LONGEST_FACT]}" for name, fact in facts.items())
    return LoadFailed(f"The content of the model is no readable archive. {damage.problem} {known}".rstrip())


def network_kind(names: Collection[str]) -> ModelKind:
    """Whether an archive with these names at its root is served as a SavedModel or as a Keras file.

    Raises:
        LoadFailed: it is neither.
    """
    if {GRAPH, TEXT_GRAPH} & set(names):
        return SAVED_MODEL
    if any(name.lower().endswith(KERAS_FILES) for name in names):
        return KERAS
    found = ", ".join(sorted(names)) or "nothing"
    raise LoadFailed(f"SavedModel file does not exist at: {{saved_model.pbtxt|saved_model.pb}}; found {found}.")


def served_name(names: Sequence[str]) -> str:
    """The signature that is served: `serving_default`, else the only one there is.

    Raises:
        LoadFailed: there is none, or several of which none is the default.
    """
    if DEFAULT_SIGNATURE in names:
        return DEFAULT_SIGNATURE
    if len(names) == 1:
        return names[0]
    if not names:
        raise LoadFailed("The SavedModel has no signature.")
    listed = ", ".join(sorted(names))
    raise LoadFailed(f"The SavedModel has several signatures and none is '{DEFAULT_SIGNATURE}': {listed}.")


def family_of(whose: str, dtype: str) -> Family:
    """The JSON values that go with a dtype, which is named as TensorFlow does: `float32`.

    Raises:
        LoadFailed: there are none.
    """
    for pattern, family in _FAMILIES:
        # A variable of TensorFlow 1, where it is itself an output, has the type of a reference.
        if re.fullmatch(pattern, dtype.removesuffix("_ref")):
            return family
    raise LoadFailed(f"{whose} is of dtype {dtype}, which JSON cannot carry.")


def require_inputs(count: int) -> None:
    """Check that a signature takes anything at all.

    Raises:
        LoadFailed: it has no input, so that no request could be scored.
    """
    if not count:
        raise LoadFailed("The served signature has no inputs: it takes nothing, and a request has rows.")


def not_dense_output(name: str) -> LoadFailed:
    """Why an output that is sparse or ragged is not served."""
    return LoadFailed(f"Output '{name}' is sparse or ragged, which is not known to be written as JSON.")


def require_rows(name: str, shape: Sequence[int | None] | None) -> None:
    """Check that an input takes rows; a shape of None is any.

    Raises:
        LoadFailed: it takes a single value, and no rows.
    """
    if shape is not None and not len(shape):
        raise LoadFailed(f"Input '{name}' has no batch axis: it takes a single value, and a request has rows.")

"""Signatures: which one is served, and what a scoring request cannot fill or an answer cannot carry."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_wml.model import serving
from pytest_wml.model.lint.findings import Basis, LintFinding, LintLevel, fails_to_load
from pytest_wml.model.serving import LoadFailed
from pytest_wml.model.signature import Signature, TensorSpec

_EXPORT = "export the model again with tf.saved_model.save(model, folder, signatures=function)"


def chosen(signatures: tuple[Signature, ...]) -> Signature | LintFinding:
    """The signature that is served, or why none is."""
    try:
        name = serving.served_name([signature.name for signature in signatures])
    except LoadFailed as failure:
        several = len(signatures) > 1
        return LintFinding(
            LintLevel.ERROR,
            "several-signatures" if several else "no-signature",
            str(failure),
            "saved_model.pb",
            f"{_EXPORT}, which names it serving_default" if several else _EXPORT,
            fails_to_load(str(failure)),
        )
    return next(signature for signature in signatures if signature.name == name)


def findings(
    signature: Signature, served_of: int, sparse_inputs: set[str], sparse_outputs: set[str]
) -> Iterator[LintFinding]:
    """Yield what is to be said of the served signature.

    Args:
        signature: the one that is served.
        served_of: how many signatures there are.
        sparse_inputs: its inputs that are sparse or ragged.
        sparse_outputs: likewise its outputs.
    """
    named = f"signature {signature.name}"
    yield LintFinding(LintLevel.INFO, "signature", str(signature), named)
    if served_of > 1:
        yield LintFinding(
            LintLevel.INFO, "other-signatures", f"Of {served_of} signatures only this one is served.", named
        )
    try:
        serving.require_inputs(len(signature.inputs))
    except LoadFailed as failure:
        yield _failing("no-inputs", str(failure), named, _EXPORT)
    if len(signature.inputs) > 1:
        names = ", ".join(spec.name for spec in signature.inputs)
        found = f"There are several inputs: each element of input_data needs the id of one: {names}."
        yield LintFinding(LintLevel.INFO, "several-inputs", found, named)
    for spec in signature.inputs:
        yield from _input(spec, spec.name in sparse_inputs, f"{named}, input {spec.name}")
    for spec in signature.outputs:
        yield from _output(spec, spec.name in sparse_outputs, f"{named}, output {spec.name}")


def _input(spec: TensorSpec, sparse: bool, where: str) -> Iterator[LintFinding]:
    if sparse:
        found = (
            "It is sparse or ragged: a request has to fill its parts, such as indices, values and shape, one by one."
        )
        fix = "take dense tensors and make sparse or ragged ones of them inside the model"
        yield LintFinding(LintLevel.WARN, "sparse-input", found, where, fix)
        return
    try:
        serving.require_rows(spec.name, spec.shape)
    except LoadFailed as failure:
        yield _failing("no-batch-axis", str(failure), where, "give the input a first axis of any length: [None, …]")
    yield from _dtype("Input", spec, where)
    if spec.shape is None:
        found = "Its rank is unknown: rows of any shape reach the graph, and are refused there, if at all."
        yield LintFinding(LintLevel.INFO, "unknown-rank", found, where)
    elif spec.shape and spec.shape[0] is not None:
        found = f"Its batch axis is fixed: a scoring is answered for {spec.shape[0]} rows at a time, and no other."
        yield LintFinding(
            LintLevel.WARN,
            "fixed-batch",
            found,
            where,
            "export the model with a first axis of any length: [None, …]",
        )


def _output(spec: TensorSpec, sparse: bool, where: str) -> Iterator[LintFinding]:
    if sparse:
        yield _failing("sparse-output", str(serving.not_dense_output(spec.name)), where, "give a dense tensor")
        return
    yield from _dtype("Output", spec, where)
    if spec.shape == ():
        found = "It is a single value for all rows of a request, not one for each."
        yield LintFinding(LintLevel.INFO, "output-without-rows", found, where)


def _dtype(side: str, spec: TensorSpec, where: str) -> Iterator[LintFinding]:
    if spec.dtype.startswith("type "):
        yield LintFinding(
            LintLevel.WARN, "unknown-dtype", f"It is of TensorFlow's {spec.dtype}, not known here.", where
        )
        return
    try:
        serving.family_of(f"{side} '{spec.name}'", spec.dtype)
    except LoadFailed as failure:
        yield _failing("dtype", str(failure), where, "convert it inside the model: to float32, int64, bool or string")


def _failing(code: str, why: str, where: str, fix: str) -> LintFinding:
    return LintFinding(LintLevel.ERROR, code, why, where, fix, fails_to_load(why, Basis.ASSUMED))

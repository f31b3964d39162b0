"""ONNX models, read without ONNX.

Field numbers: onnx/onnx.proto, messages ModelProto, GraphProto, ValueInfoProto, TypeProto.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_wml.errors import BadArchive
from pytest_wml.model.digest import mapped
from pytest_wml.model.lint.findings import LintFinding, LintLevel, fails_to_load
from pytest_wml.model.lint.specification import LintTarget
from pytest_wml.model.lint.upload import Upload
from pytest_wml.model.protobuf import Message

# What JSON fills, and what the others are called.
_FILLED = frozenset(range(1, 14))
_UNFILLED = {
    14: "tensor(complex64)",
    15: "tensor(complex128)",
    16: "tensor(bfloat16)",
    17: "tensor(float8e4m3fn)",
    18: "tensor(float8e4m3fnuz)",
    19: "tensor(float8e5m2)",
    20: "tensor(float8e5m2fnuz)",
    21: "tensor(uint4)",
    22: "tensor(int4)",
}


def findings(upload: Upload, target: LintTarget) -> Iterator[LintFinding]:
    """Yield what is to be said of the `.onnx` file at the root of an upload."""
    # The service looks for these letters, not for .ONNX.
    names = [name for name in upload.at_root((".onnx",)) if name.endswith(".onnx")]
    if len(names) != 1:
        why = f"The archive needs one .onnx file at its root; found {', '.join(names) or 'none'}."
        fix = "pack one model alone, at the root"
        yield LintFinding(LintLevel.ERROR, "not-one-model", why, "", fix, fails_to_load(why))
        return
    with mapped(upload.files[names[0]]) as data:
        try:
            yield from _model(Message(data), target, names[0])
        except BadArchive as damage:
            yield _unreadable(damage.problem, names[0])


def _model(model: Message, target: LintTarget, where: str) -> Iterator[LintFinding]:
    if not model.integer(1) or not model.chunks(7):
        yield _unreadable("It has no graph, or no version of the format.", where)
        return
    if not model.chunks(8):
        yield _unreadable("It names no operator set.", where)
        return
    opsets = {each.text(1): each.integer(2) for each in model.messages(8)}
    versions = ", ".join(f"{domain or 'ai.onnx'} {version}" for domain, version in sorted(opsets.items()))
    writer = f"{model.text(2)} {model.text(3)}".strip() or "nobody that it names"
    found = f"It was written by {writer}: format {model.integer(1)}, operator sets {versions}."
    yield LintFinding(LintLevel.INFO, "onnx", found, where)
    yield from _opset(opsets.get("", opsets.get("ai.onnx", 0)), target, where)
    graph = model.message(7)
    yield from _io(graph, where)


def _io(graph: Message, where: str) -> Iterator[LintFinding]:
    # Before format 4 the weights were inputs too.
    weights = {each.text(8) for each in graph.messages(5)}
    for value in graph.messages(11):
        if value.text(1) not in weights:
            yield from _input(value, where)
    for value in graph.messages(12):
        unknown = [number for number in _elements(value.message(2)) if number not in _FILLED]
        if unknown:
            kind = _UNFILLED.get(unknown[0], f"type {unknown[0]}")
            why = f"Output '{value.text(1)}' is of type {kind}, which JSON cannot carry."
            yield LintFinding(LintLevel.ERROR, "dtype", why, where, "convert it inside the model", fails_to_load(why))


def _elements(kind: Message) -> Iterator[int]:
    """Yield the numbers of the types of the tensors in a type; an undeclared type has none."""
    left = [kind]
    while left:
        kind = left.pop()
        if kind.chunks(1) and (number := kind.message(1).integer(1)):
            yield number
        # Sequences and optionals have their elements in field 1, maps in field 2.
        left += [kind.message(field).message(inner) for field, inner in ((4, 1), (5, 2), (9, 1)) if kind.chunks(field)]


def _opset(version: int, target: LintTarget, where: str) -> Iterator[LintFinding]:
    match = re.fullmatch(r"onnxruntime_opset_(\d+)", target.spec.name if target.spec else "")
    if match and version > int(match[1]):
        found = f"It needs operator set {version}, and {target.spec_name} is made for {match[1]}."
        fix = f"convert it to operator set {match[1]}"
        yield LintFinding(LintLevel.WARN, "version", f"{found} It may be refused when it is loaded.", where, fix)


def _input(value: Message, where: str) -> Iterator[LintFinding]:
    tensor = value.message(2)
    number = tensor.message(1).integer(1)
    if tensor.chunks(1) and number in _FILLED:
        return
    kind = _UNFILLED.get(number, "unknown") if tensor.chunks(1) else "no tensor"
    why = f"Input '{value.text(1)}' is of type {kind}, which JSON values cannot fill."
    yield LintFinding(LintLevel.ERROR, "dtype", why, where, "convert it inside the model", fails_to_load(why))


def _unreadable(why: str, where: str) -> LintFinding:
    found = f"{where} is no ONNX model. {why}"
    refusal = fails_to_load(f"ONNX Runtime cannot load the model. {why}")
    return LintFinding(LintLevel.ERROR, "onnx-file", found, where, "export the model again", refusal)

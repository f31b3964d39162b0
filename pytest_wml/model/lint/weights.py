"""The checkpoint: what it lacks, holds twice, or holds for training only."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from pytest_wml.errors import BadArchive
from pytest_wml.model.bundle import CompressedIndex
from pytest_wml.model.checkpoint import PREFIX, CheckpointTensor, read_tensors
from pytest_wml.model.contents import ArchiveFile
from pytest_wml.model.lint.findings import LintFinding, LintLevel, fails_to_load

# Two short vectors may well be equal, and nobody minds.
_SHORTEST = 1024
# Above it, an upload takes noticeably longer.
_MUCH = 10 << 20
_LOOKED_AT = 64 << 10
_VARIABLES = frozenset({"VarHandleOp", "Variable", "VariableV2", "VarIsInitializedOp"})
_OPTIMIZER = re.compile(
    r"\.OPTIMIZER_SLOT/|(^|/)(_?optimizer|optimizer_experimental)/|/(Adam|Momentum|RMSProp|Adagrad|Ftrl)(_\d+)?$"
)


def findings(files: Mapping[str, ArchiveFile], operations: Collection[str]) -> Iterator[LintFinding]:
    """Yield what is to be said of the checkpoint.

    Args:
        files: the upload's.
        operations: the kinds of all nodes in the main graph, to tell whether there must be a checkpoint.
    """
    if PREFIX + "index" not in files:
        if _VARIABLES & set(operations):
            yield _unreadable("The graph has variables, and there is no checkpoint for them.", PREFIX + "index")
        return
    try:
        tensors = read_tensors(files)
    except CompressedIndex as problem:
        found = f"{problem.problem} It is sound, and was not looked into."
        yield LintFinding(LintLevel.INFO, "compressed-index", found, PREFIX + "index")
        return
    except BadArchive as damage:
        where = damage.facts.get("missing") or damage.facts.get("file") or PREFIX + "index"
        yield _unreadable(damage.problem, where)
        return
    training = {name: tensor for name, tensor in tensors.items() if _OPTIMIZER.search(name)}
    yield from _optimizer(training)
    yield from _twice({name: tensor for name, tensor in tensors.items() if name not in training})


def _unreadable(why: str, where: str) -> LintFinding:
    return LintFinding(
        LintLevel.ERROR,
        "checkpoint",
        why,
        where,
        "export the model again and pack the whole folder, variables/ too",
        fails_to_load(f"TensorFlow cannot load the model. {why}"),
    )


def _optimizer(tensors: Mapping[str, CheckpointTensor]) -> Iterator[LintFinding]:
    size = sum(tensor.entry.size for tensor in tensors.values())
    if size >= _SHORTEST:
        found = f"{size:,} bytes in {len(tensors)} tensors are an optimizer's, which only training reads."
        fix = "export with model.export(folder), or save the model without its optimizer (include_optimizer=False)"
        yield LintFinding(_level(size), "optimizer-state", found, next(iter(tensors)), fix)


def _twice(tensors: Mapping[str, CheckpointTensor]) -> Iterator[LintFinding]:
    first: dict[bytes, str] = {}
    again: dict[str, str] = {}
    for name, tensor in tensors.items():
        if tensor.entry.size >= _SHORTEST and not _uniform(tensor):
            known = first.setdefault(tensor.digest, name)
            if known != name:
                again[name] = known
    if not again:
        return
    size = sum(tensors[name].entry.size for name in again)
    total = sum(tensor.entry.size for tensor in tensors.values())
    name, known = next(iter(again.items()))
    yield LintFinding(
        _level(size),
        "weights-twice",
        f"{size:,} of {total:,} bytes of weights are stored twice, in {len(again)} tensors.",
        f"{known} = {name}",
        "Keras's model.export() does so; tf.saved_model.save(model, folder) stores each once",
    )


def _level(size: int) -> LintLevel:
    return LintLevel.WARN if size >= _MUCH else LintLevel.INFO


def _uniform(tensor: CheckpointTensor) -> bool:
    """Whether a tensor is one number all over, as those that were never trained are."""
    if tensor.path is None:
        return False
    with tensor.path.open("rb") as data:
        data.seek(tensor.entry.offset)
        start = data.read(min(tensor.entry.size, _LOOKED_AT))
    whole = len(start) // 8 * 8
    return start[:whole] == start[:8] * (whole // 8)

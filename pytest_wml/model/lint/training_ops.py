"""Operations that belong to training: random ones, and those that change the model when it is scored."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from pytest_wml.model.lint.findings import LintFinding, LintLevel
from pytest_wml.model.lint.walk import GraphStep
from pytest_wml.model.protobuf import Message
from pytest_wml.model.savedmodel import Node, node_name

_SHOWN = 3
_RANDOM = re.compile(
    r"Random(Uniform|StandardNormal|UniformInt|Gamma|Poisson|PoissonV2|Shuffle|Crop)|TruncatedNormal"
    r"|ParameterizedTruncatedNormal|Multinomial|Stateful(Random|Uniform|StandardNormal|TruncatedNormal)\w*"
    r"|NonDeterministicInts|\w*CandidateSampler|SampleDistortedBoundingBox\w*"
)
_STATELESS = re.compile(r"Stateless(Random|Truncated|Parameterized|Multinomial|SampleDistorted)\w*")
_READS = re.compile(r"ReadVariableOp|ResourceGather\w*|Rng\w+|Variable(V2)?")
# ScatterNd and its like give a new tensor and write nothing.
_WRITES = re.compile(
    r"Assign(Add|Sub)?(VariableOp)?|RngReadAndSkip"
    r"|(Resource)?(Apply|SparseApply|Scatter(?!Nd$|NdNonAliasing))\w+"
)
# How a moving average is made of the last one and of what tf.nn.moments gives.
_MIXES = re.compile(r"AddV2|Add|Sub|Mul|Squeeze|Reshape|Identity|Cast|Select(V2)?")
_MOMENTS = re.compile(r"(^|/)moments(_\d+)?/(mean|variance|Squeeze)")
_ANY = re.compile(r"\w+")
_PREDICT = (
    "export what predicts: call layers with training=False; model.export() does so for most, but Keras 3 leaves "
    "augmentation such as RandomFlip on"
)
_PYTHON = re.compile(r"(Eager)?PyFunc(Stateless)?")
_SEED_INPUT = 1
# A seed is a few operations away from the variable that it comes from.
_LONGEST_SEED = 1000
_IS_TRAINING, _BOOLEAN = "is_training", 5


def findings(steps: Iterable[GraphStep]) -> Iterator[LintFinding]:
    """Yield what operations there are that a served model should not have, each kind once."""
    every = list(steps)
    sure = [step for step in every if not step.perhaps]
    yield from filter(None, (_random(every), _training(sure), _writing(sure), _python(every)))


def _random(every: list[GraphStep]) -> LintFinding | None:
    perhaps = [step for step in every if step.answers and _by_chance(step)]
    found = [step for step in perhaps if not step.perhaps]
    if not found and not perhaps:
        return None
    problem = "The same scoring is answered in different ways: random numbers are drawn, as by a dropout left on."
    if not found:
        problem = "A branch of the graph draws random numbers: fine where training alone takes it."
    return LintFinding(
        LintLevel.WARN if found else LintLevel.INFO,
        "by-chance",
        f"{problem} {_named(found or perhaps)}",
        _places(found or perhaps),
        _PREDICT if found else "",
    )


def _training(sure: list[GraphStep]) -> LintFinding | None:
    found = [step for step in sure if _normalises_the_batch(step.node) or _averages_the_batch(step)]
    if not found:
        return None
    problem = "A batch normalisation runs as in training: what a row is answered depends on the rows beside it."
    return LintFinding(
        LintLevel.WARN,
        "batch-norm-in-training",
        f"{problem} {_named(found)}",
        _places(found),
        _PREDICT,
    )


def _writing(sure: list[GraphStep]) -> LintFinding | None:
    written = [step for step in sure if _WRITES.fullmatch(step.node.op) and not _averages_the_batch(step)]
    if not written:
        return None
    answers = {(step.inside, name) for step in sure if step.answers for name in _inputs(step.node)}
    # What is written is the first input.
    found = [step for step in written if step.answers or (step.inside, *_inputs(step.node)[:1]) in answers]
    if not found:
        problem = "Scoring changes variables that its answers do not read, such as a seed."
        return LintFinding(LintLevel.INFO, "changes-itself", f"{problem} {_named(written)}", _places(written))
    problem = "Scoring changes the model's variables, so that answers can depend on those before."
    fix = "export what predicts, without updates of variables"
    return LintFinding(LintLevel.WARN, "changes-itself", f"{problem} {_named(found)}", _places(found), fix)


def _python(every: list[GraphStep]) -> LintFinding | None:
    found = [step for step in every if _PYTHON.fullmatch(step.node.op)]
    if not found:
        return None
    problem = "It calls a Python function (tf.py_function), which is not in the file: such scorings fail."
    return LintFinding(
        LintLevel.WARN,
        "calls-python",
        f"{problem} {_named(found)}",
        _places(found),
        "use TensorFlow's operations instead",
    )


def _by_chance(step: GraphStep) -> bool:
    if _RANDOM.fullmatch(step.node.op):
        return True
    # One that is given its seed draws the same numbers for the same seed: a constant one, or one that moves on.
    return bool(_STATELESS.fullmatch(step.node.op)) and _moves(step)


def _moves(step: GraphStep) -> bool:
    return any(_READS.fullmatch(node.op) or _RANDOM.fullmatch(node.op) for node in _before(step, _SEED_INPUT))


def _before(step: GraphStep, place: int, through: re.Pattern[str] = _ANY) -> Iterator[Node]:
    """Yield the nodes that an input is computed from, as far as these operations lead."""
    waiting = _inputs(step.node)[place : place + 1]
    seen: set[str] = set()
    while waiting and len(seen) < _LONGEST_SEED:
        node = step.body.get(waiting.pop())
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        yield node
        if through.fullmatch(node.op):
            waiting += _inputs(node)


def _inputs(node: Node) -> list[str]:
    return [node_name(reference) for reference in node.inputs]


def _normalises_the_batch(node: Node) -> bool:
    if not node.op.startswith("FusedBatchNorm") or "Grad" in node.op:
        return False
    # Left out, it is on: a SavedModel does not write what is the default.
    given = node.attributes.get(_IS_TRAINING)
    return given is None or bool(Message(given).integer(_BOOLEAN))


def _averages_the_batch(step: GraphStep) -> bool:
    """Whether a variable is given the mean or variance of a batch, as only a normalisation in training does."""
    if not _WRITES.fullmatch(step.node.op):
        return False
    return any(_normalises_the_batch(node) or _MOMENTS.search(node.name) for node in _before(step, 1, _MIXES))


def _named(found: list[GraphStep]) -> str:
    return f"({_listed(found, lambda step: step.node.op)})"


def _places(found: list[GraphStep]) -> str:
    return _listed(found, lambda step: f"{step.inside}: {step.node.name}" if step.inside else step.node.name)


def _listed(found: list[GraphStep], shown: Callable[[GraphStep], str]) -> str:
    names = list(dict.fromkeys(map(shown, found)))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more

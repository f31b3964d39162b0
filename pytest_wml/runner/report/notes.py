"""What is known of one test, as plain values that travel between processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any


@dataclass(frozen=True)
class SampleNote:
    """One row of a check.

    Args:
        row: its number.
        caption: what was expected and what came.
        broken: whether it breaks the promise.
        image: a `data:` URI of a PNG; empty for none.
        values: what was sent, as text by the input's name; empty where the image shows it.
        bars: classes with their probabilities, in order; the likeliest where there are many.
    """

    row: int
    caption: str
    broken: bool
    image: str = ""
    values: tuple[tuple[str, str], ...] = ()
    bars: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class LevelNote:
    """Latencies at one concurrency: how many requests fell between two of the edges, in seconds.

    Args:
        concurrency: how many asked at once.
        counts: one fewer than `edges`.
        edges: seconds, rising.
        percentiles: p50, p95 and p99 in seconds.
        failures: how many requests failed.
    """

    concurrency: int
    counts: tuple[int, ...]
    edges: tuple[float, ...]
    percentiles: Mapping[str, float]
    failures: int


@dataclass(frozen=True)
class Confusion:
    """How often each label (row) was taken for each (column)."""

    labels: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class CheckNote:
    """One check of a contract.

    Args:
        check: its name.
        deployment: name.
        mode: what answered.
        promised: in a sentence.
        measured: one-line measures by name.
        shares: measures from 0 to 1 that belong together, such as each transform's, by name.
        findings: the first ones, a line each.
        found: how many there are in all.
        notes: what a reader should know.
        samples: a few rows.
        levels: of a latency check.
        confusion: where classes were compared.
    """

    check: str
    deployment: str
    mode: str
    promised: str
    measured: Mapping[str, str] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    found: int = 0
    notes: tuple[str, ...] = ()
    samples: tuple[SampleNote, ...] = ()
    levels: tuple[LevelNote, ...] = ()
    confusion: Confusion | None = None


@dataclass(frozen=True)
class DeploymentNote:
    """What was deployed.

    Args:
        name: of the deployment and of its recording.
        mode: what answers.
        digest: of the model; empty where it is unknown.
        basis: `model` or `archive`.
        signature: as text.
        path: of the archive; empty where it is not here.
        size: bytes.
        model_type: WML's.
        software_spec: name of the software specification.
        note: what a reader should know.
        lint: findings about the archive as level and text.
    """

    name: str
    mode: str
    digest: str = ""
    basis: str = ""
    signature: str = ""
    path: str = ""
    size: int = 0
    model_type: str = ""
    software_spec: str = ""
    note: str = ""
    lint: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Failure:
    """What failed a test: why, and at which line of the user's own code.

    Args:
        kind: `contract`, `model` (it changed), or empty for anything else.
        title: in a few words.
        file: relative to the root folder.
        line: from 1; 0 where it is unknown.
        phase: `setup`, `call` or `teardown`.
    """

    kind: str
    title: str
    file: str
    line: int
    phase: str


@dataclass(frozen=True)
class TestNote:
    """One test that used WML.

    Args:
        test: its node id.
        live_calls: requests that the service answered.
        requests: all that were answered.
        checks: in the order in which they ran.
        deployments: that this process had not told of before.
        failure: what failed it.
    """

    __test__ = False

    test: str
    live_calls: int = 0
    requests: int = 0
    checks: tuple[CheckNote, ...] = ()
    deployments: tuple[DeploymentNote, ...] = ()
    failure: Failure | None = None

    def as_text(self) -> str:
        """JSON in ASCII: no process in between can stumble over it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> TestNote:
        form = json.loads(text)
        return cls(
            **{
                **form,
                "checks": tuple(map(_check, form["checks"])),
                "deployments": tuple(map(_deployment, form["deployments"])),
                "failure": form["failure"] and Failure(**form["failure"]),
            }
        )


def _check(form: dict[str, Any]) -> CheckNote:
    confusion = form["confusion"]
    return CheckNote(
        **{
            **form,
            "findings": tuple(form["findings"]),
            "notes": tuple(form["notes"]),
            "samples": tuple(map(_sample, form["samples"])),
            "levels": tuple(LevelNote(**one) for one in form["levels"]),
            "confusion": confusion and Confusion(tuple(confusion["labels"]), tuple(map(tuple, confusion["matrix"]))),
        }
    )


def _sample(form: dict[str, Any]) -> SampleNote:
    return SampleNote(**{**form, "bars": _pairs(form["bars"]), "values": _pairs(form["values"])})


def _deployment(form: dict[str, Any]) -> DeploymentNote:
    return DeploymentNote(**{**form, "lint": _pairs(form["lint"])})


def _pairs(pairs: Iterable[Iterable[Any]]) -> tuple[tuple[Any, ...], ...]:
    return tuple(map(tuple, pairs))


def covered(value: Any, mask: Callable[[str], str]) -> Any:
    """A note with every text in it masked.

    Args:
        value: a note, or what one holds.
        mask: covers secrets in a text.
    """
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, tuple):
        return tuple(covered(one, mask) for one in value)
    if isinstance(value, Mapping):
        return {mask(name): covered(one, mask) for name, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: covered(getattr(value, one.name), mask) for one in fields(value)})
    return value

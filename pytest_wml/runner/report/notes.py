"""The note of a test: plain values that xdist sends between processes."""

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
        caption: the expected and the predicted result.
        broken: whether it breaks the promise.
        image: a `data:` URI of a PNG; empty for none.
        values: name and text of each input; empty for an image.
        bars: classes with their probabilities, in order; if there are many, the most probable ones.
    """

    row: int
    caption: str
    broken: bool
    image: str = ""
    values: tuple[tuple[str, str], ...] = ()
    bars: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class LevelNote:
    """A histogram of the latencies at one concurrency.

    Args:
        concurrency: number of concurrent requests.
        counts: number of requests between two edges; one fewer than `edges`.
        edges: seconds, in increasing order.
        percentiles: p50, p95 and p99 in seconds.
        failures: number of failed requests.
    """

    concurrency: int
    counts: tuple[int, ...]
    edges: tuple[float, ...]
    percentiles: Mapping[str, float]
    failures: int


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix: number of rows by expected label (row) and predicted label (column)."""

    labels: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class CheckNote:
    """One check of a contract.

    Args:
        check: its name.
        deployment: name.
        mode: of the run.
        promised: the promise in a sentence.
        measured: name → measure in one line.
        shares: name → measure from 0 to 1; for related measures, such as those of several transforms.
        findings: the first findings, a line each.
        found: number of all findings.
        notes: remarks for the reader.
        samples: some rows.
        levels: of a latency check.
        confusion: of a comparison of classes.
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
    """A deployment.

    Args:
        name: of the deployment and of its recording.
        mode: of the run.
        digest: of the model; empty if it is unknown.
        basis: `model` or `archive`.
        signature: as text.
        path: of the archive; empty if the file does not exist.
        size: bytes.
        model_type: WML's.
        software_spec: name of the software specification.
        note: a remark for the reader.
        lint: level and text of each finding of lint.
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
class FailureNote:
    """The failure of a test.

    Args:
        kind: `contract`, `model` (the model changed), or empty for other failures.
        title: in a few words.
        file: of the user's code, relative to the root folder.
        line: of the user's code, from 1; 0 if it is unknown.
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
        live_calls: number of requests that the live service answered.
        requests: number of answered requests.
        checks: in the order in which they ran.
        deployments: those that no earlier note of this process contains.
        failure: None if the test did not fail.
    """

    __test__ = False

    test: str
    live_calls: int = 0
    requests: int = 0
    checks: tuple[CheckNote, ...] = ()
    deployments: tuple[DeploymentNote, ...] = ()
    failure: FailureNote | None = None

    def as_text(self) -> str:
        """The note as JSON in ASCII, which every process between worker and controller can pass on."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> TestNote:
        """The note of such JSON."""
        form = json.loads(text)
        return cls(
            **{
                **form,
                "checks": tuple(map(_check, form["checks"])),
                "deployments": tuple(map(_deployment, form["deployments"])),
                "failure": form["failure"] and FailureNote(**form["failure"]),
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


def masked(value: Any, mask: Callable[[str], str]) -> Any:
    """A note with masked secrets in all texts.

    Args:
        value: a note, or a part of one.
        mask: masks secrets in a text.
    """
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, tuple):
        return tuple(masked(one, mask) for one in value)
    if isinstance(value, Mapping):
        return {mask(name): masked(one, mask) for name, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: masked(getattr(value, one.name), mask) for one in fields(value)})
    return value

"""What a check found: values that a terminal, a report or a test of its own can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_wml.contract.rendering import text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_wml.contract.samples import Sample


@dataclass(frozen=True)
class Finding:
    """One way in which a deployment breaks its promise.

    Args:
        message: one line.
        row: number of the image that it is about, counted from 0; None for the deployment as a whole.
        facts: plain values: what was expected, what was answered.
    """

    message: str
    row: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Result:
    """What one check promised, measured and found.

    Args:
        check: its name, such as `classes`.
        deployment: name of the deployment.
        mode: what answered: `replay`, `embedded` or `live`.
        promised: the promise in a sentence.
        measured: plain values by name: shares, latencies in seconds, a confusion matrix.
        findings: every broken promise; empty where the contract holds.
        images: the images of the rows that findings name, where there are any.
        notes: what a reader should know, though nothing is broken.
        samples: a few rows with their answers, broken promises first, for a report.
    """

    check: str
    deployment: str
    mode: str
    promised: str
    measured: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    images: Mapping[int, NDArray[Any]] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = field(default=(), repr=False)

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def require(self) -> Result:
        """Give the result back where the contract holds.

        Raises:
            ContractBroken: there are findings.
        """
        __tracebackhide__ = True
        if self.findings:
            raise ContractBroken(self)
        return self


class ContractBroken(AssertionError):
    """A deployment does not keep a promise; its text has at most 40 lines.

    Args:
        result: of the check, with every finding.
    """

    def __init__(self, result: Result) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        return text(self.result)

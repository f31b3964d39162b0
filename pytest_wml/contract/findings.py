"""Results of checks as plain values, for the terminal, the report and users' own tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_wml.contract.rendering import render

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_wml.contract.samples import Sample


@dataclass(frozen=True)
class Finding:
    """One violation of a promise by a deployment.

    Args:
        message: the violation in one line.
        row: number of the row concerned, counted from 0; None if the finding concerns the whole deployment.
        facts: plain values by name, such as the expected and the answered class.
    """

    message: str
    row: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Result:
    """Result of one check: the promise, the measurements and the findings.

    Args:
        check: name of the check, such as `classes`.
        deployment: name of the deployment.
        mode: the mode that answered: `replay`, `embedded` or `live`.
        promised: the promise in one sentence.
        measured: measurements by name, as plain values: shares, latencies in seconds, a confusion matrix.
        findings: every violation; empty if the contract holds.
        images: images of the rows with findings, by row number.
        notes: remarks that are not violations.
        samples: a few rows with their answers for the report, violations first.
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
        """Whether there are no findings."""
        return not self.findings

    def require(self) -> Result:
        """Return this result if the contract holds.

        Raises:
            ContractBroken: there are findings.
        """
        __tracebackhide__ = True
        if self.findings:
            raise ContractBroken(self)
        return self


class ContractBroken(AssertionError):
    """A deployment breaks a promise; the message has at most 40 lines.

    Args:
        result: the result of the check, with every finding.
    """

    def __init__(self, result: Result) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        return render(self.result)

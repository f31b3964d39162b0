"""The checks bound to a deployment, for tests in which a broken contract fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pytest_wml.config.table import NOT_IN_REPLAY
from pytest_wml.contract.accuracy import check_accuracy
from pytest_wml.contract.changes import Transform, check_directional, check_invariance
from pytest_wml.contract.classes import check_classes
from pytest_wml.contract.consistency import check_batch_consistency, check_repeatability
from pytest_wml.contract.drift import Keep, check_drift
from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.findings import Result
from pytest_wml.contract.latency import check_latency
from pytest_wml.contract.parity import check_parity
from pytest_wml.contract.probabilities import check_probabilities
from pytest_wml.contract.refusals import Refused, check_errors
from pytest_wml.contract.rest import check_rest
from pytest_wml.contract.rows import Given, rows_of
from pytest_wml.contract.scored import DEFAULT, Scoring, scored
from pytest_wml.contract.signature import Promised, check_signature

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from pytest_wml.client.deployment import Deployment


def _forget(result: Result) -> None:
    """Nobody keeps results."""


@dataclass(frozen=True, repr=False)
class Contract:
    """What a deployment promises: each method checks one promise and gives its result, or fails with every finding.

    All arguments are those of the functions of the same names, such as `check_classes`.

    Args:
        deployment: that is asked.
        how: it is scored; `wml_contract.scoring(threshold=0.5)` gives a contract that scores otherwise.
        reference: where `drift` keeps its references, without their ending: `cassettes/mnist_cnn`.
        record: takes the reference that `drift` is to keep; None compares with the one that is there.
        keep: is given each result, for a report.
        measuring: what `latency` measures in: each request is sent once.
    """

    deployment: Deployment
    how: Scoring = DEFAULT
    reference: Path = Path("cassettes", "reference")
    record: Keep | None = None
    keep: Callable[[Result], None] = _forget
    measuring: Callable[[], AbstractContextManager[None]] = nullcontext

    def __repr__(self) -> str:
        return f"Contract({self.deployment!r})"

    def scoring(self, **changes: Any) -> Contract:
        """The same contract with another `batch_size`, `threshold` or `progress`."""
        return replace(self, how=replace(self.how, **changes))

    def classes(self, images: Given, expected: ArrayLike) -> Result:
        """Every row gets its expected class."""
        __tracebackhide__ = True
        return self._kept(check_classes(self.deployment, images, expected, how=self.how))

    def probabilities(self, images: Given, *, tolerance: float = 1e-5) -> Result:
        """Every row's probabilities are finite, from 0 to 1, and sum to 1."""
        __tracebackhide__ = True
        return self._kept(check_probabilities(self.deployment, images, tolerance=tolerance, how=self.how))

    def signature(
        self, *, inputs: Promised | None = None, outputs: Promised | None = None, images: Given | None = None
    ) -> Result:
        """Names, shapes and types are as promised, in the archive and in an answer."""
        __tracebackhide__ = True
        return self._kept(check_signature(self.deployment, inputs=inputs, outputs=outputs, images=images, how=self.how))

    def parity(self, images: Given, *, rtol: float = 1e-5, atol: float = 1e-5) -> Result:
        """The served answer is that of the local SavedModel; skipped in a replay, which has no model to ask."""
        __tracebackhide__ = True
        if self.deployment.mode == "replay":
            import pytest

            # The recording holds these answers; a replay that left them out would call them unused.
            scored(self.deployment, rows_of(self.deployment, images), self.how)
            pytest.skip(NOT_IN_REPLAY)
        return self._kept(check_parity(self.deployment, images, rtol=rtol, atol=atol, how=self.how))

    def batch_consistency(
        self, images: Given, *, rtol: float = 1e-4, atol: float = 1e-5, singles: int = 16, seed: int = 0
    ) -> Result:
        """A batch is answered as its rows are one by one, and as the same batch in another order."""
        __tracebackhide__ = True
        return self._kept(
            check_batch_consistency(
                self.deployment, images, rtol=rtol, atol=atol, singles=singles, seed=seed, how=self.how
            )
        )

    def repeatability(self, images: Given, *, n: int = 3, rtol: float = 1e-6, atol: float = 1e-6) -> Result:
        """The same request gets the same answer n times."""
        __tracebackhide__ = True
        return self._kept(check_repeatability(self.deployment, images, n=n, rtol=rtol, atol=atol, how=self.how))

    def invariance(
        self, images: Given, transforms: Mapping[str, Transform] | None = None, *, at_least: float = 1.0
    ) -> Result:
        """Rows keep their class under each transform; under `image_transforms()` by default."""
        __tracebackhide__ = True
        return self._kept(check_invariance(self.deployment, images, transforms, at_least=at_least, how=self.how))

    def directional(
        self,
        images: Given,
        transform: Transform,
        *,
        label: int,
        change: Literal["raises", "lowers"],
        by: float = 0.0,
    ) -> Result:
        """A transform raises, or lowers, the probability of a class in every row."""
        __tracebackhide__ = True
        return self._kept(
            check_directional(self.deployment, images, transform, label=label, change=change, by=by, how=self.how)
        )

    def errors(self, cases: Mapping[str, Refused | None] | None = None) -> Result:
        """The service refuses what it must, with the promised status and `errors[].code`."""
        __tracebackhide__ = True
        return self._kept(check_errors(self.deployment, cases))

    def rest(self, images: Given, *, rtol: float = 1e-5, atol: float = 1e-5) -> Result:
        """The scoring URL answers a bearer token and JSON alone, as IBM's client is answered."""
        __tracebackhide__ = True
        return self._kept(check_rest(self.deployment, images, rtol=rtol, atol=atol, how=self.how))

    def latency(
        self,
        images: Given,
        *,
        requests: int = 20,
        concurrency: int | Sequence[int] = (1, 2, 4),
        budget: Mapping[str, float] | None = None,
        max_growth: float | None = None,
    ) -> Result:
        """Answers come within a budget of seconds, and about as fast when more ask at once."""
        __tracebackhide__ = True
        with self.measuring():
            result = check_latency(
                self.deployment,
                images,
                requests=requests,
                concurrency=concurrency,
                budget=budget,
                max_growth=max_growth,
                how=self.how,
            )
        return self._kept(result)

    def accuracy(self, images: Given, labels: ArrayLike, *, floor: float) -> Result:
        """The share of rows that get their label is at least the floor."""
        __tracebackhide__ = True
        return self._kept(check_accuracy(self.deployment, images, labels, floor=floor, how=self.how))

    def drift(self, images: Given, *, name: str = "", at_most: float = 0.0) -> Result:
        """Rows keep the class that they had when the reference was recorded, beside the cassettes.

        Args:
            images: those of the reference.
            name: distinguishes several references of one deployment.
            at_most: the share of rows that may have another class.

        Raises:
            ContractBroken: more have.
            BadContract: there is no reference, or it is of other images.
        """
        __tracebackhide__ = True
        if not re.fullmatch(r"[\w-]*", name):
            raise BadContract(f"A reference's name has letters, digits, _ and - only, not {name!r}.")
        file = ".".join(filter(None, [self.reference.name, name, "reference", "json"]))
        return self._kept(
            check_drift(
                self.deployment,
                images,
                self.reference.with_name(file),
                record=self.record,
                at_most=at_most,
                how=self.how,
            )
        )

    def _kept(self, result: Result) -> Result:
        __tracebackhide__ = True
        self.keep(result)
        return result.require()

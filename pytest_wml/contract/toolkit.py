"""The checks bound to a deployment; a broken contract fails the test."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pytest_wml.config.option_table import NOT_IN_REPLAY
from pytest_wml.contract.accuracy import check_accuracy
from pytest_wml.contract.answers import DEFAULT_SCORING, Scoring, score_rows
from pytest_wml.contract.classes import check_classes
from pytest_wml.contract.consistency import check_batch_consistency, check_repeatability
from pytest_wml.contract.drift import WriteReference, check_drift
from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.findings import Result
from pytest_wml.contract.invariance import Transform, check_directional, check_invariance
from pytest_wml.contract.latency import check_latency
from pytest_wml.contract.parity import check_parity
from pytest_wml.contract.probabilities import check_probabilities
from pytest_wml.contract.refusals import Refused, check_errors
from pytest_wml.contract.rest import check_rest
from pytest_wml.contract.rows import RowsLike, rows_of
from pytest_wml.contract.signature import PromisedTensors, check_signature

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from pytest_wml.client.deployment import Deployment


def _ignore(result: Result) -> None:
    """Discard a result."""


@dataclass(frozen=True, repr=False)
class Contract:
    """The contract of a deployment: each method checks one promise, and returns its result or fails with all findings.

    The arguments are those of the functions `check_<method>`, such as `check_classes`.

    Args:
        deployment: the deployment to check.
        how: scoring settings; `wml_contract.scoring(threshold=0.5)` returns a contract with other settings.
        reference: path of the references of `drift` without the ending, such as `cassettes/mnist_cnn`.
        record: writes a new reference of `drift`; None compares with the existing reference.
        keep: called with each result, for the report.
        measuring: context in which `latency` measures; requests are not repeated in it.
    """

    deployment: Deployment
    how: Scoring = DEFAULT_SCORING
    reference: Path = Path("cassettes", "reference")
    record: WriteReference | None = None
    keep: Callable[[Result], None] = _ignore
    measuring: Callable[[], AbstractContextManager[None]] = nullcontext

    def __repr__(self) -> str:
        return f"Contract({self.deployment!r})"

    def scoring(self, **changes: Any) -> Contract:
        """Return the same contract with another `batch_size`, `threshold` or `progress`."""
        return replace(self, how=replace(self.how, **changes))

    def classes(self, images: RowsLike, expected: ArrayLike) -> Result:
        """Every row gets its expected class."""
        __tracebackhide__ = True
        return self._require(check_classes(self.deployment, images, expected, how=self.how))

    def probabilities(self, images: RowsLike, *, tolerance: float = 1e-5) -> Result:
        """Every row's probabilities are finite, from 0 to 1, and sum to 1."""
        __tracebackhide__ = True
        return self._require(check_probabilities(self.deployment, images, tolerance=tolerance, how=self.how))

    def signature(
        self,
        *,
        inputs: PromisedTensors | None = None,
        outputs: PromisedTensors | None = None,
        images: RowsLike | None = None,
    ) -> Result:
        """Names, shapes and types match the promise in the archive's signature and in an answer."""
        __tracebackhide__ = True
        return self._require(
            check_signature(self.deployment, inputs=inputs, outputs=outputs, images=images, how=self.how)
        )

    def parity(self, images: RowsLike, *, rtol: float = 1e-5, atol: float = 1e-5) -> Result:
        """The answer equals that of the local SavedModel; skipped in a replay, which does not load the model."""
        __tracebackhide__ = True
        if self.deployment.mode == "replay":
            import pytest

            # The recording contains these answers; without these requests they would be reported as unused.
            score_rows(self.deployment, rows_of(self.deployment, images), self.how)
            pytest.skip(NOT_IN_REPLAY)
        return self._require(check_parity(self.deployment, images, rtol=rtol, atol=atol, how=self.how))

    def batch_consistency(
        self, images: RowsLike, *, rtol: float = 1e-4, atol: float = 1e-5, singles: int = 16, seed: int = 0
    ) -> Result:
        """Each row gets the same answer in a batch, alone, and in the batch in another order."""
        __tracebackhide__ = True
        return self._require(
            check_batch_consistency(
                self.deployment, images, rtol=rtol, atol=atol, singles=singles, seed=seed, how=self.how
            )
        )

    def repeatability(self, images: RowsLike, *, n: int = 3, rtol: float = 1e-6, atol: float = 1e-6) -> Result:
        """The same request gets the same answer every time."""
        __tracebackhide__ = True
        return self._require(check_repeatability(self.deployment, images, n=n, rtol=rtol, atol=atol, how=self.how))

    def invariance(
        self, images: RowsLike, transforms: Mapping[str, Transform] | None = None, *, at_least: float = 1.0
    ) -> Result:
        """Each row keeps its class under each transform; for images under `image_transforms()` by default."""
        __tracebackhide__ = True
        return self._require(check_invariance(self.deployment, images, transforms, at_least=at_least, how=self.how))

    def directional(
        self,
        images: RowsLike,
        transform: Transform,
        *,
        label: int,
        change: Literal["raises", "lowers"],
        by: float = 0.0,
    ) -> Result:
        """A transform raises or lowers the probability of a class in every row."""
        __tracebackhide__ = True
        return self._require(
            check_directional(self.deployment, images, transform, label=label, change=change, by=by, how=self.how)
        )

    def errors(self, cases: Mapping[str, Refused | None] | None = None) -> Result:
        """The service refuses invalid requests with the expected status and `errors[].code`."""
        __tracebackhide__ = True
        return self._require(check_errors(self.deployment, cases))

    def rest(self, images: RowsLike, *, rtol: float = 1e-5, atol: float = 1e-5) -> Result:
        """The scoring URL gives plain HTTP requests with a bearer token the same answer as IBM's client."""
        __tracebackhide__ = True
        return self._require(check_rest(self.deployment, images, rtol=rtol, atol=atol, how=self.how))

    def latency(
        self,
        images: RowsLike,
        *,
        requests: int = 20,
        concurrency: int | Sequence[int] = (1, 2, 4),
        budget: Mapping[str, float] | None = None,
        max_growth: float | None = None,
    ) -> Result:
        """Response times keep a budget in seconds and grow little with the number of concurrent requests."""
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
        return self._require(result)

    def accuracy(self, images: RowsLike, labels: ArrayLike, *, floor: float) -> Result:
        """The share of correctly classified rows is at least the floor."""
        __tracebackhide__ = True
        return self._require(check_accuracy(self.deployment, images, labels, floor=floor, how=self.how))

    def drift(self, images: RowsLike, *, name: str = "", at_most: float = 0.0) -> Result:
        """Rows keep the class that the reference recorded; references are files beside the cassettes.

        Args:
            images: the images of the reference.
            name: distinguishes several references of one deployment.
            at_most: share of rows that may have another class.

        Raises:
            ContractBroken: more rows have another class.
            BadContract: the reference is missing or of other images.
        """
        __tracebackhide__ = True
        if not re.fullmatch(r"[\w-]*", name):
            raise BadContract(f"The name of a reference may contain letters, digits, _ and - only, not {name!r}.")
        file = ".".join(filter(None, [self.reference.name, name, "reference", "json"]))
        return self._require(
            check_drift(
                self.deployment,
                images,
                self.reference.with_name(file),
                record=self.record,
                at_most=at_most,
                how=self.how,
            )
        )

    def _require(self, result: Result) -> Result:
        __tracebackhide__ = True
        self.keep(result)
        return result.require()

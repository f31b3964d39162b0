"""Checks response times and their growth with the number of concurrent requests."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pytest_wml.client.scoring import payload
from pytest_wml.contract.answers import DEFAULT_SCORING, Scoring
from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.limits import check_count
from pytest_wml.contract.rows import RowsLike, rows_of
from pytest_wml.contract.statistics import percentile

if TYPE_CHECKING:
    from pytest_wml.client.deployment import Deployment

_PERCENTILES = {"p50": 50.0, "p95": 95.0, "p99": 99.0}
_SHOWN = 120
_METHOD_AND_URL = re.compile(r" \([A-Z]+ https?://[^ )]*\)")
"""Method and URL that IBM's client puts before the status in its error message."""


@dataclass(frozen=True)
class LatencyLevel:
    """Measurements at one concurrency; times in seconds.

    Args:
        concurrency: number of concurrent requests.
        seconds: response time of each answered request.
        failures: error message of each failed request.
        whole: time from the first request to the last answer.
    """

    concurrency: int
    seconds: tuple[float, ...]
    failures: tuple[str, ...]
    whole: float

    @property
    def percentiles(self) -> dict[str, float]:
        """p50, p95 and p99; empty if no request was answered."""
        return {name: percentile(self.seconds, at) for name, at in _PERCENTILES.items()} if self.seconds else {}

    def __str__(self) -> str:
        times = ", ".join(f"{name} {seconds * 1000:.1f} ms" for name, seconds in self.percentiles.items())
        return f"{times or 'no answer'}, {len(self.seconds) / self.whole:.0f}/s"


def check_latency(
    deployment: Deployment,
    images: RowsLike,
    *,
    requests: int = 20,
    concurrency: int | Sequence[int] = (1, 2, 4),
    budget: Mapping[str, float] | None = None,
    max_growth: float | None = None,
    how: Scoring = DEFAULT_SCORING,
) -> Result:
    """Response times keep a budget and grow little with the number of concurrent requests.

    In a replay the times are measured but not asserted: they are times of this machine, not of the service.

    Args:
        deployment: the deployment to check.
        images: [N, …], paths, or a mapping of inputs; every request sends these rows, at most `how.batch_size`.
        requests: number of requests at each concurrency.
        concurrency: number of concurrent requests; several numbers are measured one after the other.
        budget: largest `p50`, `p95` or `p99` in seconds, at each concurrency; None asserts nothing.
        max_growth: largest ratio of the median at the last concurrency to the median at the first.
        how: scoring settings.

    Raises:
        BadContract: the images, a number or the budget are invalid.
    """
    concurrencies = list(concurrency) if isinstance(concurrency, Sequence) else [concurrency]
    _check(requests, concurrencies, budget or {}, max_growth)
    rows = rows_of(deployment, images).take(slice(0, how.batch_size))
    sent, _ = payload(rows.model_input, deployment.archive.signature)
    _measure(deployment, sent, 1, 1)  # the first request may wait until the model is loaded
    levels = []
    for number in concurrencies:
        levels.append(_measure(deployment, sent, requests, number))
        how.progress(f"{deployment.name}: {requests} requests, {number} at once: {levels[-1]}")
    findings = [finding for level in levels for finding in _failures(level)]
    notes: tuple[str, ...] = ()
    if deployment.mode == "replay":
        notes = ("response times of a replay are reported but not asserted",)
    else:
        findings += [finding for level in levels for finding in _over_budget(level, budget or {})]
        findings += _over_growth(levels, max_growth)
    return Result(
        "latency",
        deployment.name,
        deployment.mode,
        promised=_promise(requests, concurrencies, budget or {}, max_growth),
        measured={
            **{f"at concurrency {level.concurrency}": str(level) for level in levels},
            "levels": [{**asdict(level), **level.percentiles} for level in levels],
        },
        findings=tuple(findings),
        notes=notes,
    )


def _check(requests: int, levels: list[int], budget: Mapping[str, float], max_growth: float | None) -> None:
    check_count("requests", requests, 1)
    if not levels:
        raise BadContract("There is nothing to measure: no concurrency was given.")
    for number in levels:
        check_count("concurrency", number, 1)
    if not isinstance(budget, Mapping):
        raise BadContract(f"The budget is not a mapping: {budget!r}.", fix="give {'p95': 0.2}, in seconds")
    for name, seconds in budget.items():
        if name not in _PERCENTILES:
            raise BadContract(f"Unknown percentile in the budget: {name!r}; accepted are p50, p95 and p99.")
        _check_positive(f"The budget of {name}", seconds)
    if max_growth is not None:
        _check_positive("max_growth", max_growth)


def _check_positive(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise BadContract(f"{name} must be a number above 0, not {value!r}.", fix="times are in seconds")


def _measure(deployment: Deployment, sent: dict[str, Any], requests: int, concurrency: int) -> LatencyLevel:
    def send(_: int) -> float | str:
        begun = time.perf_counter()
        try:
            # Not `deployment.score`, which copies its payload; the client does not change lists.
            deployment.client.deployments.score(deployment.id, sent)
        except Exception as error:  # noqa: BLE001 any exception of IBM's client is a failed request
            return f"{type(error).__name__}: {_METHOD_AND_URL.sub('', ' '.join(str(error).split()))}"[:_SHOWN]
        return time.perf_counter() - begun

    begun = time.perf_counter()
    with ThreadPoolExecutor(concurrency) as pool:
        outcomes = list(pool.map(send, range(requests)))
    whole = time.perf_counter() - begun
    seconds = tuple(one for one in outcomes if isinstance(one, float))
    return LatencyLevel(concurrency, seconds, tuple(one for one in outcomes if isinstance(one, str)), whole)


def _failures(level: LatencyLevel) -> Iterator[Finding]:
    if level.failures:
        total = len(level.failures) + len(level.seconds)
        yield Finding(
            f"at concurrency {level.concurrency} {len(level.failures)} of {total} requests failed: {level.failures[0]}",
            facts={"concurrency": level.concurrency, "failures": len(level.failures)},
        )


def _over_budget(level: LatencyLevel, budget: Mapping[str, float]) -> Iterator[Finding]:
    for name, allowed in budget.items():
        took = level.percentiles.get(name, 0.0)
        if took > allowed:
            yield Finding(
                f"at concurrency {level.concurrency} {name} is {took * 1000:.1f} ms, the budget {allowed * 1000:g} ms",
                facts={"concurrency": level.concurrency, "percentile": name, "seconds": took, "budget": allowed},
            )


def _over_growth(levels: Sequence[LatencyLevel], max_growth: float | None) -> Iterator[Finding]:
    first, last = levels[0], levels[-1]
    if max_growth is None or not (first.seconds and last.seconds):
        return
    growth = last.percentiles["p50"] / max(first.percentiles["p50"], 1e-9)
    if growth > max_growth:
        yield Finding(
            f"the median at concurrency {last.concurrency} is {growth:.1f} times that at {first.concurrency}, "
            f"{max_growth:g} times are allowed",
            facts={"growth": growth},
        )


def _promise(requests: int, levels: list[int], budget: Mapping[str, float], max_growth: float | None) -> str:
    limits = [f"{name} within {seconds * 1000:g} ms" for name, seconds in budget.items()]
    limits += [f"a median that grows at most {max_growth:g} times"] if max_growth else []
    return f"{requests} requests at concurrency {', '.join(map(str, levels))}: " + (
        ", ".join(limits) or "every one is answered"
    )

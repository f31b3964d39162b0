"""The last scorings, for the page to show."""

from __future__ import annotations

import itertools
import json
import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_KEPT = 20
_ROWS = 3
_PARTS = 200
_LONGEST = 200
_DEEPEST = 8
_SIDE = 28
_PIXELS = _SIDE * _SIDE
_CUT = "…"


@dataclass(frozen=True)
class LoggedScoring:
    """One request to score, cut to what a page can show."""

    number: int
    deployment_id: str
    at: float
    """Seconds since the epoch."""
    digits: tuple[list[float], ...]
    """The first rows where they are images of digits: 784 numbers each."""
    given: str
    """The first rows as text, where they are no digits."""
    rows: int
    """How many rows came."""
    answer: Any
    """The first rows of the answer, as `excerpt` cuts them; None where the scoring was refused."""
    refusal: str = ""


class ScoringLog:
    """Keeps the last scorings: of each the first rows, never a whole request; for many threads.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._last: deque[LoggedScoring] = deque(maxlen=_KEPT)

    @property
    def newest_first(self) -> list[LoggedScoring]:
        with self._lock:
            return list(reversed(self._last))

    def answered(self, deployment_id: str, payload: Any, document: Any) -> None:
        """Keep a scoring that was answered with this document."""
        self._keep(deployment_id, payload, excerpt(_first_rows(document)), "")

    def refused(self, deployment_id: str, payload: Any, message: str) -> None:
        """Keep a scoring that was refused with this message."""
        self._keep(deployment_id, payload, None, _short(message))

    def _keep(self, deployment_id: str, payload: Any, answer: Any, refusal: str) -> None:
        rows = _rows(payload)
        images = [digit_of(row) for row in rows[:_ROWS]]
        digits = tuple(image for image in images if image is not None)
        alike = len(digits) == len(images)
        given = "" if digits and alike else _short(json.dumps(excerpt(rows[:_ROWS]), ensure_ascii=False))
        with self._lock:
            scoring = LoggedScoring(
                number=next(self._numbers),
                deployment_id=deployment_id,
                at=self._clock(),
                digits=digits if alike else (),
                given=given,
                rows=len(rows),
                answer=answer,
                refusal=refusal,
            )
            self._last.append(scoring)


def digit_of(row: Any) -> list[float] | None:
    """The pixels of a row that is an image of a digit: [784], [28, 28] or [28, 28, 1] numbers; None for others."""
    pixels = row
    if _is_list(pixels, _SIDE) and all(_is_list(line, _SIDE) for line in pixels):
        pixels = list(itertools.chain.from_iterable(pixels))
    if _is_list(pixels, _PIXELS) and all(_is_list(pixel, 1) for pixel in pixels):
        pixels = [pixel for (pixel,) in pixels]
    return pixels if _is_list(pixels, _PIXELS) and set(map(type, pixels)) <= {int, float} else None


def excerpt(value: Any, parts: int = _PARTS) -> Any:
    """JSON cut to a number of parts, long texts cut too, each cut marked by `…`; NaN and infinity are texts.

    Browsers read no bare NaN.
    """
    return _cut(value, 0, [parts])


def _cut(value: Any, depth: int, left: list[int]) -> Any:
    # No nested function that calls itself: each such call leaves a cycle, and a server makes one for each scoring.
    left[0] -= 1
    if depth == _DEEPEST or not isinstance(value, (list, dict)):
        return _leaf(value)
    kept: dict[Any, Any] = {}
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if left[0] <= 0:
            kept[_CUT] = _CUT
            break
        kept[_leaf(key)] = _cut(inner, depth + 1, left)
    return kept if isinstance(value, dict) else list(kept.values())


def _leaf(value: Any) -> Any:
    if isinstance(value, (list, dict)):
        return _CUT
    if isinstance(value, str):
        return _short(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + _CUT


def _is_list(value: Any, length: int) -> bool:
    return isinstance(value, list) and len(value) == length


def _rows(payload: Any) -> list[Any]:
    """The rows of the first element of a request, of whatever form it is."""
    elements = payload.get("input_data") if isinstance(payload, dict) else None
    first = elements[0] if isinstance(elements, list) and elements else payload
    values = first["values"] if isinstance(first, dict) and "values" in first else first
    return values if isinstance(values, list) else [values]


def _first_rows(document: Any) -> Any:
    """An answer with the first rows of each prediction only; what is no list of predictions, as it is."""
    predictions = document.get("predictions") if isinstance(document, dict) else None
    if not isinstance(predictions, list):
        return document
    return {"predictions": [_cut_values(prediction) for prediction in predictions]}


def _cut_values(prediction: Any) -> Any:
    if isinstance(prediction, dict) and isinstance(prediction.get("values"), list):
        return {**prediction, "values": prediction["values"][:_ROWS]}
    return prediction

"""Warnings about the service's answers, for the run to show."""

from __future__ import annotations

import json
import math
import threading
from collections import OrderedDict
from typing import Any

_REMEMBERED = 64
_LONGEST = 64 << 10
# Threads that add in another order make the last bits of a float differ.
_RELATIVE, _ABSOLUTE = 1e-4, 1e-6


class ServiceWarnings:
    """Warnings, each kept once, in the order they came up; thread-safe.

    It remembers the last scorings with their answers, those that are not too long, to detect when the same
    scoring is answered differently.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, None] = {}
        self._answers: OrderedDict[tuple[str, int, int], bytes] = OrderedDict()
        self._miscounted: set[str] = set()

    @property
    def listed(self) -> list[str]:
        with self._lock:
            return list(self._found)

    def add(self, warning: str | None) -> None:
        if warning:
            with self._lock:
                self._found[warning] = None

    def check_repeat(self, deployment_id: str, name: str, digest: str, body: bytes, answer: bytes) -> None:
        """Compare an answer with the one that the same body got before.

        Args:
            deployment_id: what was scored.
            name: of it, for the warning.
            digest: of what it serves.
            body: of the request.
            answer: of the service.
        """
        if len(answer) > _LONGEST:
            return
        key = (f"{deployment_id} {digest}", len(body), hash(body))
        with self._lock:
            before = self._answers.setdefault(key, answer)
            self._answers.move_to_end(key)
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        if before != answer and not _close(json.loads(before), json.loads(answer)):
            self.add(
                f"Deployment '{name}' answered the same scoring in two ways: something in it is left to chance, "
                "such as dropout that was left on. A recording of it will not agree with the model."
            )

    def check_rows(self, deployment_id: str, name: str, payload: Any, document: Any) -> None:
        """Compare the number of answers with that of the rows; a deployment is warned of once.

        Args:
            deployment_id: what was scored.
            name: of it, for the warning.
            payload: the body of the request.
            document: that answers it.
        """
        warning = row_warning(name, payload, document)
        if warning and deployment_id not in self._miscounted:
            self._miscounted.add(deployment_id)
            self.add(warning)


def row_warning(name: str, payload: Any, document: Any) -> str | None:
    """Whether a scoring was answered with more or fewer answers than it had rows.

    Each element of `input_data` may have a prediction of its own, or be one input of several, named by `id`, whose rows
    are answered together; one that has no list of values is not compared, as a function may take and answer anything.
    """
    elements = payload["input_data"]
    predictions = document.get("predictions") if isinstance(document, dict) else None
    if not isinstance(predictions, list) or not all(isinstance(element["values"], list) for element in elements):
        return None
    rows = [len(element["values"]) for element in elements]
    if not predictions:
        return _miscount(name, max(rows), 0, "")
    one_by_one = len(rows) == len(predictions) > 1 and not any(element.get("id") for element in elements)
    for place, prediction in enumerate(predictions):
        if not isinstance(prediction, dict) or "values" not in prediction:
            continue
        answers = len(prediction["values"]) if isinstance(prediction["values"], list) else 1
        expected = rows[place : place + 1] if one_by_one else [*rows, sum(rows)]
        if answers not in expected:
            output = f" in '{prediction['id']}'" if len(predictions) > 1 and prediction.get("id") else ""
            return _miscount(name, expected[0], answers, output)
    return None


def _miscount(name: str, rows: int, answers: int, output: str) -> str | None:
    if rows == answers:
        return None
    counts = f"{rows} row{'' if rows == 1 else 's'}, {answers} answer{'' if answers == 1 else 's'}{output}"
    return f"Deployment '{name}': {counts}. A model that scores each row by itself has an answer for each."


def _close(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        both_nan = math.isnan(one) and math.isnan(other)
        return both_nan or math.isclose(one, other, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_close, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_close(one[name], other[name]) for name in one)
    return bool(one == other)

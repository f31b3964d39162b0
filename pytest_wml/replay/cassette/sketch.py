"""Finds the recorded bodies that are probably nearest to a body, among thousands, by a few of the values in each.

To read all of them would take seconds; a comparison of the few that are left is exact.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

_PREFIX = 3072
"""Bytes of each body that are looked at."""
_VALUES = 12
"""Values of each body that are compared."""
_SCANNED = 64_000_000
"""Bytes of all bodies in which values are counted."""


def nearest_bodies(body: bytes, recorded: Sequence[bytes]) -> list[int]:
    """The indices of the recorded bodies, those first that are probably nearest.

    Args:
        body: JSON text, separated as `json.dumps` does by default; so are the recorded bodies.
        recorded: bodies of requests.
    """
    bodies = (body, *recorded)
    counts, samples = _counts(bodies), _samples([text[:_PREFIX] for text in bodies])
    largest = 1 + np.maximum(np.abs(samples[1:]), np.abs(samples[0]))
    apart = (np.abs(samples[1:] - samples[0]) / largest).sum(axis=1)
    lengths = np.abs(np.array([len(text) for text in recorded]) - len(body))
    order: list[int] = np.lexsort((lengths, apart, np.abs(counts[1:] - counts[0]))).tolist()
    return order


def _counts(bodies: Sequence[bytes]) -> np.ndarray[Any, Any]:
    """How many values stand in each body; 0 for all where there is too much to look at."""
    if sum(map(len, bodies)) > _SCANNED:
        return np.zeros(len(bodies))
    return np.array([body.count(b",") for body in bodies])


def _samples(texts: Sequence[bytes]) -> np.ndarray[Any, Any]:
    """A few values of each text, a row for each, at the places at which the first text has numbers other than 0."""
    joined = b",".join(texts) + b","
    commas = np.flatnonzero(np.frombuffer(joined, np.uint8) == ord(","))
    # Number of each text's last comma, which stands behind it.
    last = np.searchsorted(commas, np.cumsum([len(text) + 1 for text in texts]) - 1)
    first = np.concatenate([[0], last[:-1] + 1])
    numbers = np.minimum(first[:, None] + _places(texts[0]), last[:, None])
    ends = commas[numbers]
    begins = np.concatenate([[-1], commas])[numbers] + 1
    rows = zip(begins.tolist(), ends.tolist(), strict=True)
    return np.array([[_value(joined[a:b]) for a, b in zip(*row, strict=True)] for row in rows])


def _places(text: bytes) -> list[int]:
    tokens = text.split(b",")
    telling = [number for number, token in enumerate(tokens) if _value(token)] or list(range(len(tokens)))
    return telling[:: max(1, len(telling) // _VALUES)][:_VALUES]


def _value(token: bytes) -> float:
    """The last value in the JSON text between two commas; a number of its own for each text that is not a number."""
    try:
        return float(token)
    except ValueError:
        pass
    text = token.strip(b" []{}")
    try:
        return float(text[max(text.rfind(b"["), text.rfind(b" ")) + 1 :])
    except ValueError:
        return float(zlib.crc32(text))

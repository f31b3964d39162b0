"""Counts of a run's requests and answers, made in each process and added up by the controller."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class PlayedCassette:
    """A cassette that was replayed.

    Args:
        recorded_at: date of its oldest interaction.
        recorded_from: `live` or `embedded`.
        model: digest of the recorded model; empty if the cassette contains none.
        played: identities of the replayed requests.
    """

    recorded_at: str
    recorded_from: str
    model: str
    played: set[str] = field(default_factory=set)


@dataclass
class Tally:
    """Counts of one process, or of all.

    Args:
        answered: requests by their `Exchange.answered_by`.
        waited: skipped seconds of the sleeps of IBM's client.
        cassettes: name → cassette that was replayed.
        doubts: warnings of the embedded service, each once.
        existing: name of a deployment that existed before the run → its model.
        linted: name of a deployment → lint's errors and warnings before it was deployed live.
        faults: (injected fault, requester) → how often.
        unmet: faults of a test that none of its requests matched.
        requests: purpose → requests, and `bytes` → uploaded bytes, in every mode.
        sent: the same of requests to the live service, each attempt counted.
        repeated: reason → requests that were sent to the live service again.
        seconds: response times of the live service, added up.
    """

    answered: Counter[str] = field(default_factory=Counter)
    waited: float = 0.0
    cassettes: dict[str, PlayedCassette] = field(default_factory=dict)
    doubts: dict[str, None] = field(default_factory=dict)
    existing: dict[str, str] = field(default_factory=dict)
    linted: dict[str, list[str]] = field(default_factory=dict)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    unmet: dict[str, None] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, other: Tally) -> None:
        """Add another process's counts."""
        self.answered += other.answered
        self.waited += other.waited
        self.doubts.update(other.doubts)
        self.existing.update(other.existing)
        self.linted.update(other.linted)
        self.faults += other.faults
        self.unmet.update(other.unmet)
        self.requests += other.requests
        self.sent += other.sent
        self.repeated += other.repeated
        self.seconds += other.seconds
        for name, played in other.cassettes.items():
            self.cassettes.setdefault(name, played).played.update(played.played)

    def as_json(self) -> dict[str, Any]:
        """JSON to send from an xdist worker to the controller."""
        return {
            "answered": dict(self.answered),
            "waited": self.waited,
            "doubts": list(self.doubts),
            "found": self.existing,
            "linted": self.linted,
            "faults": [[*fault, times] for fault, times in self.faults.items()],
            "unmet": list(self.unmet),
            "asked": dict(self.requests),
            "sent": dict(self.sent),
            "repeated": dict(self.repeated),
            "seconds": self.seconds,
            "cassettes": {
                name: {**played.__dict__, "played": sorted(played.played)} for name, played in self.cassettes.items()
            },
        }

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> Tally:
        """The counts of such JSON."""
        return cls(
            answered=Counter(form["answered"]),
            waited=form["waited"],
            doubts=dict.fromkeys(form["doubts"]),
            existing=form["found"],
            linted=form["linted"],
            faults=Counter({(fault, requester): times for fault, requester, times in form["faults"]}),
            unmet=dict.fromkeys(form["unmet"]),
            requests=Counter(form["asked"]),
            sent=Counter(form["sent"]),
            repeated=Counter(form["repeated"]),
            seconds=form["seconds"],
            cassettes={
                name: PlayedCassette(**{**played, "played": set(played["played"])})
                for name, played in form["cassettes"].items()
            },
        )

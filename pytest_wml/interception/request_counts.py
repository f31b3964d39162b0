"""What a run asked and who answered, counted in each process and added up by the controller."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Played:
    """What was played of one cassette.

    Args:
        recorded_at: date of its oldest interaction.
        recorded_from: `live` or `embedded`.
        model: digest of the recorded model; empty where it names none.
        played: the identities that were asked for.
    """

    recorded_at: str
    recorded_from: str
    model: str
    played: set[str] = field(default_factory=set)


@dataclass
class Tally:
    """Counts of one process, or of all.

    Args:
        answered: requests by who answered: a cassette's name, `embedded`, `live` or `minted`.
        waited: seconds of IBM's client's own waiting that were left out.
        cassettes: by name, what was played.
        doubts: what the embedded service warned of, each once.
        found: by name of a deployment that existed already, which model it serves.
        linted: by name of a deployment, errors and warnings that lint had before it was tried live.
        faults: how often which fault was injected, and who had asked.
        unmet: faults that a test asked for and that no request of it met.
        asked: requests by their purpose, and `bytes` that were uploaded, whoever answered.
        sent: the same of what left for the live service, each try of it.
        repeated: what was sent to it again, and why.
        seconds: that the live service took.
    """

    answered: Counter[str] = field(default_factory=Counter)
    waited: float = 0.0
    cassettes: dict[str, Played] = field(default_factory=dict)
    doubts: dict[str, None] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)
    linted: dict[str, list[str]] = field(default_factory=dict)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    unmet: dict[str, None] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, other: Tally) -> None:
        """Add another process's counts."""
        self.answered += other.answered
        self.waited += other.waited
        self.doubts.update(other.doubts)
        self.found.update(other.found)
        self.linted.update(other.linted)
        self.faults += other.faults
        self.unmet.update(other.unmet)
        self.asked += other.asked
        self.sent += other.sent
        self.repeated += other.repeated
        self.seconds += other.seconds
        for name, played in other.cassettes.items():
            self.cassettes.setdefault(name, played).played.update(played.played)

    def as_json(self) -> dict[str, Any]:
        """A form that travels between processes."""
        return {
            "answered": dict(self.answered),
            "waited": self.waited,
            "doubts": list(self.doubts),
            "found": self.found,
            "linted": self.linted,
            "faults": [[*fault, times] for fault, times in self.faults.items()],
            "unmet": list(self.unmet),
            "asked": dict(self.asked),
            "sent": dict(self.sent),
            "repeated": dict(self.repeated),
            "seconds": self.seconds,
            "cassettes": {
                name: {**played.__dict__, "played": sorted(played.played)} for name, played in self.cassettes.items()
            },
        }

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> Tally:
        return cls(
            answered=Counter(form["answered"]),
            waited=form["waited"],
            doubts=dict.fromkeys(form["doubts"]),
            found=form["found"],
            linted=form["linted"],
            faults=Counter({(fault, asker): times for fault, asker, times in form["faults"]}),
            unmet=dict.fromkeys(form["unmet"]),
            asked=Counter(form["asked"]),
            sent=Counter(form["sent"]),
            repeated=Counter(form["repeated"]),
            seconds=form["seconds"],
            cassettes={
                name: Played(**{**played, "played": set(played["played"])})
                for name, played in form["cassettes"].items()
            },
        )

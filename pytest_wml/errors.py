"""Every error of pytest-wml: what happened, what is known, what to do next."""

from __future__ import annotations

from typing import Any


class WMLTestError(Exception):
    """What happened, what is known, what to do next: data first, text second.

    Args:
        problem: one sentence that says what happened.
        fix: what the reader can do next; may have several lines.
        facts: what is known, shown in the order given; empty values are left out.

    What is a secret by its name or shape is masked. The run's own secrets are masked where an error is shown.
    """

    def __init__(self, problem: str, *, fix: str = "", **facts: Any) -> None:
        from pytest_wml.redaction.text import masked  # a run without errors does not pay for it

        self.problem = masked(problem)
        super().__init__(self.problem)
        self.fix = fix
        self.facts = {name: masked(str(fact)) for name, fact in facts.items() if fact not in (None, "")}

    def __str__(self) -> str:
        lines = [self.problem]
        lines += [_indented(f"{name.replace('_', ' ')}: ", fact) for name, fact in self.facts.items()]
        if self.fix:
            lines.append(_indented("what to do: ", self.fix))
        return "\n".join(lines)

    @property
    def cause(self) -> str:
        """What two errors have in common that are one and the same cause."""
        return str(self)

    @property
    def brief(self) -> str:
        """The error in one line, for a reader who has seen its cause in full."""
        return self.problem

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.problem, self.fix, self.facts)


def _indented(label: str, text: str) -> str:
    first, *rest = text.splitlines() or [""]
    return "\n".join([f"  {label}{first}", *("    " + line for line in rest)])


def _rebuild(kind: type[WMLTestError], problem: str, fix: str, facts: dict[str, str]) -> WMLTestError:
    return kind(problem, fix=fix, **facts)


class BadOption(WMLTestError):
    """An option has a value that it does not accept."""


class BadArchive(WMLTestError):
    """A model archive cannot be read, or is no model archive."""


class BadDataDir(WMLTestError):
    """The folder that a server is to keep its data in cannot be used."""


class BadPayload(WMLTestError):
    """A scoring payload or an answer to one has the wrong form."""


class MissingExtra(WMLTestError):
    """A package is needed that an extra of pytest-wml brings."""


class TrainingFailed(WMLTestError):
    """The sample network could not be trained, or its data is not to be had."""

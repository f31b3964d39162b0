"""The base of all errors of pytest-wml, and the errors that several packages raise."""

from __future__ import annotations

from typing import Any


class WMLTestError(Exception):
    """An error with its problem, facts and fix as data; its text is made from them.

    Args:
        problem: one sentence about what happened.
        fix: what the user can do next; may have several lines.
        facts: known facts, shown in the given order; empty values are left out.

    Secrets are masked if their name or shape identifies them. The run's own secrets are masked when the error is shown.
    """

    def __init__(self, problem: str, *, fix: str = "", **facts: Any) -> None:
        from pytest_wml.redaction.text import masked  # not imported in a run without errors

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
        """A text that is equal for errors with the same cause."""
        return str(self)

    @property
    def brief(self) -> str:
        """The error in one line, shown after its cause was shown in full."""
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
    """A model archive cannot be read, or is not a model archive."""


class BadDataDir(WMLTestError):
    """The data folder of a server cannot be used."""


class BadPayload(WMLTestError):
    """A scoring payload, or the answer to one, has an invalid form."""


class MissingExtra(WMLTestError):
    """A package is missing that an extra of pytest-wml installs."""


class TrainingFailed(WMLTestError):
    """The sample network could not be trained, or its data is not available."""

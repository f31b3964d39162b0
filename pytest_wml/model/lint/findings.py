"""What lint finds, and what the service would answer."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from pytest_wml.errors import WMLTestError


class LintLevel(enum.Enum):
    """How bad a finding is: the deployment fails, it works and should not be trusted, or good to know."""

    ERROR = "error"
    WARN = "warn"
    INFO = "info"


class Basis(enum.Enum):
    """How an answer of the service is known; the words are those of FIDELITY.md."""

    RECORDED = "recorded by IBM"
    DOCUMENTED = "from documentation"
    ASSUMED = "assumed"


@dataclass(frozen=True)
class ExpectedRefusal:
    """What the service would answer.

    Attributes:
        request: method and path that is refused.
        status: of the answer; a deployment that fails is shown by 200 with the state `failed`.
        code: of the first of its errors.
        message: of that error, in the words of the embedded service.
        basis: how it is known.
        source: where it was seen; empty for what is assumed.
    """

    request: str
    status: int
    code: str
    message: str
    basis: Basis
    source: str = ""

    def __str__(self) -> str:
        known = ": ".join(filter(None, [self.basis.value, self.source]))
        return f"{self.request} → {self.status} {self.code}: {self.message} ({known})"


@dataclass(frozen=True)
class LintFinding:
    """One thing that lint has to say.

    Attributes:
        level: how bad it is.
        code: a short name, for machines.
        found: what is so, one or two sentences.
        where: the file, signature, node or option; empty for the model as a whole.
        fix: the way on; empty where nothing has to be done.
        refusal: what the service would answer; None where it would not refuse.
    """

    level: LintLevel
    code: str
    found: str
    where: str = ""
    fix: str = ""
    refusal: ExpectedRefusal | None = None

    @property
    def certain(self) -> bool:
        """Whether a live deployment need not be tried: the files alone decide, and IBM was seen to refuse."""
        recorded = self.refusal is not None and self.refusal.basis is Basis.RECORDED
        return self.level is LintLevel.ERROR and recorded and self.where != SPECIFICATION

    def as_json(self) -> dict[str, Any]:
        """A value that `json.dumps` takes."""
        refusal = self.refusal
        shown = refusal and {**refusal.__dict__, "basis": refusal.basis.value}
        return {**self.__dict__, "level": self.level.value, "refusal": shown}


SPECIFICATION = "software specification"
"""Where findings are that the service's catalogue decides, which may be another than the one that is known here."""


class CannotLint(WMLTestError):
    """There is nothing to look at: no such file, or it cannot be read."""


class DeploymentRefused(WMLTestError):
    """A live deployment that the service is known to refuse was not tried."""


def fails_to_load(message: str, basis: Basis = Basis.ASSUMED, source: str = "") -> ExpectedRefusal:
    """A deployment that is accepted and then fails, as every model does that cannot be loaded."""
    return ExpectedRefusal("GET /ml/v4/deployments/{deployment_id}", 200, "load_model_failure", message, basis, source)

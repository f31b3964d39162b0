"""What a model is to be deployed with."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from pytest_wml.model.kinds import framework_of
from pytest_wml.wml.software_specs import SoftwareSpec, named_software_spec


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


@dataclass(frozen=True)
class Target:
    """Type and software specification of a model.

    Attributes:
        model_type: WML's, such as `tensorflow_2.14`.
        spec_name: of the software specification, or its id.
        today: the day that life cycles are compared with.
    """

    model_type: str
    spec_name: str
    today: datetime.date = field(default_factory=_today)

    @property
    def framework(self) -> str:
        """The framework in the type, such as `tensorflow`."""
        return framework_of(self.model_type)

    @property
    def spec(self) -> SoftwareSpec | None:
        """The specification; None for one that is not in the catalogue."""
        return named_software_spec(self.spec_name)

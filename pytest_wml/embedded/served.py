"""What a deployment serves."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_wml.embedded.contents import Content
from pytest_wml.embedded.software_specs import SoftwareSpec


@dataclass(frozen=True)
class Served:
    """What an asset held when it was deployed; what is uploaded later needs a new deployment or a patch."""

    content: Content | None
    framework: str
    """What the model's type says, such as `scikit-learn`; or `function`."""
    software_spec: SoftwareSpec

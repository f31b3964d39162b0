"""The hardware specifications of the service: names, ids and sizes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HardwareSpec:
    id: str
    name: str
    cpus: int
    memory_gb: int


# Source of the ids of S and M: outputs recorded in IBM's sample notebooks; of L: public code; of the sizes: IBM's page
# on compute requirements. No id of XS, ML and XL was seen: these are our own,
# uuid5(uuid5(NAMESPACE_URL, "pytest-wml/hardware_specifications"), name).
HARDWARE_SPECS = (
    HardwareSpec("ca4087f6-66dd-554c-a126-1b5289130b56", "XS", 1, 4),
    HardwareSpec("e7ed1d6c-2e89-42d7-aed5-863b972c1d2b", "S", 2, 8),
    HardwareSpec("c076e82c-b2a7-4d20-9c0f-1f0c2fdf5a24", "M", 4, 16),
    HardwareSpec("dc29a375-1a44-523b-a90a-3078d1a90c30", "ML", 4, 32),
    HardwareSpec("a6c4923b-b8e4-444c-9f43-8a7ec3020110", "L", 8, 32),
    HardwareSpec("06cf8207-464d-539d-872c-9407a9da5b42", "XL", 16, 64),
)
_BY_KEY = {key: spec for spec in HARDWARE_SPECS for key in (spec.id, spec.name)}
DEFAULT_HARDWARE_SPEC = _BY_KEY["S"]


def named_hardware_spec(id_or_name: str) -> HardwareSpec | None:
    """The hardware specification of this id or name; None where there is none."""
    return _BY_KEY.get(id_or_name)

"""The software specifications of the service: names, ids and the model types that were stored with each.

They are read from `software_specifications.tsv` and `model_types.tsv`, which name the source of each line.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from pytest_wml.wml.tables import rows


@dataclass(frozen=True)
class SoftwareSpec:
    id: str
    name: str
    types: tuple[str, ...] = ()
    """The model types that were stored with it. Two names are good for one framework: by its own version
    (`tensorflow_2.14`) and by the runtime's (`tensorflow_rt24.1`)."""

    @property
    def platform(self) -> dict[str, str]:
        """Language and version, which most names end in; empty where the name does not tell."""
        match = re.search(r"-(py|r)(\d+\.\d+)", self.name)
        return {"name": "python" if match[1] == "py" else "r", "version": match[2]} if match else {}


def _types_by_name() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows("model_types.tsv"):
        found[row["specification"]] += row["types"].split()
    return found


_ROWS = rows("software_specifications.tsv")
_TYPES = _types_by_name()
_SPECS = {row["name"]: SoftwareSpec(row["id"], row["name"], tuple(_TYPES[row["name"]])) for row in _ROWS}

SOFTWARE_SPECS = tuple(sorted(_SPECS.values(), key=lambda spec: spec.id))
"""All of them, ordered by id as the service lists them."""
BY_ID = {spec_id: _SPECS[row["name"]] for row in _ROWS for spec_id in (row["id"], *row["earlier_ids"].split())}
"""By id; by earlier ids too."""
BY_NAME = {name: _SPECS[row["name"]] for row in _ROWS for name in (row["name"], *row["other_names"].split())}
"""By name; by other names that were seen for the same id too."""

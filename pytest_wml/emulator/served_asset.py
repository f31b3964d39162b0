"""What a deployment serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_wml.emulator.contents import StoredContent
from pytest_wml.wml.software_specs import SoftwareSpec


@dataclass(frozen=True)
class ServedAsset:
    """What an asset held when it was deployed; what is uploaded later needs a new deployment or a patch."""

    content: StoredContent | None
    framework: str
    """What the model's type says, such as `scikit-learn`; or `function`."""
    software_spec: SoftwareSpec
    schema: tuple[Any, ...] = ()
    """The fields of the training data of a Spark pipeline, as they were stored with it."""


def training_fields(entity: Mapping[str, Any]) -> tuple[Any, ...]:
    """The fields of the data that a model was trained with, as its entity has them; none where it has none.

    What is to be sent (`schemas.input`) comes before what was trained with, which has the label too.
    """
    schemas = entity.get("schemas")
    found = list(_listed(schemas.get("input") if isinstance(schemas, Mapping) else None))
    for reference in _listed(entity.get("training_data_references")):
        found += _listed(reference.get("schema"))
    found += _listed(entity.get("input_data_schema"))
    fields: dict[str, Any] = {}
    for schema in found:
        for field in _listed(schema.get("fields")):
            fields.setdefault(str(field.get("name")), {"name": field.get("name"), "type": field.get("type")})
    return tuple(fields.values())


def _listed(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a list, or the one object."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Mapping)]

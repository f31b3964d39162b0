"""Specifications of a run's deployments, one for each line of the option."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_NAME = r"[\w-][\w.-]*"
_OPTION = re.compile(r"(?:^|\s)(\w+)=")
_FIELDS = {"type": "model_type", "spec": "software_spec", "deployment": "deployment"}
_FORM = "name = path [type=…] [spec=…] [deployment=…]"


class Plan(NamedTuple):
    """Specification of one deployment of the run.

    Args:
        name: name of the deployment and of its cassette.
        model: an archive, a folder, a model file or `train`; empty for the packaged sample, or for an existing
            deployment without a local model.
        model_type: WML's model type; empty for the option wml_model_type, or to infer it.
        software_spec: name of the software specification; empty for the option wml_software_spec, or to infer it.
        deployment: id or serving name of an existing deployment; empty to create one.
        source: the option that names the model; relative paths in an ini file start at pytest's root folder.
    """

    name: str
    model: str = ""
    model_type: str = ""
    software_spec: str = ""
    deployment: str = ""
    source: str = "default"


class Plans(tuple[Plan, ...]):
    """The plans of a run; the text lists their names."""

    def __str__(self) -> str:
        return ", ".join(plan.name for plan in self)


def parsed(text: str) -> Plans:
    """Read lines `name = path [type=…] [spec=…] [deployment=…]`; empty lines and `#` comments are ignored.

    Raises:
        ValueError: a line is invalid, or a name occurs twice; the message names the line.
    """
    plans = Plans(_plans(text))
    seen: set[str] = set()
    for plan in plans:
        # On file systems that ignore case, both would have the same cassette.
        if plan.name.lower() in seen:
            raise ValueError(f"each name only once; two lines have the name {plan.name!r}")
        seen.add(plan.name.lower())
    return plans


def _plans(text: str) -> Iterator[Plan]:
    for line in text.splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            yield _plan(line)


def _plan(line: str) -> Plan:
    name, equals, rest = (part.strip() for part in line.partition("="))
    if not equals or not re.fullmatch(_NAME, name):
        raise ValueError(
            f"{_FORM}; the line `{line}` does not begin with a name, which is also the file name of the recording"
        )
    rest = rest.strip()
    path, *pairs = _OPTION.split(rest)
    given = dict(zip(pairs[::2], (value.strip() for value in pairs[1::2]), strict=True))
    unknown = sorted(set(given) - set(_FIELDS))
    if unknown:
        raise ValueError(
            f"{_FORM}; the line `{line}` has {', '.join(unknown)}, but only {', '.join(_FIELDS)} are accepted"
        )
    empty = [option for option, value in given.items() if not value]
    if empty or len(given) * 2 != len(pairs):
        raise ValueError(f"{_FORM}; the line `{line}` has {', '.join(empty) or 'an option'} without a value, or twice")
    path = path.strip().strip("\"'")
    if not path and "deployment" not in given:
        raise ValueError(f"{_FORM}; the line `{line}` has no model")
    return Plan(name, path, **{_FIELDS[option]: value for option, value in given.items()})

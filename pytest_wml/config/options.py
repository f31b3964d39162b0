"""Reads the options of a run, in order of precedence: command line, environment, ini, default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pytest_wml.config import similar_names
from pytest_wml.config.option_table import LINES, TABLE, Option
from pytest_wml.config.values import IN_INI, KINDS, WORDS, Mode, Setting, unwrapped
from pytest_wml.errors import BadOption

if TYPE_CHECKING:
    import pytest

    from pytest_wml.config.deployment_specs import Plan
    from pytest_wml.config.fault_rules import Fault
    from pytest_wml.config.json_paths import JsonPaths


class Settings:
    """The values of all options of a run."""

    mode: Setting[Mode]
    record: Setting[bool]
    model: Setting[str]
    name: Setting[str]
    cassettes: Setting[str]
    credentials: Setting[str]
    deployment: Setting[str]
    deployments: Setting[tuple[Plan, ...]]
    software_spec: Setting[str]
    model_type: Setting[str]
    allow_pickle: Setting[bool]
    ignore: Setting[JsonPaths]
    max_age: Setting[int]
    cpd_hosts: Setting[str]
    pass_iam: Setting[bool]
    faults: Setting[tuple[Fault, ...]]
    report: Setting[str]
    ca: Setting[str]
    deadline: Setting[float]
    max_requests: Setting[int | None]
    max_deployments: Setting[int | None]
    max_upload: Setting[int | None]
    reuse: Setting[bool]
    lifetime: Setting[float]

    how_to_allow = "pytest --wml=embedded --wml-allow-pickle"
    """The command that allows the embedded service to run code in a model."""

    def __init__(self, **settings: Setting[Any]) -> None:
        vars(self).update(settings)

    def chosen(self) -> dict[str, str]:
        """The options that are not at their default: name → `value (from source)`."""
        chosen = {}
        for name, setting in vars(self).items():
            if setting.source != "default":
                value = setting.value.value if isinstance(setting.value, Mode) else setting.value
                chosen[name] = f"{value} (from {setting.source})"
        return chosen


_IN_LINES = ("mode", "record", "model", "deployment", "deployments")
"""Options that the first lines of the header show."""


def model(settings: Settings) -> str:
    """The tested model or models with their source, for the header."""
    several, deployment, one = settings.deployments, settings.deployment, settings.model
    if several.value:
        plans = (f"{plan.name} = {plan.model or f'deployment {plan.deployment}'}" for plan in several.value)
        return f"{', '.join(plans)} (from {several.source})"
    if deployment.value:
        local = f", compared with {one.value} (from {one.source})" if one.value else ""
        return f"that of deployment {deployment.value} (from {deployment.source}){local}"
    return f"{one.value or 'the packaged sample'} (from {one.source})"


def header(settings: Settings) -> Iterator[str]:
    """The header lines of a run: the mode, the model, and other options that are not at their default."""
    recording = ", recording" if settings.record.value else ""
    yield f"wml: {settings.mode.value.value}{recording} (from {settings.mode.source})"
    yield f"wml: model: {model(settings)}"
    others = {name: value for name, value in settings.chosen().items() if name not in _IN_LINES}
    if others:
        yield "wml: " + ", ".join(f"{name} = {value}" for name, value in others.items())


def read(config: pytest.Config, environ: Mapping[str, str]) -> Settings:
    """Read the value and source of every option.

    Args:
        config: pytest's configuration; conftests need not be loaded yet.
        environ: the environment.

    Raises:
        BadOption: an option has an invalid value, or two options contradict each other.
    """
    settings = Settings(**{option.name: _read(option, config, environ) for option in TABLE})
    if settings.record.value and settings.mode.value is Mode.REPLAY:
        raise BadOption(
            f"Nothing can be recorded in replay ({settings.record.source} is on).",
            mode=f"replay, from {settings.mode.source}",
            fix="add --wml=embedded or --wml-live, or leave recording off",
        )
    if settings.record.value and settings.reuse.value:
        raise BadOption(
            f"A reused deployment cannot be recorded ({settings.reuse.source}): it was created before the recording.",
            record=f"from {settings.record.source}",
            fix="record without reusing, or leave recording off",
        )
    if settings.record.value and settings.faults.value:
        raise BadOption(
            f"Nothing is recorded while faults are injected into the whole run ({settings.faults.source}).",
            record=f"from {settings.record.source}",
            fix="record without them; faults of @pytest.mark.wml(faults=…) are allowed, since they are not recorded",
        )
    single = [setting.source for setting in (settings.model, settings.name, settings.deployment) if setting.value]
    if settings.deployments.value and single:
        raise BadOption(
            f"{settings.deployments.source} names the models of the suite, but {', '.join(single)} names another one.",
            models=settings.deployments.value,
            fix="give only one of them; -k NAME or @pytest.mark.wml(deployment=…) selects among several models",
        )
    return settings


def default(option: Option) -> Setting[Any]:
    """The default setting of an option."""
    value = option.default
    return Setting(KINDS[option.accepts](value) if isinstance(value, str) and value else value)


def _read(option: Option, config: pytest.Config, environ: Mapping[str, str]) -> Setting[Any]:
    candidates = (
        (option.flag, getattr(config.known_args_namespace, option.dest, None)),
        (option.env, environ.get(option.env)),
        (f"ini {option.ini}", config.getini(option.ini)),
    )
    for source, text in candidates:
        if isinstance(text, list):
            text = "\n".join(map(str, text))
        # CI systems set undefined variables to an empty text.
        if text:
            return Setting(_parsed(option, source, str(text)), source)
    return default(option)


def _parsed(option: Option, source: str, text: str) -> Any:
    in_ini = source.startswith("ini")
    parse = IN_INI.get(option.accepts, KINDS[option.accepts]) if in_ini else KINDS[option.accepts]
    plain = unwrapped(text, lines=option.accepts in LINES, commented=in_ini)
    if plain != text.strip():
        shown = plain if "\n" not in plain else "\n" + "\n".join(f"  {line}" for line in plain.splitlines())
        raise BadOption(
            f"{source} has a value with quotes, brackets or a comment, as in TOML: {text.strip()}",
            fix=f"write the plain value: {option.ini if in_ini else source} = {shown}",
        )
    try:
        return parse(text)
    except ValueError as expected:
        raise BadOption(
            f"{source} has an invalid value: {text!r}.",
            expected=expected,
            did_you_mean=similar_names.closest(text, WORDS.get(option.accepts, ())),
            fix="pytest --help lists the options in the group IBM Watson Machine Learning",
        ) from None

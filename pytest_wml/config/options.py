"""The options of a run: command line, environment, ini, default, in that order of precedence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pytest_wml.config import similar_names
from pytest_wml.config.table import LINES, TABLE, Option
from pytest_wml.config.values import IN_INI, KINDS, WORDS, Mode, Setting, unwrapped
from pytest_wml.errors import BadOption

if TYPE_CHECKING:
    import pytest

    from pytest_wml.config.deployment_specs import Plan
    from pytest_wml.config.fault_rules import Fault
    from pytest_wml.config.json_paths import JsonPaths


class Settings:
    """Every option of a run, read once."""

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
    """What a user runs to let the embedded service run code that comes with a model."""

    def __init__(self, **settings: Setting[Any]) -> None:
        vars(self).update(settings)

    def chosen(self) -> dict[str, str]:
        """What is not left at its default: name → `value (from source)`."""
        chosen = {}
        for name, setting in vars(self).items():
            if setting.source != "default":
                value = setting.value.value if isinstance(setting.value, Mode) else setting.value
                chosen[name] = f"{value} (from {setting.source})"
        return chosen


_IN_LINES = ("mode", "record", "model", "deployment", "deployments")
"""What the first lines of the header name."""


def model(settings: Settings) -> str:
    """What is tested, and what says so."""
    several, deployment, one = settings.deployments, settings.deployment, settings.model
    if several.value:
        plans = (f"{plan.name} = {plan.model or f'deployment {plan.deployment}'}" for plan in several.value)
        return f"{', '.join(plans)} (from {several.source})"
    if deployment.value:
        local = f", compared with {one.value} (from {one.source})" if one.value else ""
        return f"that of deployment {deployment.value} (from {deployment.source}){local}"
    return f"{one.value or 'the packaged sample'} (from {one.source})"


def header(settings: Settings) -> Iterator[str]:
    """The lines above the tests: the mode and what chose it, and whatever else is not left at its default."""
    recording = ", recording" if settings.record.value else ""
    yield f"wml: {settings.mode.value.value}{recording} (from {settings.mode.source})"
    yield f"wml: model: {model(settings)}"
    others = {name: value for name, value in settings.chosen().items() if name not in _IN_LINES}
    if others:
        yield "wml: " + ", ".join(f"{name} = {value}" for name, value in others.items())


def read(config: pytest.Config, environ: Mapping[str, str]) -> Settings:
    """Every option's value and source.

    Args:
        config: pytest's; may still be on its way, before conftests are loaded.
        environ: the environment.

    Raises:
        BadOption: a value that the option does not accept, or two that contradict each other.
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
            f"A deployment that is reused cannot be recorded ({settings.reuse.source}): it was created before.",
            record=f"from {settings.record.source}",
            fix="record without reusing, or leave recording off",
        )
    if settings.record.value and settings.faults.value:
        raise BadOption(
            f"Nothing is recorded while faults are injected into the whole run ({settings.faults.source}).",
            record=f"from {settings.record.source}",
            fix="record without them; the faults of @pytest.mark.wml(faults=…) may stay: no recording holds them",
        )
    single = [setting.source for setting in (settings.model, settings.name, settings.deployment) if setting.value]
    if settings.deployments.value and single:
        raise BadOption(
            f"{settings.deployments.source} names the models of the suite, and {', '.join(single)} names one besides.",
            models=settings.deployments.value,
            fix="give the one or the other; -k NAME or @pytest.mark.wml(deployment=…) chooses among several",
        )
    return settings


def default(option: Option) -> Setting[Any]:
    """What an option is worth that is not given."""
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
        # An empty variable is how CI systems say "not set".
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
            f"{source} has a value that it does not accept: {text!r}.",
            expected=expected,
            did_you_mean=similar_names.closest(text, WORDS.get(option.accepts, ())),
            fix="pytest --help lists the options in the group IBM Watson Machine Learning",
        ) from None

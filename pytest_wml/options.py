"""One table of options: command line, environment, ini, default, in that order of precedence."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pytest_wml.errors import BadOption
from pytest_wml.option import Option, Setting, days, file_name, folder, hosts, switch
from pytest_wml.plans import Plans, parsed

if TYPE_CHECKING:
    import pytest

    from pytest_wml.faults import Fault

T = TypeVar("T")


class Mode(enum.Enum):
    """Where answers come from."""

    REPLAY = "replay"
    EMBEDDED = "embedded"
    LIVE = "live"


NOT_IN_REPLAY = "needs the model itself: run it with --wml=embedded"
"""Why a test is skipped that a replay cannot run; such a test does not make a run less whole."""


def _mode(text: str) -> Mode:
    try:
        return Mode(text.strip().lower())
    except ValueError:
        raise ValueError("one of replay, embedded, live") from None


MODE = Option("mode", Mode.REPLAY, _mode, "Where answers come from: replay, embedded or live.", "MODE")
RECORD = Option("record", False, switch, "Write what is answered to cassettes (with embedded or live).")
MODEL = Option(
    "model",
    "",
    str.strip,
    "The model: an archive, a SavedModel folder, or `train` for the sample network trained now. "
    "Default: the packaged sample archive.",
    "PATH",
)
NAME = Option("name", "", file_name, "Name of the deployment and of its cassette. Default: the archive's.", "NAME")
CASSETTES = Option("cassettes", "cassettes", str.strip, "Folder of the cassettes, below the root folder.", "DIR")
CREDENTIALS = Option(
    "credentials",
    "",
    str.strip,
    "File with the WML credentials: JSON, also as IBM's console writes it, or a .env.",
    "FILE",
)
DEPLOYMENT = Option(
    "deployment", "", str.strip, "Id or serving name of a deployment that exists; it is only scored.", "ID"
)
DEPLOYMENTS = Option(
    "deployments",
    Plans(),
    parsed,
    "Several models in one suite, one a line: `name = path [type=…] [spec=…] [deployment=…]`.",
    "LINES",
    parsed,
)
SOFTWARE_SPEC = Option(
    "software_spec", "runtime-24.1-py3.11", str.strip, "Software specification of the stored model.", "NAME"
)
MODEL_TYPE = Option("model_type", "tensorflow_2.14", str.strip, "WML type of the stored model.", "TYPE")

CPD_HOSTS = Option(
    "cpd_hosts",
    "",
    hosts,
    "Hosts of a Cloud Pak for Data, `host` or `host:port`, that tests talk to without IBM's client.",
    "HOSTS",
)
PASS_IAM = Option("pass_iam", False, switch, "Let requests for tokens of other IBM services pass to iam.cloud.ibm.com.")
ALLOW_PICKLE = Option(
    "allow_pickle",
    False,
    switch,
    "Let the embedded service run code that comes with a model: pickles, Python functions, Lambda layers.",
)


def _faults_of(path: str) -> tuple[Fault, ...]:
    from pytest_wml.faults import read  # only here: a run without faults does not pay for it

    return read(Path(path.strip()))


def _faults_in(lines: str) -> tuple[Fault, ...]:
    from pytest_wml.faults import parse

    return parse(lines, "ini wml_faults")


FAULTS: Option[tuple[Fault, ...]] = Option(
    "faults",
    (),
    _faults_of,
    "File of faults to inject, one a line: token-expires, status, slow, deployment-stuck, deployment-failed, cut, such "
    "as `status code=429 on=predictions times=2`. The ini holds the lines.",
    "FILE",
    _faults_in,
)
MAX_AGE = Option(
    "max_age",
    0,
    days,
    "Days after which a recording is too old: a warning, a failure where CI is set. 0: never.",
    "DAYS",
)
REPORT = Option(
    "report", "", folder, "Write the run as a page to look at, DIR/index.html: checks, images, latencies.", "DIR"
)

TABLE: tuple[Option[Any], ...] = (
    MODE,
    RECORD,
    MODEL,
    NAME,
    CASSETTES,
    CREDENTIALS,
    DEPLOYMENT,
    DEPLOYMENTS,
    SOFTWARE_SPEC,
    MODEL_TYPE,
    ALLOW_PICKLE,
    MAX_AGE,
    CPD_HOSTS,
    PASS_IAM,
    FAULTS,
    REPORT,
)


class Settings(NamedTuple):
    """Every option of a run, read once."""

    mode: Setting[Mode]
    record: Setting[bool]
    model: Setting[str]
    name: Setting[str]
    cassettes: Setting[str]
    credentials: Setting[str]
    deployment: Setting[str]
    deployments: Setting[Plans]
    software_spec: Setting[str]
    model_type: Setting[str]
    allow_pickle: Setting[bool]
    max_age: Setting[int]
    cpd_hosts: Setting[str]
    pass_iam: Setting[bool]
    faults: Setting[tuple[Fault, ...]]
    report: Setting[str]

    def chosen(self) -> dict[str, str]:
        """What is not left at its default: name → `value (from source)`."""
        chosen = {}
        for name, setting in self._asdict().items():
            if setting.source != "default":
                value = setting.value.value if isinstance(setting.value, Mode) else setting.value
                chosen[name] = f"{value} (from {setting.source})"
        return chosen


def add_to(parser: pytest.Parser) -> None:
    """Declare every option, on the command line and as ini keys."""
    group = parser.getgroup("wml", "IBM Watson Machine Learning")
    for option in TABLE:
        kind: dict[str, Any] = {"action": "store_const", "const": "yes"} if option.parse is switch else {}
        group.addoption(
            option.flag,
            dest=option.dest,
            default=None,
            help=f"{option.help}{_default(option)} Also {option.env}, ini {option.ini}.",
            **({"metavar": option.metavar} if option.metavar else {}),
            **kind,
        )
        lines: Any = "linelist" if option.parse_ini else None
        parser.addini(option.ini, f"{option.help} See {option.flag}.", type=lines, default=None)
    group.addoption("--wml-live", dest=MODE.dest, action="store_const", const="live", help="Short for --wml=live.")


def _default(option: Option[Any]) -> str:
    """The default, where there is one to name and the help does not speak of it."""
    value = option.default.value if isinstance(option.default, enum.Enum) else option.default
    return f" Default: {value}." if value and isinstance(value, str) and "Default" not in option.help else ""


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


def _read(option: Option[T], config: pytest.Config, environ: Mapping[str, str]) -> Setting[T]:
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
            try:
                parse = option.parse_ini if option.parse_ini and source.startswith("ini") else option.parse
                return Setting(parse(str(text)), source)
            except ValueError as expected:
                raise BadOption(
                    f"{source} has a value that it does not accept: {text!r}.",
                    expected=expected,
                    fix="pytest --help lists the options in the group IBM Watson Machine Learning",
                ) from None
    return Setting(option.default)

"""One table of options: command line, environment, ini, default, in that order of precedence."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlsplit

from pytest_wml.errors import BadOption

if TYPE_CHECKING:
    import pytest

T = TypeVar("T")


class Mode(enum.Enum):
    """Where answers come from."""

    REPLAY = "replay"
    EMBEDDED = "embedded"
    LIVE = "live"


class Setting(NamedTuple, Generic[T]):
    """A value that knows where it came from."""

    value: T
    source: str = "default"


class Option(NamedTuple, Generic[T]):
    """One option and all the ways to give it."""

    name: str
    default: T
    parse: Callable[[str], T]
    help: str
    metavar: str | None = None

    @property
    def flag(self) -> str:
        return "--wml" if self.name == "mode" else "--wml-" + self.name.replace("_", "-")

    @property
    def env(self) -> str:
        return "WML_" + self.name.upper()

    @property
    def ini(self) -> str:
        return "wml_" + self.name

    @property
    def dest(self) -> str:
        return "wml_" + self.name


def _mode(text: str) -> Mode:
    try:
        return Mode(text.strip().lower())
    except ValueError:
        raise ValueError("one of replay, embedded, live") from None


def _switch(text: str) -> bool:
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("a switch: yes or no")


def _name(text: str) -> str:
    name = text.strip()
    if name != Path(name).name or name.startswith("."):
        raise ValueError("a plain file name without folders")
    return name


def _hosts(text: str) -> str:
    return ", ".join(urlsplit(word).netloc or word for word in text.replace(",", " ").split())


def _days(text: str) -> int:
    try:
        days = int(text)
    except ValueError:
        days = -1
    if days < 0:
        raise ValueError("a number of days, 0 or more")
    return days


MODE = Option("mode", Mode.REPLAY, _mode, "Where answers come from: replay, embedded or live.", "MODE")
RECORD = Option("record", False, _switch, "Write what is answered to cassettes (with embedded or live).")
MODEL = Option(
    "model",
    "",
    str.strip,
    "The model: an archive, a SavedModel folder, or `train` for the sample network trained now. "
    "Default: the packaged sample archive.",
    "PATH",
)
NAME = Option("name", "", _name, "Name of the deployment and of its cassette. Default: the archive's.", "NAME")
CASSETTES = Option("cassettes", "cassettes", str.strip, "Folder of the cassettes, below the root folder.", "DIR")
CREDENTIALS = Option("credentials", "", str.strip, "JSON file with the WML credentials.", "FILE")
DEPLOYMENT = Option(
    "deployment", "", str.strip, "Id or serving name of a deployment that exists; it is only scored.", "ID"
)
SOFTWARE_SPEC = Option(
    "software_spec", "runtime-24.1-py3.11", str.strip, "Software specification of the stored model.", "NAME"
)
MODEL_TYPE = Option("model_type", "tensorflow_2.14", str.strip, "WML type of the stored model.", "TYPE")

CPD_HOSTS = Option(
    "cpd_hosts",
    "",
    _hosts,
    "Hosts of a Cloud Pak for Data, `host` or `host:port`, that tests talk to without IBM's client.",
    "HOSTS",
)
PASS_IAM = Option(
    "pass_iam", False, _switch, "Let requests for tokens of other IBM services pass to iam.cloud.ibm.com."
)
ALLOW_PICKLE = Option(
    "allow_pickle",
    False,
    _switch,
    "Let the embedded service run code that comes with a model: pickles, Python functions, Lambda layers.",
)
MAX_AGE = Option(
    "max_age",
    0,
    _days,
    "Days after which a recording is too old: a warning, a failure where CI is set. 0: never.",
    "DAYS",
)

TABLE: tuple[Option[Any], ...] = (
    MODE,
    RECORD,
    MODEL,
    NAME,
    CASSETTES,
    CREDENTIALS,
    DEPLOYMENT,
    SOFTWARE_SPEC,
    MODEL_TYPE,
    ALLOW_PICKLE,
    MAX_AGE,
    CPD_HOSTS,
    PASS_IAM,
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
    software_spec: Setting[str]
    model_type: Setting[str]
    allow_pickle: Setting[bool]
    max_age: Setting[int]
    cpd_hosts: Setting[str]
    pass_iam: Setting[bool]

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
        kind: dict[str, Any] = {"action": "store_const", "const": "yes"} if option.parse is _switch else {}
        group.addoption(
            option.flag,
            dest=option.dest,
            default=None,
            help=f"{option.help} Also {option.env}, ini {option.ini}.",
            **({"metavar": option.metavar} if option.metavar else {}),
            **kind,
        )
        parser.addini(option.ini, f"{option.help} See {option.flag}.", default=None)
    group.addoption("--wml-live", dest=MODE.dest, action="store_const", const="live", help="Short for --wml=live.")


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
    return settings


def _read(option: Option[T], config: pytest.Config, environ: Mapping[str, str]) -> Setting[T]:
    candidates = (
        (option.flag, getattr(config.known_args_namespace, option.dest, None)),
        (option.env, environ.get(option.env)),
        (f"ini {option.ini}", config.getini(option.ini)),
    )
    for source, text in candidates:
        # An empty variable is how CI systems say "not set".
        if text:
            try:
                return Setting(option.parse(str(text)), source)
            except ValueError as expected:
                raise BadOption(
                    f"{source} has a value that it does not accept: {text!r}.",
                    expected=expected,
                    fix="pytest --help lists the options in the group IBM Watson Machine Learning",
                ) from None
    return Setting(option.default)

"""Declares the options, the marker, the ending of contract files and the variables of credentials.

This module contains little but data: every project with the plugin installed imports it at each start of pytest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

CONTRACT_FILE = ".wml.yaml"
"""File name ending of contract files."""

FIELDS = ("url", "apikey", "token", "username", "password", "instance_id", "version", "space_id")
"""Fields of credentials, with the names of ibm-watson-machine-learning, and the deployment space."""
SECRET = ("apikey", "password", "token")
"""The secret fields, which must not be written to a log, report or file."""

FAMILIES: tuple[dict[str, str], ...] = (
    # Variables of this package; `WML_API_KEY` is the spelling of the newer client.
    {**{f"WML_{name.upper()}": name for name in FIELDS}, "WML_API_KEY": "apikey"},
    # Variables of ibm-watsonx-ai's samples and of its integrations, such as langchain-ibm.
    {**{f"WATSONX_{name.upper()}": name for name in FIELDS}, "WATSONX_API_KEY": "apikey"},
    # Variables of ibm-cloud-sdk-core, also in its ibm-credentials.env.
    {
        **{f"WATSON_MACHINE_LEARNING_{name.upper()}": name for name in FIELDS},
        "WATSON_MACHINE_LEARNING_BEARER_TOKEN": "token",
    },
    # Variables that both of IBM's clients read in the runtime of a notebook.
    {"USER_ACCESS_TOKEN": "token", "RUNTIME_ENV_APSX_URL": "url", "SPACE_ID": "space_id"},
    # Variable of IBM Cloud's command line.
    {"IBMCLOUD_API_KEY": "apikey"},
)
"""Sets of variables: variable → field, in order of precedence."""

SPACE_VARIABLES = tuple(name for family in FAMILIES for name, field in family.items() if field == "space_id")
"""The variables for the deployment space; the first one that is set is used."""
SECRET_VARIABLES = tuple(name for family in FAMILIES for name, field in family.items() if field in SECRET)
"""The variables for secrets of WML."""
CREDENTIALS = (*FAMILIES[0], *SECRET_VARIABLES)
"""The variables that indicate credentials: at least one of them is set if the environment contains credentials."""

UNTOUCHED = ("wml: replay (from default)", "wml: model: the packaged sample (from default)")
"""The header lines of a run without options."""

NOT_IN_REPLAY = "needs the model itself: run it with --wml=embedded"
"""Skip reason of a test that cannot run in replay; such a skip does not make a run incomplete."""

MARKER = (
    "wml(*, cassette=None, live_only=False, not_in_replay=False, deployment=None, faults=()): cassette names the "
    "recording of the test's own requests; live_only skips the test except in live mode; not_in_replay skips the test "
    "in replay; deployment selects a deployment of wml_deployments; faults are lines such as "
    "'status code=429 on=predictions times=2', which are injected into the test's own requests (see --wml-faults)."
)
"""Description of the marker in `pytest --markers`."""


LINES = ("plans", "faults", "paths")
"""Kinds of option values that have several lines in an ini file."""

MODEL_TYPE = "tensorflow_2.14"
SOFTWARE_SPEC = "runtime-24.1-py3.11"
"""Default software specification and model type of a TensorFlow model."""


class Option:
    """One option with its flag, environment variable and ini key.

    Args:
        name: name, from which flag, variable and ini key are derived.
        accepts: kind of its value, a key of `values.KINDS`.
        help: description in `pytest --help`.
        metavar: placeholder of its value in `pytest --help`; empty for a switch.
        default: default value; a text that is not empty is parsed like a given one.
    """

    def __init__(self, name: str, accepts: str, help: str, metavar: str = "", default: Any = "") -> None:
        self.name = name
        self.accepts = accepts
        self.help = help
        self.metavar = metavar
        self.default = default
        self.flag = "--wml" if name == "mode" else "--wml-" + name.replace("_", "-")
        self.env = "WML_" + name.upper()
        self.ini = self.dest = "wml_" + name


TABLE = (
    Option("mode", "mode", "Source of the answers: replay, embedded or live.", "MODE", "replay"),
    Option("record", "switch", "Record the answers to cassettes (with embedded or live).", default=False),
    Option(
        "model",
        "text",
        (
            "The model: an archive, a folder, a model file, or `train` to train the sample network. Default: "
            "the packaged sample archive."
        ),
        "PATH",
    ),
    Option(
        "name", "file name", "Name of the deployment and of its cassette. Default: the name of the archive.", "NAME"
    ),
    Option("cassettes", "text", "Folder of the cassettes, below the root folder.", "DIR", "cassettes"),
    Option(
        "credentials",
        "text",
        "File with the WML credentials: JSON, also in the format of IBM's console, or .env.",
        "FILE",
    ),
    Option("deployment", "text", "Id or serving name of an existing deployment; it is scored, not changed.", "ID"),
    Option(
        "deployments",
        "plans",
        "Several models, one for each line: `name = path [type=…] [spec=…] [deployment=…]`.",
        "LINES",
        (),
    ),
    Option(
        "software_spec",
        "text",
        "Software specification of the stored model. Default: inferred from the model and its type.",
        "NAME",
    ),
    Option("model_type", "text", "WML type of the stored model. Default: inferred from the model.", "TYPE"),
    Option(
        "allow_pickle",
        "switch",
        "Allow the embedded service to run code in a model: pickles, Python functions, Lambda layers.",
        default=False,
    ),
    Option(
        "ignore",
        "paths",
        (
            "JSON paths of values that are ignored when requests are compared with recordings: `$.custom.build`, "
            "`$.input_data[*].values[*][3]`; one for each line, or separated by commas."
        ),
        "PATHS",
        (),
    ),
    Option(
        "max_age",
        "days",
        "Days after which a recording is too old: a warning, or a failure if CI is set. 0: never.",
        "DAYS",
        0,
    ),
    Option(
        "cpd_hosts",
        "hosts",
        "Hosts of Cloud Pak for Data, `host` or `host:port`, that tests use without IBM's client.",
        "HOSTS",
    ),
    Option("pass_iam", "switch", "Pass token requests of other IBM services on to iam.cloud.ibm.com.", default=False),
    Option(
        "faults",
        "faults",
        (
            "File of faults to inject, one for each line: token-expires, status, slow, deployment-stuck, "
            "deployment-failed, cut; such as `status code=429 on=predictions times=2`. The ini contains the lines."
        ),
        "FILE",
        (),
    ),
    Option("report", "folder", "Write a report of the run to DIR/index.html: checks, images, latencies.", "DIR"),
    Option(
        "ca",
        "text",
        (
            "PEM file with the certificate authority of the service; it replaces the authorities that are trusted by "
            "default."
        ),
        "FILE",
    ),
    Option("deadline", "seconds", "Seconds until a deployment must be ready. Default: 1200.", "SECONDS", 1200.0),
    Option(
        "max_requests",
        "count",
        "Largest number of requests of a live run, which then stops; deletions are not counted.",
        "N",
        None,
    ),
    Option(
        "max_deployments",
        "count",
        "Largest number of deployments that a live run creates; it stops before the next one.",
        "N",
        None,
    ),
    Option(
        "max_upload",
        "count",
        "Largest upload of a live run in megabytes; it stops before it exceeds them.",
        "MB",
        None,
    ),
    Option(
        "reuse",
        "switch",
        "Live: keep the deployment for later runs with the same model, up to a week.",
        default=False,
    ),
    Option(
        "lifetime",
        "hours",
        "Hours after which `pytest-wml sweep` deletes resources that a live run left behind. Default: 4.",
        "HOURS",
        4.0,
    ),
)

KEYS = frozenset(option.ini for option in TABLE)
"""The ini keys of the options."""


def declare(parser: pytest.Parser) -> None:
    """Declare every option as a flag and as an ini key."""
    group = parser.getgroup("wml", "IBM Watson Machine Learning")
    for option in TABLE:
        kind: dict[str, Any] = (
            {"metavar": option.metavar} if option.metavar else {"action": "store_const", "const": "yes"}
        )
        named = isinstance(option.default, str) and option.default and "Default" not in option.help
        default = f" Default: {option.default}." if named else ""
        help = f"{option.help}{default} Also {option.env}, ini {option.ini}."
        group.addoption(option.flag, dest=option.dest, default=None, help=help, **kind)
        lines: Any = "linelist" if option.accepts in LINES else None
        parser.addini(option.ini, f"{option.help} See {option.flag}.", type=lines, default=None)
    group.addoption("--wml-live", dest="wml_mode", action="store_const", const="live", help="Short for --wml=live.")


def ini_keys(config: pytest.Config) -> set[str]:
    """The keys in the ini file and in `-o`.

    pytest has no public interface to list them: `Config.inicfg` is deprecated in 9, and lacks those of `-o` in 8.
    """
    found: Any = getattr(config, "_inicfg", None)
    if found is None:
        found = getattr(config, "inicfg", ())
    return {*found} | overridden(config)


def overridden(config: pytest.Config) -> set[str]:
    """The keys in `-o`."""
    given = getattr(config.known_args_namespace, "override_ini", None) or ()
    return {str(each).partition("=")[0].strip() for each in given}


def may_be_ours(key: str) -> bool:
    """Whether an ini key starts with `wml`, in any case and order of these letters."""
    return sorted(key[:3].lower()) == ["l", "m", "w"]


VARIABLES = dict.fromkeys([*(option.env for option in TABLE), *FAMILIES[0]])
"""The environment variables of this package with the prefix `WML_`."""
_OF_IBM = ("WML_CLIENT_VERIFY_REQUESTS",)
"""Variables of ibm-watson-machine-learning with the same prefix."""


def stray_variables(environ: Mapping[str, str]) -> list[str]:
    """Variables that start with WML but are unknown here; most of them belong to other programs."""
    return [name for name in environ if name[:3] in ("WML", "wml") and name not in VARIABLES and name not in _OF_IBM]


def credentials_given(environ: Mapping[str, str]) -> bool:
    """Whether the environment contains credentials."""
    return any(map(environ.get, CREDENTIALS))


def given(config: pytest.Config, environ: Mapping[str, str]) -> bool:
    """Whether any option is given as a flag, variable or ini key."""
    flags = vars(config.known_args_namespace)
    # CI systems set undefined variables to an empty text.
    return any(flags.get(one.dest) or environ.get(one.env) or config.getini(one.ini) for one in TABLE)

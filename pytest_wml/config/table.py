"""What every start of pytest declares and looks for: options, the marker, contract files, credentials.

Data and little else, since each project with the plugin loads it, also where nothing is tested on WML.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

CONTRACT_FILE = ".wml.yaml"
"""How the names of contract files end."""

FIELDS = ("url", "apikey", "token", "username", "password", "instance_id", "version", "space_id")
"""What credentials consist of, as ibm-watson-machine-learning names it, and the deployment space."""
SECRET = ("apikey", "password", "token")
"""The fields that must reach no log, report or file."""

FAMILIES: tuple[dict[str, str], ...] = (
    # Own names; `WML_API_KEY` is spelled as the newer client spells it.
    {**{f"WML_{name.upper()}": name for name in FIELDS}, "WML_API_KEY": "apikey"},
    # ibm-watsonx-ai's samples and the integrations of it, such as langchain-ibm.
    {**{f"WATSONX_{name.upper()}": name for name in FIELDS}, "WATSONX_API_KEY": "apikey"},
    # ibm-cloud-sdk-core, also in its ibm-credentials.env.
    {
        **{f"WATSON_MACHINE_LEARNING_{name.upper()}": name for name in FIELDS},
        "WATSON_MACHINE_LEARNING_BEARER_TOKEN": "token",
    },
    # What both of IBM's clients read in a notebook's runtime.
    {"USER_ACCESS_TOKEN": "token", "RUNTIME_ENV_APSX_URL": "url", "SPACE_ID": "space_id"},
    # IBM Cloud's command line.
    {"IBMCLOUD_API_KEY": "apikey"},
)
"""Variable → field, in the order in which they are looked at."""

SPACE_VARIABLES = tuple(name for family in FAMILIES for name, field in family.items() if field == "space_id")
"""The variables that name a deployment space; the first one that is set counts."""
SECRET_VARIABLES = tuple(name for family in FAMILIES for name, field in family.items() if field in SECRET)
"""The variables that hold secrets of WML."""
CREDENTIALS = (*FAMILIES[0], *SECRET_VARIABLES)
"""Variables one of which is set wherever the environment gives credentials."""

UNTOUCHED = ("wml: replay (from default)", "wml: model: the packaged sample (from default)")
"""The lines above the tests of a run in which no option is given."""

NOT_IN_REPLAY = "needs the model itself: run it with --wml=embedded"
"""Why a test is skipped that a replay cannot run; such a test does not make a run less whole."""

MARKER = (
    "wml(*, cassette=None, live_only=False, not_in_replay=False, deployment=None, faults=()): cassette names the "
    "recording of the test's own requests; live_only skips the test unless it runs against the service; "
    "not_in_replay skips it in replay; deployment chooses one of those in wml_deployments; faults, a line or several "
    "such as 'status code=429 on=predictions times=2', are injected into what the test asks itself (see --wml-faults)."
)
"""What `pytest --markers` says."""


LINES = ("plans", "faults", "paths")
"""Kinds of values that an ini file holds in several lines."""

MODEL_TYPE = "tensorflow_2.14"
SOFTWARE_SPEC = "runtime-24.1-py3.11"
"""As what a TensorFlow model is stored where nobody says."""


class Option:
    """One option and all the ways to give it.

    Args:
        name: from which flag, variable and ini key are made.
        accepts: the kind of its value: how its text is read says `values.KINDS`.
        help: for `pytest --help`.
        metavar: what its value is called there; none for a switch.
        default: its value where it is not given; text that is not empty is read as if it were given.
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
    Option("mode", "mode", "Where answers come from: replay, embedded or live.", "MODE", "replay"),
    Option("record", "switch", "Write what is answered to cassettes (with embedded or live).", default=False),
    Option(
        "model",
        "text",
        (
            "The model: an archive, a folder, a model file, or `train` for the sample network trained now. Default: "
            "the packaged sample archive."
        ),
        "PATH",
    ),
    Option("name", "file name", "Name of the deployment and of its cassette. Default: the archive's.", "NAME"),
    Option("cassettes", "text", "Folder of the cassettes, below the root folder.", "DIR", "cassettes"),
    Option(
        "credentials",
        "text",
        "File with the WML credentials: JSON, also as IBM's console writes it, or a .env.",
        "FILE",
    ),
    Option("deployment", "text", "Id or serving name of a deployment that exists; it is only scored.", "ID"),
    Option(
        "deployments",
        "plans",
        "Several models in one suite, one a line: `name = path [type=…] [spec=…] [deployment=…]`.",
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
        "Let the embedded service run code that comes with a model: pickles, Python functions, Lambda layers.",
        default=False,
    ),
    Option(
        "ignore",
        "paths",
        (
            "Places in requests that recordings are not compared by, as JSON paths: `$.custom.build`, "
            "`$.input_data[*].values[*][3]`; one a line, or with commas between."
        ),
        "PATHS",
        (),
    ),
    Option(
        "max_age",
        "days",
        "Days after which a recording is too old: a warning, a failure where CI is set. 0: never.",
        "DAYS",
        0,
    ),
    Option(
        "cpd_hosts",
        "hosts",
        "Hosts of a Cloud Pak for Data, `host` or `host:port`, that tests talk to without IBM's client.",
        "HOSTS",
    ),
    Option(
        "pass_iam", "switch", "Let requests for tokens of other IBM services pass to iam.cloud.ibm.com.", default=False
    ),
    Option(
        "faults",
        "faults",
        (
            "File of faults to inject, one a line: token-expires, status, slow, deployment-stuck, "
            "deployment-failed, cut, such as `status code=429 on=predictions times=2`. The ini holds the lines."
        ),
        "FILE",
        (),
    ),
    Option("report", "folder", "Write the run as a page to look at, DIR/index.html: checks, images, latencies.", "DIR"),
    Option(
        "ca",
        "text",
        (
            "PEM file with the authority of a service that has its own; it takes the place of those that are "
            "trusted anyway."
        ),
        "FILE",
    ),
    Option(
        "deadline", "seconds", "Seconds within which a deployment has to be ready. Default: 1200.", "SECONDS", 1200.0
    ),
    Option("max_requests", "count", "Requests after which a live run is stopped; deletions do not count.", "N", None),
    Option(
        "max_deployments", "count", "Deployments that a live run may create; it is stopped before the next.", "N", None
    ),
    Option(
        "max_upload",
        "count",
        "Megabytes that a live run may upload; it is stopped before it would be more.",
        "MB",
        None,
    ),
    Option(
        "reuse",
        "switch",
        "Live: keep the deployment for the next runs, up to a week, as long as the model is the same.",
        default=False,
    ),
    Option(
        "lifetime",
        "hours",
        "Hours after which what a live run created is a leftover, which `pytest-wml sweep` deletes. Default: 4.",
        "HOURS",
        4.0,
    ),
)

KEYS = frozenset(option.ini for option in TABLE)
"""The keys of an ini file."""


def declare(parser: pytest.Parser) -> None:
    """Declare every option, on the command line and as ini keys."""
    group = parser.getgroup("wml", "IBM Watson Machine Learning")
    for option in TABLE:
        kind: dict[str, Any] = (
            {"metavar": option.metavar} if option.metavar else {"action": "store_const", "const": "yes"}
        )
        named = isinstance(option.default, str) and option.default and "Default" not in option.help
        default = f" Default: {option.default}." if named else ""
        told = f"{option.help}{default} Also {option.env}, ini {option.ini}."
        group.addoption(option.flag, dest=option.dest, default=None, help=told, **kind)
        lines: Any = "linelist" if option.accepts in LINES else None
        parser.addini(option.ini, f"{option.help} See {option.flag}.", type=lines, default=None)
    group.addoption("--wml-live", dest="wml_mode", action="store_const", const="live", help="Short for --wml=live.")


def ini_keys(config: pytest.Config) -> set[str]:
    """The keys that the ini file and `-o` give.

    pytest has no public way to list them: `Config.inicfg` is deprecated in 9, and does not have those of `-o` in 8.
    """
    found: Any = getattr(config, "_inicfg", None)
    if found is None:
        found = getattr(config, "inicfg", ())
    return {*found} | overridden(config)


def overridden(config: pytest.Config) -> set[str]:
    """The keys that `-o` gives."""
    given = getattr(config.known_args_namespace, "override_ini", None) or ()
    return {str(each).partition("=")[0].strip() for each in given}


def may_be_ours(key: str) -> bool:
    """Whether a key of an ini file begins as ours do, also with swapped letters."""
    return sorted(key[:3].lower()) == ["l", "m", "w"]


VARIABLES = dict.fromkeys([*(option.env for option in TABLE), *FAMILIES[0]])
"""The environment variables with our prefix."""
_OF_IBM = ("WML_CLIENT_VERIFY_REQUESTS",)
"""What ibm-watson-machine-learning reads."""


def stray_variables(environ: Mapping[str, str]) -> list[str]:
    """The variables that begin as ours do and are none: most of them are somebody else's."""
    return [name for name in environ if name[:3] in ("WML", "wml") and name not in VARIABLES and name not in _OF_IBM]


def credentials_given(environ: Mapping[str, str]) -> bool:
    """Whether the environment gives any credentials."""
    return any(map(environ.get, CREDENTIALS))


def given(config: pytest.Config, environ: Mapping[str, str]) -> bool:
    """Whether any option is given, in whatever way."""
    flags = vars(config.known_args_namespace)
    # An empty variable is how CI systems say "not set".
    return any(flags.get(one.dest) or environ.get(one.env) or config.getini(one.ini) for one in TABLE)

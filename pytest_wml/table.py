"""The table of options: what each is called, what it accepts, what it is for."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_wml.option import Option, days, file_name, folder, hosts, hours, positive, seconds, switch

if TYPE_CHECKING:
    from pytest_wml.faults import Fault
    from pytest_wml.plans import Plan


class Mode(enum.Enum):
    """Where answers come from."""

    REPLAY = "replay"
    EMBEDDED = "embedded"
    LIVE = "live"


NOT_IN_REPLAY = "needs the model itself: run it with --wml=embedded"
"""Why a test is skipped that a replay cannot run; such a test does not make a run less whole."""

MARKER = (
    "wml(*, cassette=None, live_only=False, not_in_replay=False, deployment=None, faults=()): cassette names the "
    "recording of the test's own requests; live_only skips the test unless it runs against the service; "
    "not_in_replay skips it in replay; deployment chooses one of those in wml_deployments; faults, a line or several "
    "such as 'status code=429 on=predictions times=2', are injected into what the test asks itself (see --wml-faults)."
)
"""What `pytest --markers` says."""


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


def _plans(text: str) -> tuple[Plan, ...]:
    from pytest_wml.plans import parsed  # only here: a run of one model does not pay for it

    return parsed(text)


DEPLOYMENTS: Option[tuple[Plan, ...]] = Option(
    "deployments",
    (),
    _plans,
    "Several models in one suite, one a line: `name = path [type=…] [spec=…] [deployment=…]`.",
    "LINES",
    _plans,
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

CA = Option(
    "ca",
    "",
    str.strip,
    "PEM file with the authority of a service that has its own; it takes the place of those that are trusted anyway.",
    "FILE",
)
DEADLINE = Option(
    "deadline", 1200.0, seconds, "Seconds within which a deployment has to be ready. Default: 1200.", "SECONDS"
)
MAX_REQUESTS: Option[int | None] = Option(
    "max_requests", None, positive, "Requests after which a live run is stopped; deletions do not count.", "N"
)
MAX_DEPLOYMENTS: Option[int | None] = Option(
    "max_deployments", None, positive, "Deployments that a live run may create; it is stopped before the next.", "N"
)
MAX_UPLOAD: Option[int | None] = Option(
    "max_upload", None, positive, "Megabytes that a live run may upload; it is stopped before it would be more.", "MB"
)
REUSE = Option(
    "reuse",
    False,
    switch,
    "Live: keep the deployment for the next runs, up to a week, as long as the model is the same.",
)
LIFETIME = Option(
    "lifetime",
    4.0,
    hours,
    "Hours after which what a live run created is a leftover, which `pytest-wml sweep` deletes. Default: 4.",
    "HOURS",
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
    CA,
    DEADLINE,
    MAX_REQUESTS,
    MAX_DEPLOYMENTS,
    MAX_UPLOAD,
    REUSE,
    LIFETIME,
)

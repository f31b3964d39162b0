"""The options of the suite in the working folder, read as pytest would, without running any of its code.

pytest itself finds the root folder and the ini file, from any folder below: there is no public function for it alone.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from pytest_wml.config import options, unknown
from pytest_wml.config.deployment_specs import Plan
from pytest_wml.config.options import Settings
from pytest_wml.config.values import Mode
from pytest_wml.errors import WMLTestError
from pytest_wml.model.kinds import StoredAs
from pytest_wml.runner.configuration import TRAIN, Configuration
from pytest_wml.tools.doctor.lines import Line, passed, warned

_NEAR = 3


class Suite(NamedTuple):
    """What pytest would work with.

    Args:
        configuration: of the run that would begin; None where pytest does not start.
        ini: the file with the options; empty for none.
        problem: what pytest said instead of starting.
    """

    configuration: Configuration | None = None
    ini: str = ""
    problem: str = ""

    @property
    def settings(self) -> Settings | None:
        """Every option; None where pytest does not start."""
        return self.configuration.settings if self.configuration else None

    @property
    def credentials(self) -> str:
        """The file with the credentials; empty for none."""
        return self._file("credentials")

    @property
    def ca(self) -> str:
        """The file with the authority of a private service; empty for none."""
        return self._file("ca")

    @property
    def models(self) -> list[StoredAs]:
        """Type and software specification of each model, each pair once."""
        here = self.configuration
        plans = [here.inferred(plan) for plan in here.plans.values()] if here else []
        return list(dict.fromkeys(StoredAs(plan.model_type, plan.software_spec) for plan in plans))

    @property
    def files(self) -> dict[Path, Plan]:
        """Where the models are, whether or not they exist, and what is made of them."""
        here = self.configuration
        return {here.path(plan): plan for plan in here.plans.values() if plan.model not in ("", TRAIN)} if here else {}

    def _file(self, option: str) -> str:
        setting = getattr(self.settings, option, None)
        return str(self.configuration.resolve(setting)) if self.configuration and setting and setting.value else ""


class NoSuite(WMLTestError):
    """The options of the suite cannot be read."""


class _Reader:
    """A plugin that reads the options and ends the run before it begins."""

    def __init__(self) -> None:
        self.suite: Suite | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        error = unknown.ini_keys(config, without_conftests=True)
        if error is not None:
            raise pytest.UsageError(str(error))
        try:
            found = options.read(config, os.environ)
        except WMLTestError as problem:
            raise pytest.UsageError(str(problem)) from None
        configuration = Configuration(found, config.rootpath, os.environ, config.invocation_params.dir)
        self.suite = Suite(configuration, str(config.inipath or ""))
        return 0


def read(arguments: Sequence[str] = ()) -> Suite:
    """The options of a run in the working folder.

    Args:
        arguments: of pytest's command line, such as `--wml-credentials=FILE`.
    """
    # A conftest may do anything, and a suite may have options that only its conftest knows.
    first, said = _tried(["--noconftest", *arguments])
    second = first or _tried(["--noconftest", "-o", "addopts=", *arguments])[0]
    return second or Suite(problem=said)


def started(suite: Suite) -> Configuration:
    """The configuration of the run that would begin.

    Raises:
        NoSuite: pytest does not start here.
    """
    if suite.configuration is None:
        raise NoSuite(
            "pytest does not start here, and its options are needed.",
            reason=suite.problem[:500],
            fix="run pytest --collect-only here, and mend what it says; or name the files and folders",
        )
    return suite.configuration


def _tried(arguments: list[str]) -> tuple[Suite | None, str]:
    reader, said = _Reader(), io.StringIO()
    # Without a plugin's entry points, as some set PYTEST_DISABLE_PLUGIN_AUTOLOAD, ours is named by its entry point.
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            pytest.main(["--assert=plain", "-p", "wml", "-p", "no:cacheprovider", *arguments], plugins=[reader])
        except Exception as error:  # noqa: BLE001 - a plugin's, or a warning that the ini makes an error
            print(f"{type(error).__name__}: {error}")
    return reader.suite, " ".join(said.getvalue().split())


def lines(suite: Suite) -> Iterator[Line]:
    """Yield the mode and the other options that are not left at their defaults, with where they are from."""
    if suite.settings is None:
        fix = "run pytest --collect-only here, and mend what it says"
        yield warned("options", f"pytest does not start here: {suite.problem[:500]}", fix)
        return
    mode = suite.settings.mode
    where = f"; ini: {suite.ini}" if suite.ini else ""
    yield passed("mode", f"{mode.value.value} (from {mode.source}){where}")
    for name, chosen in suite.settings.chosen().items():
        if name != "mode":
            yield passed(f"option {name}", chosen)


def is_live(suite: Suite) -> bool:
    return suite.settings is not None and suite.settings.mode.value is Mode.LIVE


def model_files(suite: Suite) -> list[Path]:
    """Where the models of the suite are: archives, folders, model files; those that exist."""
    return [path for path in suite.files if path.exists()]


def unnamed(suite: Suite) -> Plan:
    """How the suite stores a model that none of its plans names."""
    return suite.configuration.completed(Plan(""), "") if suite.configuration else Plan("")


def cassettes(suite: Suite) -> str:
    """The folder of the suite's recordings, as a user would type it here.

    Raises:
        NoSuite: pytest does not start here.
    """
    return shown(started(suite).cassettes)


def shown(path: Path) -> str:
    """A path as a user would type it here: relative where it is below the working folder, or not far above."""
    relative = os.path.relpath(path)
    return relative if relative.count("..") <= _NEAR else str(path)

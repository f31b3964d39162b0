"""Reads the options of the suite in the working folder like pytest, without running its code.

pytest itself is started for this, because it has no public function that only finds the root folder and the ini file.
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
    """The configuration of pytest in the working folder.

    Args:
        configuration: configuration of a run; None if pytest does not start.
        ini: path of the ini file; empty for none.
        problem: output of pytest if it does not start.
    """

    configuration: Configuration | None = None
    ini: str = ""
    problem: str = ""

    @property
    def settings(self) -> Settings | None:
        """All options; None if pytest does not start."""
        return self.configuration.settings if self.configuration else None

    @property
    def credentials(self) -> str:
        """Path of the credentials file; empty for none."""
        return self._file("credentials")

    @property
    def ca(self) -> str:
        """Path of the file with a private certificate authority; empty for none."""
        return self._file("ca")

    @property
    def models(self) -> list[StoredAs]:
        """Type and software specification of the models, without duplicates."""
        here = self.configuration
        plans = [here.inferred(plan) for plan in here.plans.values()] if here else []
        return list(dict.fromkeys(StoredAs(plan.model_type, plan.software_spec) for plan in plans))

    @property
    def files(self) -> dict[Path, Plan]:
        """The paths of the models, existing or not, and their deployment plans."""
        here = self.configuration
        return {here.path(plan): plan for plan in here.plans.values() if plan.model not in ("", TRAIN)} if here else {}

    def _file(self, option: str) -> str:
        setting = getattr(self.settings, option, None)
        return str(self.configuration.resolve(setting)) if self.configuration and setting and setting.value else ""


class NoSuite(WMLTestError):
    """The options of the suite cannot be read."""


class _Reader:
    """A plugin that reads the options and ends pytest before the run starts."""

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
        arguments: arguments for pytest's command line, such as `--wml-credentials=FILE`.
    """
    # Conftests are not run, as they may do anything; so options that only a conftest declares may be unknown.
    first, output = _start_pytest(["--noconftest", *arguments])
    second = first or _start_pytest(["--noconftest", "-o", "addopts=", *arguments])[0]
    return second or Suite(problem=output)


def started(suite: Suite) -> Configuration:
    """Return the configuration of a run in the working folder.

    Raises:
        NoSuite: pytest does not start here.
    """
    if suite.configuration is None:
        raise NoSuite(
            "pytest does not start here, but its options are needed.",
            reason=suite.problem[:500],
            fix="run pytest --collect-only here and fix the errors; or give the files and folders as arguments",
        )
    return suite.configuration


def _start_pytest(arguments: list[str]) -> tuple[Suite | None, str]:
    reader, output = _Reader(), io.StringIO()
    # This plugin is named, in case PYTEST_DISABLE_PLUGIN_AUTOLOAD is set.
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            pytest.main(["--assert=plain", "-p", "wml", "-p", "no:cacheprovider", *arguments], plugins=[reader])
        except Exception as error:  # noqa: BLE001 - an error of a plugin, or a warning that the ini turns into an error
            print(f"{type(error).__name__}: {error}")
    return reader.suite, " ".join(output.getvalue().split())


def lines(suite: Suite) -> Iterator[Line]:
    """Yield the mode and the options that are not at their default, with their source."""
    if suite.settings is None:
        fix = "run pytest --collect-only here and fix the errors"
        yield warned("options", f"pytest does not start here: {suite.problem[:500]}", fix)
        return
    mode = suite.settings.mode
    ini = f"; ini: {suite.ini}" if suite.ini else ""
    yield passed("mode", f"{mode.value.value} (from {mode.source}){ini}")
    for name, chosen in suite.settings.chosen().items():
        if name != "mode":
            yield passed(f"option {name}", chosen)


def is_live(suite: Suite) -> bool:
    return suite.settings is not None and suite.settings.mode.value is Mode.LIVE


def model_files(suite: Suite) -> list[Path]:
    """The existing models of the suite: archives, folders, model files."""
    return [path for path in suite.files if path.exists()]


def unnamed(suite: Suite) -> Plan:
    """The suite's default plan, for a model that is not in its plans."""
    return suite.configuration.completed(Plan(""), "") if suite.configuration else Plan("")


def cassettes(suite: Suite) -> str:
    """The folder of the suite's recordings, for display.

    Raises:
        NoSuite: pytest does not start here.
    """
    return shown(started(suite).cassettes)


def shown(path: Path) -> str:
    """A path for display: relative if it is below the working folder or at most a few folders above it."""
    relative = os.path.relpath(path)
    return relative if relative.count("..") <= _NEAR else str(path)

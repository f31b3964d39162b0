"""The options of the suite in the working folder, read as pytest would, without running any of its code."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from pytest_wml.doctor.lines import Line, passed, warned
from pytest_wml.model.kinds import StoredAs
from pytest_wml.options import Settings
from pytest_wml.standby import run_of
from pytest_wml.values import Mode


class Suite(NamedTuple):
    """What pytest would work with.

    Args:
        settings: every option; None where pytest does not start.
        credentials: the file with the credentials; empty for none.
        ca: the file with the authority of a private service; empty for none.
        ini: the file with the options; empty for none.
        models: type and software specification of each model, each pair once.
        problem: what pytest said instead of starting.
    """

    settings: Settings | None = None
    credentials: str = ""
    ca: str = ""
    ini: str = ""
    models: tuple[StoredAs, ...] = ()
    problem: str = ""


class _Reader:
    """A plugin that reads the options and ends the run before it begins."""

    def __init__(self) -> None:
        self.suite: Suite | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        run = run_of(config)
        run.close()
        named = (run.settings.credentials, run.settings.ca)
        credentials, ca = (str(run.resolve(file)) if file.value else "" for file in named)
        plans = [run.inferred(plan) for plan in run.plans.values()]
        models = dict.fromkeys(StoredAs(plan.model_type, plan.software_spec) for plan in plans)
        self.suite = Suite(run.settings, credentials, ca, str(config.inipath or ""), tuple(models))
        return 0


def read(arguments: Sequence[str]) -> Suite:
    """The options of a run in the working folder.

    Args:
        arguments: of pytest's command line, such as `--wml-credentials=FILE`.
    """
    # A conftest may do anything, and a suite may have options that only its conftest knows.
    first, said = _tried(["--noconftest", *arguments])
    second = first or _tried(["--noconftest", "-o", "addopts=", *arguments])[0]
    return second or Suite(problem=said)


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
    if suite.settings is None:
        return []
    model = suite.settings.model
    named = [(plan.model, suite.settings.deployments.source) for plan in suite.settings.deployments.value]
    root = Path(suite.ini).parent if suite.ini else Path()
    paths = [
        (root if source.startswith("ini") else Path()) / name
        for name, source in [*named, (model.value, model.source)]
        if name
    ]
    return [path for path in paths if path.exists()]

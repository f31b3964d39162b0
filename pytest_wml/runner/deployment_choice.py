"""Chooses the deployment of a test, if a run has several: by parameter or marker."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_wml.errors import BadOption
from pytest_wml.runner.configuration import Configuration

if TYPE_CHECKING:
    from pytest_wml.client.deployment import Deployment
    from pytest_wml.model.archive import ModelArchive

NAME = "wml_name"
"""The fixture on which all fixtures of a deployment depend; its parameter is the deployment's name."""
OF_FILE = pytest.StashKey[str]()
"""Key in the stash of a contract file's collector: the name of its deployment; empty if the run has only one."""


def parametrize(metafunc: pytest.Metafunc, configuration: Configuration) -> None:
    """Parametrize a test with the names of several deployments, or with the name in its marker.

    Raises:
        CollectError: the marker names no deployment of the run.
    """
    if NAME not in metafunc.fixturenames:
        return
    of_file = metafunc.definition.parent.stash.get(OF_FILE, None) if metafunc.definition.parent else None
    if of_file is not None:
        if of_file:
            # Older releases of pytest cannot hide a parameter in the test's name.
            parameter_id = getattr(pytest, "HIDDEN_PARAM", of_file)
            metafunc.parametrize(NAME, [pytest.param(of_file, id=parameter_id)], indirect=True, scope="session")
        return
    names = list(configuration.plans)
    chosen = _name_in_marker(metafunc.definition)
    if chosen is not None and chosen not in names:
        raise pytest.Collector.CollectError(
            f"{metafunc.definition.nodeid}: @pytest.mark.wml(deployment={chosen!r}) names no deployment of this run; "
            f"there {'is' if len(names) == 1 else 'are'} {', '.join(names)} (ini wml_deployments)."
        )
    if configuration.settings.deployments.value:
        metafunc.parametrize(NAME, names if chosen is None else [chosen], indirect=True, scope="session")


def _name_in_marker(definition: pytest.Item) -> str | None:
    marks = (mark.kwargs.get("deployment") for mark in definition.iter_markers("wml"))
    return next((name for name in marks if isinstance(name, str)), None)


def deployment_of(item: pytest.Item) -> str:
    """The name of a test's deployment if the run has several; empty otherwise."""
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get(NAME, "")) if callspec is not None else ""


def name(configuration: Configuration, request: pytest.FixtureRequest) -> str:
    """The name of the requested deployment.

    Raises:
        BadOption: there are several deployments, and pytest could not parametrize the test.
    """
    if hasattr(request, "param"):
        return str(request.param)
    if len(configuration.plans) == 1:
        return configuration.name
    raise BadOption(
        "This run has several deployments, and the test names none of them.",
        deployments=", ".join(configuration.plans),
        fix="name wml_deployment, wml_contract or wml_model_archive among the arguments of a test function:\n"
        "request.getfixturevalue and unittest's classes cannot be run once for each",
    )


class OpenDeployments:
    """The open deployments of this process, one for each name.

    pytest ends a fixture when the next test has another parameter, and under pytest-xdist the tests of two
    deployments may alternate. So a deployment stays open until the last test with its name has ended.

    Args:
        tests_ended: name of a deployment → number of tests that have ended.
        items: all tests of the run.
    """

    def __init__(self, tests_ended: Counter[str], items: Iterable[pytest.Item]) -> None:
        self._tests_ended = tests_ended
        self._tests = Counter(map(deployment_of, items))
        self._open: dict[str, tuple[Deployment, ModelArchive]] = {}
        self._stacks: dict[str, contextlib.ExitStack] = {}

    @contextlib.contextmanager
    def use(
        self, name: str, archive: ModelArchive, create: Callable[[], contextlib.AbstractContextManager[Deployment]]
    ) -> Iterator[Deployment]:
        """The open deployment of an archive; created if there is none."""
        if name in self._open and self._open[name][1] != archive:
            self._end(name)
        if name not in self._open:
            with contextlib.ExitStack() as stack:
                deployment = stack.enter_context(create())
                self._open[name], self._stacks[name] = (deployment, archive), stack.pop_all()
        try:
            yield self._open[name][0]
        finally:
            if self._tests[name] <= self._tests_ended[name]:
                self._end(name)

    def close(self) -> None:
        """End all deployments."""
        with contextlib.ExitStack() as stack:
            for name in list(self._open):
                stack.callback(self._end, name)

    def _end(self, name: str) -> None:
        del self._open[name]
        self._stacks.pop(name).close()

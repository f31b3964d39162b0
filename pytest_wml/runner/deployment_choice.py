"""Which of several deployments a test uses: its parameter, or its marker's choice."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_wml.errors import BadOption
from pytest_wml.runner.run import Run

if TYPE_CHECKING:
    from pytest_wml.client.deployment import Deployment
    from pytest_wml.model.archive import ModelArchive

NAME = "wml_name"
"""The fixture on which everything of a deployment depends; its parameter is the deployment's name."""
OF_FILE = pytest.StashKey[str]()
"""On the collector of a contract file: the name of its deployment; empty for the only one of the run."""


def parametrize(metafunc: pytest.Metafunc, run: Run) -> None:
    """Run a test once for each of several deployments, or for the one that its marker chooses.

    Raises:
        CollectError: the marker names none of them.
    """
    if NAME not in metafunc.fixturenames:
        return
    of_file = metafunc.definition.parent.stash.get(OF_FILE, None) if metafunc.definition.parent else None
    if of_file is not None:
        if of_file:
            # Older releases of pytest cannot hide a parameter in the test's name.
            shown = getattr(pytest, "HIDDEN_PARAM", of_file)
            metafunc.parametrize(NAME, [pytest.param(of_file, id=shown)], indirect=True, scope="session")
        return
    names = list(run.configuration.plans)
    chosen = _marked(metafunc.definition)
    if chosen is not None and chosen not in names:
        raise pytest.Collector.CollectError(
            f"{metafunc.definition.nodeid}: @pytest.mark.wml(deployment={chosen!r}) names no deployment of this run; "
            f"there {'is' if len(names) == 1 else 'are'} {', '.join(names)} (ini wml_deployments)."
        )
    if run.configuration.settings.deployments.value:
        metafunc.parametrize(NAME, names if chosen is None else [chosen], indirect=True, scope="session")


def _marked(definition: pytest.Item) -> str | None:
    marks = (mark.kwargs.get("deployment") for mark in definition.iter_markers("wml"))
    return next((name for name in marks if isinstance(name, str)), None)


def deployment_of(item: pytest.Item) -> str:
    """The name of the deployment that a test uses, where there are several; empty otherwise."""
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get(NAME, "")) if callspec is not None else ""


def name(run: Run, request: pytest.FixtureRequest) -> str:
    """The name of the deployment that is asked for.

    Raises:
        BadOption: there are several, and pytest could not parametrize whoever asks.
    """
    if hasattr(request, "param"):
        return str(request.param)
    if len(run.configuration.plans) == 1:
        return run.configuration.name
    raise BadOption(
        "This run has several deployments, and it is not said which one is meant.",
        deployments=", ".join(run.configuration.plans),
        fix="name wml_deployment, wml_contract or wml_model_archive among the arguments of a test function:\n"
        "request.getfixturevalue and unittest's classes cannot be run once for each",
    )


class Alive:
    """The deployments that are alive in this process, one a name.

    pytest ends a fixture when the next test wants another parameter, and under pytest-xdist the tests of two
    deployments may alternate. A deployment that a later test may want again is kept.

    Args:
        run: counts the tests that have ended.
        items: every test of the run.
    """

    def __init__(self, run: Run, items: Iterable[pytest.Item]) -> None:
        self._run = run
        self._tests = Counter(map(deployment_of, items))
        self._alive: dict[str, tuple[Deployment, ModelArchive]] = {}
        self._ends: dict[str, contextlib.ExitStack] = {}

    @contextlib.contextmanager
    def lent(
        self, name: str, archive: ModelArchive, make: Callable[[], contextlib.AbstractContextManager[Deployment]]
    ) -> Iterator[Deployment]:
        """A deployment of an archive: the one that is alive, or one made now."""
        if name in self._alive and self._alive[name][1] != archive:
            self._end(name)
        if name not in self._alive:
            with contextlib.ExitStack() as making:
                deployment = making.enter_context(make())
                self._alive[name], self._ends[name] = (deployment, archive), making.pop_all()
        try:
            yield self._alive[name][0]
        finally:
            if self._tests[name] <= self._run.deployments.tests_ended[name]:
                self._end(name)

    def close(self) -> None:
        """End every deployment."""
        with contextlib.ExitStack() as ends:
            for name in list(self._alive):
                ends.callback(self._end, name)

    def _end(self, name: str) -> None:
        del self._alive[name]
        self._ends.pop(name).close()

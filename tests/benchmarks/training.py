"""Training the sample network: the fixture's work beside a plain Keras script, and what a second run pays."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.benchmarks.figures import Figure, Measured
from tests.benchmarks.processes import Ran, in_turn, python, run

_OURS = """
import json, sys, time, tempfile
begun, used = time.perf_counter(), time.process_time()
from pytest_wml.model.cache import trained_cnn
from pytest_wml.model.recipe import Recipe

with tempfile.TemporaryDirectory() as folder:
    trained = trained_cnn(Recipe(examples=int(sys.argv[1])), sys.argv[2] if len(sys.argv) > 2 else folder)
spent = [time.perf_counter() - begun, time.process_time() - used]
print("RESULT", json.dumps([trained.accuracy, trained.trained_seconds, *spent]))
"""
_PLAIN = """
import json, sys
import numpy as np
import keras
from pytest_wml.model.mnist import load_mnist
from pytest_wml.model.network import build_network

examples = int(sys.argv[1])
digits, network = load_mnist(), build_network()
steps = -(-examples // 128)
network.compile(
    optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.004, steps)),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
network.fit(digits.images, digits.labels, batch_size=128, epochs=max(1, examples // len(digits.labels)), verbose=0)
_, accuracy = network.evaluate(digits.held_out_images, digits.held_out_labels, batch_size=1000, verbose=0)
print("RESULT", json.dumps([accuracy]))
"""


def measure(*, quick: bool) -> Measured:
    examples = "4000" if quick else "60000"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, theirs = in_turn(
            1 if quick else 5, python(folder, "-c", _OURS, examples), python(folder, "-c", _PLAIN, examples), warm=0
        )
        kept = python(folder, "-c", _OURS, examples, folder / "kept")
        run(kept)
        again = [_said(run(kept)) for _ in range(5)]
    what = f"training the CNN on {int(examples):,} examples"
    beside = "a plain Keras script"
    accuracies = [[100 * _said(ran)[0] for ran in runs] for runs in (ours, theirs)]
    figures = [
        Figure(
            f"{what}, whole process, wall time",
            "s",
            [ran.wall for ran in ours],
            beside,
            [ran.wall for ran in theirs],
            goal=1.1,
        ),
        Figure(
            f"{what}, processor time", "s", [ran.cpu for ran in ours], beside, [ran.cpu for ran in theirs], goal=1.1
        ),
        Figure("its accuracy on the held-out digits", "%", accuracies[0], beside, accuracies[1]),
        Figure("the same from the cache, in a new process", "s", [one[2] for one in again], compare="itself", goal=0.2),
        Figure("the same, processor time", "s", [one[3] for one in again], compare="itself"),
    ]
    share = min(_said(ran)[1] / ran.wall for ran in ours)
    return Measured(
        figures,
        f"Keras's fit, {share:.0%} of the run; the rest imports TensorFlow and reads the digits. From the cache: the "
        "import of numpy, whose OpenBLAS keeps a thread a processor busy meanwhile",
    )


def _said(ran: Ran) -> list[float]:
    return json.loads(next(line for line in ran.said.splitlines() if line.startswith("RESULT"))[6:])

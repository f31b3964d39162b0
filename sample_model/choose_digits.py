"""Choose the digits that pytest-wml ships: ten a class, held out from training, the clearest of each first."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from pytest_wml.model.local import LocalModel
from pytest_wml.model.mnist import load_mnist

PER_CLASS = 10


def main() -> None:
    """Ask the archive which held-out digits are clear, and store those that it gets right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path, help="mnist_cnn.tar.gz, as train.py packages it")
    parser.add_argument("out", type=Path, help="the .npz to write")
    given = parser.parse_args()
    mnist = load_mnist("small")
    with LocalModel(given.archive) as model:
        answer = model.predict(mnist.held_out_images)
    chosen = []
    for digit in range(10):
        right = np.flatnonzero((mnist.held_out_labels == digit) & (answer["classes"] == digit))
        clearest = right[np.argmax(answer["probabilities"][right, digit])]
        # The clearest leads; the others come as they are, so that not every digit is an easy one.
        others = right[right != clearest][: PER_CLASS - 1]
        chosen += [clearest, *others]
    images = np.round(mnist.held_out_images[chosen] * 255).astype(np.uint8)
    np.savez_compressed(given.out, images=images, labels=mnist.held_out_labels[chosen].astype(np.uint8))
    print(f"{given.out}: {len(chosen)} digits, {given.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

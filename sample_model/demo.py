"""The main job, end to end: train, package, store, deploy, score a five and a four.

Everything is real but the data centre: IBM's own client, HTTP, TensorFlow, handwritten digits. The service
is the embedded one, in this process; nothing leaves the machine and no account is needed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
from pathlib import Path

# TensorFlow reads it when it is imported: its notes about the processor would hide the progress.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from pytest_wml import EmbeddedWML, WMLTestError, open_door
from pytest_wml.client.deployment import deployed
from pytest_wml.client.safe_client import safe_client
from pytest_wml.config.credentials import OFFLINE
from pytest_wml.digits import load_digits
from pytest_wml.model.drawing import draw_digit, side_by_side
from pytest_wml.model.export import export
from pytest_wml.model.packing import pack
from pytest_wml.model.recipe import Recipe
from pytest_wml.model.training import train


def main() -> int:
    """Run the story; 0 when the digits come back as 5 and 4."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of the training (default: 0)")
    parser.add_argument("--examples", type=int, default=60_000, help="how many digits to show (default: 60000)")
    given = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="wml-demo-") as folder:
            return story(Recipe(seed=given.seed, examples=given.examples), Path(folder))
    except WMLTestError as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print("\nstopped; nothing was left behind", file=sys.stderr)
    return 1


def story(recipe: Recipe, folder: Path) -> int:
    """Train, package, store, deploy, score."""
    say("Training a convolutional network on MNIST")
    trained = train(recipe, progress=lambda line: print("  " + line, flush=True))

    say("Packaging it as a SavedModel")
    archive = pack(export(trained.network.get_weights(), folder / "mnist_cnn"), folder / "mnist_cnn.tar.gz")
    print(f"  {archive.size:,} bytes, {archive.signature}")

    say("Storing and deploying it with IBM's client, on the embedded service")
    digits = load_digits()
    images = np.stack([digits[5], digits[4]])
    with EmbeddedWML() as service, open_door(service), quiet(), safe_client(OFFLINE) as client:
        place = {"model_type": "tensorflow_2.14", "spec": "runtime-24.1-py3.11", "mode": "embedded"}
        with deployed(client, archive, name="mnist_cnn", **place) as deployment:
            url, prediction = deployment.scoring_url, deployment.predict(images)
    print(f"  scored at {url}")

    say("What the service saw")
    rows = zip(prediction.classes, prediction.probabilities, strict=True)
    captions = [f"class {number}, probability {row[number]:.4f}" for number, row in rows]
    encoding = sys.stdout.encoding or "ascii"
    print(side_by_side([draw_digit(image, encoding=encoding) for image in images], captions))
    classes = prediction.classes.tolist()
    print(f"\nclasses: {classes}")
    return 0 if classes == [5, 4] else 1


def say(title: str) -> None:
    """Print a heading."""
    print(f"\n{title}", flush=True)


def quiet() -> contextlib.redirect_stdout[io.StringIO]:
    """Leave out what IBM's client prints of its own."""
    return contextlib.redirect_stdout(io.StringIO())


if __name__ == "__main__":
    sys.exit(main())

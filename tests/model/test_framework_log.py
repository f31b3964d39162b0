"""What TensorFlow and CUDA write when they are loaded; the lines are those of real processes."""

from __future__ import annotations

import pytest

from pytest_wml.model.causes import last_words
from pytest_wml.model.framework_log import without_loading

OF_LOADING = """\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795852697.470595     682 port.cc:153] oneDNN custom operations are on. You may see slightly different \
numerical results due to floating-point round-off errors from different computation orders.
I0000 00:00:1795852697.477680     682 cudart_stub.cc:31] Could not find cuda drivers, GPU will not be used.
I0000 00:00:1795852697.617845     682 cpu_feature_guard.cc:227] This TensorFlow binary is optimized to use available \
CPU instructions in performance-critical operations.
To enable the following instructions: AVX2 AVX512F FMA, in other operations, rebuild TensorFlow with the appropriate \
compiler flags.
E0000 00:00:1795852703.500910     682 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error
2024-05-01 10:00:00.123456: I tensorflow/core/util/port.cc:113] oneDNN custom operations are on.
2024-05-01 10:00:00.123456: E external/local_xla/xla/stream_executor/cuda/cuda_dnn.cc:9261] Unable to register cuDNN
2024-05-01 10:00:00.123456: W tensorflow/compiler/tf2tensorrt/utils/py_utils.cc:38] TF-TRT Warning: no TensorRT
"""
OF_WORK = """\
W0000 00:00:1795852703.500910     682 op_kernel.cc:1857] OP_REQUIRES failed at matmul: INVALID_ARGUMENT
2024-05-01 10:00:00.123456: E tensorflow/core/framework/op_kernel.cc:1] out of memory
Traceback (most recent call last):
INFO: a line of the user's
I wrote this myself
"""


def test_lines_of_loading_go():
    """Those of every version, errors that no GPU was found included."""
    assert without_loading(OF_LOADING) == ""


def test_other_lines_stay():
    """What the framework says of its work, and what others write, in their order."""
    first, *rest = OF_WORK.splitlines(keepends=True)
    assert without_loading(first + OF_LOADING + "".join(rest)) == OF_WORK


@pytest.mark.parametrize("after", ["", OF_LOADING])
def test_a_process_of_a_model_does_not_end_with_them(after):
    """What is told of its end is its own last line."""
    assert last_words(f"the model does not like it\n{after}") == "the model does not like it"

"""What TensorFlow and CUDA write to standard error when they are loaded, which explains no failing test."""

from __future__ import annotations

import re

_LINE = re.compile(
    # I0000 00:00:1795852697.470595     682 port.cc:153] …, and before TensorFlow 2.17
    # 2024-05-01 10:00:00.123456: I tensorflow/core/util/port.cc:113] …
    r"(?:\d{4}-\d\d-\d\d [\d:.]+: )?(?P<level>[IWEF])(?:\d{4} [\d:.]+ +\d+)? (?P<file>[\w./-]+)\.(?:cc|cu\.cc|h):\d+\] "
)
_LOADING = re.compile(
    r"(^|/)(cuda_\w+|cudart_stub|cpu_feature_guard|gpu_\w+|dso_loader|py_utils|computation_placer|port|"
    r"stream_executor_\w+)$"
)
_CONTINUED = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "To enable the following instructions: ",
    "Skipping registering GPU devices...",
)


def without_loading(text: str) -> str:
    """The text without the lines that only say how the framework was loaded: whatever is for information, and what
    is said of GPUs and processors; errors and warnings of the framework's work stay.
    """
    return "".join(line for line in text.splitlines(keepends=True) if not _is_of_loading(line))


def _is_of_loading(line: str) -> bool:
    found = _LINE.match(line)
    if found is None:
        return line.startswith(_CONTINUED)
    return found["level"] == "I" or (found["level"] in "WE" and bool(_LOADING.search(found["file"])))

"""An exception as text for a refusal: the whole cause, and nothing of a framework's program."""

from __future__ import annotations

import itertools

import pytest

from pytest_wml.model.causes import full_reason, last_words, reason, without_loading

# What TensorFlow and CUDA write when they are loaded; the lines are those of real processes.
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


def raised(*problems: BaseException) -> BaseException:
    """The first exception, raised from the second, raised from the third."""
    for outer, inner in itertools.pairwise(problems):
        outer.__cause__ = inner
    return problems[0]


def test_every_cause_is_told():
    """Kind and message, the outermost first."""
    problem = raised(TypeError("no model"), ValueError("no layer"), KeyError("units"))
    assert full_reason(problem) == "TypeError: no model; caused by ValueError: no layer; caused by KeyError: 'units'"
    assert reason(problem) == "no model; caused by ValueError: no layer; caused by KeyError: 'units'"


def test_what_an_exception_was_raised_beside_is_told_unless_it_was_hidden():
    """`raise … from None` hides it."""
    beside, hidden = ValueError("second"), ValueError("second")
    beside.__context__ = hidden.__context__ = KeyError("first")
    hidden.__suppress_context__ = True
    assert full_reason(beside) == "ValueError: second; caused by KeyError: 'first'"
    assert full_reason(hidden) == "ValueError: second"


def test_a_cause_that_is_quoted_is_told_once():
    """As where a framework puts the message of one exception into the next."""
    assert full_reason(raised(TypeError("Keras: no class\n'Scaled'"), TypeError("no class 'Scaled'"))) == (
        "TypeError: Keras: no class 'Scaled'"
    )


def test_the_last_lines_count_as_much_as_the_first():
    """A configuration of a megabyte in between is cut, and the cause after it is not."""
    config = "config={" + "x" * 1_000_000 + "}"
    words = full_reason(
        TypeError(f"Could not be deserialized.\n\n{config}.\n\nException encountered: no class 'Scaled'")
    )
    assert words.startswith("TypeError: Could not be deserialized. config={x")
    assert words.endswith(" Exception encountered: no class 'Scaled'")
    assert len(words) < 700


def test_a_long_line_keeps_its_end():
    """Where everything stands in one."""
    words = full_reason(ValueError("start " + "x" * 10_000 + " end"))
    assert words.startswith("ValueError: start ")
    assert words.endswith("x end")


def test_a_group_is_told_with_its_members():
    """Each of them is a cause."""
    group = ExceptionGroup("two failed", [ValueError("one"), KeyError("other")])
    assert full_reason(group) == (
        "ExceptionGroup: two failed (2 sub-exceptions); caused by ValueError: one; caused by KeyError: 'other'"
    )


def test_notes_are_part_of_a_message():
    """Added by `add_note`."""
    problem = ValueError("bad")
    problem.add_note("while reading column age")
    assert full_reason(problem) == "ValueError: bad while reading column age"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("", "ValueError"),
        ("\x1b[1mbold\x1b[0m", "ValueError: bold"),
        (
            "An error occurred.\n: java.io.IOException: no space\n\tat org.apache.Spark.run(Spark.scala:7)\n"
            "Caused by: disk full\n\t... 12 more",
            "ValueError: An error occurred. : java.io.IOException: no space Caused by: disk full",
        ),
        (
            "[10:00:00] tree.cc:4: Check failed\nStack trace:\n  [bt] (0) libxgboost.so(+0x1) [0x7f]\n",
            "ValueError: [10:00:00] tree.cc:4: Check failed",
        ),
        (
            'Graph execution error:\n\nDetected at node Gather defined at (most recent call last):\n  File "a.py", line'
            " 1, in <module>\n\nindices[0] = 5 is not in [0, 3)\n\t [[{{node Gather}}]] [Op:__inference_g_8]",
            "ValueError: indices[0] = 5 is not in [0, 3)",
        ),
        (
            "2 root error(s) found.\n  (0) INVALID_ARGUMENT: a\n  (1) INVALID_ARGUMENT: b\n0 successful operations.\n"
            "0 derived errors ignored. [Op:x]",
            "ValueError: (0) INVALID_ARGUMENT: a (1) INVALID_ARGUMENT: b",
        ),
        (
            'division by zero\nTraceback (most recent call last):\n\n  File "a.py", line 2, in call\n    return x / 0\n'
            "           ~~^~~\n\nthe end",
            "ValueError: division by zero the end",
        ),
    ],
)
def test_where_a_framework_was_is_left_out(message, words):
    """Frames, nodes and colours; the lines of the cause stay."""
    assert full_reason(ValueError(message)) == words


def test_an_exception_that_breaks_is_told_by_its_kind():
    """One that comes with a model may do anything."""

    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert full_reason(Broken()) == "Broken"


def test_a_circle_ends():
    """Two exceptions that name each other."""
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert full_reason(one) == "ValueError: one; caused by ValueError: other"


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

"""Why a model failed, as text: an exception with its causes, or the last lines of a process, without log noise."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LONGEST_LINE = 300
_LONGEST = 4000
_MOST = 10
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# Where in its program a framework was, which says nothing of the model: frames of Java, of C++, and of the graph of
# TensorFlow.
_FRAME = re.compile(
    r"at [\w.$/<>]+\(.*\)|\.\.\. \d+ (more|common frames omitted)|(\[bt\]|Stack trace:).*|"
    r"\[\[.*|<stack traces unavailable>|Detected at node .*|Graph execution error:|in user code:|"
    r"Traceback \(most recent call last\):|\d+ root error\(s\) found\.|"
    r"\d+ (successful operations|derived errors ignored)\..*"
)
_PYTHON_FRAME = re.compile(r'File ".*", line \d+.*')
_PLACES = re.compile(r"{{\w+ [^}]*}} ?|:? ?\[Op:\w+\]( name: \S*)?")
_LOG_LINE = re.compile(
    # I0000 00:00:1795852697.470595     682 port.cc:153] …, and before TensorFlow 2.17
    # 2024-05-01 10:00:00.123456: I tensorflow/core/util/port.cc:113] …
    r"(?:\d{4}-\d\d-\d\d [\d:.]+: )?(?P<level>[IWEF])(?:\d{4} [\d:.]+ +\d+)? (?P<file>[\w./-]+)\.(?:cc|cu\.cc|h):\d+\] "
)
_LOADING = re.compile(
    r"(^|/)(cuda_\w+|cudart_stub|cpu_feature_guard|gpu_\w+|dso_loader|py_utils|computation_placer|port|"
    r"stream_executor_\w+)$"
)
_LOG_CONTINUED = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "To enable the following instructions: ",
    "Skipping registering GPU devices...",
)


def full_reason(problem: BaseException) -> str:
    """An exception and its causes in a line: the kind and the whole message of each, the outermost first.

    A cause whose message the one before repeats is left out. A long line keeps its start and its end, and so does the
    whole.
    """
    kind, words = type(problem).__name__, reason(problem)
    return words if words.startswith(kind) else f"{kind}: {words}"


def reason(problem: BaseException) -> str:
    """The text of `full_reason` without the kind of the exception itself, where it has a message."""
    parts: list[str] = []
    repeated = ""
    for each in _chain(problem):
        message = _message(each)
        plain = " ".join(message.split())
        if plain and plain in repeated:
            continue
        repeated += f" {plain}"
        kind, words = type(each).__name__, plain_words(message)
        parts.append((words or kind) if each is problem else f"{kind}: {words}".removesuffix(": "))
    return _cut("; caused by ".join(parts), _LONGEST)


def plain_words(message: str) -> str:
    """The lines of a message in one, without the places in a framework's program."""
    lines = (_PLACES.sub("", line).strip() for line in _without_python(_COLOURS.sub("", message)))
    return " ".join(_cut(line, _LONGEST_LINE) for line in lines if line and not _FRAME.fullmatch(line))


def last_words(log: str) -> str:
    """What a process wrote of its end: the exceptions of its tracebacks, else its last line."""
    log = without_loading(log)
    place = log.find("Traceback (most recent call last):")
    if place >= 0:
        return _cut(plain_words(log[place:]), _LONGEST)
    return _cut(next((line.strip() for line in reversed(log.splitlines()) if line.strip()), ""), _LONGEST_LINE)


def _without_python(text: str) -> Iterator[str]:
    """Yield the lines of a text without the frames of Python in it, and the lines of source below each."""
    frame: int | None = None
    for line in filter(str.strip, text.splitlines()):
        depth = len(line) - len(line.lstrip())
        if _PYTHON_FRAME.fullmatch(line.strip()):
            frame = depth
        elif frame is None or depth <= frame:
            frame = None
            yield line


def _chain(problem: BaseException) -> Iterator[BaseException]:
    """Yield an exception, what it was raised from, and the members of a group."""
    left, seen = [problem], set[int]()
    while left and len(seen) < _MOST:
        each = left.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, BaseExceptionGroup):
            left += each.exceptions
        cause = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        if cause is not None:
            left.append(cause)


def _message(problem: BaseException) -> str:
    try:
        return "\n".join([str(problem), *map(str, getattr(problem, "__notes__", ()))])
    except Exception:  # noqa: BLE001 one that comes with a model may do anything
        return ""


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    end = longest * 2 // 5
    return f"{text[: longest - end]} … {text[-end:]}"


def without_loading(text: str) -> str:
    """The text without the lines that only say how the framework was loaded: whatever is for information, and what
    is said of GPUs and processors; errors and warnings of the framework's work stay.
    """
    return "".join(line for line in text.splitlines(keepends=True) if not _is_of_loading(line))


def _is_of_loading(line: str) -> bool:
    found = _LOG_LINE.match(line)
    if found is None:
        return line.startswith(_LOG_CONTINUED)
    return found["level"] == "I" or (found["level"] in "WE" and bool(_LOADING.search(found["file"])))

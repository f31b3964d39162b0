"""From an archive to a runtime."""

from __future__ import annotations

import gzip
import importlib.util
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_wml.emulator.runtimes.protocol import RunsCode, Runtime, Starting
from pytest_wml.errors import BadArchive
from pytest_wml.model.kinds import KERAS, PICKLES, SAVED_MODEL
from pytest_wml.model.serving import LoadFailed, network_kind, unreadable

if TYPE_CHECKING:
    from pytest_wml.emulator.runtimes.in_process import InProcessRuntime
    from pytest_wml.emulator.runtimes.worker import ProcessRuntime

_LONGEST_SOURCE = 16 << 20
# Importing a framework and reading a large model, on a busy machine.
_LOAD_DEADLINE = 300.0
_UNPACKED = "archive"
FUNCTION = "function"


@dataclass(frozen=True)
class Policy:
    """How models may be run."""

    allow_pickle: bool = False
    """Whether code that is in an archive may run."""
    isolate_tensorflow: bool = False
    """Whether TensorFlow too runs in a process of its own."""
    deadline: float = 60.0
    """Seconds that a scoring may take."""
    how_to_allow: str = ""
    """What a user does to let code that is in an archive run: a command, a call."""


@dataclass(frozen=True)
class RuntimeModule:
    """One way to serve an archive."""

    module: str
    packages: tuple[str, ...]
    """What the module imports."""
    extra: str
    """The extra of pytest-wml that brings them."""
    in_process: bool = False
    code: str = ""
    """Why serving it runs code that is in the archive; empty where it does not."""


_PICKLE = "A pickle is a program that runs when it is loaded."
_NETWORKS = {
    SAVED_MODEL: RuntimeModule("tensorflow", ("tensorflow",), "tensorflow", in_process=True),
    KERAS: RuntimeModule("keras", ("tensorflow", "h5py"), "tensorflow", in_process=True),
}
_SKLEARN = RuntimeModule("scikit_learn", ("sklearn", "joblib"), "sklearn", code=_PICKLE)
_XGBOOST = RuntimeModule("xgb", ("xgboost", "sklearn", "joblib"), "xgboost")
_PICKLED_XGBOOST = RuntimeModule("xgb", ("xgboost", "sklearn", "joblib"), "xgboost", code=_PICKLE)
_ONNX = RuntimeModule("onnx", ("onnxruntime",), "onnx")
_PYTORCH_ONNX = RuntimeModule("pytorch_onnx", ("onnxruntime",), "onnx")
_SPARK = RuntimeModule("spark", ("pyspark",), "spark")
_FUNCTION = RuntimeModule(FUNCTION, (), "", code="A function is code that runs when it is deployed and scored.")


def load(content: Path, folder: Path, framework: str, policy: Policy, starting: Callable[[Starting], None]) -> Runtime:
    """Unpack what was uploaded into `folder` and load what is in it.

    Args:
        content: tar.gz, tar or zip; of a function, its source, gzipped.
        folder: empty; must stay until the runtime is closed, which may read its files (vocabularies).
        framework: what the model's type says, such as `scikit-learn`; or `function`.
        policy: how models may be run.
        starting: called with a runtime before it is loaded; closing it from another thread ends the loading.

    Raises:
        LoadFailed: no archive, no model that the service knows, one that may not be run, or a broken one.
    """
    # Before the content is looked at: a PMML document is not an archive.
    choice = _choice(framework)
    archive = folder / _UNPACKED
    if framework == FUNCTION:
        _write_source(content, archive)
    else:
        _unpack(content, archive)
    kind = choice({path.name for path in archive.iterdir()})
    try:
        if kind.code and not policy.allow_pickle:
            raise RunsCode(kind.code)
        _require(kind)
        in_process = kind.in_process and not policy.isolate_tensorflow
        return _started(_watched if in_process else _worker, kind, folder, policy, starting)
    except RunsCode as problem:
        if not policy.allow_pickle:
            raise LoadFailed(f"{problem} If you trust who made it, run: {policy.how_to_allow}") from problem
        return _started(_worker, kind, folder, policy, starting)


def _started(
    make: Callable[[RuntimeModule, Path, Policy], ProcessRuntime | InProcessRuntime],
    kind: RuntimeModule,
    folder: Path,
    policy: Policy,
    starting: Callable[[Starting], None],
) -> Runtime:
    runtime = make(kind, folder, policy)
    starting(runtime)
    try:
        runtime.start(_LOAD_DEADLINE)
    except BaseException:
        runtime.close()
        raise
    return runtime


def _watched(kind: RuntimeModule, folder: Path, policy: Policy) -> InProcessRuntime:
    from pytest_wml.emulator.runtimes.in_process import InProcessRuntime

    return InProcessRuntime(kind.module, folder / _UNPACKED, deadline=policy.deadline)


def _worker(kind: RuntimeModule, folder: Path, policy: Policy) -> ProcessRuntime:
    from pytest_wml.emulator.runtimes.worker import ProcessRuntime

    return ProcessRuntime(
        kind.module, folder / _UNPACKED, folder, trusted=policy.allow_pickle, deadline=policy.deadline
    )


def _unpack(content: Path, folder: Path) -> None:
    # Imported by the first model: the service itself is up in a few milliseconds.
    from pytest_wml.model.archive import safe_extract

    try:
        safe_extract(content, folder)
    except BadArchive as problem:
        raise unreadable(problem, folder) from problem


def _write_source(content: Path, folder: Path) -> None:
    folder.mkdir()
    try:
        with gzip.open(content, "rb") as packed:
            source = packed.read(_LONGEST_SOURCE + 1)
    except (OSError, EOFError, zlib.error) as problem:
        raise LoadFailed("The content of the function is no gzipped Python file.") from problem
    if len(source) > _LONGEST_SOURCE:
        raise LoadFailed(f"The source of the function is longer than the {_LONGEST_SOURCE >> 20} MiB that are run.")
    (folder / "function.py").write_bytes(source)


def _choice(framework: str) -> Callable[[Collection[str]], RuntimeModule]:
    choice = _FRAMEWORKS.get(framework)
    if choice is None:
        raise LoadFailed(
            f"pytest-wml's embedded service does not run models of type '{framework}'; the live service may."
        )
    return choice


def _is_pickle(name: str) -> bool:
    return name.lower().endswith(PICKLES)


_FRAMEWORKS: dict[str, Callable[[Collection[str]], RuntimeModule]] = {
    FUNCTION: lambda _: _FUNCTION,
    "tensorflow": lambda names: _NETWORKS[network_kind(names)],
    "scikit-learn": lambda _: _SKLEARN,
    "xgboost": lambda names: _PICKLED_XGBOOST if any(map(_is_pickle, names)) else _XGBOOST,
    "pytorch-onnx": lambda _: _PYTORCH_ONNX,
    "onnxruntime": lambda _: _ONNX,
    "mllib": lambda _: _SPARK,
}


def _require(kind: RuntimeModule) -> None:
    missing = [package for package in kind.packages if importlib.util.find_spec(package) is None]
    if missing:
        names = " and ".join(missing)
        raise LoadFailed(
            f"The model needs {names}, not installed where pytest-wml's embedded service runs: "
            f'pip install "pytest-wml[{kind.extra}]".'
        )

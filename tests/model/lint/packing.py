"""Archives for lint: made of bytes, or of the sample with something changed."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path

from pytest_wml.model.lint.specification import LintTarget

TENSORFLOW = LintTarget("tensorflow_2.14", "runtime-24.1-py3.11")
Files = dict[str, bytes]


class Unpacked(Files):
    """Files that Hypothesis can name where it tells of a failure: their megabytes would hide it."""

    def __repr__(self) -> str:
        return f"<{len(self)} files>"


def sample_path() -> Path:
    return Path(str(files("pytest_wml") / "data" / "mnist_cnn.tar.gz"))


def unpacked(path: Path) -> Files:
    """Every file of a .tar.gz by its name, without a leading `./`."""
    with tarfile.open(path) as archive:
        members = [member for member in archive if member.isfile()]
        return Unpacked((member.name.removeprefix("./"), archive.extractfile(member).read()) for member in members)


def tarred(contents: Mapping[str, bytes], mode: str = "w:gz", *more: tarfile.TarInfo) -> bytes:
    """A tar of files, and of members that are none."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in more:
            archive.addfile(info)
    return buffer.getvalue()


def zipped(contents: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


def without(contents: Files, *names: str) -> Files:
    return {name: content for name, content in contents.items() if name not in names}


def below(contents: Files, folder: str) -> Files:
    return {f"{folder}/{name}": content for name, content in contents.items()}


def retagged(contents: Files, tags: list[str]) -> Files:
    """The SavedModel with other tags; by TensorFlow's own messages."""
    return _changed(contents, lambda graph: _set_tags(graph, tags))


def unsigned(contents: Files) -> Files:
    """The SavedModel of TensorFlow 1 without its signatures."""
    return _changed(contents, lambda graph: graph.signature_def.clear())


def with_unknown_node(contents: Files) -> Files:
    """A SavedModel whose outputs read a node that is not there."""

    def change(graph: object) -> None:
        for node in graph.graph_def.node:
            if node.op == "ArgMax":
                node.input[0] = "nowhere"

    return _changed(contents, change)


def _set_tags(graph: object, tags: list[str]) -> None:
    del graph.meta_info_def.tags[:]
    graph.meta_info_def.tags.extend(tags)


def _changed(contents: Files, change: Callable[[object], None]) -> Files:
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel.FromString(contents["saved_model.pb"])
    for graph in model.meta_graphs:
        change(graph)
    return {**contents, "saved_model.pb": model.SerializeToString()}

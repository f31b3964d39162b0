"""Damaged SavedModels: a BadArchive that says so, or a digest, and nothing else."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_wml.errors import BadArchive
from pytest_wml.model import bundle
from pytest_wml.model.archive import read_archive
from pytest_wml.model.graph import FunctionLibrary, GraphScope
from pytest_wml.model.protobuf import Message, varint
from pytest_wml.model.savedmodel import Node, SavedModel
from tests.model.conftest import Models

# What is done to the bytes: at a place between 0 and 1, this many are replaced by these.
change = st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=12))
changes = st.lists(change, min_size=1, max_size=4)
thorough = settings(max_examples=150, deadline=None)


def changed(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for place, removed, added in edits:
        position = int(place * len(data))
        data = data[:position] + added + data[position + removed :]
    return data


def read(folder: Path) -> str:
    """The model's digest, or what is wrong with the files."""
    try:
        return read_archive(folder).model_digest
    except BadArchive as error:
        return error.problem


@pytest.fixture(scope="module", params=["loops_and_tables", "old_style_partitioned"])
def damaged(models: Models, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A copy of a model, to be damaged."""
    target = tmp_path_factory.mktemp("damaged") / "model"
    return Path(shutil.copytree(models.first / request.param, target))


@thorough
@given(edits=changes)
def test_a_damaged_graph_is_told(damaged: Path, edits: list[tuple[float, int, bytes]]) -> None:
    """saved_model.pb with changed bytes gives a digest or a BadArchive."""
    path = damaged / "saved_model.pb"
    whole = path.read_bytes()
    try:
        path.write_bytes(changed(whole, edits))
        assert read(damaged)
    finally:
        path.write_bytes(whole)


@thorough
@given(edits=changes)
def test_a_damaged_index_is_told(damaged: Path, edits: list[tuple[float, int, bytes]]) -> None:
    """variables.index with changed bytes gives a digest or a BadArchive."""
    path = damaged / "variables" / "variables.index"
    whole = path.read_bytes()
    try:
        path.write_bytes(changed(whole, edits))
        assert read(damaged)
    finally:
        path.write_bytes(whole)


@given(st.binary())
def test_any_bytes_are_a_message_or_not(data: bytes) -> None:
    """Arbitrary bytes are split into fields or refused."""
    with suppress(BadArchive):
        Message(memoryview(data))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_not(data: bytes) -> None:
    """Arbitrary bytes, also before a true footer, are an index or refused."""
    for table in (data, data + bytes([0, 0, 0, len(data) % 128]) + bytes(36) + bundle._MAGIC):
        with suppress(BadArchive):
            bundle.read_index(table)


def test_the_rest_of_a_checkpoint_is_checked(models: Models, tmp_path: Path) -> None:
    """A checkpoint whose data file is gone or cut short is a BadArchive that names the file."""
    folder = Path(shutil.copytree(models.first / "sample", tmp_path / "model"))
    data = folder / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:1000])
    with pytest.raises(BadArchive, match=r"cut short\.\n  file: variables/variables\.data-00000-of-00001"):
        read_archive(folder)
    data.unlink()
    with pytest.raises(BadArchive, match=r"lacks a data file\.\n  missing: variables/variables\.data-00000"):
        read_archive(folder)


def test_a_compressed_index_is_not_guessed_at(models: Models, tmp_path: Path) -> None:
    """An index that some other writer compressed leaves the archive's digest, and the note says why."""
    folder = Path(shutil.copytree(models.first / "sample", tmp_path / "model"))
    path = folder / "variables" / "variables.index"
    table = bytearray(path.read_bytes())
    offset, size = _index_block(table)
    table[offset + size] = 1
    path.write_bytes(table)
    archive = read_archive(folder)
    assert (archive.basis, archive.model_digest) == ("archive", archive.archive_digest)
    assert "compressed" in archive.note
    assert archive.signature is not None


def _index_block(table: bytearray) -> tuple[int, int]:
    footer, position, numbers = memoryview(bytes(table[-48:])), 0, []
    for _ in range(4):
        number, position = varint(footer, position)
        numbers.append(number)
    return numbers[2], numbers[3]


def field(number: int, content: bytes) -> bytes:
    length = len(content)
    sizes = bytearray()
    while length > 0x7F:
        sizes.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2]) + bytes(sizes) + bytes([length]) + content


def test_deep_nesting_costs_no_stack() -> None:
    """Messages nested a thousand times are read without recursion."""
    nested = b""
    for _ in range(3000):
        nested = field(10, field(1, b"f") + field(2, field(2, nested)))[:1_000_000]
    graph = field(2, field(1, field(4, b"serve")) + field(2, field(1, field(1, b"n") + field(5, nested))))
    assert SavedModel(memoryview(graph)).nodes()["n"].op == ""


def test_a_long_chain_of_nodes_is_hashed_without_recursion() -> None:
    """A graph of fifty thousand nodes in a row, and one whose nodes read each other, have digests."""
    chain = {f"n{i}": Node(f"n{i}", "Op", (f"n{i + 1}",), {}) for i in range(50_000)}
    chain["n50000"] = Node("n50000", "Op", (), {})
    assert len(GraphScope(chain, {}, FunctionLibrary({})).digest("n0")) == 32
    ring = {"a": Node("a", "Op", ("b", "^a"), {}), "b": Node("b", "Op", ("a:1", "b"), {})}
    assert GraphScope(ring, {}, FunctionLibrary({})).digest("a") != GraphScope(ring, {}, FunctionLibrary({})).digest(
        "b"
    )


def test_the_order_of_what_must_run_before_does_not_count() -> None:
    """A node's control inputs are a set; what it reads is a list."""

    def digest(*inputs: str) -> bytes:
        others = {name: Node(name, name.upper(), (), {}) for name in "abc"}
        return GraphScope({**others, "out": Node("out", "Op", inputs, {})}, {}, FunctionLibrary({})).digest("out")

    assert digest("a", "^b", "^c") == digest("a", "^c", "^b")
    assert digest("a", "b") != digest("b", "a")


def test_where_a_loop_leads_back_to_counts() -> None:
    """Of two nodes in a row, the second reads the first again, or itself."""

    def digest(back: str) -> bytes:
        nodes = {"a": Node("a", "Op", ("b",), {}), "b": Node("b", "Op", (back,), {})}
        return GraphScope(nodes, {}, FunctionLibrary({})).digest("a")

    assert digest("a") != digest("b")


@pytest.mark.parametrize("name", ["frame_name", "shared_name", "stack_name", "container"])
def test_a_name_that_tensorflow_makes_up_does_not_count(name: str) -> None:
    """An attribute that only names a node's resource is left out; any other counts."""

    def digest(attribute: str, value: bytes) -> bytes:
        node = Node("a", "Enter", (), {attribute: memoryview(field(2, value))})
        return GraphScope({"a": node}, {}, FunctionLibrary({})).digest("a")

    assert digest(name, b"while_1") == digest(name, b"while_2")
    assert digest("padding", b"SAME") != digest("padding", b"VALID")


def test_functions_that_call_each_other_are_hashed() -> None:
    """Two functions that call each other have digests, which their names do not change."""

    def calling(name: bytes, called: bytes) -> memoryview:
        attribute = field(1, b"f") + field(2, field(10, field(1, called)))
        node = field(1, b"call") + field(2, b"PartitionedCall") + field(5, attribute)
        result = field(1, b"out") + field(2, b"call:output:0")
        return memoryview(field(1, field(1, name) + field(3, field(1, b"out"))) + field(3, node) + field(4, result))

    def digest(first: bytes, second: bytes) -> bytes:
        library = FunctionLibrary({first.decode(): calling(first, second), second.decode(): calling(second, first)})
        return library.digest(first.decode())

    assert digest(b"f", b"g") == digest(b"odd_17", b"even_3")


def test_a_graph_that_lacks_what_it_reads_is_refused() -> None:
    """A node or a function that is not there is named by the error."""
    with pytest.raises(BadArchive, match=r"reads a node that it lacks\.\n  node: b"):
        GraphScope({"a": Node("a", "Op", ("b",), {})}, {}, FunctionLibrary({})).digest("a")
    with pytest.raises(BadArchive, match=r"calls a function that it lacks\.\n  function: f"):
        FunctionLibrary({}).digest("f")


def test_the_graph_for_serving_alone_is_read() -> None:
    """One that is tagged for an accelerator too may stand before it, and is read where there is no other."""

    def graph(name: bytes, *tags: bytes) -> bytes:
        return field(2, field(1, b"".join(field(4, tag) for tag in tags)) + field(2, field(1, field(1, name))))

    tpu, plain = graph(b"fast", b"serve", b"tpu"), graph(b"plain", b"serve")
    assert list(SavedModel(memoryview(tpu + plain)).nodes()) == ["plain"]
    assert list(SavedModel(memoryview(tpu)).nodes()) == ["fast"]


def test_a_sparse_tensor_is_three() -> None:
    """Its values, indices and shape are what a signature gives."""
    info = field(4, field(1, b"values") + field(2, b"indices") + field(3, b"shape"))
    signature = field(2, field(1, b"out") + field(2, info))
    served = field(5, field(1, b"serving_default") + field(2, signature))
    model = SavedModel(memoryview(field(2, field(1, field(4, b"serve")) + served)))
    assert [tensor for *_, tensor in model.endpoints()] == ["values", "indices", "shape"]


def test_a_graph_not_meant_for_serving_is_refused(tmp_path: Path) -> None:
    """A SavedModel without the tag 'serve' is refused with the tags that it has."""
    (tmp_path / "saved_model.pb").write_bytes(field(2, field(1, field(4, b"train"))))
    with pytest.raises(BadArchive, match=r"no graph that is tagged 'serve'\.\n  tags: train"):
        read_archive(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(BadArchive, match="tags: no graph at all"):
        read_archive(tmp_path)

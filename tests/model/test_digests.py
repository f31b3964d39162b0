"""Digests: the same for the same model, another for another."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from pytest_wml.model.archive import read_archive
from pytest_wml.model.bundle import Entry
from pytest_wml.model.checkpoint import CheckpointTensor
from pytest_wml.model.digest import digest_content
from pytest_wml.model.packing import pack
from pytest_wml.model.tables import table_content
from tests.model.conftest import Models, run_python

BINARY_KINDS = [
    "sample",
    "keras_export",
    "keras_saved",
    "tf_keras_trained",
    "two_equal_shapes",
    "loops_and_tables",
    "several_signatures",
    "old_style",
    "old_style_partitioned",
    "no_variables",
]


def with_tar(folder: Path, target: Path) -> Path:
    subprocess.run(["tar", "czf", str(target), "-C", str(folder), "."], check=True)
    return target


def like_ibm(folder: Path, target: Path) -> Path:
    with tarfile.open(target, "w:gz") as archive:
        archive.add(folder, arcname=".")
    return target


def zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*"), reverse=True):
            archive.write(path, path.relative_to(folder).as_posix())
    return target


def plain_tar(folder: Path, target: Path) -> Path:
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(folder.rglob("*"), reverse=True):
            archive.add(path, path.relative_to(folder).as_posix(), recursive=False)
    return target


def packed(folder: Path, target: Path) -> Path:
    return pack(folder, target).path


@pytest.mark.parametrize("make", [with_tar, like_ibm, zipped, plain_tar, packed])
def test_packing_does_not_count(sample: Path, tmp_path: Path, make) -> None:
    """tar czf, IBM's client, a zip, a plain tar and our own packing give the folder's digests and members."""
    of_folder, of_archive = read_archive(sample), read_archive(make(sample, tmp_path / "model.archive"))
    assert of_archive.archive_digest == of_folder.archive_digest
    assert of_archive.model_digest == of_folder.model_digest
    assert of_archive.members == of_folder.members
    assert (of_archive.basis, of_archive.kind, of_archive.note) == ("model", "savedmodel", "")
    assert of_archive.signature == of_folder.signature


def test_an_upload_has_the_files_digests(sample: Path, tmp_path: Path) -> None:
    """The bytes of an archive, as a whole or as a stream, wound back or not, have the archive's digests."""
    archive = pack(sample, tmp_path / "model.tar.gz")
    content = archive.path.read_bytes()

    class OneWay(io.BytesIO):
        def seekable(self) -> bool:
            return False

    for upload in (content, io.BytesIO(content), OneWay(content)):
        found = digest_content(upload)
        assert (found.archive_digest, found.model_digest) == (archive.archive_digest, archive.model_digest)
        assert (found.size, found.signature) == (len(content), archive.signature)


@pytest.mark.parametrize("kind", BINARY_KINDS)
def test_exported_again_it_is_the_same_model(models: Models, kind: str) -> None:
    """Two processes with other hash seeds and counters give one model digest."""
    first, second = read_archive(models.first / kind), read_archive(models.second / kind)
    assert first.basis == "model"
    assert first.model_digest == second.model_digest


def test_every_model_has_a_digest_of_its_own(models: Models) -> None:
    """One changed float, and two weights of one shape that changed places, give another digest."""
    kinds = [*BINARY_KINDS, "sample_one_float_changed", "two_equal_shapes_swapped"]
    assert len({read_archive(models.first / kind).model_digest for kind in kinds}) == len(kinds)


def test_made_up_names_do_differ(models: Models) -> None:
    """The files of the two exports are not the same, so that equal model digests mean something."""
    first, second = (folder / "keras_export" / "saved_model.pb" for folder in (models.first, models.second))
    assert first.read_bytes() != second.read_bytes()


def test_a_vocabulary_counts(models: Models, tmp_path: Path) -> None:
    """Another word in an asset makes another model."""
    folder = Path(shutil.copytree(models.first / "loops_and_tables", tmp_path / "changed"))
    (words,) = (folder / "assets").iterdir()
    words.write_text("good\nevil\n")
    changed, original = read_archive(folder), read_archive(models.first / "loops_and_tables")
    assert changed.model_digest != original.model_digest


@pytest.mark.parametrize("kind", ["sample", "old_style_partitioned"])
def test_every_weight_counts(models: Models, tmp_path: Path, kind: str) -> None:
    """A flipped bit anywhere in the checkpoint's weights makes another model, partitioned ones too."""
    original = read_archive(models.first / kind).model_digest
    folder = Path(shutil.copytree(models.first / kind, tmp_path / "changed"))
    data = folder / "variables" / "variables.data-00000-of-00001"
    whole = data.read_bytes()
    digests = set()
    # The checkpoint's own book keeping lies at the end.
    for position in (len(whole) * tenth // 10 for tenth in range(8)):
        changed = bytearray(whole)
        changed[position] ^= 1
        data.write_bytes(changed)
        digests.add(read_archive(folder).model_digest)
    assert len(digests | {original}) == 9


def test_a_tables_values_count_with_their_keys(tmp_path: Path) -> None:
    """A table that the checkpoint fills is its pairs, in whatever order they lie."""

    def content(*pairs: tuple[int, int]) -> bytes:
        tensors = []
        for name, numbers in zip(("keys", "values"), zip(*pairs, strict=True), strict=True):
            path = tmp_path / name
            path.write_bytes(struct.pack(f"<{len(pairs)}q", *numbers))
            tensors.append(CheckpointTensor(b"", Entry("int64", (len(pairs),), 0, 0, 8 * len(pairs), False), path))
        return table_content(*tensors)

    assert content((1, 3), (2, 4)) == content((2, 4), (1, 3))
    assert content((1, 3), (2, 4)) != content((1, 4), (2, 3))
    assert content((1, 3), (2, 4)) != content((1, 3), (2, 5))


@pytest.mark.parametrize(
    ("dtype", "shape", "counts"),
    [
        ("int64", (), False),
        ("uint32", (2,), False),
        ("int64", (3,), False),
        ("int64", (4,), True),
        ("float32", (3,), True),
        ("string", (), True),
    ],
)
def test_a_counter_or_a_generator_that_nothing_reads_does_not_count(dtype, shape, counts) -> None:
    """Step counters, and the states of Keras's and TensorFlow's random generators; any other variable counts."""
    assert CheckpointTensor(b"", Entry(dtype, shape, 0, 0, 0, False), None).counts_unread is counts


def test_a_fingerprint_does_not_count(sample: Path, tmp_path: Path) -> None:
    """TensorFlow's random fingerprint.pb changes neither digest."""
    folder = Path(shutil.copytree(sample, tmp_path / "copy"))
    (folder / "fingerprint.pb").write_bytes(b"another")
    assert read_archive(folder).archive_digest == read_archive(sample).archive_digest


def test_another_file_changes_the_archive_but_not_the_model(sample: Path, tmp_path: Path) -> None:
    """A note beside the model gives the archive another digest and leaves the model's."""
    folder = Path(shutil.copytree(sample, tmp_path / "copy"))
    (folder / "NOTES.md").write_text("trained on a Monday\n")
    changed, original = read_archive(folder), read_archive(sample)
    assert changed.archive_digest != original.archive_digest
    assert changed.model_digest == original.model_digest


def test_the_shape_of_a_weight_counts(models: Models, tmp_path: Path) -> None:
    """The same bytes as another matrix make another model."""
    folder = Path(shutil.copytree(models.first / "two_equal_shapes", tmp_path / "changed"))
    index = folder / "variables" / "variables.index"
    four_by_four, two_by_eight = (bytes([18, 2, 8, rows, 18, 2, 8, columns]) for rows, columns in ((4, 4), (2, 8)))
    assert four_by_four in index.read_bytes()
    index.write_bytes(index.read_bytes().replace(four_by_four, two_by_eight, 1))
    assert read_archive(folder).model_digest != read_archive(models.first / "two_equal_shapes").model_digest


def test_a_files_name_counts(tmp_path: Path) -> None:
    """The same file under another name, or in another folder, makes another archive."""
    digests = set()
    for number, name in enumerate(["model.onnx", "other.onnx", "inner/model.onnx"]):
        path = tmp_path / str(number) / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"weights")
        digests.add(read_archive(tmp_path / str(number)).archive_digest)
    assert len(digests) == 3


def test_a_text_graph_is_told_by_its_archive(models: Models) -> None:
    """saved_model.pbtxt is not read: the model's digest is the archive's, and the note says why."""
    archive = read_archive(models.first / "old_style_text")
    assert (archive.basis, archive.kind, archive.signature) == ("archive", "savedmodel", None)
    assert archive.model_digest == archive.archive_digest
    assert archive.note == "only saved_model.pb is read, not saved_model.pbtxt"


def test_reading_an_archive_loads_no_heavy_library(sample: Path) -> None:
    """A replay reads archives: neither TensorFlow nor keras nor numpy is imported for it."""
    program = (
        "import sys; from pytest_wml.model.archive import read_archive; "
        f"print(read_archive({str(sample)!r}).model_digest); "
        "print([name for name in ('tensorflow', 'keras', 'numpy') if name in sys.modules])"
    )
    assert run_python("-c", program).splitlines() == [read_archive(sample).model_digest, "[]"]

"""Archives: what is packed, what is refused and what the error says."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_wml.errors import BadArchive
from pytest_wml.model.archive import read_archive, require_savedmodel, safe_extract
from pytest_wml.model.digest import digest_content
from pytest_wml.model.members import Limits
from pytest_wml.model.packing import pack


def tarred(*members: tarfile.TarInfo | tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for member in members:
            if isinstance(member, tuple):
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
            else:
                archive.addfile(member)
    return stream.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zipped(*members: tuple[str, bytes], mode: int = 0) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return stream.getvalue()


def test_packing_is_the_same_bytes(sample: Path, tmp_path: Path) -> None:
    """The same content packs to the same bytes, whatever the files' times, modes and order of creation."""
    copy = tmp_path / "copy"
    for path in sorted(sample.rglob("*"), reverse=True):
        if path.is_file():
            target = copy / path.relative_to(sample)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
            target.chmod(0o600)
            os.utime(target, (1, 1))
    first, second = pack(sample, tmp_path / "first.tar.gz"), pack(copy, tmp_path / "other" / "second.tar.gz")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.size == first.path.stat().st_size


def test_packing_puts_the_graph_at_the_root(sample: Path, tmp_path: Path) -> None:
    """A packed archive has sorted members from the root on, and what pack says is what reading says."""
    archive = pack(sample, tmp_path / "model.tar.gz")
    with tarfile.open(archive.path) as packed:
        assert packed.getnames() == sorted(packed.getnames()) == list(archive.members)
    assert "saved_model.pb" in archive.members
    assert archive == read_archive(archive.path)


def test_a_model_that_is_one_file_is_packed_alone(tmp_path: Path) -> None:
    """At the root, under its own name, the same bytes each time."""
    file = tmp_path / "model.h5"
    file.write_bytes(b"\x89HDF\r\n\x1a\n and so on")
    first, second = (pack(file, tmp_path / name) for name in ("first.tar.gz", "second.tar.gz"))
    assert (first.members, first.kind) == (("model.h5",), "keras")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert safe_extract(first.path, tmp_path / "out").joinpath("model.h5").read_bytes() == file.read_bytes()


def test_a_nested_model_is_found_and_named(sample: Path, tmp_path: Path) -> None:
    """A folder that holds its model one level down is refused with the way on."""
    nested = tmp_path / "nested"
    safe_extract(sample, nested / "1")
    with pytest.raises(BadArchive) as caught:
        pack(nested, tmp_path / "model.tar.gz")
    assert str(caught.value).splitlines() == [
        f"No saved_model.pb at the root of {nested}.",
        "  found: 1/saved_model.pb",
        "  what to do: pack the inner folder: tar -C 1 -czf model.tar.gz .",
    ]
    assert not (tmp_path / "model.tar.gz").exists()


def test_a_folder_without_a_model_says_what_it_holds(tmp_path: Path) -> None:
    """Packing a folder without a model names its files; one that is not there has none."""
    (tmp_path / "notes.txt").write_bytes(b"")
    with pytest.raises(BadArchive, match=r"found: notes\.txt\n.*export the model with model\.export"):
        pack(tmp_path, tmp_path / "out.tar.gz")
    with pytest.raises(BadArchive, match="found: no files"):
        pack(tmp_path / "nowhere", tmp_path / "out.tar.gz")


def test_a_failed_packing_leaves_nothing(sample: Path, tmp_path: Path) -> None:
    """When the archive cannot get its name, no half file stays behind and an older one is untouched."""
    target = tmp_path / "out" / "model.tar.gz"
    target.mkdir(parents=True)
    (target / "occupied").touch()
    with pytest.raises(OSError, match="directory"):
        pack(sample, target)
    assert [path.name for path in target.parent.iterdir()] == ["model.tar.gz"]


def test_an_archive_without_a_model_is_refused_by_content(tmp_path: Path) -> None:
    """require_savedmodel shows at most eight of the members that an archive has instead."""
    archive = tmp_path / "model.tgz"
    archive.write_bytes(tarred(*((f"part{number}.bin", b"x") for number in range(11))))
    with pytest.raises(BadArchive, match=r"part0\.bin, part1\.bin, .* and 3 more"):
        require_savedmodel(read_archive(archive))


def test_a_savedmodel_is_accepted(sample: Path) -> None:
    """require_savedmodel has nothing to say about a SavedModel."""
    require_savedmodel(read_archive(sample))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (tarred(("model.h5", b"\x89HDF")), "keras"),
        (zipped(("config.json", b"{}"), ("model.weights.h5", b""), ("metadata.json", b"{}")), "keras"),
        (b"\x89HDF\r\n\x1a\nweights", "keras"),
        (tarred(("model.pickle", b"\x80\x04")), "other"),
        (b"\x80\x04 a pickle", "other"),
        (gzip.compress(b"no tar"), "other"),
        (b"", "other"),
        (tarred(), "other"),
    ],
    ids=["h5 in tgz", "keras file", "h5", "pickle in tgz", "pickle", "gzip", "empty", "empty tgz"],
)
def test_other_models_are_told_by_their_content(content: bytes, kind: str) -> None:
    """What is no SavedModel is identified by its bytes or members, and its kind is known."""
    found = digest_content(content)
    assert (found.kind, found.basis, found.signature, found.size) == (kind, "archive", None, len(content))
    assert found.model_digest == found.archive_digest == found.archive == found.model
    assert found.note in ("there is no saved_model.pb", "the file is no archive")


HOSTILE = {
    "symbolic link": tarred(special("link", tarfile.SYMTYPE, "/etc/passwd")),
    "hard link": tarred(("a", b"x"), special("link", tarfile.LNKTYPE, "a")),
    "device": tarred(special("link", tarfile.CHRTYPE)),
    "pipe": tarred(special("link", tarfile.FIFOTYPE)),
    "absolute": tarred(("/tmp/link", b"x")),
    "outside": tarred(("a/../../link", b"x")),
    "backslash": tarred(("..\\link", b"x")),
    "drive": zipped(("c:link", b"x")),
    "outside zip": zipped(("../link", b"x")),
    "link in zip": zipped(("link", b"/etc/passwd"), mode=0o120777),
    "twice": tarred(("link", b"x"), ("./link", b"y")),
    "long name": tarred(("link" * 100, b"x")),
    "folder outside": tarred(special("../link", tarfile.DIRTYPE)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_member_that_could_do_harm_is_refused(name: str, tmp_path: Path) -> None:
    """Links, devices, paths that lead out and names that come twice are refused by name, read or unpacked."""
    with pytest.raises(BadArchive, match="must not be unpacked") as caught:
        digest_content(HOSTILE[name])
    assert "link" in caught.value.facts["member"]
    with pytest.raises(BadArchive):
        safe_extract(io.BytesIO(HOSTILE[name]), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert all(path.is_file() and not path.is_symlink() for path in (tmp_path / "out").iterdir())


def test_a_link_to_a_folder_is_refused_in_a_folder_too(sample: Path, tmp_path: Path) -> None:
    """A folder's links to files are followed, as in a download cache; one to a folder is refused by name."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "saved_model.pb").symlink_to(sample / "saved_model.pb")
    assert read_archive(tmp_path / "model").members == ("saved_model.pb",)
    (tmp_path / "model" / "variables").symlink_to(sample / "variables")
    with pytest.raises(BadArchive, match="member: variables"):
        read_archive(tmp_path / "model")


@pytest.mark.parametrize("make", [tarred, zipped])
def test_a_bomb_is_stopped(make: Callable[..., bytes], tmp_path: Path) -> None:
    """An archive that unpacks to more than agreed is stopped at the limit, by size and by number."""
    large = make(("zeros", bytes(3_000_000)))
    with pytest.raises(BadArchive, match=r"too large when unpacked\.\n  limit: 2,000,000 bytes"):
        digest_content(large, Limits(total=2_000_000))
    with pytest.raises(BadArchive, match="too large"):
        safe_extract(io.BytesIO(large), tmp_path, Limits(total=2_000_000))
    many = make(*((f"{number}", b"") for number in range(12)))
    with pytest.raises(BadArchive, match=r"too many members\.\n  limit: 10"):
        digest_content(many, Limits(members=10))


def test_a_header_of_gigabytes_is_not_read_into_memory() -> None:
    """A tar header that claims to be huge is refused before it is read."""
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 6 << 30
    with pytest.raises(BadArchive, match="headers are damaged"):
        digest_content(gzip.compress(header.tobuf() + bytes(4096)))


def test_a_damaged_archive_says_so(sample: Path, tmp_path: Path) -> None:
    """An archive cut short anywhere is a BadArchive, not an error of the standard library."""
    whole = pack(sample, tmp_path / "model.tar.gz").path.read_bytes()
    for length in (2, 11, 100, 5000, len(whole) // 2, len(whole) - 5000):
        with pytest.raises(BadArchive):
            digest_content(whole[:length])
    with pytest.raises(BadArchive):
        digest_content(zipped(("a", b"x"))[:-30])


def test_a_zip_that_points_before_its_start(tmp_path):
    """A file's system refuses to go there, with an OSError, which is no trouble with the disk."""
    content = bytearray(zipped(("a", b"x")))
    where = slice(len(content) - 6, len(content) - 2)  # where the list of members begins, in the last record
    content[where] = struct.pack("<L", struct.unpack("<L", content[where])[0] + 100)
    path = tmp_path / "model.zip"
    path.write_bytes(content)
    with pytest.raises(BadArchive, match=r"damaged\.\n  cause: the place of a is before the archive's start"):
        read_archive(path)


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    """A path that leads nowhere is in the error, with what to check."""
    with pytest.raises(BadArchive, match=r"cannot be opened\.\n  file: .*nowhere.*\n  cause: No such file"):
        read_archive(tmp_path / "nowhere.tar.gz")


def test_unpacking_gives_the_files(sample: Path, tmp_path: Path) -> None:
    """What safe_extract unpacks is what was packed."""
    archive = pack(sample, tmp_path / "model.tar.gz")
    folder = safe_extract(archive.path, tmp_path / "unpacked")
    assert read_archive(folder).archive_digest == archive.archive_digest
    assert (folder / "saved_model.pb").read_bytes() == (sample / "saved_model.pb").read_bytes()


def test_unpacking_refuses_what_is_no_archive(tmp_path: Path) -> None:
    """A file that is no archive, and one whose member is both file and folder, are BadArchive."""
    with pytest.raises(BadArchive, match=r"no \.tar\.gz, \.tar or \.zip"):
        safe_extract(io.BytesIO(b"text"), tmp_path / "out")
    with pytest.raises(BadArchive, match="cannot be unpacked"):
        safe_extract(io.BytesIO(tarred(("a", b"x"), ("a/b", b"y"))), tmp_path / "out")


def test_a_compressed_file_counts_by_what_it_holds(tmp_path: Path) -> None:
    """IBM's client compresses a Python function with the time in the header: the digest does not see it."""
    first, second = (digest_content(gzip.compress(b"def score(): ...", mtime=time)) for time in (1, 2))
    assert first.archive_digest == second.archive_digest
    assert first.archive_digest != digest_content(gzip.compress(b"def score(x): ...", mtime=1)).archive_digest
    with pytest.raises(BadArchive, match="cut short"):
        digest_content(gzip.compress(b"cut off")[:-6])

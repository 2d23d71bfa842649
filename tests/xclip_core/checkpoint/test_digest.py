"""The digests of weights, and the memo that saves taking them again."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from xclip_core.checkpoint.digest import weights_digest
from xclip_core.checkpoint.location import DEMO_FOLDER

AT_REST = DEMO_FOLDER / "model.safetensors"  # as old as the installation


@dataclass
class Notebook:
    """A memo in memory."""

    known: dict[bytes, bytes] = field(default_factory=dict)

    def get(self, key: bytes) -> bytes | None:
        return self.known.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        self.known[key] = value


def sha256(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """A link to a file that has been at rest for long."""
    link = tmp_path / "weights"
    link.symlink_to(AT_REST)
    return link


def test_one_file_has_the_digest_that_everybody_gets(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"weights")
    assert weights_digest([tmp_path / "a"]) == sha256(b"weights")


def test_several_files_have_that_of_their_digests_in_order(tmp_path: Path) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    for path in files:
        path.write_bytes(path.name.encode())
    each = [hashlib.sha256(path.name.encode()).digest() for path in files]
    assert weights_digest(files) == sha256(*each)
    assert weights_digest(files[::-1]) != weights_digest(files)


def test_a_file_that_is_known_is_not_read_again(old_file: Path) -> None:
    memo = Notebook()
    first = weights_digest([old_file], memo=memo)
    assert first == sha256(AT_REST.read_bytes())
    (key,) = memo.known
    memo.known[key] = b"ab" * 32  # only by this it shows where the answer comes from
    assert weights_digest([old_file], memo=memo) == "ab" * 32


def test_a_link_to_a_file_is_that_file(old_file: Path) -> None:
    memo = Notebook()
    assert weights_digest([old_file], memo=memo) == weights_digest([AT_REST], memo=memo)
    assert len(memo.known) == 1


def changes(path: Path) -> Iterator[None]:
    """Ways of putting something else into a file's place; size and time of change are forged."""
    before = path.stat()
    path.write_bytes(b"B" * before.st_size)
    while path.stat().st_ctime_ns == before.st_ctime_ns:  # until the file system's clock ticks
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    yield
    beside = path.with_name("beside")
    beside.write_bytes(b"C" * before.st_size)
    os.utime(beside, ns=(before.st_atime_ns, before.st_mtime_ns))
    beside.replace(path)
    yield
    path.write_bytes(b"D" * (before.st_size + 1))
    yield


def test_a_file_that_is_not_what_it_was_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"A" * 100)
    memo = Notebook()
    assert weights_digest([path], memo=memo, rest=0) == sha256(b"A" * 100)
    for number, _ in enumerate(changes(path), start=1):
        assert len(memo.known) == number
        assert weights_digest([path], memo=memo, rest=0) == sha256(path.read_bytes())


def test_a_file_that_was_only_just_written_is_not_noted(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"A")
    memo = Notebook()
    weights_digest([path], memo=memo)
    assert memo.known == {}


@pytest.mark.parametrize("nonsense", [b"", b"short", b"xy" * 32, b"ab" * 33])
def test_what_is_no_digest_counts_for_nothing(old_file: Path, nonsense: bytes) -> None:
    memo = Notebook()
    right = weights_digest([old_file], memo=memo)
    memo.known = dict.fromkeys(memo.known, nonsense)
    assert weights_digest([old_file], memo=memo) == right

"""Samples and fingerprints: same content, same digest; a sample sees some bytes, the other all."""

import hashlib
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.scan.fingerprint import (
    BLOCK,
    BLOCKS,
    Content,
    FingerprintReading,
    read_fingerprint,
    read_sample,
    sampled_blocks,
)

LONG = BLOCK * BLOCKS * 3 + 17


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_renamed_or_copied_file_keeps_its_digest(tmp_path):
    content = os.urandom(LONG)
    here, there = write(tmp_path / "a", content), write(tmp_path / "b", content)
    assert read_sample(here).digest == read_sample(there).digest


def test_any_changed_byte_of_a_short_file_changes_the_digest(tmp_path):
    content = bytes(100_000)
    before = read_sample(write(tmp_path / "a", content)).digest
    for place in (0, 50_000, 99_999):
        changed = content[:place] + b"x" + content[place + 1 :]
        assert read_sample(write(tmp_path / "a", changed)).digest != before


def test_a_long_file_is_told_apart_by_its_ends_and_by_its_size(tmp_path):
    digests = {
        read_sample(write(tmp_path / "a", content)).digest
        for content in (
            bytes(LONG),
            b"x" + bytes(LONG - 1),
            bytes(LONG - 1) + b"x",
            bytes(LONG + 1),
        )
    }
    assert len(digests) == 4


def test_the_state_is_the_files_own(tmp_path):
    path = write(tmp_path / "a", b"film")
    os.utime(path, ns=(5, 1_234_567_891_234_567_891))
    content = read_sample(path)
    assert (content.size, content.mtime_ns) == (4, 1_234_567_891_234_567_891)


def test_an_empty_file_has_a_sample_and_a_missing_one_raises(tmp_path):
    assert len(read_sample(write(tmp_path / "empty", b"")).digest) == 40
    with pytest.raises(FileNotFoundError):
        read_sample(tmp_path / "missing")


@given(size=st.integers(0, 1 << 45))
def test_sampled_blocks_ascend_from_the_first_byte_to_the_last_and_stay_few(size):
    blocks = sampled_blocks(size)
    assert blocks[0][0] == 0
    assert sum(blocks[-1]) == size
    assert sum(length for _, length in blocks) <= BLOCK * BLOCKS
    for (offset, length), (following, _) in pairwise(blocks):
        assert offset + length <= following


def test_a_fingerprint_is_that_of_all_bytes(tmp_path):
    content = os.urandom(LONG)
    for path in (write(tmp_path / "a", content), write(tmp_path / "empty", b"")):
        assert read_fingerprint(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(FileNotFoundError):
        read_fingerprint(tmp_path / "missing")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        read_fingerprint(tmp_path / "pipe")


def test_a_lack_of_memory_is_told_and_never_taken_for_the_end_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("indexer.scan.fingerprint._PIECE", 1 << 62)
    with pytest.raises(MemoryError):
        read_fingerprint(write(tmp_path / "a", b"content"))


def test_a_known_content_is_not_read_again_while_the_state_of_the_file_is_the_same(tmp_path):
    path = write(tmp_path / "a", os.urandom(LONG))
    known = Content("a fingerprint that was read before", read_sample(path))
    with FingerprintReading(path, known=known) as reading:
        assert reading.content() == known
        assert reading.still_holds()
    state = path.stat()
    path.write_bytes(os.urandom(LONG))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    with FingerprintReading(path, known=known) as reading:
        assert reading.content() == Content(read_fingerprint(path), read_sample(path))


def test_a_reading_that_nobody_waits_for_ends_at_once(tmp_path):
    path = tmp_path / "a"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with FingerprintReading(path) as reading:
        assert reading.still_holds()


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        (lambda path: path.touch(), True),
        (lambda path: path.unlink(), True),
        (lambda path: path.rename(path.with_name("b")), True),
        (lambda path: path.write_bytes(bytes(LONG)), False),
        (lambda path: path.write_bytes(b""), False),
        (lambda path: path.write_bytes(path.read_bytes() + b"more"), False),
        (lambda path: (path.unlink(), path.mkdir()), None),
    ],
)
def test_a_reading_knows_whether_the_file_still_holds_what_was_read(tmp_path, change, holds):
    path = write(tmp_path / "a", os.urandom(LONG))
    with FingerprintReading(path) as reading:
        assert len(reading.fingerprint()) == 64
        change(path)
        if holds is None:
            with pytest.raises(OSError, match=r"directory|regular"):
                reading.still_holds()
        else:
            assert reading.still_holds() is holds

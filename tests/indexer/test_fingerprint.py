"""Fingerprints: same content, same digest; sampled bytes and size decide."""

import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.fingerprint import BLOCK, BLOCKS, read_fingerprint, sampled_blocks

LONG = BLOCK * BLOCKS * 3 + 17


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_renamed_or_copied_file_keeps_its_digest(tmp_path):
    content = os.urandom(LONG)
    here, there = write(tmp_path / "a", content), write(tmp_path / "b", content)
    assert read_fingerprint(here).digest == read_fingerprint(there).digest


def test_any_changed_byte_of_a_short_file_changes_the_digest(tmp_path):
    content = bytes(100_000)
    before = read_fingerprint(write(tmp_path / "a", content)).digest
    for place in (0, 50_000, 99_999):
        changed = content[:place] + b"x" + content[place + 1 :]
        assert read_fingerprint(write(tmp_path / "a", changed)).digest != before


def test_a_long_file_is_told_apart_by_its_ends_and_by_its_size(tmp_path):
    digests = {
        read_fingerprint(write(tmp_path / "a", content)).digest
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
    content = read_fingerprint(path)
    assert (content.size, content.mtime_ns) == (4, 1_234_567_891_234_567_891)


def test_an_empty_file_has_a_fingerprint_and_a_missing_one_raises(tmp_path):
    assert len(read_fingerprint(write(tmp_path / "empty", b"")).digest) == 40
    with pytest.raises(FileNotFoundError):
        read_fingerprint(tmp_path / "missing")


@given(size=st.integers(0, 1 << 45))
def test_sampled_blocks_ascend_from_the_first_byte_to_the_last_and_stay_few(size):
    blocks = sampled_blocks(size)
    assert blocks[0][0] == 0
    assert sum(blocks[-1]) == size
    assert sum(length for _, length in blocks) <= BLOCK * BLOCKS
    for (offset, length), (following, _) in pairwise(blocks):
        assert offset + length <= following

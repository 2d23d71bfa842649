"""Timecodes as they are written: numbers that are dropped, and back."""

import pytest

from media.editing.timecodes import StartTimecode, _parsed


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("00:00:00:00", 25),
        ("10:59:59:24", 25),
        ("00:00:59;29", 30),
        ("00:01:00;02", 30),
        ("00:09:59;29", 30),
        ("00:10:00;00", 30),
        ("01:00:00;00", 30),
        ("23:59:59;59", 60),
        ("00:01:00;04", 60),
        ("23:59:59:23", 24),
    ],
)
def test_a_timecode_is_written_as_it_was_read(text: str, base: int) -> None:
    parsed = _parsed(text, base=base)
    assert parsed is not None
    assert str(parsed) == text


def test_every_number_but_the_dropped_ones_follows_the_one_before() -> None:
    seen = [str(StartTimecode(frame, 30, drop=True)) for frame in range(20_000)]
    assert len(set(seen)) == len(seen)
    assert seen == sorted(seen)
    assert seen[1799:1801] == ["00:00:59;29", "00:01:00;02"]

"""Names for files of moments: from question, video and time, safe on every file system."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from unicodedata import category, normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_MOST_BYTES = 55  # of a question, and of a video's name: encrypted file systems allow 143 in all


def names_for(moments: Iterable[tuple[str, Path, float]]) -> Iterator[str]:
    """A name without suffix for each sentence, video and start in seconds.

    The names are unlike, also where upper and lower case are the same.
    """
    taken: Counter[str] = Counter()
    for sentence, video, start in moments:
        parts = (_plain(sentence).lower() or "moment", _plain(video.stem) or "video", _clock(start))
        name = "_".join(parts)
        taken[name.casefold()] += 1
        number = taken[name.casefold()]
        yield name if number == 1 else f"{name}_{number}"


def _plain(text: str) -> str:
    """Letters and digits of all scripts, joined by dashes, and not too many."""
    letters = (
        letter if letter.isalnum() or category(letter).startswith("M") else " "
        for letter in normalize("NFC", text)
    )
    joined = "-".join("".join(letters).split())
    return joined.encode()[:_MOST_BYTES].decode(errors="ignore").strip("-")


def _clock(seconds: float) -> str:
    """`00-12-04.200`: hours, minutes, seconds."""
    whole, thousandths = divmod(round(1000 * seconds), 1000)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02}-{minute:02}-{second:02}.{thousandths:03}"

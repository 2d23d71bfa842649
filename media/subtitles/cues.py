"""Cues: packets of a text stream become text without markup, with times in seconds."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av.error
from av.packet import Packet
from av.subtitles.stream import SubtitleStream

MOST_CUES = 200_000  # of one stream or file; a film has two thousand
LONGEST = 60.0  # seconds that a cue counts: one that stays for hours says nothing of its moment
# What FFmpeg makes of a cue that ends before it starts, where no other follows.
_NO_END = 100 * 3600.0
_MOST_LETTERS = 2000  # of a cue
_SAME_CUE = 0.1  # seconds between two cues of one text that are one: typesetting is cut into frames

# These read a text once from left to right, however it was made up.
_OVERRIDES = re.compile(r"\{([^{}]*)\}")
_DRAWING_MODE = re.compile(r"\\p(\d)")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,100}>")
_SPACE = re.compile(r"(?:\s|\\[hNn]|[\x00-\x1f\x7f\ufeff\u200b\u200e\u200f\u202a-\u202e])+")


@dataclass(frozen=True, slots=True)
class Cue:
    """Text that is displayed from `start` to `end`, in seconds."""

    start: float
    end: float
    text: str


def cues_of(
    packets: "Iterable[Packet[Any]]", stream: SubtitleStream, *, zero: Fraction = Fraction(0)
) -> tuple[Cue, ...]:
    """The cues in packets of one text stream, in order of their starts.

    `zero` is the timestamp, in seconds, at which the clock of the file begins. Cues that end before
    they start, or say nothing, are left out; a packet that cannot be decoded is one of those.
    """
    unit = stream.time_base or Fraction(1, av.time_base)
    found = []
    for packet in packets:
        if packet.pts is None or not packet.size:
            continue
        start = float(packet.pts * unit - zero)
        seconds = float((packet.duration or 0) * unit)
        if 0.0 < seconds < _NO_END and start + seconds > 0.0:
            text = _text_of(packet, stream)
            if text:
                found.append(Cue(max(start, 0.0), start + min(seconds, LONGEST), text))
    return _joined(sorted(found, key=lambda cue: (cue.start, cue.end)))


def plain(text: str) -> str:
    """Text on one line without markup of SubStation Alpha or HTML, and without drawings."""
    shown, drawing = [], False
    for place, part in enumerate(_OVERRIDES.split(text)):
        if place % 2:  # between braces
            modes = _DRAWING_MODE.findall(part)
            drawing = modes[-1] != "0" if modes else drawing
        elif not drawing:
            shown.append(part)
    return _SPACE.sub(" ", _TAG.sub("", "".join(shown))).strip()[:_MOST_LETTERS]


def _text_of(packet: "Packet[Any]", stream: SubtitleStream) -> str:
    try:
        decoded = stream.decode2(packet)
    except (av.error.FFmpegError, OSError):
        return ""
    texts = [
        plain(rect.dialogue.decode("utf-8", "replace"))
        for rect in decoded or ()
        if hasattr(rect, "dialogue")
    ]
    return " ".join(text for text in texts if text)


def _joined(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """Cues of which those are one that say the same without a pause."""
    joined: list[Cue] = []
    latest: dict[str, int] = {}
    for cue in cues:
        place = latest.get(cue.text)
        if place is not None and cue.start <= joined[place].end + _SAME_CUE:
            end = min(max(joined[place].end, cue.end), joined[place].start + LONGEST)
            joined[place] = Cue(joined[place].start, end, cue.text)
        else:
            latest[cue.text] = len(joined)
            joined.append(cue)
        if len(joined) == MOST_CUES:
            break
    return tuple(joined)

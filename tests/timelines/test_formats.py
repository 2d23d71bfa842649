"""Each format at each rate, read back by an independent reader.

The table of what is compared is `COMPARED`; the rows of formats and rates are the tests' names.
"""

import re
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.timelines.lists import HOSTILE, item, mixed, source, timeline
from tests.timelines.readers import READERS, Found
from timelines import FORMATS, LIST_RATES, Item, Rate, Timeline, TimelineError, written

FRAMES = {"first", "count", "begin", "end", "marks"}
COMPARED = {
    ".otio": FRAMES | {"path"},
    ".fcpxml": FRAMES - {"count"} | {"path"},
    ".xml": FRAMES | {"path"},
    ".edl": FRAMES,
    ".csv": FRAMES - {"marks"} | {"path", "seconds"},
    ".json": FRAMES - {"marks"} | {"path", "seconds"},
    ".m3u8": {"path", "seconds", "marks"},
    ".xspf": {"path", "seconds", "marks"},
}
TITLES = {".m3u8", ".xspf"}  # one text for a moment, with the confidence in front


def expected(suffix: str, one: Item, begin: int, end: int) -> Found:
    """What a reader has to find."""
    seconds = round(one.start, 3), round(one.end, 3)
    marks = [(0.0, one.title)]
    if suffix not in TITLES:
        marks = [(float(mark.frame), mark.text) for mark in one.markers]
    if suffix == ".edl":
        marks = [(float(mark.frame), f"{mark.note}: {mark.text}") for mark in one.markers]
    return Found(
        path=bytes(one.source.path),
        first=Fraction(one.source.start + one.first),
        count=Fraction(one.count),
        begin=Fraction(begin),
        end=Fraction(end),
        seconds=seconds if suffix in TITLES else (one.start, one.end),
        marks=tuple(marks),
    )


def read_back(listed: Timeline, suffix: str, folder: Path) -> list[Found]:
    file = folder / f"list{suffix}"
    file.write_bytes(written(listed, suffix))
    return READERS[suffix](file, listed.rate.exact)


@pytest.mark.parametrize("rate", LIST_RATES.values(), ids=LIST_RATES)
@pytest.mark.parametrize("suffix", READERS)
def test_a_list_is_read_back_as_it_was_meant(suffix: str, rate: Rate, tmp_path: Path) -> None:
    listed = timeline(rate)
    found = read_back(listed, suffix, tmp_path)
    meant = [expected(suffix, one.item, one.begin, one.end) for one in listed.placed]
    assert len(found) == len(meant) == 5
    for name in COMPARED[suffix]:
        assert [getattr(one, name) for one in found] == [getattr(one, name) for one in meant], name
    told = {one.name for one in fields(Found) if getattr(found[0], one.name) is not None}
    assert told == COMPARED[suffix]


def test_every_format_is_read_back() -> None:
    assert set(READERS) | {".vtt"} == set(FORMATS)


@pytest.mark.parametrize("of", [24, 25, Fraction(24000, 1001), 50, 60])
@pytest.mark.parametrize("suffix", [".otio", ".fcpxml", ".xml", ".json"])
def test_a_film_of_another_rate_keeps_its_own_frames(
    suffix: str, of: Fraction, tmp_path: Path
) -> None:
    rate = LIST_RATES["29.97df"]
    listed = mixed(rate, of=Fraction(of))
    other = listed.items[1]
    found = read_back(listed, suffix, tmp_path)[1]
    assert found.first == other.source.start + 100
    seconds = listed.placed[1].end / rate.exact - listed.placed[1].begin / rate.exact
    assert 0 <= 121 / Fraction(of) - seconds < 1 / rate.exact  # never longer than its source
    assert found.count in (121, None) or suffix == ".xml"  # whose reader takes the list's length


def test_in_an_edl_a_film_of_another_rate_keeps_hours_minutes_and_seconds() -> None:
    text = written(mixed(LIST_RATES["25"], of=Fraction(24)), ".edl").decode("ascii")
    event = next(line for line in text.splitlines() if line.startswith("002"))
    # Frame 112 at 24: 10:00:04:16, so 16/25 of a second here; both sides last 126 frames.
    assert event.split()[4:] == ["10:00:04:16", "10:00:09:17", "01:00:00:10", "01:00:05:11"]


def test_an_edl_is_what_cmx_3600_allows() -> None:
    text = written(timeline(LIST_RATES["29.97df"]), ".edl").decode("ascii")
    lines = text.split("\r\n")
    assert lines[:3] == ["TITLE: list", "FCM: DROP FRAME", ""]
    label = r"\d\d:\d\d:\d\d[;:]\d\d"
    events = [line for line in lines if line[:1].isdigit()]
    for number, line in enumerate(events, start=1):
        assert re.fullmatch(rf"{number:03}  [A-Z0-9_ ]{{8}} [ABV/]+ +C {{8}}({label} ?){{4}}", line)
    assert [line[5:13].strip() for line in events] == ["PLAIN", "AX_2", "UBER_1_5", "PLAIN", "AX_2"]
    assert "FCM: NON-DROP FRAME" in written(timeline(LIST_RATES["29.97"]), ".edl").decode()


def test_an_edl_of_too_many_moments_is_refused() -> None:
    rate = LIST_RATES["25"]
    one = item(source("a.mp4", rate), 0, 25)
    assert written(Timeline("list", rate, (one,) * 999), ".edl")
    with pytest.raises(TimelineError, match=r"999 moments at most, and these are 1,000"):
        written(Timeline("list", rate, (one,) * 1000), ".edl")


def test_final_cut_7_gets_every_channel_of_sound_linked_to_its_picture() -> None:
    root = ElementTree.fromstring(written(timeline(LIST_RATES["25"]), ".xml"))
    tracks = root.findall("sequence/media/audio/track")
    assert [len(track) for track in tracks] == [4, 4]  # the source without sound is in none
    ids = {clip.attrib["id"] for clip in root.iter("clipitem")}
    assert {str(link.text) for link in root.iter("linkclipref")} <= ids
    told = [file for file in root.iter("file") if len(file)]
    assert len(told) == 3  # each is told once


def test_chapters_are_those_of_one_film_in_order_of_time() -> None:
    rate = LIST_RATES["25"]
    one = source("a.mp4", rate)
    listed = Timeline("list", rate, (item(one, 90_001, 30, sentence="b --> <i>"), item(one, 0, 25)))
    assert written(listed, ".vtt").decode() == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nstrong: a dog\n\n"
        "01:00:00.040 --> 01:00:01.240\nstrong: b --&gt; &lt;i&gt;\n"
    )
    with pytest.raises(TimelineError, match="to one video, and these moments are of 3"):
        written(timeline(rate), ".vtt")


def test_names_that_are_no_text_do_no_harm() -> None:
    assert "\n" in HOSTILE  # which would be a line of its own
    for suffix in set(FORMATS) - {".vtt", ".csv"}:
        content = written(timeline(LIST_RATES["25"]), suffix)
        content.decode("utf-8")
        assert b"\x00" not in content
        assert b"\nsomething" not in content

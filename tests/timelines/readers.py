"""Timelines as independent readers find them: OpenTimelineIO, and small parsers of our own.

What a format does not tell is None; nothing here uses the code that writes.
"""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit
from xml.etree import ElementTree

import opentimelineio as otio


@dataclass(frozen=True)
class Found:
    """A moment of a list; frames of the source count from its timecode of 0."""

    path: bytes | None = None
    first: Fraction | None = None
    count: Fraction | None = None
    begin: Fraction | None = None  # of the list, from its own start, in frames of the list
    end: Fraction | None = None
    seconds: tuple[float, float] | None = None
    marks: tuple[tuple[float, str], ...] | None = None  # frames from the first, and the text


def path_of(address: str) -> bytes:
    parts = urlsplit(address)
    assert parts.scheme == "file"
    assert parts.netloc in ("", "localhost")
    assert not parts.query
    assert not parts.fragment
    return unquote_to_bytes(parts.path)


def from_otio(file: Path, rate: Fraction) -> list[Found]:
    """Through OpenTimelineIO's own JSON reader."""
    return _tracks(otio.adapters.read_from_file(str(file)), rate, addresses=True)


def from_fcp7(file: Path, rate: Fraction) -> list[Found]:
    """Through otio-fcp-adapter, which adds start timecodes to clips, and none to marks."""
    read = otio.adapters.read_from_file(str(file))
    return _tracks(read, rate, addresses=True, marks_from_zero=True)


def from_edl(file: Path, rate: Fraction) -> list[Found]:
    """Through otio-cmx3600-adapter; marks by the lines that it loses at drop frames."""
    text = file.read_text("ascii")
    read = otio.adapters.read_from_string(text, "cmx_3600", rate=float(rate))
    found = _tracks(read, rate, addresses=False)
    events = re.split(r"^(?=\d{3})", text, flags=re.MULTILINE)[1:]
    assert len(events) == len(found)
    marked = []
    for event, one in zip(events, found, strict=True):
        record = re.search(r"(\S+) \S+\r?$", event.splitlines()[0])
        assert record
        begin = _number(record[1], rate)
        marks = [
            (float(_number(label, rate) - begin), words)
            for label, words in re.findall(r"^\* LOC: (\S+) \w+ +(.*?)\r?$", event, re.MULTILINE)
        ]
        marked.append(
            Found(
                first=one.first, count=one.count, begin=one.begin, end=one.end, marks=tuple(marks)
            )
        )
    return marked


def _tracks(
    read: Any, rate: Fraction, *, addresses: bool, marks_from_zero: bool = False
) -> list[Found]:
    (pictures,) = [track for track in read.tracks if track.kind == "Video"]
    begin = Fraction(0)
    found = []
    for clip in pictures:
        own = clip.source_range
        assert own.start_time.rate == own.duration.rate
        last = _whole(own.duration.value) / _exact(own.duration.rate) * rate
        zero = own.start_time.value
        if marks_from_zero:
            zero -= clip.media_reference.available_range.start_time.value
        marks = tuple(
            (mark.marked_range.start_time.value - zero, mark.name) for mark in clip.markers
        )
        found.append(
            Found(
                path=path_of(clip.media_reference.target_url) if addresses else None,
                first=_whole(own.start_time.value),
                count=_whole(own.duration.value),
                begin=begin,
                end=begin + last,
                marks=marks,
            )
        )
        begin += last
    return found


def _exact(rate: float) -> Fraction:
    """30000/1001 from 29.97002997."""
    whole = round(rate)
    return Fraction(whole) if rate == whole else Fraction(whole * 1000, 1001)


def _whole(value: float) -> Fraction:
    return Fraction(value).limit_denominator(1000)


def _number(label: str, rate: Fraction) -> int:
    """A label as a frame, by OpenTimelineIO."""
    return round(otio.opentime.from_timecode(label, float(rate)).value)


ALLOWED = {  # children of FCPXML's elements, in the order that the document type wants
    "fcpxml": ["resources", "library"],
    "resources": ["format", "asset"],
    "asset": ["media-rep"],
    "library": ["event"],
    "event": ["project"],
    "project": ["sequence"],
    "sequence": ["spine"],
    "spine": ["asset-clip"],
    "asset-clip": ["note", "conform-rate", "marker"],
}
ATTRIBUTES = {  # those that are needed, and those that may be
    "fcpxml": ("version", ""),
    "format": ("id width height frameDuration", "paspH paspV"),
    "asset": (
        "id name start duration hasVideo format videoSources",
        "hasAudio audioSources audioChannels audioRate",
    ),
    "media-rep": ("kind src", ""),
    "event": ("name", ""),
    "project": ("name", ""),
    "sequence": ("format duration tcStart tcFormat audioLayout audioRate", ""),
    "asset-clip": ("ref name offset start duration tcFormat", "audioRole"),
    "conform-rate": ("scaleEnabled srcFrameRate", ""),
    "marker": ("start duration value", "note"),
}
RATES = {"23.98", "24", "25", "29.97", "30", "47.95", "48", "50", "59.94", "60"}


def from_fcpxml(file: Path, rate: Fraction) -> list[Found]:
    """By the rules of the format, each of which is checked."""
    root = ElementTree.parse(file).getroot()
    assert root.get("version") == "1.10"
    for element in root.iter():
        _check_element(element)
    formats = {one.attrib["id"]: one.attrib for one in root.iter("format")}
    assets = {one.attrib["id"]: one for one in root.iter("asset")}
    assert len(formats) + len(assets) == len({*formats, *assets})
    (sequence,) = root.iter("sequence")
    frame = _time(formats[sequence.attrib["format"]]["frameDuration"])
    assert frame == 1 / rate
    begins = start = _time(sequence.attrib["tcStart"])
    found = []
    for clip in root.iter("asset-clip"):
        asset = assets[clip.attrib["ref"]]
        unit = _time(formats[asset.attrib["format"]]["frameDuration"])
        offset, first, last = (_time(clip.attrib[name]) for name in ("offset", "start", "duration"))
        assert offset == begins  # nothing overlaps, and there are no gaps
        assert (offset / frame).denominator == (last / frame).denominator == 1
        assert (first / unit).denominator == 1
        held = _time(asset.attrib["start"]), _time(asset.attrib["duration"])
        assert held[0] <= first
        assert first + last <= held[0] + held[1]
        conform = clip.find("conform-rate")
        assert (conform is not None) == (unit != frame)
        assert conform is None or conform.attrib["srcFrameRate"] in RATES
        begins += last
        marks = []
        for mark in clip.iter("marker"):
            assert (_time(mark.attrib["start"]) / unit).denominator == 1
            assert _time(mark.attrib["duration"]) == unit
            marks.append(
                (float((_time(mark.attrib["start"]) - first) / unit), mark.attrib["value"])
            )
        (media,) = asset.iter("media-rep")
        found.append(
            Found(
                path=path_of(media.attrib["src"]),
                first=first / unit,
                begin=(offset - start) / frame,
                end=(offset + last - start) / frame,
                marks=tuple(marks),
            )
        )
    assert _time(sequence.attrib["duration"]) == begins - start
    return found


def _check_element(element: ElementTree.Element) -> None:
    order = ALLOWED.get(element.tag, [])
    places = [order.index(child.tag) for child in element]  # ValueError: not allowed there
    assert element.tag == "resources" or places == sorted(places)
    needed, may_be = (set(names.split()) for names in ATTRIBUTES.get(element.tag, ("", "")))
    assert needed <= element.attrib.keys() <= needed | may_be, element.tag


def _time(text: str) -> Fraction:
    assert re.fullmatch(r"0s|\d+/\d+s", text), text
    return Fraction(text[:-1])


def from_csv(file: Path, rate: Fraction) -> list[Found]:
    """Through Python's own reader, and OpenTimelineIO for labels."""
    text = file.read_text("utf-8", errors="surrogateescape")
    return [_of_row(row, rate) for row in csv.DictReader(text.splitlines(keepends=True))]


def from_json(file: Path, rate: Fraction) -> list[Found]:
    """Through Python's own reader, and OpenTimelineIO for labels."""
    document = json.loads(file.read_text("ascii"))
    assert Fraction(document["rate"]) == rate
    return [_of_row(row, rate) for row in document["items"]]


def _of_row(row: dict[str, Any], rate: Fraction) -> Found:
    own = Fraction(row["rate"])
    first, out = (_number(row[name], own) for name in ("source_in", "source_out"))
    begin, end = (_number(row[name], rate) for name in ("record_in", "record_out"))
    hour = _number("01:00:00;00" if ";" in row["record_in"] else "01:00:00:00", rate)
    assert int(row["out"]) - int(row["in"]) == out - first
    return Found(
        path=row["path"].encode("utf-8", "surrogateescape"),
        first=Fraction(first),
        count=Fraction(out - first),
        begin=Fraction(begin - hour),
        end=Fraction(end - hour),
        seconds=(float(row["start"]), float(row["end"])),
    )


def from_m3u8(file: Path, rate: Fraction) -> list[Found]:
    """Line by line, as players do."""
    lines = file.read_text("utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    found: list[Found] = []
    told: dict[str, float] = {}
    title = ""
    for line in lines[1:]:
        if line.startswith("#EXTVLCOPT:"):
            name, _, value = line.removeprefix("#EXTVLCOPT:").partition("=")
            told[name] = float(value)
        elif line.startswith("#EXTINF:"):
            title = line.partition(",")[2]
        elif not line.startswith("#"):
            seconds = told["start-time"], told["stop-time"]
            found.append(Found(path=path_of(line), seconds=seconds, marks=((0.0, title),)))
    return found


def from_xspf(file: Path, rate: Fraction) -> list[Found]:
    """By the namespaces of XSPF 1 and of VLC."""
    xspf = "{http://xspf.org/ns/0/}"
    option = "{http://www.videolan.org/vlc/playlist/ns/0/}option"
    found = []
    for track in ElementTree.parse(file).getroot().iter(f"{xspf}track"):
        told = dict(str(one.text).split("=") for one in track.iter(option))
        found.append(
            Found(
                path=path_of(str(track.findtext(f"{xspf}location"))),
                seconds=(float(told["start-time"]), float(told["stop-time"])),
                marks=((0.0, str(track.findtext(f"{xspf}title"))),),
            )
        )
    return found


READERS: dict[str, Callable[[Path, Fraction], list[Found]]] = {
    ".otio": from_otio,
    ".fcpxml": from_fcpxml,
    ".xml": from_fcp7,
    ".edl": from_edl,
    ".csv": from_csv,
    ".json": from_json,
    ".m3u8": from_m3u8,
    ".xspf": from_xspf,
}

"""Final Cut Pro 7 XML (xmeml 5), which Premiere Pro reads.

In and out points are frames of the clip's own source, from its first picture; start and end are
frames of the list.
"""

from xml.etree.ElementTree import Element, SubElement

from timelines.formats.names import line, url, xml
from timelines.rates import Rate
from timelines.timeline import Placed, Source, Timeline

_VERSION = "5"
_HOST = "localhost"  # as in the addresses that the program itself wrote


def written(timeline: Timeline) -> bytes:
    """The list as a sequence of one video track, and of as many audio tracks as it takes."""
    root = Element("xmeml", version=_VERSION)
    sequence = SubElement(root, "sequence", id="sequence-1")
    _add(sequence, name=line(timeline.name), duration=timeline.frames)
    _add_rate(sequence, timeline.rate)
    _add_timecode(sequence, timeline.rate, timeline.rate.hour)
    media = SubElement(sequence, "media")
    video, audio = SubElement(media, "video"), SubElement(media, "audio")
    _add_size(SubElement(video, "format"), timeline.usual, rate=timeline.rate)
    track = SubElement(video, "track")
    files: set[str] = set()
    for number, placed in enumerate(timeline.placed, start=1):
        _add_clip(track, placed, number=number, channel=0, files=files)
    for channel in range(
        1, 1 + max((source.channels for source in timeline.sources.values()), default=0)
    ):
        track = SubElement(audio, "track")
        for number, placed in enumerate(timeline.placed, start=1):
            if channel <= placed.item.source.channels:
                _add_clip(track, placed, number=number, channel=channel, files=files)
    return xml(root, doctype="xmeml")


def _add_clip(
    track: Element, placed: Placed, *, number: int, channel: int, files: set[str]
) -> None:
    """The picture of an item, channel 0, or one of its channels of sound."""
    item, source = placed.item, placed.item.source
    clip = SubElement(track, "clipitem", id=_clip_id(number, channel))
    _add(clip, name=line(source.path.name), duration=source.frames)
    _add_rate(clip, source.rate)
    _add(clip, start=placed.begin, end=placed.end)
    _add(clip, **{"in": item.first, "out": item.out})
    _add_file(clip, source, files=files)
    if channel:
        played = SubElement(clip, "sourcetrack")
        _add(played, mediatype="audio", trackindex=channel)
    else:
        for marker in item.markers:
            mark = SubElement(clip, "marker")
            _add(mark, name=line(marker.text), comment=line(marker.note))
            _add(mark, **{"in": item.first + marker.frame, "out": -1})
        if source.by_seconds:
            _add(SubElement(clip, "comments"), mastercomment1=line(source.by_seconds))
    for linked in range(source.channels + 1) if source.channels else ():
        link = SubElement(clip, "link")
        _add(link, linkclipref=_clip_id(number, linked), mediatype="audio" if linked else "video")
        _add(link, trackindex=linked or 1, clipindex=number)


def _clip_id(number: int, channel: int) -> str:
    return f"clip-{number}-{channel}"


def _add_file(clip: Element, source: Source, *, files: set[str]) -> None:
    """The file of a clip; told in full where it comes first."""
    address = url(source.path, host=_HOST)
    file = SubElement(clip, "file", id=f"file-{address}")
    if address in files:
        return
    files.add(address)
    _add(file, name=line(source.path.name), pathurl=address, duration=source.frames)
    _add_rate(file, source.rate)
    _add_timecode(file, source.rate, source.start)
    media = SubElement(file, "media")
    _add_size(SubElement(media, "video"), source, rate=source.rate)
    for track in source.sound:
        audio = SubElement(media, "audio")
        characteristics = SubElement(audio, "samplecharacteristics")
        _add(characteristics, depth=16, samplerate=track.rate)
        _add(audio, channelcount=track.channels)


def _add_size(parent: Element, source: Source, *, rate: Rate) -> None:
    characteristics = SubElement(parent, "samplecharacteristics")
    _add_rate(characteristics, rate)
    _add(characteristics, width=source.width, height=source.height)
    if source.pixel_aspect == 1:
        _add(characteristics, pixelaspectratio="square")


def _add_rate(parent: Element, rate: Rate) -> None:
    _add(SubElement(parent, "rate"), timebase=rate.base, ntsc="TRUE" if rate.ntsc else "FALSE")


def _add_timecode(parent: Element, rate: Rate, number: int) -> None:
    timecode = SubElement(parent, "timecode")
    _add_rate(timecode, rate)
    _add(timecode, string=rate.label(number), frame=number)
    _add(timecode, displayformat="DF" if rate.drop else "NDF")


def _add(parent: Element, **values: str | int) -> None:
    """Elements that hold one value each."""
    for name, value in values.items():
        SubElement(parent, name).text = str(value)

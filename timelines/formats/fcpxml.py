"""FCPXML 1.10, for Final Cut Pro and DaVinci Resolve.

All times are fractions of a second on a grid of frames. The order of elements is that of Apple's
document type: `note`, `conform-rate`, `marker` in a clip.
"""

from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement

from timelines.formats.names import line, url, xml
from timelines.rates import Rate
from timelines.timeline import Placed, Source, Timeline

_VERSION = "1.10"


def written(timeline: Timeline) -> bytes:
    """The list as a project in an event of a library."""
    root = Element("fcpxml", version=_VERSION)
    resources = SubElement(root, "resources")
    library = SubElement(root, "library")
    event = SubElement(library, "event", name=line(timeline.name))
    project = SubElement(event, "project", name=line(timeline.name))
    SubElement(resources, "format", _format("r0", timeline.usual, rate=timeline.rate))
    ids = {source.path: f"r{2 * n + 1}" for n, source in enumerate(timeline.sources.values())}
    for source in timeline.sources.values():
        _add_asset(resources, source, name=ids[source.path])
    sequence = SubElement(
        project,
        "sequence",
        format="r0",
        duration=_time(timeline.frames, timeline.rate),
        tcStart=_time(timeline.rate.hour, timeline.rate),
        tcFormat=_counting(timeline.rate),
        audioLayout="stereo",
        audioRate="48k",
    )
    spine = SubElement(sequence, "spine")
    for placed in timeline.placed:
        _add_clip(spine, timeline, placed, asset=ids[placed.item.source.path])
    return xml(root, doctype="fcpxml")


def _add_asset(resources: Element, source: Source, *, name: str) -> None:
    format_name = f"{name}f"
    SubElement(resources, "format", _format(format_name, source, rate=source.rate))
    told = {
        "id": name,
        "name": line(source.path.name),
        "start": _time(source.start, source.rate),
        "duration": _time(source.frames, source.rate),
        "hasVideo": "1",
        "videoSources": "1",
        "format": format_name,
    }
    if source.sound:
        told["hasAudio"] = "1"
        told["audioSources"] = str(len(source.sound))
        told["audioChannels"] = str(source.sound[0].channels)
        told["audioRate"] = str(source.sound[0].rate)
    asset = SubElement(resources, "asset", told)
    SubElement(asset, "media-rep", kind="original-media", src=url(source.path))


def _add_clip(spine: Element, timeline: Timeline, placed: Placed, *, asset: str) -> None:
    item, source, rate = placed.item, placed.item.source, timeline.rate
    clip = SubElement(
        spine,
        "asset-clip",
        ref=asset,
        name=line(source.path.name),
        offset=_time(rate.hour + placed.begin, rate),
        start=_time(source.start + item.first, source.rate),
        duration=_time(placed.end - placed.begin, rate),
        tcFormat=_counting(source.rate),
    )
    if source.sound:
        clip.set("audioRole", "dialogue")
    if source.by_seconds:
        SubElement(clip, "note").text = line(source.by_seconds)
    elif source.rate.exact != rate.exact:
        name = f"{float(source.rate.exact):.4g}"
        SubElement(clip, "conform-rate", scaleEnabled="0", srcFrameRate=name)
    for marker in item.markers:
        mark = SubElement(
            clip,
            "marker",
            start=_time(source.start + item.first + marker.frame, source.rate),
            duration=_time(1, source.rate),
            value=line(marker.text),
        )
        if marker.note:
            mark.set("note", line(marker.note))


def _format(name: str, source: Source, *, rate: Rate) -> dict[str, str]:
    """The size of a source or a list, and a rate."""
    told = {"id": name, "frameDuration": _time(1, rate)}
    told |= {"width": str(source.width), "height": str(source.height)}
    if source.pixel_aspect != 1:
        told["paspH"] = str(source.pixel_aspect.numerator)
        told["paspV"] = str(source.pixel_aspect.denominator)
    return told


def _time(frames: int, rate: Rate) -> str:
    """Frames as seconds, in units of the rate: `1001/30000s`."""
    exact: Fraction = rate.exact
    return f"{frames * exact.denominator}/{exact.numerator}s" if frames else "0s"


def _counting(rate: Rate) -> str:
    return "DF" if rate.drop else "NDF"

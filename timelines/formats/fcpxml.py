"""FCPXML 1.10, for Final Cut Pro and DaVinci Resolve.

All times are fractions of a second on a grid of frames. The order of elements is that of Apple's
document type: `note`, `conform-rate`, `marker` in a clip.
"""

from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement

from timelines.formats.names import line, url, xml
from timelines.rates import Rate
from timelines.timeline import Film, Placed, Timeline

_VERSION = "1.10"


def written(timeline: Timeline) -> bytes:
    """The list as a project in an event of a library."""
    root = Element("fcpxml", version=_VERSION)
    resources = SubElement(root, "resources")
    library = SubElement(root, "library")
    event = SubElement(library, "event", name=line(timeline.name))
    project = SubElement(event, "project", name=line(timeline.name))
    SubElement(resources, "format", _format("r0", timeline.usual, rate=timeline.rate))
    ids = {film.path: f"r{2 * n + 1}" for n, film in enumerate(timeline.films.values())}
    for film in timeline.films.values():
        _add_asset(resources, film, name=ids[film.path])
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
        _add_clip(spine, timeline, placed, asset=ids[placed.item.film.path])
    return xml(root, doctype="fcpxml")


def _add_asset(resources: Element, film: Film, *, name: str) -> None:
    format_name = f"{name}f"
    rate = None if film.by_seconds else film.rate
    SubElement(resources, "format", _format(format_name, film, rate=rate))
    told = {
        "id": name,
        "name": line(film.path.name),
        "start": _time(film.start, film.rate),
        "duration": _time(film.frames, film.rate),
        "hasVideo": "1",
        "videoSources": "1",
        "format": format_name,
    }
    if film.sound:
        told["hasAudio"] = "1"
        told["audioSources"] = str(len(film.sound))
        told["audioChannels"] = str(film.sound[0].channels)
        told["audioRate"] = str(film.sound[0].rate)
    asset = SubElement(resources, "asset", told)
    SubElement(asset, "media-rep", kind="original-media", src=url(film.path))


def _add_clip(spine: Element, timeline: Timeline, placed: Placed, *, asset: str) -> None:
    item, film, rate = placed.item, placed.item.film, timeline.rate
    clip = SubElement(
        spine,
        "asset-clip",
        ref=asset,
        name=line(film.path.name),
        offset=_time(rate.hour + placed.begin, rate),
        start=_time(film.start + item.first, film.rate),
        duration=_time(placed.end - placed.begin, rate),
        tcFormat=_counting(film.rate),
    )
    if film.sound:
        clip.set("audioRole", "dialogue")
    if film.by_seconds:
        SubElement(clip, "note").text = line(film.by_seconds)
    elif film.rate.exact != rate.exact:
        name = f"{float(film.rate.exact):.4g}"
        SubElement(clip, "conform-rate", scaleEnabled="0", srcFrameRate=name)
    for marker in item.markers:
        mark = SubElement(
            clip,
            "marker",
            start=_time(film.start + item.first + marker.frame, film.rate),
            duration=_time(1, film.rate),
            value=line(marker.text),
        )
        if marker.note:
            mark.set("note", line(marker.note))


def _format(name: str, film: Film, *, rate: Rate | None) -> dict[str, str]:
    """The size of a film or a list, and its rate; None for a rate that varies."""
    told = {"id": name}
    if rate is None:
        told["name"] = "FFVideoFormatRateUndefined"
    else:
        told["frameDuration"] = _time(1, rate)
    told |= {"width": str(film.width), "height": str(film.height)}
    if film.pixel_aspect != 1:
        told["paspH"] = str(film.pixel_aspect.numerator)
        told["paspV"] = str(film.pixel_aspect.denominator)
    return told


def _time(frames: int, rate: Rate) -> str:
    """Frames as seconds, in units of the rate: `1001/30000s`."""
    exact: Fraction = rate.exact
    return f"{frames * exact.denominator}/{exact.numerator}s" if frames else "0s"


def _counting(rate: Rate) -> str:
    return "DF" if rate.drop else "NDF"

"""Lists for players, in seconds on each file's clock: M3U8 and XSPF playlists, WebVTT chapters."""

from html import escape
from xml.etree.ElementTree import Element, SubElement

from timelines.formats.errors import TimelineError
from timelines.formats.names import line, url, xml
from timelines.timeline import Item, Timeline

_XSPF = "http://xspf.org/ns/0/"
_VLC = "http://www.videolan.org/vlc/playlist/0"
_VLC_NAMES = "http://www.videolan.org/vlc/playlist/ns/0/"


def m3u8(timeline: Timeline) -> bytes:
    """A playlist in UTF-8; start and stop as VLC reads them."""
    lines = ["#EXTM3U", f"#PLAYLIST:{line(timeline.name)}"]
    for item in timeline.items:
        lines += [f"#EXTINF:{item.end - item.start:.3f},{line(item.title)}"]
        lines += [f"#EXTVLCOPT:{option}" for option in _options(item)]
        lines += [url(item.source.path)]
    return "".join(f"{one}\n" for one in lines).encode()


def xspf(timeline: Timeline) -> bytes:
    """A playlist as XML; start and stop as VLC reads them."""
    root = Element("playlist", {"version": "1", "xmlns": _XSPF, "xmlns:vlc": _VLC_NAMES})
    SubElement(root, "title").text = line(timeline.name)
    tracks = SubElement(root, "trackList")
    for item in timeline.items:
        track = SubElement(tracks, "track")
        SubElement(track, "location").text = url(item.source.path)
        SubElement(track, "title").text = line(item.title)
        SubElement(track, "duration").text = str(round((item.end - item.start) * 1000))
        extension = SubElement(track, "extension", application=_VLC)
        for option in _options(item):
            SubElement(extension, "vlc:option").text = option
    return xml(root)


def vtt(timeline: Timeline) -> bytes:
    """Chapters of one source, in order of time. Raises TimelineError for several sources."""
    if len(timeline.sources) > 1:
        raise TimelineError(
            f"chapters belong to one video, and these moments are of {len(timeline.sources)};"
            " choose a video with --in, or write another format"
        )
    cues = ["WEBVTT\n"]
    for item in sorted(timeline.items, key=lambda item: (item.start, item.end)):
        text = escape(line(item.title), quote=False)
        cues.append(f"{_clock(item.start)} --> {_clock(item.end)}\n{text}\n")
    return "\n".join(cues).encode()


def _options(item: Item) -> list[str]:
    return [f"start-time={item.start:.3f}", f"stop-time={item.end:.3f}"]


def _clock(seconds: float) -> str:
    """`hh:mm:ss.mmm`."""
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}.{thousandths:03}"

"""Films with text streams, made by muxing parsed subtitles beside grey pictures."""

import io
from pathlib import Path

import av
import numpy as np

Said = tuple[float, float, str]


def clock(seconds: float, *, mark: str = ",") -> str:
    """A time as subtitle files write it."""
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{mark}{rest % 1000:03}"


def srt(*said: Said) -> str:
    """The text of an .srt file."""
    return "".join(
        f"{number}\n{clock(start)} --> {clock(end)}\n{text}\n\n"
        for number, (start, end, text) in enumerate(said, start=1)
    )


def ass(*said: Said) -> str:
    """The text of an .ass file."""
    head = "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\n"
    head += "Style: Default,Arial,20\n\n[Events]\n"
    head += "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    return head + "".join(
        f"Dialogue: 0,{clock(start, mark='.')[1:-1]},{clock(end, mark='.')[1:-1]},Default,,0,0,0,,"
        f"{text}\n"
        for start, end, text in said
    )


def write_subtitled(
    path: Path, *tracks: tuple[str, str, list[Said]], seconds: int = 6, level: int = 100
) -> Path:
    """Write a film of grey pictures with text streams, each with its codec and language."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg4", rate=2)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        packets = []
        for codec, language, said in tracks:
            content = (ass if codec == "ass" else srt)(*said).encode()
            demuxer = "ass" if codec == "ass" else "srt"
            with av.open(io.BytesIO(content), "r", format=demuxer) as source:
                read = source.streams.subtitles[0]
                stream = out.add_stream_from_template(read)
                stream.metadata["language"] = language
                for packet in source.demux(read):
                    if packet.pts is not None:
                        packet.stream = stream
                        packets.append(packet)
        for number in range(2 * seconds):
            grey = np.full((48, 64, 3), level + number, np.uint8)
            out.mux(video.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        out.mux(video.encode(None))
        for packet in packets:
            out.mux(packet)
    return path

"""What a browser has to decode to play a file as it is, in the words that it is asked in."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from av.audio.stream import AudioStream
from av.codec.context import CodecContext

from media.container.source import Source, open_source, video_streams
from media.playback.codec_names import codec_name

_CONTENT_TYPES = {
    "asf": "video/x-ms-asf", "avi": "video/x-msvideo", "dv": "video/dv", "flv": "video/x-flv",
    "gif": "image/gif", "matroska": "video/x-matroska", "mov": "video/mp4", "mpeg": "video/mpeg",
    "mpegts": "video/mp2t", "mxf": "application/mxf", "ogg": "video/ogg", "rm": "video/x-realmedia",
}  # fmt: skip
_OTHER_CONTENT = "video/x-unknown"
_WEBM_CODECS = frozenset({"vp8", "vp9", "av1", "opus", "vorbis"})


@dataclass(frozen=True, slots=True)
class Tracks:
    """The tracks of a file, as a browser that is given the file itself would play them.

    Attributes:
        content_type: the MIME type of the container, without codecs.
        type: the MIME type with the codecs of the best video stream and of the sound, to ask
            `canPlayType`; None where one of them has no name that browsers know.
        video_streams: their number, pictures such as cover art apart.
        plays_best: whether the first video stream, which browsers play, is the best one.
        has_sound: whether there is sound that can be decoded here.
    """

    content_type: str
    type: str | None
    video_streams: int
    plays_best: bool
    has_sound: bool


def read_tracks(path: Path) -> Tracks:
    """Read the tracks of the file at `path` from its header. Raises `MediaError`."""
    with open_source(path) as source:
        sound, moving = sound_of(source), video_streams(source.container)
        played: list[CodecContext] = [source.stream.codec_context]
        if sound is not None:
            played.append(sound.codec_context)
        names = [codec_name(context) for context in played]
        codecs = {context.codec.canonical_name for context in played}
        content_type = content_type_of(source.container_name)
        if source.container_name == "matroska" and codecs <= _WEBM_CODECS:
            content_type = "video/webm"
        known = [name for name in names if name is not None]
        whole = len(known) == len(names)
        return Tracks(
            content_type=content_type,
            type=f'{content_type}; codecs="{", ".join(known)}"' if whole else None,
            video_streams=len(moving),
            plays_best=moving[0].index == source.stream.index,
            has_sound=sound is not None,
        )


def content_type_of(container: str) -> str:
    """The MIME type for FFmpeg's name of a container."""
    return _CONTENT_TYPES.get(container, _OTHER_CONTENT)


def sound_of(source: Source) -> AudioStream | None:
    """The best audio stream that can be decoded here."""
    best = cast("AudioStream | None", source.container.streams.best("audio"))
    return best if best is not None and best.codec_context else None

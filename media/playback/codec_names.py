"""Names of codecs with their parameters, as browsers are asked about them (RFC 6381)."""

from collections.abc import Callable
from typing import cast

from av.audio.codeccontext import AudioCodecContext
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext

# Names that need no parameters.
_PLAIN_NAMES = {
    "vp8": "vp8", "opus": "opus", "vorbis": "vorbis", "flac": "flac", "mp3": "mp4a.6B",
    "ac3": "ac-3", "eac3": "ec-3", "alac": "alac", "theora": "theora",
}  # fmt: skip
# VP9's levels: samples per second and per picture at most ("VP9 levels", webmproject.org).
_VP9_LEVELS = (
    (10, 829_440, 36_864), (11, 2_764_800, 73_728), (20, 4_608_000, 122_880),
    (21, 9_216_000, 245_760), (30, 20_736_000, 552_960), (31, 36_864_000, 983_040),
    (40, 83_558_400, 2_228_224), (41, 160_432_128, 2_228_224), (50, 311_951_360, 8_912_896),
    (51, 588_251_136, 8_912_896), (52, 1_176_502_272, 8_912_896), (60, 1_176_502_272, 35_651_584),
)  # fmt: skip
_HIGHEST_VP9_LEVEL = 62
_USUAL_RATE = 30  # frames per second
_LOW_COMPLEXITY = 2  # the usual kind of AAC, by its MPEG-4 object type


def codec_name(context: CodecContext) -> str | None:
    """The name of a stream's codec with profile and level; None if browsers know none for it.

    Profile and level come from the configuration that MP4 and Matroska store for the decoder.
    """
    codec = context.codec.canonical_name
    named = _WITH_PARAMETERS.get(codec)
    return named(context) if named else _PLAIN_NAMES.get(codec)


def _h264(context: CodecContext) -> str | None:
    """ISO/IEC 14496-15, AVCDecoderConfigurationRecord: profile, constraints, level."""
    stored = _configuration(context, least=4)
    tag = context.codec_tag if context.codec_tag in ("avc1", "avc3") else "avc1"
    return f"{tag}.{stored[1:4].hex().upper()}" if stored else None


def _hevc(context: CodecContext) -> str | None:
    """ISO/IEC 14496-15, annex E: profile space and profile, compatibility, tier, level."""
    stored = _configuration(context, least=13)
    if not stored:
        return None
    tag = context.codec_tag if context.codec_tag in ("hvc1", "hev1") else "hvc1"
    space, tier, profile = stored[1] >> 6, stored[1] >> 5 & 1, stored[1] & 31
    compatible = int(f"{int.from_bytes(stored[2:6], 'big'):032b}"[::-1], 2)
    constraints = [f"{byte:X}" for byte in stored[6:12].rstrip(b"\0")]
    level = f"{'LH'[tier]}{stored[12]}"
    return ".".join(
        [tag, f"{['', 'A', 'B', 'C'][space]}{profile}", f"{compatible:X}", level, *constraints]
    )


def _av1(context: CodecContext) -> str | None:
    """AV1 in ISO base media files, section 5: profile, level, tier, bits."""
    stored = _configuration(context, least=4, version=0x81)
    if not stored:
        return None
    high, twelve = stored[2] >> 6 & 1, stored[2] >> 5 & 1
    bits = (12 if twelve else 10) if high else 8
    return f"av01.{stored[1] >> 5}.{stored[1] & 31:02d}{'MH'[stored[2] >> 7]}.{bits:02d}"


def _vp9(context: CodecContext) -> str | None:
    """VP codecs in ISO base media files: profile, level, bits. The level is the least that fits."""
    video = cast(VideoCodecContext, context)
    if video.format is None:
        return None
    bits = video.format.components[0].bits
    profile = (2 if bits > 8 else 0) + (0 if _is_420(video) else 1)
    picture = video.width * video.height
    rate = float(video.framerate or _USUAL_RATE)
    fitting = (
        level
        for level, per_second, per_picture in _VP9_LEVELS
        if picture <= per_picture and picture * rate <= per_second
    )
    return f"vp09.{profile:02d}.{next(fitting, _HIGHEST_VP9_LEVEL)}.{bits:02d}"


def _is_420(video: VideoCodecContext) -> bool:
    return "420" in (video.pix_fmt or "")


def _aac(context: CodecContext) -> str:
    """ISO/IEC 14496-3, AudioSpecificConfig: the object type."""
    stored = cast(AudioCodecContext, context).extradata
    if not stored or len(stored) < 2:
        return f"mp4a.40.{_LOW_COMPLEXITY}"
    kind = stored[0] >> 3
    if kind == 31:
        kind = 32 + ((stored[0] & 7) << 3 | stored[1] >> 5)
    return f"mp4a.40.{kind}"


def _configuration(context: CodecContext, *, least: int, version: int = 1) -> bytes | None:
    """The stored configuration, if it is as long and of the kind that the container defines."""
    stored = context.extradata
    return bytes(stored) if stored and len(stored) >= least and stored[0] == version else None


_WITH_PARAMETERS: dict[str, Callable[[CodecContext], str | None]] = {
    "h264": _h264, "hevc": _hevc, "av1": _av1, "vp9": _vp9, "aac": _aac,
}  # fmt: skip

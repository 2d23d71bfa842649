"""Hardware decoders: those that this FFmpeg was built with, and those that work here."""

from functools import cache

import av
import av.error
from av.codec import Codec
from av.codec.hwaccel import HWAccel, HWDeviceType, hwdevices_available

from media.container.source import reason

# FFmpeg's names of all hardware devices, on any system.
ACCELERATORS = tuple(sorted(kind.name for kind in HWDeviceType if kind is not HWDeviceType.none))
_USUAL_CODECS = ("h264", "hevc", "av1", "vp9")


def built_in() -> tuple[str, ...]:
    """Names of the accelerators that this FFmpeg was built with, whether their device is here."""
    return tuple(hwdevices_available())


@cache
def why_not(accelerator: str) -> str | None:
    """Why an accelerator cannot be used here, in a few words; None if it can.

    Opening a device takes time, so each is tried once in a process.
    """
    if accelerator not in built_in():
        return f"this FFmpeg was built without it, with {', '.join(built_in()) or 'none'}"
    refusal = "it decodes none of the usual codecs"
    for codec in _USUAL_CODECS:
        try:
            HWAccel(accelerator, allow_software_fallback=False).create(Codec(codec, "r"))
        except NotImplementedError:
            continue  # not this codec
        except (av.error.FFmpegError, OSError, ValueError) as error:
            refusal = f"its device cannot be opened: {reason(error)}"
        else:
            return None
    return refusal


@cache
def first_usable() -> str | None:
    """Name of the first accelerator that works here; None for none."""
    return next((each for each in built_in() if why_not(each) is None), None)

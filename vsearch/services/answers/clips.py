"""Clips of videos, decoded here for what is not in the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer import sample_times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from catalog import ClipSpan
    from media import VideoInfo
    from xclip_core import Embedder


def decoded_clip(video: VideoInfo, span: ClipSpan, *, embedder: Embedder) -> NDArray[np.uint8]:
    """The frames (T, S, S, 3) of a clip, as the model takes them. Raises MediaError."""
    from media import decode_at

    times = sample_times(span, frames=embedder.identity.frames_per_clip)
    frames = [embedder.prepare_frame(frame.pixels) for frame in decode_at(video, times)]
    return np.stack(frames)

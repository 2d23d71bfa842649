"""The simplest program that embeds clips; arguments: `MODEL VIDEO START [VIDEO START ...]`.

Each clip: the video is decoded from its beginning, every frame converted to RGB at full size, eight
frames resized and embedded by the model of transformers in float32, one clip at a time.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

_WINDOW, _FRAMES, _SIDE = 8.0, 8, 224
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def main() -> None:
    """Print the seconds for each clip, as a JSON list."""
    from transformers import XCLIPModel
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
    model: Any = XCLIPModel.from_pretrained(sys.argv[1], attn_implementation="eager")
    model.eval()
    _embed(model, np.zeros((_FRAMES, 360, 640, 3), np.uint8))  # the first call takes longer
    taken = []
    for video, start in zip(sys.argv[2::2], sys.argv[3::2], strict=True):
        began = time.perf_counter()
        _embed(model, _frames(Path(video), start=float(start)))
        taken.append(time.perf_counter() - began)
    json.dump(taken, sys.stdout)


def _frames(path: Path, *, start: float) -> np.ndarray:
    """Frames (T, H, W, 3) uint8, evenly spaced in the clip that begins at `start` seconds."""
    frames = []
    with av.open(str(path)) as video:
        for frame in video.decode(video=0):
            if frame.time >= start + _WINDOW:
                break
            pixels = frame.to_ndarray(format="rgb24")
            if frame.time >= start:
                frames.append(pixels)
    chosen = np.linspace(0, len(frames) - 1, _FRAMES).astype(int)
    return np.stack([frames[number] for number in chosen])


@torch.inference_mode()
def _embed(model: Any, frames: np.ndarray) -> Tensor:
    """Compute video features of frames that are resized, cropped and normalised."""
    pixels = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
    height, width = pixels.shape[2:]
    scale = _SIDE / min(height, width)
    size = (round(height * scale), round(width * scale))
    pixels = F.interpolate(pixels, size=size, mode="bilinear", antialias=True)
    top, left = (size[0] - _SIDE) // 2, (size[1] - _SIDE) // 2
    pixels = pixels[:, :, top : top + _SIDE, left : left + _SIDE] / 255
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (_MEAN, _STD))
    features: Tensor = model.get_video_features(pixel_values=((pixels - mean) / std)[None])
    return features


if __name__ == "__main__":
    main()

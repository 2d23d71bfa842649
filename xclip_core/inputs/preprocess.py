"""Frames to what the model sees, as a checkpoint's `preprocessor_config.json` says.

Two halves: geometry on bytes (`prepare_frame`: small enough to keep), and arithmetic on batches
(`normalise`: next to the model, on its device).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from xclip_core.errors import FrameProcessorError, InputError, damaged
from xclip_core.inputs.resampling import resize
from xclip_core.model.config import is_finite

if TYPE_CHECKING:
    from torch import Tensor

FILE_NAME = "preprocessor_config.json"
JOINT_FILE_NAME = "processor_config.json"  # where recent libraries put it, one level down

_MOST_PIXELS = 1 << 14  # along an edge
_INTERPOLATIONS = {2: "bilinear", 3: "bicubic"}  # Pillow's numbers, as published


@dataclass(frozen=True, slots=True)
class FrameProcessor:
    """What is done to every frame.

    Attributes:
        shortest_edge: the short edge after resizing, in pixels; None leaves the size alone.
        crop_size: the side S of the square that is cut from the middle.
        interpolation: "bilinear" or "bicubic", always antialiased.
        rescale_factor: what a byte is multiplied with, 1 / 255 in every published file.
        mean, std: of the red, green and blue channel after that.
    """

    shortest_edge: int | None
    crop_size: int
    interpolation: str
    rescale_factor: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `preprocessor_config.json`, else the frame part of `processor_config.json`.

        Raises:
            FrameProcessorError: there is none, it is damaged, or it does not say what to do.
        """
        for path in (folder / FILE_NAME, folder / JOINT_FILE_NAME):
            if path.is_file():
                return cls.from_dict(_read_frame_part(path))
        raise FrameProcessorError(
            f"{folder} has no {FILE_NAME}, so the size and the colour scale of its frames are "
            "unknown; fetch that file too"
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read the published form, as first written (`size: 224`) or saved again since.

        Where `crop_size` is absent, the crop is as large as the short edge: so it was when such
        files were written. Constants of colour are never guessed.

        Raises:
            FrameProcessorError: a setting is missing, of the wrong type, or not supported.
        """
        if not values.get("do_center_crop", True):
            raise FrameProcessorError(
                f"{FILE_NAME} turns the centre crop off; the model needs square frames"
            )
        edge = _shortest_edge(_required(values, "size"))
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        if values.get("do_normalize", True):
            mean, std = _colour(values, "image_mean"), _colour(values, "image_std")
            if min(std) <= 0:
                raise FrameProcessorError(
                    f"{FILE_NAME} sets image_std to {std}; all must be above 0"
                )
        crop = values.get("crop_size")
        # Files of 2022 rescale without saying so.
        factor = values.get("rescale_factor", 1 / 255) if values.get("do_rescale", True) else 1.0
        return cls(
            shortest_edge=edge if values.get("do_resize", True) else None,
            crop_size=edge if crop is None else _square_side(crop),
            interpolation=_interpolation(_required(values, "resample")),
            rescale_factor=_positive_number("rescale_factor", factor),
            mean=mean,
            std=std,
        )

    def to_dict(self) -> dict[str, Any]:
        """The published form, as libraries save it today."""
        number = {name: number for number, name in _INTERPOLATIONS.items()}
        return {
            "image_processor_type": "VideoMAEImageProcessor",
            "processor_class": "XCLIPProcessor",
            "do_resize": self.shortest_edge is not None,
            "size": {"shortest_edge": self.shortest_edge or self.crop_size},
            "resample": number[self.interpolation],
            "do_center_crop": True,
            "crop_size": {"height": self.crop_size, "width": self.crop_size},
            "do_rescale": True,
            "rescale_factor": self.rescale_factor,
            "do_normalize": True,
            "image_mean": list(self.mean),
            "image_std": list(self.std),
        }

    def save(self, folder: Path) -> None:
        """Write `preprocessor_config.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps(self.to_dict(), indent=2) + "\n"
        (folder / FILE_NAME).write_text(content, encoding="utf-8")

    def prepare_frame(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resize the short edge and cut the square out of the middle.

        Args:
            pixels: (H, W, 3) RGB bytes of any size.

        Returns:
            (S, S, 3) RGB bytes; black where the picture is smaller than the square.

        Raises:
            InputError: the frame is not of that shape or type.
        """
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
            raise InputError(
                f"a frame of shape {pixels.shape} and type {pixels.dtype} was given; "
                "frames are (height, width, 3) RGB of type uint8"
            )
        size = self.resized(height=pixels.shape[0], width=pixels.shape[1])
        window = (_middle(size[0], side=self.crop_size), _middle(size[1], side=self.crop_size))
        cut = resize(pixels, size=size, interpolation=self.interpolation, window=window)
        return _padded(cut, side=self.crop_size)

    def normalise(self, clips: Tensor) -> Tensor:
        """Bytes to the numbers that the model was trained on.

        Args:
            clips: (B, T, S, S, 3) uint8, on any device.

        Returns:
            (B, T, 3, S, S) float32 on the same device.
        """
        import torch  # the processes that only prepare frames do without

        mean = torch.tensor(self.mean, device=clips.device)
        std = torch.tensor(self.std, device=clips.device)
        scaled = (clips.to(torch.float32) * self.rescale_factor - mean) / std
        return scaled.movedim(-1, -3).contiguous()

    def resized(self, *, height: int, width: int) -> tuple[int, int]:
        """Height and width after resizing, before the square is cut out.

        The long edge is truncated, as the published processor does it. A frame that has this size
        already is not resized again.
        """
        if self.shortest_edge is None:
            return height, width
        short, long = min(height, width), max(height, width)
        stretched = int(self.shortest_edge * long / short)
        if height <= width:
            return self.shortest_edge, stretched
        return stretched, self.shortest_edge


def _middle(length: int, *, side: int) -> slice:
    """The middle `side` of `length` pixels, or all of them where there are not as many."""
    first = max(length - side, 0) // 2
    return slice(first, min(first + side, length))


def _padded(pixels: NDArray[np.uint8], *, side: int) -> NDArray[np.uint8]:
    """(H, W, 3) to (side, side, 3) with black around; neither H nor W is larger than `side`."""
    # An odd row of padding goes to the top and to the left.
    rows, columns = side - pixels.shape[0], side - pixels.shape[1]
    top, left = -(-rows // 2), -(-columns // 2)
    edges = ((top, rows - top), (left, columns - left), (0, 0))
    return np.ascontiguousarray(np.pad(pixels, edges) if rows or columns else pixels)


def _read_frame_part(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FrameProcessorError(damaged(path, error)) from error
    if isinstance(content, dict) and path.name == JOINT_FILE_NAME:
        content = content.get("image_processor")
    if not isinstance(content, dict):
        raise FrameProcessorError(f"{path} does not hold the settings of a frame processor")
    return content


def _required(values: Mapping[str, Any], name: str) -> Any:
    if values.get(name) is None:
        raise FrameProcessorError(
            f"{FILE_NAME} does not say {name!r}, and guessing it would change every result"
        )
    return values[name]


def _positive_int(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_PIXELS:
        raise FrameProcessorError(
            f"{FILE_NAME} sets {name} to {value!r}; it must be a whole number of pixels, "
            f"from 1 to {_MOST_PIXELS:,}"
        )
    return value


def _positive_number(name: str, value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool) and is_finite(value)
    if not number or value <= 0:
        raise FrameProcessorError(
            f"{FILE_NAME} sets {name} to {value!r}; it must be a finite number above 0"
        )
    return float(value)


def _shortest_edge(size: Any) -> int:
    edge = size.get("shortest_edge") if isinstance(size, dict) else size
    return _positive_int("size", size if edge is None else edge)


def _square_side(crop: Any) -> int:
    if not isinstance(crop, dict):
        return _positive_int("crop_size", crop)
    height, width = crop.get("height"), crop.get("width")
    if height != width:
        raise FrameProcessorError(f"{FILE_NAME} crops to {height}×{width}; X-CLIP takes squares")
    return _positive_int("crop_size", height)


def _colour(values: Mapping[str, Any], name: str) -> tuple[float, float, float]:
    channels = _required(values, name)
    try:
        red, green, blue = (float(channel) for channel in channels)
        finite = is_finite(red) and is_finite(green) and is_finite(blue)
    except (TypeError, ValueError, OverflowError):
        finite = False
    if not finite:
        raise FrameProcessorError(
            f"{FILE_NAME} sets {name} to {channels!r}; it must be three numbers, and finite"
        )
    return red, green, blue


def _interpolation(number: Any) -> str:
    if not isinstance(number, int) or number not in _INTERPOLATIONS:
        known = ", ".join(f"{n} ({name})" for n, name in _INTERPOLATIONS.items())
        raise FrameProcessorError(f"{FILE_NAME} sets resample to {number!r}; supported are {known}")
    return _INTERPOLATIONS[number]

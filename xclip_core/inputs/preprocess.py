"""Frames as the model takes them, by a checkpoint's `preprocessor_config.json`.

In two halves: resizing and cropping of bytes (`prepare_frame`; its results are small enough to
keep), and scaling of batches (`normalise`; next to the model, on its device).
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
from xclip_core.model.config import is_finite

if TYPE_CHECKING:
    from torch import Tensor

FILE_NAME = "preprocessor_config.json"
JOINT_FILE_NAME = "processor_config.json"  # where recent libraries put it, one level down

_LONGEST_EDGE = 1 << 14  # of a frame, in pixels
_WHOLE_PIXELS = 1 << 24  # of a resized frame; of larger ones only the window is computed

# Pillow's kernels, by the numbers that published files have for them.
_INTERPOLATIONS = dict(enumerate(("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")))

_SIZE_KEYS = (
    {"shortest_edge"},
    {"shortest_edge", "longest_edge"},
    {"height", "width"},
    {"max_height", "max_width"},
)


@dataclass(frozen=True, slots=True)
class FrameProcessor:
    """The preparation of frames.

    Attributes:
        size: the size in pixels to which a frame is resized before the crop: `shortest_edge`, alone
            or with `longest_edge`; `height` and `width`; or `max_height` and `max_width`. None for
            no resizing.
        crop_size: S, the side of the square that is cut from the middle.
        interpolation: the kernel: "nearest", "lanczos", "bilinear", "bicubic", "box" or "hamming".
        rescale_factor: the factor for bytes, 1 / 255 in every published file.
        mean, std: of the red, green and blue channel after that.
    """

    size: Mapping[str, int] | None
    crop_size: int
    interpolation: str
    rescale_factor: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def published(cls, side: int) -> Self:
        """The preparation of every published checkpoint, for frames of `side` pixels."""
        return cls(
            size={"shortest_edge": side},
            crop_size=side,
            interpolation="bilinear",
            rescale_factor=1 / 255,
            mean=(0.485, 0.456, 0.406),
            std=(0.229, 0.224, 0.225),
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `preprocessor_config.json`, else the frame part of `processor_config.json`.

        Raises:
            FrameProcessorError: there is none, it is damaged, or a setting cannot be used.
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
            FrameProcessorError: a setting is missing or of the wrong type, or does not make square
                frames, which the model needs.
        """
        resizes, crops = values.get("do_resize", True), values.get("do_center_crop", True)
        size = None
        if resizes or (crops and values.get("crop_size") is None):
            to_square = values.get("default_to_square", False)
            size = _size(_required(values, "size"), to_square=to_square)
        interpolation = _interpolation(_required(values, "resample")) if resizes else "bilinear"
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        if values.get("do_normalize", True):
            mean, std = _colour(values, "image_mean"), _colour(values, "image_std")
            _require_nonzero("image_std", std)
        # Files of 2022 rescale without saying so.
        factor = values.get("rescale_factor", 1 / 255) if values.get("do_rescale", True) else 1.0
        return cls(
            size=size if resizes else None,
            crop_size=_crop_size(values, size=size) if crops else _square_side(size),
            interpolation=interpolation,
            rescale_factor=_factor(factor),
            mean=mean,
            std=std,
        )

    def to_dict(self) -> dict[str, Any]:
        """The published form, as libraries save it today."""
        number = {name: number for number, name in _INTERPOLATIONS.items()}
        return {
            "image_processor_type": "VideoMAEImageProcessor",
            "processor_class": "XCLIPProcessor",
            "do_resize": self.size is not None,
            "size": dict(self.size or {"shortest_edge": self.crop_size}),
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
        """Resize a frame and cut the square out of its middle.

        Args:
            pixels: (height, width, 3) uint8, RGB, of any size.

        Returns:
            (S, S, 3) uint8, RGB; black where the resized frame is smaller than the square.

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
        if size == pixels.shape[:2]:
            return _padded(pixels[window], side=self.crop_size)
        cut = _resize(pixels, size=size, window=window, interpolation=self.interpolation)
        return _padded(cut, side=self.crop_size)

    def normalise(self, clips: Tensor) -> Tensor:
        """Scale bytes to the numbers that the model was trained on.

        Args:
            clips: (B, T, S, S, 3) uint8, on any device.

        Returns:
            (B, T, 3, S, S) float32 on the same device.
        """
        import torch  # not needed by processes that only prepare frames

        mean = torch.tensor(self.mean, device=clips.device)
        std = torch.tensor(self.std, device=clips.device)
        scaled = (clips.to(torch.float32) * self.rescale_factor - mean) / std
        return scaled.movedim(-1, -3).contiguous()

    def resized(self, *, height: int, width: int) -> tuple[int, int]:
        """Height and width of a frame after resizing, before the square is cut out.

        Sizes are truncated, as the published processor does it. A frame that has this size already
        is not resized again.
        """
        short, long = sorted((height, width))
        match self.size:
            case {"height": rows, "width": columns}:
                return rows, columns
            case {"max_height": rows, "max_width": columns}:
                scale = min(rows / height, columns / width)
                return max(1, int(height * scale)), max(1, int(width * scale))
            case {"shortest_edge": edge, "longest_edge": most} if long / short * edge > most:
                exact = most * short / long
                new = max(1, round(exact)), max(1, int(exact * long / short))
                new = (short, long) if new[0] == short else new
            case {"shortest_edge": edge}:
                new = edge, int(edge * long / short)
            case _:
                return height, width
        return new if height <= width else (new[1], new[0])


def _resize(
    pixels: NDArray[np.uint8],
    *,
    size: tuple[int, int],
    window: tuple[slice, slice],
    interpolation: str,
) -> NDArray[np.uint8]:
    """Resize a frame with Pillow, as the published processor does.

    Args:
        pixels: (height, width, 3) uint8.
        size: the height and width of the whole new frame.
        window: the rows and columns to return. Of a very large frame nothing else is computed: a
            long narrow frame would grow to thousands of times the square that is cut from it.

    Returns:
        The window, (rows, columns, 3) uint8.
    """
    from PIL import Image  # not needed for frames that the decoder has resized

    image, kernel = Image.fromarray(pixels), Image.Resampling[interpolation.upper()]
    (height, width), (rows, columns) = size, window
    if height * width <= _WHOLE_PIXELS:
        return np.array(image.resize((width, height), kernel))[window]
    top, bottom = (row * image.height / height for row in (rows.start, rows.stop))
    left, right = (column * image.width / width for column in (columns.start, columns.stop))
    part = (columns.stop - columns.start, rows.stop - rows.start)
    return np.array(image.resize(part, kernel, box=(left, top, right, bottom)))


def _middle(length: int, *, side: int) -> slice:
    """The middle `side` of `length` pixels, or all of them where there are not as many."""
    first = max(length - side, 0) // 2
    return slice(first, min(first + side, length))


def _padded(pixels: NDArray[np.uint8], *, side: int) -> NDArray[np.uint8]:
    """Pad a frame (height, width, 3) uint8 that is at most that large to (side, side, 3)."""
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


def _edge(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LONGEST_EDGE:
        raise FrameProcessorError(
            f"{FILE_NAME} sets {name} to {value!r}; it must be a whole number of pixels, "
            f"from 1 to {_LONGEST_EDGE:,}"
        )
    return value


def _size(size: Any, *, to_square: bool) -> dict[str, int]:
    """The published `size`, of which older files write a number or a pair."""
    if isinstance(size, dict):
        size = {name: value for name, value in size.items() if value is not None}
    elif isinstance(size, list) and len(size) == 2:
        size = {"height": size[0], "width": size[1]}
    else:
        size = {"height": size, "width": size} if to_square else {"shortest_edge": size}
    if set(size) not in _SIZE_KEYS:
        known = ", ".join(" with ".join(sorted(keys)) for keys in _SIZE_KEYS)
        raise FrameProcessorError(
            f"{FILE_NAME} sets size to {size!r}; frames are resized by one of {known}"
        )
    return {name: _edge(f"size.{name}", value) for name, value in size.items()}


def _crop_size(values: Mapping[str, Any], *, size: Mapping[str, int] | None) -> int:
    crop = values.get("crop_size")
    if crop is not None:
        return _square_side(_size(crop, to_square=True), name="crop_size")
    if size is not None and "shortest_edge" in size:
        return size["shortest_edge"]
    return _square_side(size)


def _square_side(size: Mapping[str, int] | None, *, name: str = "size") -> int:
    height, width = (size or {}).get("height"), (size or {}).get("width")
    if height is None or height != width:
        found = "no size" if size is None else f"the {name} {dict(size)!r}"
        raise FrameProcessorError(
            f"{FILE_NAME} makes frames that are not square, by {found}; X-CLIP takes squares: "
            "set do_center_crop to true and crop_size to the side of the model's frames"
        )
    return height


def _factor(value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool) and is_finite(value)
    if not number or value == 0:
        raise FrameProcessorError(
            f"{FILE_NAME} sets rescale_factor to {value!r}; it must be a finite number, and not 0"
        )
    return float(value)


def _colour(values: Mapping[str, Any], name: str) -> tuple[float, float, float]:
    given = _required(values, name)
    number = isinstance(given, int | float) and not isinstance(given, bool)
    try:
        red, green, blue = (float(channel) for channel in ([given] * 3 if number else given))
        finite = is_finite(red) and is_finite(green) and is_finite(blue)
    except (TypeError, ValueError, OverflowError):
        finite = False
    if not finite:
        raise FrameProcessorError(
            f"{FILE_NAME} sets {name} to {given!r}; it must be a number or three, and finite"
        )
    return red, green, blue


def _require_nonzero(name: str, colour: tuple[float, float, float]) -> None:
    if 0 in colour:
        raise FrameProcessorError(f"{FILE_NAME} sets {name} to {colour}; none of them may be 0")


def _interpolation(number: Any) -> str:
    if isinstance(number, bool) or not isinstance(number, int) or number not in _INTERPOLATIONS:
        known = ", ".join(f"{n} ({name})" for n, name in _INTERPOLATIONS.items())
        raise FrameProcessorError(f"{FILE_NAME} sets resample to {number!r}; supported are {known}")
    return _INTERPOLATIONS[number]

"""Frames to model input: the published processor's pixels, and its files in every form."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers.models.videomae.image_processing_pil_videomae import VideoMAEImageProcessorPil

from xclip_core.errors import FrameProcessorError, InputError
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.inputs.resampling import resize

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

AS_PUBLISHED = {
    "do_center_crop": True,
    "do_normalize": True,
    "do_resize": True,
    "feature_extractor_type": "VideoMAEFeatureExtractor",
    "image_mean": MEAN,
    "image_std": STD,
    "processor_class": "XCLIPProcessor",
    "resample": 2,
    "size": 224,
}
AS_SAVED_AGAIN = {
    **AS_PUBLISHED,
    "crop_size": {"height": 224, "width": 224},
    "do_rescale": True,
    "image_processor_type": "VideoMAEImageProcessor",
    "rescale_factor": 0.00392156862745098,
    "size": {"shortest_edge": 224},
}

SIZES = [
    (240, 320),
    (320, 240),
    (101, 53),
    (53, 101),
    (224, 224),
    (225, 225),
    (223, 400),
    (64, 64),
    (20, 31),
    (5, 40),
    (1, 7),
    (360, 640),
    (719, 1281),
    (1080, 608),
]

Frame = NDArray[np.uint8]


def noise(height: int, width: int) -> Frame:
    rng = np.random.default_rng(height * 10_000 + width)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def gradient(height: int, width: int) -> Frame:
    """Slow colours with hard edges: nearer to film than noise is."""
    rows, columns = np.mgrid[0:height, 0:width]
    red = rows * 255 // max(height - 1, 1)
    green = columns * 255 // max(width - 1, 1)
    blue = ((rows // 9 + columns // 7) % 2) * 255
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def published_pixels(frame: Frame, *, side: int, **settings: Any) -> NDArray[Any]:
    reference = VideoMAEImageProcessorPil(
        size={"shortest_edge": side},
        crop_size={"height": settings.pop("crop", side), "width": settings.pop("crop_w", side)},
        image_mean=MEAN,
        image_std=STD,
        **settings,
    )
    channels_first = np.ascontiguousarray(frame.transpose(2, 0, 1))
    values = reference([[channels_first]], return_tensors="np", input_data_format="channels_first")
    return np.asarray(values["pixel_values"])[0, 0]


@pytest.mark.parametrize("paint", [noise, gradient])
@pytest.mark.parametrize("side", [32, 64, 224])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_prepared_frames_are_the_published_ones_within_one_grey_level(
    record_error: Callable[[str, float], None],
    height: int,
    width: int,
    side: int,
    paint: Callable[[int, int], Frame],
) -> None:
    frame = paint(height, width)
    ours = FrameProcessor.from_dict(AS_PUBLISHED | {"size": side}).prepare_frame(frame)
    theirs = published_pixels(frame, side=side, do_rescale=False, do_normalize=False)
    error = np.abs(ours.astype(float) - theirs.transpose(1, 2, 0))
    record_error("prepared frames, grey levels", float(error.max()))
    record_error("prepared frames, mean grey levels", float(error.mean()))
    assert ours.shape == (side, side, 3)
    assert error.max() <= 1
    assert error.mean() < 0.25


def test_normalised_clips_are_the_published_pixel_values() -> None:
    frame = gradient(240, 320)
    processor = FrameProcessor.from_dict(AS_PUBLISHED)
    clip = np.stack([processor.prepare_frame(frame)] * 2)[None]
    ours = processor.normalise(torch.from_numpy(clip))
    assert ours.shape == (1, 2, 3, 224, 224)
    assert ours.dtype == torch.float32
    theirs = published_pixels(frame, side=224)
    one_level = 1 / 255 / min(STD)
    assert np.abs(ours[0, 1].numpy() - theirs).max() < one_level * 1.001


@pytest.mark.parametrize("size", [(100, 130), (61, 40), (30, 21), (64, 48)])
def test_bicubic_is_pillows_to_the_level(size: tuple[int, int]) -> None:
    frame = noise(64, 48)
    theirs = Image.fromarray(frame).resize((size[1], size[0]), Image.Resampling.BICUBIC)
    ours = resize(frame, size=size, interpolation="bicubic")
    assert np.array_equal(ours, np.asarray(theirs))


def test_enlarging_is_pillows_to_the_level() -> None:
    frame = noise(33, 20)
    theirs = Image.fromarray(frame).resize((71, 117), Image.Resampling.BILINEAR)
    ours = resize(frame, size=(117, 71), interpolation="bilinear")
    assert np.array_equal(ours, np.asarray(theirs))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(31, 83), (90, 217)])
def test_a_window_of_a_picture_is_what_the_whole_would_show_there(
    size: tuple[int, int], interpolation: str
) -> None:
    frame = noise(45, 110)
    whole = resize(frame, size=size, interpolation=interpolation)
    window = (slice(7, 29), slice(40, 81))
    part = resize(frame, size=size, interpolation=interpolation, window=window)
    assert np.array_equal(part, whole[window])


def test_a_ribbon_of_pixels_costs_the_memory_of_the_square_that_is_cut_from_it() -> None:
    ribbon = noise(8, 600)  # whole, it would grow to 16,800 columns
    tracemalloc.start()
    try:
        FrameProcessor.from_dict(AS_PUBLISHED | {"size": 224}).prepare_frame(ribbon)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 << 20


def test_the_crop_is_as_large_as_the_short_edge_unless_it_is_said() -> None:
    large = FrameProcessor.from_dict(AS_PUBLISHED | {"size": 336})
    assert (large.shortest_edge, large.crop_size) == (336, 336)
    said = FrameProcessor.from_dict(AS_PUBLISHED | {"size": 256, "crop_size": 224})
    assert (said.shortest_edge, said.crop_size) == (256, 224)


def test_both_published_forms_mean_the_same() -> None:
    assert FrameProcessor.from_dict(AS_PUBLISHED) == FrameProcessor.from_dict(AS_SAVED_AGAIN)


def test_a_crop_beside_the_short_edge_is_centred_as_published() -> None:
    frame = noise(300, 411)
    ours = FrameProcessor.from_dict(AS_PUBLISHED | {"size": 255, "crop_size": 224})
    theirs = published_pixels(
        frame, side=255, crop=224, crop_w=224, do_rescale=False, do_normalize=False
    )
    error = np.abs(ours.prepare_frame(frame).astype(float) - theirs.transpose(1, 2, 0))
    assert error.max() <= 1


@pytest.mark.parametrize(("height", "width"), [(20, 31), (31, 20), (21, 90), (33, 32)])
def test_a_crop_larger_than_the_picture_is_padded_with_black_as_published(
    height: int, width: int
) -> None:
    frame = noise(height, width)
    ours = FrameProcessor.from_dict(AS_PUBLISHED | {"do_resize": False, "crop_size": 40})
    theirs = published_pixels(frame, side=40, do_resize=False, do_rescale=False, do_normalize=False)
    assert np.array_equal(ours.prepare_frame(frame), theirs.transpose(1, 2, 0))


def test_settings_that_are_turned_off_are_honoured() -> None:
    values = AS_PUBLISHED | {"do_normalize": False, "do_rescale": False, "size": 8}
    processor = FrameProcessor.from_dict(values)
    clip = torch.full((1, 1, 8, 8, 3), 200, dtype=torch.uint8)
    assert (processor.normalise(clip) == 200).all()


def test_a_read_only_or_flipped_frame_is_prepared_like_any_other() -> None:
    processor = FrameProcessor.from_dict(AS_PUBLISHED | {"size": 32})
    frame = noise(50, 60)
    expected = processor.prepare_frame(frame[::-1].copy())
    assert np.array_equal(processor.prepare_frame(frame[::-1]), expected)
    frame.setflags(write=False)
    assert np.array_equal(processor.prepare_frame(frame[::-1]), expected)


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_is_not_an_rgb_frame_of_bytes_is_refused(frame: NDArray[Any]) -> None:
    with pytest.raises(InputError, match="uint8"):
        FrameProcessor.from_dict(AS_PUBLISHED).prepare_frame(frame)


def test_settings_survive_a_round_trip(tmp_path: Path) -> None:
    processor = FrameProcessor.from_dict(AS_PUBLISHED | {"size": 256, "crop_size": 224})
    processor.save(tmp_path)
    assert FrameProcessor.load(tmp_path) == processor
    theirs = VideoMAEImageProcessorPil.from_pretrained(tmp_path)
    assert theirs.crop_size["height"] == 224
    assert theirs.size["shortest_edge"] == 256
    assert list(theirs.image_mean) == MEAN


def test_the_frame_part_of_a_joint_processor_file_is_read(tmp_path: Path) -> None:
    joint = {"processor_class": "XCLIPProcessor", "image_processor": AS_SAVED_AGAIN}
    (tmp_path / "processor_config.json").write_text(json.dumps(joint), encoding="utf-8")
    assert FrameProcessor.load(tmp_path) == FrameProcessor.from_dict(AS_PUBLISHED)


@pytest.mark.parametrize("name", ["size", "resample", "image_mean", "image_std"])
def test_nothing_that_changes_pixels_is_guessed(name: str) -> None:
    values = {key: value for key, value in AS_PUBLISHED.items() if key != name}
    with pytest.raises(FrameProcessorError, match=name):
        FrameProcessor.from_dict(values)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"size": "large"}, "size"),
        ({"size": {"height": 224, "width": 224}}, "size"),
        ({"size": 0}, "size"),
        ({"resample": 1}, "bilinear"),
        ({"resample": [2]}, "bilinear"),
        ({"image_mean": [0.5]}, "three numbers"),
        ({"image_std": 0.5}, "three numbers"),
        ({"do_center_crop": False}, "square"),
        ({"crop_size": {"height": 224, "width": 112}}, "squares"),
        ({"rescale_factor": "1/255"}, "rescale_factor"),
        ({"image_std": [0.2, 0.0, 0.2]}, "image_std"),
    ],
)
def test_settings_that_are_not_supported_are_refused(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(FrameProcessorError, match=named):
        FrameProcessor.from_dict(AS_PUBLISHED | changed)


def test_a_missing_or_damaged_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FrameProcessorError, match="fetch that file too"):
        FrameProcessor.load(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text("{", encoding="utf-8")
    with pytest.raises(FrameProcessorError, match="damaged"):
        FrameProcessor.load(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text("[]", encoding="utf-8")
    with pytest.raises(FrameProcessorError, match="settings"):
        FrameProcessor.load(tmp_path)

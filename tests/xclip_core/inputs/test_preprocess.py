"""Frames to model input: the published processor's pixels, and its files in every form."""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from transformers.models.videomae.image_processing_pil_videomae import VideoMAEImageProcessorPil

from xclip_core.errors import FrameProcessorError, InputError
from xclip_core.inputs import preprocess
from xclip_core.inputs.preprocess import FrameProcessor

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


def published(frame: Frame, settings: dict[str, Any]) -> NDArray[Any]:
    """The pixel values (C, H, W) that the published processor makes of a frame."""
    reference = VideoMAEImageProcessorPil.from_dict(settings)
    channels_first = np.ascontiguousarray(frame.transpose(2, 0, 1))
    values = reference([[channels_first]], return_tensors="np", input_data_format="channels_first")
    return np.asarray(values["pixel_values"])[0, 0]


def ours(frame: Frame, settings: dict[str, Any]) -> NDArray[Any]:
    processor = FrameProcessor.from_dict(settings)
    prepared = torch.from_numpy(processor.prepare_frame(frame))
    values: NDArray[Any] = processor.normalise(prepared[None, None])[0, 0].numpy()
    return values


BYTES = {"do_rescale": False, "do_normalize": False}


@pytest.mark.parametrize("paint", [noise, gradient])
@pytest.mark.parametrize("side", [32, 224])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_prepared_frames_are_the_published_ones_to_the_level(
    height: int, width: int, side: int, paint: Callable[[int, int], Frame]
) -> None:
    frame = paint(height, width)
    square = {"height": side, "width": side}
    settings = AS_SAVED_AGAIN | BYTES | {"size": {"shortest_edge": side}, "crop_size": square}
    assert np.array_equal(ours(frame, settings), published(frame, settings))


# Every setting of the published processor, in every form that it reads.

EDGES = st.integers(8, 40)
SQUARES = st.builds(lambda side: {"height": side, "width": side}, EDGES)
SETTINGS = st.fixed_dictionaries(
    {
        "do_resize": st.booleans(),
        "size": st.one_of(
            EDGES,
            st.lists(EDGES, min_size=2, max_size=2),
            SQUARES,
            st.fixed_dictionaries({"shortest_edge": EDGES}),
            st.fixed_dictionaries({"shortest_edge": EDGES, "longest_edge": EDGES}),
            st.fixed_dictionaries({"height": EDGES, "width": EDGES}),
            st.fixed_dictionaries({"max_height": EDGES, "max_width": EDGES}),
            st.fixed_dictionaries({"longest_edge": EDGES}),
        ),
        "default_to_square": st.booleans(),
        "resample": st.integers(0, 5),
        "do_center_crop": st.booleans(),
        "crop_size": st.one_of(
            EDGES,
            SQUARES,
            st.builds(lambda side: [side, side], EDGES),
            st.fixed_dictionaries({"height": EDGES, "width": EDGES}),
            st.fixed_dictionaries({"shortest_edge": EDGES}),
        ),
        "do_rescale": st.booleans(),
        "rescale_factor": st.sampled_from([1 / 255, 1 / 127.5, -0.5, 1]),
        "do_normalize": st.booleans(),
        "image_mean": st.sampled_from([MEAN, 0.5, [0, 0.25, -1]]),
        "image_std": st.sampled_from([STD, 0.5, [1, 2.5, -0.25]]),
    }
)
WIDE, TALL = noise(23, 61), noise(45, 19)


@settings(max_examples=300, deadline=None)
@given(values=SETTINGS)
@example(values=AS_SAVED_AGAIN | {"do_center_crop": False, "size": {"height": 32, "width": 32}})
def test_every_setting_works_as_published_or_does_not_make_squares(values: dict[str, Any]) -> None:
    try:
        expected = [published(frame, values) for frame in (WIDE, TALL)]
    except (ValueError, AttributeError):  # the latter where it words its refusal
        expected = []  # the published processor cannot use these settings
    if not expected or len({*expected[0].shape[1:], *expected[1].shape[1:]}) > 1:
        with pytest.raises(FrameProcessorError):
            FrameProcessor.from_dict(values)
        return
    for frame, theirs in zip((WIDE, TALL), expected, strict=True):
        assert np.allclose(ours(frame, values), theirs, rtol=1e-5, atol=1e-4)


def test_normalised_clips_are_the_published_pixel_values() -> None:
    frame = gradient(240, 320)
    processor = FrameProcessor.from_dict(AS_PUBLISHED)
    clip = np.stack([processor.prepare_frame(frame)] * 2)[None]
    pixels = processor.normalise(torch.from_numpy(clip))
    assert pixels.shape == (1, 2, 3, 224, 224)
    assert pixels.dtype == torch.float32
    assert np.allclose(pixels[0, 1].numpy(), published(frame, AS_SAVED_AGAIN), atol=1e-6)


@pytest.mark.parametrize("kernel", [2, 5])
def test_of_a_very_large_frame_only_the_part_that_is_cut_out_is_made(
    monkeypatch: pytest.MonkeyPatch, kernel: int
) -> None:
    values = AS_PUBLISHED | {"size": 90, "crop_size": 71, "resample": kernel}
    frame = noise(45, 1100)
    whole = ours(frame, values | BYTES)
    monkeypatch.setattr(preprocess, "_WHOLE_PIXELS", 0)
    assert np.abs(ours(frame, values | BYTES) - whole).max() <= 1


def test_a_ribbon_of_pixels_costs_the_memory_of_the_square_that_is_cut_from_it() -> None:
    ribbon = noise(1, 4000)  # whole, it would grow to 896,000 columns, 800 MB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    FrameProcessor.from_dict(AS_PUBLISHED | {"size": 224}).prepare_frame(ribbon)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_the_crop_is_as_large_as_the_short_edge_unless_it_is_said() -> None:
    large = FrameProcessor.from_dict(AS_PUBLISHED | {"size": 336})
    assert (large.size, large.crop_size) == ({"shortest_edge": 336}, 336)
    said = FrameProcessor.from_dict(AS_PUBLISHED | {"size": 256, "crop_size": 224})
    assert (said.size, said.crop_size) == ({"shortest_edge": 256}, 224)
    square = FrameProcessor.from_dict(AS_PUBLISHED | {"size": [96, 96]})
    assert square.crop_size == 96


def test_both_published_forms_mean_the_same() -> None:
    assert FrameProcessor.from_dict(AS_PUBLISHED) == FrameProcessor.from_dict(AS_SAVED_AGAIN)


@pytest.mark.parametrize(("height", "width"), [(20, 31), (31, 20), (21, 90), (33, 32)])
def test_a_crop_larger_than_the_frame_is_padded_with_black_as_published(
    height: int, width: int
) -> None:
    values = AS_SAVED_AGAIN | BYTES | {"do_resize": False, "crop_size": 40}
    frame = noise(height, width)
    assert np.array_equal(ours(frame, values), published(frame, values))


def test_a_frame_that_the_decoder_has_resized_is_not_resized_again() -> None:
    processor = FrameProcessor.from_dict(AS_PUBLISHED | {"size": 32})
    size = processor.resized(height=101, width=53)
    assert processor.resized(height=size[0], width=size[1]) == size
    frame = noise(*size)
    assert np.array_equal(processor.prepare_frame(frame), frame[14:46])


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
    assert theirs.resample == 2
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
        ({"size": 0}, "size"),
        ({"resample": [2]}, "bilinear"),
        ({"size": {"min_pixels": 9, "max_pixels": 99}}, "max_height with max_width"),
        ({"resample": 6}, "hamming"),
        ({"resample": True}, "bilinear"),
        ({"image_mean": [0.5]}, "or three"),
        ({"image_std": "0.5"}, "or three"),
        ({"do_center_crop": False}, "square"),
        ({"crop_size": {"height": 224, "width": 112}}, "squares"),
        ({"size": [224, 112]}, "squares"),
        ({"rescale_factor": 0}, "rescale_factor"),
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


def test_a_process_that_only_prepares_frames_needs_no_pytorch() -> None:
    code = (
        "import sys, numpy; from xclip_core import FrameProcessor;"
        "FrameProcessor.published(8).prepare_frame(numpy.zeros((20, 30, 3), numpy.uint8));"
        "print('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"

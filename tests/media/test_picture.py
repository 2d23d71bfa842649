"""Still pictures: upright, of the usual formats; other files are none, damaged ones an error."""

import warnings
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from media.errors import LimitError, MediaError, UndecodableError, UnsupportedError
from media.picture import read_picture

LEFT_RED = np.zeros((40, 60, 3), np.uint8)
LEFT_RED[:, :30, 0] = 250
ORIENTATION = 0x0112


@pytest.mark.parametrize("suffix", ["avif", "bmp", "jpg", "png", "tiff", "webp"])
def test_pictures_are_read_whatever_their_name_says(tmp_path, suffix):
    path = tmp_path / f"picture.{suffix}"
    Image.fromarray(LEFT_RED).save(path)
    path = path.rename(tmp_path / "picture.mp4")
    pixels = read_picture(path)
    assert (pixels.shape, pixels.dtype) == ((40, 60, 3), np.uint8)
    assert pixels[20, 10, 0] > 200
    assert pixels[20, 50, 0] < 50


def test_a_photo_is_as_the_camera_was_held(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # a quarter turn clockwise
    Image.fromarray(LEFT_RED).save(tmp_path / "a.jpg", exif=exif)
    pixels = read_picture(tmp_path / "a.jpg")
    assert pixels.shape == (60, 40, 3)
    assert pixels[10, 20, 0] > 200
    assert pixels[50, 20, 0] < 50


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_pixel_becomes_rgb(tmp_path, mode):
    Image.fromarray(LEFT_RED).convert("L" if mode == "I;16" else mode).save(tmp_path / "a.tiff")
    assert read_picture(tmp_path / "a.tiff").shape == (40, 60, 3)


def test_what_is_no_still_picture_is_none(tmp_path):
    (tmp_path / "notes.jpg").write_text("no picture")
    Image.fromarray(LEFT_RED).save(tmp_path / "moves.gif")
    Image.fromarray(LEFT_RED).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").rename(tmp_path / "series.mjpeg")
    for name in ("notes.jpg", "moves.gif", "series.mjpeg"):
        assert read_picture(tmp_path / name) is None


def test_damaged_outsized_and_missing_pictures_are_errors(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "torn.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UndecodableError, match="cannot be read"):
        read_picture(tmp_path / "torn.png")
    for side in (9_000, 60_000):
        Image.new("1", (side, side)).save(tmp_path / f"{side}.png")
        with pytest.raises(LimitError):
            read_picture(tmp_path / f"{side}.png")
    with pytest.raises(MediaError, match="No such file"):
        read_picture(tmp_path / "gone.png")


@pytest.mark.parametrize("suffix", ["avif", "jpg", "png", "tiff", "webp"])
def test_whatever_bytes_are_wrong_the_error_is_ours(tmp_path, suffix, capfd):
    drawn = np.random.default_rng(1)
    path = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    Image.fromarray(LEFT_RED).save(path, exif=exif)
    whole = path.read_bytes()
    for _ in range(60):
        wrong = bytearray(whole)
        for place in drawn.integers(0, min(len(whole), 400), 6):
            wrong[place] = drawn.integers(256)
        path.write_bytes(wrong)
        with suppress(MediaError), warnings.catch_warnings():
            warnings.simplefilter("error")
            read_picture(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_a_photo_that_only_phones_can_read_says_what_to_do(tmp_path, brand):
    (tmp_path / "photo.jpg").write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(500))
    with pytest.raises(UnsupportedError, match=r"HEIF.*save it as JPEG"):
        read_picture(tmp_path / "photo.jpg")

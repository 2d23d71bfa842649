"""Still pictures, by Pillow: FFmpeg does not tell how a photo was held."""

import logging
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from media.container.source import check_size
from media.errors import LimitError, MediaError, UndecodableError, UnreadableError, UnsupportedError

_FORMATS = ("AVIF", "BMP", "JPEG", "PNG", "TIFF", "WEBP")
_SERIES = frozenset({".mjpeg", ".mjpg"})  # begin with a JPEG, and are videos
# What phones write into HEIF files, which need a decoder that neither library has.
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"})


def read_picture(path: Path) -> np.ndarray | None:
    """The upright pixels (height, width, 3) uint8 RGB of a still picture; None for other files.

    Raises `MediaError`.
    """
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd about a picture is nobody's concern
            return _read(path)
    except MediaError:
        raise
    except UnidentifiedImageError:
        _refuse_heif(path)
        return None
    except (FileNotFoundError, PermissionError) as error:
        raise UnreadableError(f"cannot be opened: {error.strerror}") from error
    except Image.DecompressionBombError as error:
        raise LimitError("is too large a picture") from error
    except Exception as error:  # Pillow raises whatever the bytes of a damaged picture lead to
        raise UndecodableError(f"is a picture that cannot be read: {error}") from error


def _read(path: Path) -> np.ndarray | None:
    with Image.open(path, formats=_FORMATS) as picture:
        if path.suffix.lower() in _SERIES:
            return None
        check_size(*picture.size)
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))


def _refuse_heif(path: Path) -> None:
    with path.open("rb") as file:
        beginning = file.read(12)
    if beginning[4:8] == b"ftyp" and beginning[8:12] in _HEIF_BRANDS:
        raise UnsupportedError("is a HEIF picture, which cannot be read here; save it as JPEG")

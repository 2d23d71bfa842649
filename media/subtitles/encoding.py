"""Encoding of subtitle files, which rarely say what it is."""

import codecs

from media.errors import UnsupportedError

# In this order: UTF-32's mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What subtitles are written in where they are not Unicode; others only look like these.
_GUESSED = [
    "cp1252", "cp1251", "cp932", "gb18030", "big5", "cp949", "euc_jp", "cp1250", "cp1253",
    "cp1254", "cp1255", "cp1256", "cp874", "koi8_r",
]  # fmt: skip
_ENOUGH = 1 << 16  # bytes to guess from


def decoded(content: bytes) -> str:
    """Text of a subtitle file: by its byte order mark, as UTF-8, or else as its letters suggest.

    Raises UnsupportedError for what is no text.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _text(content[len(mark) :].decode(encoding, "replace"))
    if b"\0" in content:
        return _text(_without_mark(content))
    try:
        return _text(content.decode("utf-8"))
    except UnicodeDecodeError:
        return _text(content.decode(_guess(content), "replace"))


def _without_mark(content: bytes) -> str:
    """UTF-16 whose mark is missing: of ASCII letters and digits every second byte is zero."""
    odd, even = content[1::2].count(0), content[::2].count(0)
    if max(odd, even) < len(content) // 8 or min(odd, even) > max(odd, even) // 8:
        raise UnsupportedError("is binary, not text")
    return content.decode("utf-16-le" if odd > even else "utf-16-be", "replace")


def _guess(content: bytes) -> str:
    # The times, which are most of a file, say nothing.
    lines = [line for line in content.splitlines() if not line.isascii()]
    from charset_normalizer import from_bytes  # only files that are not Unicode need it

    best = from_bytes(b"\n".join(lines)[:_ENOUGH], cp_isolation=_GUESSED).best()
    if best is None:
        raise UnsupportedError("is binary, not text")
    return best.encoding


def _text(text: str) -> str:
    if "\0" in text:
        raise UnsupportedError("is binary, not text")
    return text

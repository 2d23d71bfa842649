"""Names of files in timelines: addresses to find them by, and texts that all programs can read."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from unicodedata import normalize
from urllib.parse import quote
from xml.etree.ElementTree import Element, indent, tostring

from machine.names import shown

_REEL_LETTERS = 8
_RESERVED = frozenset({"AX", "BL", "BLACK"})  # reels of CMX 3600 that are no tape


def url(path: Path, *, host: str = "") -> str:
    """The `file:` address of a file, byte by byte, whatever its name."""
    return f"file://{host}{quote(os.fsencode(path))}"


def line(text: str) -> str:
    """A text in one line, without what XML and players cannot hold."""
    return shown(text)


def ascii_line(text: str) -> str:
    """The same in ASCII: letters without accents, others as `_`."""
    plain = normalize("NFKD", line(text))
    kept = (letter for letter in plain if not "\u0300" <= letter <= "\u036f")
    return "".join(letter if letter.isascii() else "_" for letter in kept)


def reels(paths: Iterable[Path]) -> dict[Path, str]:
    """A reel name for each file, `[A-Z0-9_]{1,8}`, of which no two are the same."""
    names: dict[Path, str] = {}
    taken = set(_RESERVED)
    for path in paths:
        stem = re.sub(r"[^A-Z0-9]+", "_", ascii_line(path.stem).upper()).strip("_") or "REEL"
        name, number = stem[:_REEL_LETTERS], 1
        while name in taken:
            number += 1
            name = f"{stem[: _REEL_LETTERS - len(str(number)) - 1]}_{number}"
        taken.add(name)
        names[path] = name
    return names


def xml(root: Element, *, doctype: str = "") -> bytes:
    """An XML document, in UTF-8."""
    indent(root)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    if doctype:
        head += f"<!DOCTYPE {doctype}>\n"
    return f"{head}{tostring(root, encoding='unicode')}\n".encode()

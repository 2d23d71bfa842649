"""Spelling of file names: Unicode composition and letter case, as file systems treat them.

Letters with accents are composed (NFC: é is one character) or decomposed (NFD: e and an accent);
macOS and some network disks hand out the latter for what was typed as the former. Some file systems
tell upper and lower case apart, some do not.
"""

import os
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase
from unicodedata import normalize

_OTHER_CASE = str.maketrans(ascii_lowercase + ascii_uppercase, ascii_uppercase + ascii_lowercase)


def composed(text: str) -> str:
    """The text with composed letters (NFC). Bytes that are not text stay as they are."""
    return text if text.isascii() else normalize("NFC", text)


def folded(text: str) -> str:
    """The form of the text for comparisons in which case and composition do not count."""
    return composed(composed(text).casefold())


def ignores_case(path: str) -> bool:
    """Whether the file system ignores the case of letters in the absolute path.

    Where the path itself cannot tell (it is not there, or has no letters), a folder above does.
    """
    while path not in ("/", ""):
        folder, _, name = path.rpartition("/")
        other = name.translate(_OTHER_CASE)
        if other != name and os.path.lexists(path):
            return os.path.lexists(f"{folder}/{other}") and other not in _names_in(folder or "/")
        path = folder
    return False


def true_path(path: Path, *, strict: bool = False) -> Path:
    """The absolute path, with its links followed and each name spelled as in its folder.

    What is not there keeps the spelling that was given; when `strict`, it raises OSError.
    """
    found = ""
    for name in os.path.realpath(path, strict=strict).split("/"):
        if name:
            found = f"{found}/{_true_name(found, name)}"
    return Path(found or "/")


def _true_name(folder: str, name: str) -> str:
    """The spelling in the folder, which is listed only if several spellings lead to the file."""
    other = name.translate(_OTHER_CASE)
    forms = (other,) if name.isascii() else (other, composed(name), normalize("NFD", name))
    if not any(form != name and os.path.lexists(f"{folder}/{form}") for form in forms):
        return name
    names = _names_in(folder or "/")
    if name in names or not os.path.lexists(f"{folder}/{name}"):
        return name
    return next((listed for listed in sorted(names) if folded(listed) == folded(name)), name)


def _names_in(folder: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208 - names, not paths
    except OSError:
        return frozenset()

"""CONTRIBUTING.md names files, classes and functions that exist."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
TEXT = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
# `folder/`, `folder/file.py`, `folder/file.py:name`
NAMED = sorted(set(re.findall(r"`([a-z_./]+/(?:[a-z_]+\.[a-z]+)?)(?::([A-Za-z_]+))?`", TEXT)))


def test_the_walks_name_files() -> None:
    assert sum(bool(name) for _, name in NAMED) >= 15


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_what_is_named_exists(path: str, name: str) -> None:
    folders = [REPOSITORY, *(REPOSITORY / room for room in _rooms_before(path))]
    found = [folder / path for folder in folders if (folder / path).exists()]
    assert found, f"{path} does not exist"
    if name:
        code = found[0].read_text(encoding="utf-8")
        assert re.search(rf"^(?:class|def) {name}\b", code, flags=re.MULTILINE), (
            f"{path} has no {name}"
        )


def _rooms_before(path: str) -> list[str]:
    """List the folders in whose row of the layout a folder without its parent is named."""
    rows = re.findall(r"^\| `([a-z_]+)/` \| (.*) \|$", TEXT, flags=re.MULTILINE)
    return [room for room, contents in rows if f"`{path}`" in contents]


def test_every_top_level_folder_of_code_is_in_the_layout() -> None:
    rooms = {file.parent.name for file in REPOSITORY.glob("*/__init__.py")}
    missing = {room for room in rooms if f"| `{room}/` |" not in TEXT}
    assert not missing

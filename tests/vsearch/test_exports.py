"""Every name that a package says it has is there."""

import importlib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = sorted(
    ".".join(file.parent.relative_to(REPOSITORY).parts)
    for top in REPOSITORY.glob("*/__init__.py")  # not what was built or installed below here
    for file in top.parent.rglob("__init__.py")
)


def test_the_packages_are_found() -> None:
    assert {"catalog", "indexer", "media", "search", "vsearch", "xclip_core"} <= set(PACKAGES)


@pytest.mark.parametrize("name", PACKAGES)
def test_what_a_package_exports_is_there(name: str) -> None:
    package = importlib.import_module(name)
    exported = getattr(package, "__all__", [])
    assert [one for one in exported if not hasattr(package, one)] == []
    assert len(set(exported)) == len(exported)

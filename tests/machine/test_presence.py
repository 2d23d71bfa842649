"""Questions after what lies at a path end nobody, whatever the system says to them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from machine.presence import is_folder, is_regular_file, is_there


def test_what_is_there_is_told_from_what_is_not(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.touch()
    assert (is_there(file), is_regular_file(file), is_folder(file)) == (True, True, False)
    assert is_there(tmp_path)
    assert is_folder(tmp_path)
    assert not is_regular_file(tmp_path)
    assert not is_there(tmp_path / "b")


@pytest.mark.parametrize("ask", [is_there, is_regular_file, is_folder])
def test_where_the_system_refuses_to_tell_nothing_is_there(
    tmp_path: Path, ask: Callable[[Path], bool]
) -> None:
    link = tmp_path / "link"
    link.symlink_to("n" * 300)  # the system's answer: File name too long
    assert not ask(link)
    assert not ask(link / "below")

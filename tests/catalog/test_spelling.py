"""How file systems write names, as far as this one can show it."""

import pytest

from catalog import composed, folded, true_path
from catalog.spelling import ignores_case

TYPED, DECOMPOSED = "Gr\u00f6\u00dfe", "Gro\u0308\u00dfe"


def test_composed_and_decomposed_letters_are_one_text():
    assert composed(DECOMPOSED) == composed(TYPED) == TYPED
    assert composed("caf\udce9") == "caf\udce9"
    assert folded(TYPED.upper()) == folded(DECOMPOSED)


def test_a_path_is_followed_through_links_and_keeps_what_is_not_there(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "Videos").symlink_to(tmp_path / "disk")
    real = tmp_path.resolve() / "disk"
    assert true_path(tmp_path / "Videos") == real
    assert true_path(tmp_path / "Videos/../disk/No/Such") == real / "No/Such"


def test_a_folder_with_both_cases_tells_them_apart(tmp_path):
    names = ("film", "FILM")
    for name in names:
        (tmp_path / name).mkdir(exist_ok=True)
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system ignores case")
    assert not ignores_case(f"{tmp_path}/film")
    assert true_path(tmp_path / "FILM").name == "FILM"
    assert true_path(tmp_path / "film").name == "film"

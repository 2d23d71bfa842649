"""What a glob on a path means."""

from pathlib import Path

import pytest

from catalog import InvalidGlobError
from catalog.globs import pathname_matcher

HOLIDAY = "/media/2023/holiday/sea [1].mkv"


def path_matcher(pattern):
    fits = pathname_matcher(pattern)
    return lambda path: fits(path.as_posix())


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("holiday", HOLIDAY, True),
        ("holiday/", HOLIDAY, True),
        ("holi", HOLIDAY, False),
        ("2023/holiday", HOLIDAY, True),
        ("023/holiday", HOLIDAY, False),
        ("holi*", HOLIDAY, True),
        ("*.mkv", HOLIDAY, True),
        ("*.MKV", HOLIDAY, False),
        ("*.mp4", HOLIDAY, False),
        ("media/*/sea*", HOLIDAY, True),
        ("*/media/*", HOLIDAY, True),
        ("**/media", HOLIDAY, True),
        ("*/edia", HOLIDAY, False),
        ("/media/2023", HOLIDAY, True),
        ("/media/2023/", HOLIDAY, True),
        ("/2023", HOLIDAY, False),
        ("/media/202[34]/*", HOLIDAY, True),
        ("/media/202[!3]/*", HOLIDAY, False),
        ("/media/**/*.mkv", HOLIDAY, True),
        ("/media/202?", HOLIDAY, True),
        ("sea [1].mkv", HOLIDAY, True),
        (HOLIDAY, HOLIDAY, True),
        ("/", HOLIDAY, True),
        ("*", HOLIDAY, True),
        ("caf*.mp4", "/media/caf\udce9\n.mp4", True),
        ("a.mp4", "/media/aXmp4", False),
    ],
)
def test_a_glob_fits_a_path_or_a_folder_above_it(pattern, path, fits):
    assert path_matcher(pattern)(Path(path)) is fits


@pytest.mark.parametrize("pattern", ["", ".", "..", "../x", "/media/../x", "a\0b"])
def test_a_pattern_that_can_mean_nothing_is_refused(pattern):
    with pytest.raises(InvalidGlobError, match="give a"):
        path_matcher(pattern)


@pytest.mark.parametrize("name", ["[", "[a", "]", "!", "a[!]b", "{a,b}", "***", " ", "-"])
def test_a_pattern_is_at_least_the_name_that_it_spells(name):
    assert path_matcher(name)(Path("/media") / name / "x.mp4")
    assert path_matcher(f"/media/{name}")(Path("/media") / name)


def test_an_absolute_pattern_may_lead_through_links(tmp_path):
    (tmp_path / "disk/[2023] trip").mkdir(parents=True)
    (tmp_path / "Videos").symlink_to(tmp_path / "disk")
    film = tmp_path / "disk/[2023] trip/a.mp4"
    assert path_matcher(f"{tmp_path}/Videos")(film)
    assert path_matcher(f"{tmp_path}/Videos/[[]2023] trip/*")(film)
    assert path_matcher(f"{tmp_path}/Videos/[2023] trip")(film)
    assert path_matcher(f"{tmp_path}/V*/*trip/a.mp4")(film)
    assert not path_matcher(f"{tmp_path}/W*/*trip/a.mp4")(film)


def test_a_path_from_the_current_folder_may_lead_through_links(tmp_path, monkeypatch):
    (tmp_path / "disk/[2023] trip").mkdir(parents=True)
    (tmp_path / "Videos").symlink_to("disk")
    film = tmp_path / "disk/[2023] trip/a.mp4"
    film.touch()
    (tmp_path / "best.mp4").symlink_to(film)
    assert not path_matcher("Videos")(film)
    monkeypatch.chdir(tmp_path)
    for pattern in ("Videos", "./Videos/", "Videos/[2023] trip", "best.mp4"):
        assert path_matcher(pattern)(film)
        assert not path_matcher(pattern)(tmp_path / "other/b.mp4")
    assert path_matcher("Videos")(Path("/media/Videos/b.mp4"))


def test_a_glob_needs_no_current_folder(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert path_matcher("holiday")(Path(HOLIDAY))


@pytest.mark.parametrize(
    "pattern", ["Gr\u00f6\u00dfe", "*/Gro\u0308\u00dfe/*", "/media/Gr?\u00dfe"]
)
@pytest.mark.parametrize("stored", ["Gr\u00f6\u00dfe", "Gro\u0308\u00dfe"])
def test_letters_are_the_same_composed_and_decomposed(pattern, stored):
    assert path_matcher(pattern)(Path(f"/media/{stored}/a.mp4"))

"""What a glob on a path means."""

from pathlib import Path

import pytest

from catalog import path_matcher

HOLIDAY = "/media/2023/holiday/sea [1].mkv"


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

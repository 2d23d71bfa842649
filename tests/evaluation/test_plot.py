from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.errors import PlotError
from evaluation.plot import require_plot_path, write_plot
from tests.evaluation.places import outcome, place

RIGHT = outcome((place(1, 10, 20),), (1, 11, 18))
SECOND = outcome((place(1, 10, 20),), (1, 50, 58), (1, 11, 18))
SURE = replace(RIGHT, confidence="strong")
UNSURE = replace(outcome((), (1, 11, 18)), confidence="none")


BLUE, ORANGE = (31, 119, 180), (255, 127, 14)  # Matplotlib's first two colours


def test_a_plot_is_a_picture_with_a_colour_for_each_setting(tmp_path: Path) -> None:
    drawn = []
    for settings in ({"plain": (RIGHT,)}, {"plain": (RIGHT,), "other": (SECOND,)}):
        write_plot(tmp_path / "a.png", settings, cache=tmp_path / "cache")
        with Image.open(tmp_path / "a.png") as picture:
            assert picture.format == "PNG"
            pixels = np.asarray(picture.convert("RGB"))
        drawn.append(
            {colour: (pixels == colour).all(axis=2).sum() > 200 for colour in (BLUE, ORANGE)}
        )
    assert drawn == [{BLUE: True, ORANGE: False}, {BLUE: True, ORANGE: True}]


def test_confidence_is_drawn_as_bars_as_high_as_the_shares(tmp_path: Path) -> None:
    """One sentence with the lowest level: a bar of the whole height over the last of four."""
    write_plot(tmp_path / "a.png", {"plain": (UNSURE,)}, cache=tmp_path / "cache")
    with Image.open(tmp_path / "a.png") as picture:
        blue = (np.asarray(picture.convert("RGB")) == BLUE).all(axis=2)
    tall = np.nonzero(blue.sum(axis=0) > 0.7 * blue.shape[0])[0]
    assert tall.size > 20
    assert tall.min() > 0.9 * blue.shape[1]


def test_settings_in_the_current_folder_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "matplotlibrc").write_text("backend: module://nowhere\nfont.size: 1\n")
    monkeypatch.chdir(tmp_path)
    write_plot(tmp_path / "a.png", {"plain": (SURE,)}, cache=tmp_path / "cache")
    import matplotlib as mpl

    assert mpl.rcParams["font.size"] == 10
    assert Path.cwd() == tmp_path


def test_where_nothing_can_be_drawn_the_plot_says_so(tmp_path: Path) -> None:
    write_plot(tmp_path / "a.png", {"plain": ()}, cache=tmp_path / "cache")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_a_path_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(PlotError, match="there is no folder"):
        require_plot_path(tmp_path / "none" / "a.png")
    (tmp_path / "holiday.mp4").write_text("a video")
    with pytest.raises(PlotError, match="exists and is no PNG"):
        require_plot_path(tmp_path / "holiday.mp4")
    with pytest.raises(PlotError, match="is a folder"):
        require_plot_path(tmp_path)
    with pytest.raises(PlotError, match="cannot be written"):
        write_plot(tmp_path, {"plain": (SURE,)}, cache=tmp_path / "cache")

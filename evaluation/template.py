"""A file of labels to fill in, with videos of a catalog."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from catalog import IndexedVideo
from evaluation.errors import LabelsError
from evaluation.label_file import COLUMNS
from evaluation.labels import NOTHING

ROWS = 50


def write_template(path: Path, videos: Sequence[IndexedVideo]) -> int:
    """Write a CSV file with a row for each of `ROWS` videos at most, evenly chosen; how many.

    The last row is for a sentence that is true of nothing.

    Raises:
        LabelsError: it is not called `.csv`, there is such a file, or it cannot be written.
    """
    if path.suffix.lower() != ".csv":
        raise LabelsError(
            f"a template is CSV, and {path} is not called so; give it the suffix .csv"
        )
    step = max(1, len(videos) / ROWS)
    chosen = [videos[int(n * step)] for n in range(min(ROWS, len(videos)))]
    names = _short_names(videos)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(("", names[video.video_id], "", "") for video in chosen)
    writer.writerow(("", NOTHING, "", ""))
    try:
        with path.open("x", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text.getvalue())
    except FileExistsError as error:
        raise LabelsError(
            f"{path} exists already; give the name of a new file, or remove it"
        ) from error
    except OSError as error:
        raise LabelsError(f"{path} cannot be written: {error.strerror}") from error
    return len(chosen)


def _short_names(videos: Sequence[IndexedVideo]) -> dict[int, str]:
    """The name of each video's first file, or its whole path if another has that name."""
    count = Counter(path.name for video in videos for path in video.paths)
    firsts = {video.video_id: video.paths[0] for video in videos}
    return {
        video_id: path.name if count[path.name] == 1 else str(path)
        for video_id, path in firsts.items()
    }

"""The layouts of four published sets of labels, one entry each.

MSR-VTT 1k-A: `MSRVTT_JSFUSION_test.csv`, columns key, vid_key, video_id, sentence. DiDeMo:
`test_data.json`, a list of objects. QVHighlights: `highlight_val_release.jsonl`. Charades-STA:
`charades_sta_test.txt`, lines such as `3MSZA 24.3 30.4##person turn a light on.`
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from evaluation.labels import Label, read_seconds, require_span

CHARADES_LINE = re.compile(r"(\S+) (\S+) (\S+)##(.*\S)")
DIDEMO_SEGMENT = 5.0  # seconds: its annotators chose among segments of this length


def read_msrvtt(row: dict[str, str], *, line: int) -> Label:
    """The label of a row of MSR-VTT 1k-A: all of a video.

    Raises:
        ValueError: a cell is empty.
    """
    sentence, video = row.get("sentence", ""), row.get("video_id", "")
    if not sentence or not video:
        raise ValueError("sentence or video_id is empty; fill in both")
    return Label(line, sentence, video)


def read_didemo(entry: Any, *, line: int) -> Iterator[Label]:
    """The labels of an entry of DiDeMo: the moments that most annotators chose.

    Raises:
        ValueError: it has another form.
    """
    try:
        sentence, video = entry["description"].strip(), entry["video"].strip()
        chosen = Counter((int(first), int(last)) for first, last in entry["times"])
        most = max(chosen.values())
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            "it lacks description, video or times, as DiDeMo has them; as JSON, vsearch reads"
            " DiDeMo's list, or one object a line"
        ) from error
    for (first, last), count in chosen.items():
        if count == most:
            span = require_span(DIDEMO_SEGMENT * first, DIDEMO_SEGMENT * (last + 1))
            yield Label(line, sentence, video, span)


def read_qvhighlights(entry: dict[str, Any], *, line: int) -> Iterator[Label]:
    """The labels of a line of QVHighlights: its relevant windows.

    Raises:
        ValueError: it has another form.
    """
    windows = entry.get("relevant_windows")
    if not windows:
        raise ValueError(
            "it has no relevant_windows; QVHighlights publishes them for training and validation"
        )
    try:
        sentence, video = entry["query"].strip(), entry["vid"].strip()
        spans = [(read_seconds(start), read_seconds(end)) for start, end in windows]
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("it lacks query or vid, or its windows are no pairs of seconds") from error
    for start, end in spans:
        yield Label(line, sentence, video, require_span(start, end))


def read_charades(text: str, *, line: int) -> Label:
    """The label of a line of Charades-STA.

    Raises:
        ValueError: it has another form.
    """
    found = CHARADES_LINE.fullmatch(text.strip())
    if found is None:
        raise ValueError("it is not as in Charades-STA: VIDEO START END##SENTENCE")
    video, start, end, sentence = found.groups()
    return Label(line, sentence, video, require_span(read_seconds(start), read_seconds(end)))

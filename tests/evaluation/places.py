"""Videos, hits and outcomes for the tests of evaluation."""

from pathlib import Path
from typing import Any

from catalog import IndexedVideo
from evaluation.outcome import Outcome, judge
from evaluation.questions import Place, Question
from search import Asked, Hit, SearchResult

VIDEOS = (
    IndexedVideo(1, 60.0, (Path("/films/a.mp4"), Path("/films/copy of a.mkv"))),
    IndexedVideo(2, 30.0, (Path("/films/2024/b.mp4"),)),
    IndexedVideo(3, 30.0, (Path("/films/2025/b.mp4"),)),
)
VIDEO_IDS = {path: video.video_id for video in VIDEOS for path in video.paths}


def place(video_id: int, *span: float) -> Place:
    path = VIDEOS[video_id - 1].paths[0]
    return Place(video_id, path, (span[0], span[1]) if span else None)


def hits(*moments: tuple[int, float, float]) -> tuple[Hit, ...]:
    """Hits from (video id, start, end), best first."""
    every = []
    for rank, (video_id, start, end) in enumerate(moments, start=1):
        kept: dict[str, Any] = {
            "rank": rank,
            "score": 1 / rank,
            "path": VIDEOS[video_id - 1].paths[-1],
            "start": start,
            "end": end,
            "peak": (start + end) / 2,
            "duration": VIDEOS[video_id - 1].duration,
            "clip_id": rank,
            "video_id": 1,
            "other_paths": (),
        }
        every.append(Hit(**kept))
    return tuple(every)


def outcome(places: tuple[Place, ...], *moments: tuple[int, float, float]) -> Outcome:
    question = Question(1, "a dog", places)
    result = SearchResult(asked=Asked.of("a dog"), model="demo", took_ms=1.0, hits=hits(*moments))
    return judge(question, result, video_ids=VIDEO_IDS)

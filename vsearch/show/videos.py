"""Videos of the catalog as JSON, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsearch.show.index import failures_json
from vsearch.show.search import local_time

if TYPE_CHECKING:
    from catalog import IndexedVideo
    from vsearch.services.library.listing import ListedVideo, VideoPage


def videos_json(page: VideoPage) -> dict[str, Any]:
    """Some videos, and the `cursor` of the next page: null after the last."""
    return {"videos": [video_json(video) for video in page.videos], "cursor": page.after}


def video_json(video: IndexedVideo) -> dict[str, Any]:
    """A video, by the names that a moment in an answer has; `also` are further files with it."""
    path, *others = map(str, video.paths)
    return {
        "video_id": video.video_id,
        "path": path,
        **({"also": others} if others else {}),
        "duration": round(video.duration, 3),
        "captured": None if video.captured is None else local_time(video.captured),
        "clips": video.clips,
    }


def described_json(found: ListedVideo) -> dict[str, Any]:
    """What is known of a video; `files` with their states: `there`, `changed` or `gone`."""
    video, record = found.video, found.video.record
    return {
        "video_id": video.video_id,
        "files": [
            {"path": str(one.location.path), "bytes": one.location.size, "state": one.state}
            for one in found.files
        ],
        "duration": round(record.duration, 3),
        "width": record.width,
        "height": record.height,
        "frame_rate": round(record.frame_rate, 6),
        "codec": record.codec,
        "container": record.container,
        "captured": None if record.captured is None else local_time(record.captured),
        "captured_from": record.captured_from,
        "camera": record.camera,
        "clips": video.clips,
        "tags": list(video.tags),
        "damage": record.damage,
        "failed_subtitles": failures_json(found.failed_subtitles),
    }

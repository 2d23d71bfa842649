"""Answers for agents: short, of times in seconds and ids, with a link that plays each moment."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from machine.clock_text import clock_text
from machine.names import shown
from media import MediaError, thumbnail
from serving.commands import RefusedError, refusing
from serving.films.files import FilmError, Films
from vsearch.services.answers.classify import Classifier
from vsearch.services.library.listing import LARGEST_ID, describe_video, list_videos
from vsearch.services.library.places import Place
from vsearch.services.player import playable
from vsearch.show.classification import classification_json
from vsearch.show.videos import described_json, videos_json

if TYPE_CHECKING:
    from serving.agents.results import (
        FoundMoment,
        Labels,
        ListedVideo,
        Moments,
        MomentShown,
        Videos,
    )
    from serving.commands import CommandLines
    from serving.films.files import Film

LinkOf = Callable[[str, int, float, float], str]
"""Makes a link from a path, the id of its video, and the start and end of a moment in seconds."""

_MOST_LETTERS = 300  # of a path, or of what is said
_STILL_WIDTH = 480  # pixels at most
_OF_A_VIDEO = ("duration", "width", "height", "frame_rate", "codec", "captured", "camera", "damage")


@dataclass(frozen=True, slots=True)
class AgentAnswers:
    """What the tools ask. Safe to use from several threads; all of it raises RefusedError."""

    commands: CommandLines
    films: Films
    classifier: Classifier

    @classmethod
    def of(cls, commands: CommandLines) -> AgentAnswers:
        """Those of the catalog that is open there."""
        settings = commands.warm.settings
        return cls(commands, Films(settings), Classifier(settings))

    def search(self, question: Mapping[str, Any], *, link_of: LinkOf) -> Moments:
        """The moments of a JSON object of options of `vsearch query`."""
        given = {name: value for name, value in question.items() if value not in (None, [])}
        return _moments(self.commands.search(given), link_of=link_of)

    def similar(
        self, video_id: int, *, at: float | None, question: Mapping[str, Any], link_of: LinkOf
    ) -> Moments:
        """More like a second of a video, or all of it; `question` has further options."""
        given = {name: value for name, value in question.items() if value not in (None, [])}
        place = Place(video_id=_id(video_id), at=at)
        return _moments(self.commands.similar(place, given), link_of=link_of)

    def videos(self, *, folder: str | None, after: int, limit: int) -> Videos:
        """Some videos, in the order of their ids; `cursor` is that of the next ones."""
        under = None if folder is None else Path(folder)
        if under is not None and not (under.is_absolute() and "\0" not in str(under)):
            raise RefusedError(
                f"{shown(folder or '')} is no whole path; give one that begins with /", status=400
            )
        page = self.commands.read(
            partial(list_videos, folder=under, after=min(max(after, 0), LARGEST_ID), limit=limit)
        )
        found = videos_json(page)
        return {
            "videos": [_listed(video) for video in found["videos"]],
            "cursor": found["cursor"],
        }

    def moment(self, video_id: int, *, at: float, link_of: LinkOf) -> tuple[MomentShown, bytes]:
        """What is known of a video at a second, and the still (JPEG) at that second."""
        number = _id(video_id)
        found = described_json(self.commands.read(partial(describe_video, video_id=number)))
        film = self._film(number)
        if not 0 <= at <= film.duration:
            raise RefusedError(
                f"the video lasts {film.duration:.3f} s; give seconds from 0 to that", status=400
            )
        try:
            still = thumbnail(film.path, time=at, max_width=_STILL_WIDTH, threads=1)
        except (MediaError, OSError) as error:
            raise RefusedError(f"the video cannot be shown: {error}", status=503) from error
        told = {name: found[name] for name in _OF_A_VIDEO if found[name] not in (None, "")}
        facts: dict[str, Any] = {
            "video_id": number,
            "path": _short(str(film.path)),
            "seconds": playable(at),
            "clock": clock_text(at),
            **told,
            "tags": found["tags"],
            "link": link_of(str(film.path), number, at, film.duration),
        }
        return cast("MomentShown", facts), still

    def classify(self, video_id: int, labels: Sequence[str]) -> Labels:
        """The probability of each label for an indexed video."""
        film = self._film(_id(video_id))
        with refusing():
            found = classification_json(self.classifier.classify(film.path, labels))
        return {"path": _short(found["path"]), "labels": found["labels"]}

    def _film(self, video_id: int) -> Film:
        """The file of a video, as it was indexed."""
        self.commands.read(partial(describe_video, video_id=video_id))  # refuses an unknown one
        try:
            return self.films.find(video_id)
        except FilmError as error:
            raise RefusedError(str(error), status=error.status) from error


def _id(given: int) -> int:
    return min(max(given, 0), LARGEST_ID)


def _moments(answer: str, *, link_of: LinkOf) -> Moments:
    """The answer of the command, as far as an agent has a use for it."""
    found = json.loads(answer)
    return {
        "query": found["query"],
        "convincing": found["convincing"],
        "moments": [_moment(hit, link_of=link_of) for hit in found["hits"]],
        "notes": found.get("notes", []),
    }


def _moment(hit: Mapping[str, Any], *, link_of: LinkOf) -> FoundMoment:
    start, end, said = hit["start"], hit["end"], hit.get("said")
    told: FoundMoment = {
        "video_id": hit["video_id"],
        "path": _short(hit["path"]),
        "start": start,
        "end": end,
        "peak": hit["peak"],
        "clock": f"{clock_text(start)}–{clock_text(end, up=True)}",
        "score": hit["score"],
        "captured": hit["captured"],
        "link": link_of(hit["path"], hit["video_id"], start, end),
    }
    if "confidence" in hit:
        told["confidence"] = hit["confidence"]
    if said is not None:
        told["said"] = {"text": _short(said["text"]), "start": said["start"], "end": said["end"]}
    if hit.get("duplicates"):
        told["duplicates"] = len(hit["duplicates"])
    if hit.get("parts"):
        told["parts"] = [{"start": part["start"], "end": part["end"]} for part in hit["parts"]]
    return told


def _listed(video: Mapping[str, Any]) -> ListedVideo:
    return {
        "video_id": video["video_id"],
        "path": _short(video["path"]),
        "duration": video["duration"],
        "captured": video["captured"],
        "clips": video["clips"],
    }


def _short(text: str) -> str:
    """A name or a text in one line with nothing hidden in it; of a long one the end."""
    plain = shown(text)
    return plain if len(plain) <= _MOST_LETTERS else f"…{plain[-_MOST_LETTERS:]}"

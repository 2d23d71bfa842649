"""One film's way from file to clips: probe, plan, decode once, prepare frames. Runs in a thread."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalog import ClipSpan
from indexer.errors import UnreadableFilmError
from indexer.fingerprint import Fingerprint
from indexer.plan import FrameSchedule, plan_clips
from indexer.walk import FoundFile
from media import Frame, MediaError, VideoInfo, decode_at, probe

Pixels: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class FilmJob:
    """A file to be decoded, and what it held when its turn came."""

    file: FoundFile
    content: Fingerprint


@dataclass(frozen=True, slots=True)
class FilmOpened:
    """The film was probed and cut into `spans`."""

    job: FilmJob
    video: VideoInfo
    spans: tuple[ClipSpan, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ClipRead:
    """All `frames`, T times (S, S, 3) uint8, of clip number `clip` are there."""

    job: FilmJob
    clip: int
    frames: tuple[Pixels, ...]


@dataclass(frozen=True, slots=True)
class FilmRead:
    """The film came to its end; every clip was sent before."""

    job: FilmJob


@dataclass(frozen=True, slots=True)
class FilmUnreadable:
    """The film cannot be read (any further), for the reason in `error`."""

    job: FilmJob
    error: str


Message: TypeAlias = FilmOpened | ClipRead | FilmRead | FilmUnreadable


@dataclass(frozen=True, slots=True)
class FilmReader:
    """Reads films into clips of `frames` prepared frames each."""

    prepare: Callable[[Pixels], Pixels]  # (H, W, 3) to (S, S, 3), both uint8 RGB
    frames: int
    window: float  # seconds
    stride: float  # seconds
    threads: int  # of one film's decoder

    def read(self, job: FilmJob) -> Generator[Message, None, None]:
        """Tell a film step by step; ends with FilmRead or FilmUnreadable.

        What fails in the file is told as FilmUnreadable. What fails in `prepare` is raised: it
        is not this film's fault.
        """
        try:
            video = _probe(job)
            spans = plan_clips(video.duration, window=self.window, stride=self.stride)
            yield FilmOpened(job, video, spans)
            yield from self._clips(job, video=video, spans=spans)
        except UnreadableFilmError as error:
            yield FilmUnreadable(job, str(error))
        else:
            yield FilmRead(job)

    def _clips(
        self, job: FilmJob, *, video: VideoInfo, spans: tuple[ClipSpan, ...]
    ) -> Iterator[ClipRead]:
        """Decode each wanted moment once; hold the frames of unfinished clips, nothing else."""
        unfinished: dict[int, list[Pixels]] = {}
        last_time, prepared = None, None
        with closing(self._decode(video, spans)) as wanted:
            for frame, clips in wanted:
                # Where frames last longer than the wanted moments are apart, one serves several.
                if prepared is None or frame.time != last_time:
                    last_time, prepared = frame.time, self.prepare(frame.pixels)
                for clip in clips:
                    frames = unfinished.setdefault(clip, [])
                    frames.append(prepared)
                    if len(frames) == self.frames:
                        yield ClipRead(job, clip, tuple(unfinished.pop(clip)))

    def _decode(
        self, video: VideoInfo, spans: tuple[ClipSpan, ...]
    ) -> Generator[tuple[Frame, tuple[int, ...]], None, None]:
        """Pair each wanted frame with the clips that want it."""
        schedule = FrameSchedule(spans, frames=self.frames)
        frames = decode_at(video, schedule.times, threads=self.threads)
        try:
            yield from zip(frames, schedule.clips(), strict=True)
        except Exception as error:
            raise _unreadable(error) from error


def _probe(job: FilmJob) -> VideoInfo:
    try:
        return probe(job.file.path)
    except Exception as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> UnreadableFilmError:
    """Blame the file for whatever happens while it is decoded, a surprise included.

    Only reading the file goes on here, never the model or the catalog, and the film is listed with
    this text: one strange file must not end a long run, and nothing is hidden.
    """
    if isinstance(error, MediaError):
        return UnreadableFilmError(str(error))
    return UnreadableFilmError(f"decoding failed unexpectedly ({type(error).__name__}: {error})")

"""Details of the videos of a catalog: their files, when they were recorded, what is said."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.database.database import Database
from catalog.records import (
    CueMatch,
    CueSpans,
    DescribedVideo,
    FileProblem,
    IndexedVideo,
    SubtitleFile,
    SubtitleState,
    VideoDetails,
    VideoFiles,
)
from catalog.said.questions import all_spans, best_cues, cues_near
from catalog.store import files, subtitles
from catalog.vectors.view import VectorView
from catalog.video_filter import EVERY_VIDEO, VideoFilter


@dataclass(frozen=True, slots=True)
class Details:
    """Details of the videos of one open catalog; as safe as `Catalog`, with the same errors."""

    database: Database
    view: VectorView

    def files_of(self, video_id: int) -> VideoFiles | None:
        """The files that hold a video, as they were when they were indexed; None without them."""
        with self.database.reading() as connection:
            return files.video_files(connection, video_id)

    def listed(
        self, *, under: Path | None = None, after: int = 0, limit: int | None = None
    ) -> tuple[IndexedVideo, ...]:
        """The videos with ids above `after`, in order of the ids, `limit` at most.

        With `under`, an absolute path, only those that have a file there or below.
        """
        with self.database.reading() as connection:
            return files.indexed_videos(connection, under=under, after=after, limit=limit)

    def of_video(self, video_id: int) -> DescribedVideo | None:
        """All that is known of a video, its clips and its words apart; None without files."""
        with self.database.reading() as connection:
            return files.described_video(connection, video_id)

    def missing(self) -> frozenset[int]:
        """The ids of the videos of which they were never read."""
        with self.database.reading() as connection:
            return subtitles.without_details(connection)

    def put(self, found: Mapping[int, VideoDetails]) -> None:
        """Store the details of videos by their ids; an id without a video is no error."""
        with self.database.writing() as connection:
            subtitles.set_details(connection, found)

    def subtitle_files(self, roots: Iterable[Path]) -> dict[str, dict[str, SubtitleState]]:
        """The known subtitle files beside each video file that is one of `roots` or below one.

        By the absolute path of the video file as text, and the name of the subtitle file.
        """
        with self.database.reading() as connection:
            return subtitles.states_beside(connection, roots)

    def failed_subtitles(self, videos: Iterable[Path]) -> tuple[FileProblem, ...]:
        """The subtitle files beside these video files that could not be read, by path."""
        return tuple(
            FileProblem(Path(path).with_name(name), state.error)
            for path, beside in sorted(self.subtitle_files(videos).items())
            for name, state in sorted(beside.items())
            if state.error is not None
        )

    def put_subtitle_files(self, found: Sequence[SubtitleFile]) -> None:
        """Store what subtitle files hold, in place of what they held before.

        Each belongs to those of the video files beside it that the catalog knows.
        """
        with self.database.writing() as connection:
            subtitles.set_files(connection, found)

    def remove_subtitle_files(self, gone: Mapping[Path, Collection[str]]) -> None:
        """Remove subtitle files: by the path of the video file, and their names."""
        with self.database.writing() as connection:
            subtitles.remove_files(connection, gone)

    def cues_saying(
        self, words: str, *, limit: int, videos: VideoFilter = EVERY_VIDEO
    ) -> list[CueMatch]:
        """The cues that say these words, best first by BM25, equal ones by path and time.

        Best are those with all words in their order, also where they go on in the next cue; then
        come those that hold them anyhow. What is said at one time of a video comes once, whatever
        the number of languages and files that say it.

        Args:
            words: as a person would write them; nothing in them is an operator.
            limit: how many at most.
            videos: only videos that meet this filter.

        Raises:
            InvalidWordsError: there are no words, or too many.
            InvalidGlobError: no path can match one of the filter's globs.
        """
        with self.database.reading() as connection:
            among = self.view.video_ids(connection, videos)
            return best_cues(
                connection, self.database.cues, words, limit=limit, among=among, videos=videos
            )

    def cues_near(
        self, words: str, moments: Sequence[tuple[int, float, float]]
    ) -> list[CueMatch | None]:
        """For each moment the best cue that says these words, in it or a few seconds from it.

        Moments are the ids of their videos, and their starts and ends in seconds.
        """
        with self.database.reading() as connection:
            return cues_near(connection, self.database.cues, words, moments)

    def spans_saying(self, words: str, *, videos: VideoFilter = EVERY_VIDEO) -> CueSpans:
        """The times of all cues that say these words; see `cues_saying`."""
        with self.database.reading() as connection:
            among = self.view.video_ids(connection, videos)
            return all_spans(connection, self.database.cues, words, among=among)

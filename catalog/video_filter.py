"""Conditions on videos and stretches of them: which of them compete for an answer."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

from catalog.globs import pathname_matcher

Orientation: TypeAlias = Literal["landscape", "portrait", "square"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFilter:
    """Conditions on videos; a video competes if it meets all of them, and without any.

    Attributes:
        inside: path globs (see `catalog.globs`); a file of the video has to match one of them.
        outside: path globs of which that file may match none.
        after, before: the capture time t in seconds since 1970 (UTC): after <= t < before.
        min_duration, max_duration: in seconds.
        min_height: in pixels, as displayed.
        orientation: of the picture, as displayed.
        camera: a part of make and model, in upper or lower case.
        tags: names of tags, in upper or lower case; of a video only stretches compete that have
            one of them.
        without_tags: names of tags; stretches that have one of them do not compete.
        said: words of subtitles; of a video only clips compete that are at most a few seconds from
            where they are said.
    """

    inside: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    after: float | None = None
    before: float | None = None
    min_duration: float | None = None
    max_duration: float | None = None
    min_height: int | None = None
    orientation: Orientation | None = None
    camera: str | None = None
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    said: str | None = None

    def __bool__(self) -> bool:
        """Whether there is any condition."""
        return any(getattr(self, field.name) not in (None, ()) for field in fields(self))

    def pathname_matcher(self) -> Callable[[str], bool]:
        """A predicate on the text of a path: the conditions on paths.

        Raises:
            InvalidGlobError: no path can match one of the globs.
        """
        inside = [pathname_matcher(glob) for glob in self.inside]
        outside = [pathname_matcher(glob) for glob in self.outside]

        def fits(pathname: str) -> bool:
            return (not inside or any(glob(pathname) for glob in inside)) and not any(
                glob(pathname) for glob in outside
            )

        return fits


EVERY_VIDEO = VideoFilter()

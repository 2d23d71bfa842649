"""The routes of films, for the page's server."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

from starlette.routing import Route

from serving.films.files import Films
from serving.films.film import FilmEndpoint
from serving.films.kept import KeptFiles
from serving.films.live import LiveEndpoint
from serving.films.pictures import SpriteEndpoint, StillEndpoint
from serving.films.playable import PlayableEndpoint
from serving.films.workshop import Workshop

if TYPE_CHECKING:
    from vsearch.settings import Settings

_PICTURES, _PLAYED = 256 << 20, 1 << 30  # bytes kept of pictures, and of films made anew


@dataclass(frozen=True, slots=True)
class FilmEndpoints:
    """What answers for the films of one catalog, to the page and to programs."""

    film: FilmEndpoint
    live: LiveEndpoint
    playable: PlayableEndpoint
    still: StillEndpoint
    sprite: SpriteEndpoint

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those of the catalog of these settings."""
        cache = settings.home / "cache"
        films = Films(settings)
        workshop = Workshop(KeptFiles(cache / "pictures", max_bytes=_PICTURES))
        return cls(
            FilmEndpoint(films),
            LiveEndpoint(films, KeptFiles(cache / "played", max_bytes=_PLAYED)),
            PlayableEndpoint(films),
            StillEndpoint(films, workshop),
            SpriteEndpoint(films, workshop),
        )


def film_routes(endpoints: FilmEndpoints) -> list[Route]:
    """The addresses of the films, for the page."""
    return [
        Route(f"/{one.name}/{{video_id}}", getattr(endpoints, one.name), methods=["GET"])
        for one in fields(endpoints)
    ]

"""The routes of films, for the page's server."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def film_routes(settings: Settings) -> list[Route]:
    """The addresses of the films in the catalog of these settings."""
    cache = settings.home / "cache"
    films, workshop = Films(settings), Workshop(KeptFiles(cache / "pictures", max_bytes=_PICTURES))
    endpoints = {
        "film": FilmEndpoint(films),
        "live": LiveEndpoint(films, KeptFiles(cache / "played", max_bytes=_PLAYED)),
        "playable": PlayableEndpoint(films),
        "still": StillEndpoint(films, workshop),
        "sprite": SpriteEndpoint(films, workshop),
    }
    return [
        Route(f"/{name}/{{video_id}}", endpoint, methods=["GET"])
        for name, endpoint in endpoints.items()
    ]

"""The routes of films, for the page's server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from ui.films.files import Films
from ui.films.film import FilmEndpoint
from ui.films.live import LiveEndpoint
from ui.films.pictures import SpriteEndpoint, StillEndpoint
from ui.films.playable import PlayableEndpoint
from ui.films.workshop import Workshop

if TYPE_CHECKING:
    from vsearch.settings import Settings


def film_routes(settings: Settings) -> list[Route]:
    """The addresses of the films in the catalog of these settings."""
    films, workshop = Films(settings), Workshop()
    endpoints = {
        "film": FilmEndpoint(films),
        "live": LiveEndpoint(films),
        "playable": PlayableEndpoint(films),
        "still": StillEndpoint(films, workshop),
        "sprite": SpriteEndpoint(films, workshop),
    }
    return [
        Route(f"/{name}/{{video_id}}", endpoint, methods=["GET"])
        for name, endpoint in endpoints.items()
    ]

"""The application of the API: its routes, and its description for those who write clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI

from serving.api.answers import Problem
from serving.api.bodies import SmallBodies
from serving.api.command_lines import command_lines_router
from serving.api.index_runs import index_router
from serving.api.pictures import pictures_router
from serving.api.questions import questions_router
from serving.api.refusals import only_known_parameters, refuse_in
from serving.api.videos import videos_router
from vsearch import __version__

if TYPE_CHECKING:
    from fastapi.routing import APIRoute

    from serving.admission import Admission
    from serving.api.index_runs import IndexRuns
    from serving.commands import CommandLines
    from serving.films.routes import FilmEndpoints
    from serving.turns import Turns


@dataclass(frozen=True, slots=True)
class Served:
    """What the API is made of; `proof` shows programs of this user that it is the server they know.

    Attributes:
        films: the same endpoints as the page's, where the page is served, too.
    """

    commands: CommandLines
    turns: Turns
    admission: Admission
    films: FilmEndpoints
    runs: IndexRuns
    proof: str


def api(served: Served) -> FastAPI:
    """The application, to be mounted below /api."""
    app = FastAPI(
        title="vsearch",
        version=__version__,
        description="Find moments in your own videos from a sentence.",
        docs_url=None,  # these load scripts from other sites
        redoc_url=None,
        dependencies=[Depends(only_known_parameters)],
        generate_unique_id_function=_name,
    )
    app.include_router(questions_router(served.commands, served.turns))
    app.include_router(videos_router(served.commands, served.turns, served.films))
    app.include_router(pictures_router(served.commands, served.turns, served.films))
    app.include_router(index_router(served.runs, served.turns))
    app.include_router(
        command_lines_router(served.commands, served.turns, served.admission, proof=served.proof)
    )
    app.add_middleware(SmallBodies)
    refuse_in(app)
    _describe_problems_of(app)
    return app


def _describe_problems_of(app: FastAPI) -> None:
    """Add the type of problems to the description: FastAPI would tell them as plain JSON."""
    usual = app.openapi

    def described() -> dict[str, Any]:
        document = usual()
        document["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        return document

    app.openapi = described  # type: ignore[method-assign]


def _name(route: APIRoute) -> str:
    """The name of an operation, of which generators make that of a function."""
    return route.name

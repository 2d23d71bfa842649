"""The tools that agents call: each only reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar

from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field

from serving.agents.answers import AgentAnswers, LinkOf
from serving.agents.links import file_link, page_link, served_link
from serving.agents.results import Labels, Moments, MomentShown, Videos
from serving.commands import RefusedError
from serving.turns import Turns
from vsearch import __version__
from vsearch.commands.questions.classify import refused_labels

Result = TypeVar("Result")

_INSTRUCTIONS = (
    "Finds moments in the user's own videos by what can be seen in them. Describe a scene in plain "
    "English words that can be seen, such as 'a dog runs on a beach'. Times are seconds from the "
    "start of a video. A moment is strong, likely or weak; if nothing is convincing, say so "
    "instead of showing the nearest. Name videos by their video_id, and give people the link."
)
_READS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)

GUARDED_ALREADY = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""For a server behind `serving.guard`, which looks at host and origin."""

Texts = Annotated[list[str], Field(max_length=20)]
VideoId = Annotated[int, Field(description="Id of a video, as moments and list_videos have it.")]
Limit = Annotated[int, Field(ge=1, le=50, description="Maximum number of moments.")]
Globs = Annotated[
    list[str],
    Field(
        max_length=20,
        description="Only videos whose path matches one of these globs, such as '*/trip/*' or "
        "'*.mkv'; after !, videos that match are left out.",
    ),
]
Date = Annotated[
    str | None,
    Field(description="Recorded from / before then: 2024, 2024-06-01, 'yesterday', '2 weeks ago'."),
]


def agent_server(answers: AgentAnswers, turns: Turns, *, page: bool = False) -> MCPServer:
    """The server of the tools; with `page`, links lead to the page, which it is served beside."""
    server: MCPServer = MCPServer(
        "vsearch",
        title="vsearch",
        version=__version__,
        instructions=_INSTRUCTIONS,
        log_level="WARNING",
        subscriptions=False,
    )
    tools = _Tools(answers, turns, page=page)
    for tool, title in (
        (tools.search_moments, "Search moments"),
        (tools.similar_moments, "Similar moments"),
        (tools.list_videos, "List videos"),
        (tools.get_moment, "Look at a moment"),
        (tools.classify, "Classify a video"),
    ):
        server.add_tool(tool, title=title, annotations=_READS)
    return server


class _Tools:
    """The tools; their docstrings and parameters are what agents are told of them."""

    def __init__(self, answers: AgentAnswers, turns: Turns, *, page: bool) -> None:
        self._answers = answers
        self._turns = turns
        self._page = page

    async def search_moments(
        self,
        context: Context,
        *,
        text: Annotated[
            str | list[str],
            Field(description="A sentence in English, or several that all fit the moment."),
        ] = "",
        minus: Annotated[Texts, Field(description="What the moment does not show.")] = [],
        then: Annotated[
            Texts, Field(description="What comes next in the same video, within 20 s each.")
        ] = [],
        said: Annotated[
            str | None, Field(description="Words in subtitles; alone, or near what text describes.")
        ] = None,
        paths: Globs = [],
        after: Date = None,
        before: Date = None,
        camera: Annotated[str | None, Field(description="Part of make and model.")] = None,
        tags: Annotated[Texts, Field(description="Only moments with one of these tags.")] = [],
        limit: Limit = 10,
        per_video: Annotated[
            int, Field(ge=0, le=50, description="Maximum of one video; 0: no maximum.")
        ] = 3,
        show_unconvincing: Annotated[
            bool, Field(description="Also the nearest moments with nothing convincing.")
        ] = False,
    ) -> Moments:
        """Find the moments of the videos that fit sentences, surest first, with filters."""
        question: dict[str, Any] = {
            "text": ([text] if text else []) if isinstance(text, str) else text,
            "not": minus,
            "then": then,
            "said": said,
            "in": paths,
            "after": after,
            "before": before,
            "camera": camera,
            "tag": tags,
            "limit": limit,
            "per-video": per_video,
            "all": show_unconvincing,
        }
        link_of = self._link_of(context, question)
        return await self._taken(partial(self._answers.search, question, link_of=link_of))

    async def similar_moments(
        self,
        context: Context,
        *,
        video_id: VideoId,
        seconds: Annotated[
            float | None, Field(ge=0, le=1e9, description="The second; without it, all of it.")
        ] = None,
        text: Annotated[str, Field(description="What the moments show as well.")] = "",
        paths: Globs = [],
        limit: Limit = 10,
    ) -> Moments:
        """Find more moments like one of a video. How sure these are cannot be told."""
        question: dict[str, Any] = {"text": [text] if text else [], "in": paths, "limit": limit}
        link_of = self._link_of(context)
        return await self._taken(
            partial(self._answers.similar, video_id, at=seconds, question=question, link_of=link_of)
        )

    async def list_videos(
        self,
        *,
        folder: Annotated[
            str | None, Field(description="Whole path of a folder: only videos below it.")
        ] = None,
        cursor: Annotated[
            int | None, Field(description="The cursor of the answer before, for the next videos.")
        ] = None,
        limit: Annotated[int, Field(ge=1, le=200)] = 50,
    ) -> Videos:
        """List the videos of the catalog with path, length, and time of recording."""
        return await self._taken(
            partial(self._answers.videos, folder=folder, after=cursor or 0, limit=limit)
        )

    async def get_moment(
        self,
        context: Context,
        *,
        video_id: VideoId,
        seconds: Annotated[float, Field(ge=0, le=1e9, description="The peak of a moment is best.")],
    ) -> Annotated[CallToolResult, MomentShown]:
        """See the picture of a video at a second, with what is known of the video."""
        link_of = self._link_of(context)
        facts, still = await self._taken(
            partial(self._answers.moment, video_id, at=seconds, link_of=link_of)
        )
        text = "\n".join(f"{name}: {value}" for name, value in facts.items())
        picture = Image(data=still, format="jpeg").to_image_content()
        return CallToolResult(
            content=[TextContent(type="text", text=text), picture],
            structured_content=dict(facts),
        )

    async def classify(
        self,
        *,
        video_id: VideoId,
        labels: Annotated[
            list[str],
            Field(max_length=50, description="At least two possible contents, in English words."),
        ],
    ) -> Labels:
        """Tell the probability of each label for a whole video, of which one is taken to fit."""
        if refusal := refused_labels(labels):
            raise ToolError(refusal)
        return await self._taken(partial(self._answers.classify, video_id, labels))

    async def _taken(self, work: Callable[[], Result]) -> Result:
        """What `work` returns in its turn; a refusal is told to the agent."""
        try:
            return await self._turns.take(work)
        except RefusedError as error:
            raise ToolError(str(error).removeprefix("vsearch: ")) from error

    def _link_of(self, context: Context, question: dict[str, Any] | None = None) -> LinkOf:
        """How links are made: a server knows its own address by the `Host` of the request."""
        host = (context.headers or {}).get("host")
        if host is None:
            return file_link
        return page_link(host, question) if self._page and question else served_link(host)

"""The library of the protocol of agents, which not every installation has."""

from __future__ import annotations

from importlib.util import find_spec

from vsearch.errors import AgentsMissingError


def require_agents() -> None:
    """Check that agents can be answered. Raises AgentsMissingError."""
    if not _is_there("mcp"):
        raise AgentsMissingError(
            "tools for agents need the package mcp, which is not installed; install it with"
            " `pip install 'vsearch[mcp]'`"
        )


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # Python has noted that there is none
        return False

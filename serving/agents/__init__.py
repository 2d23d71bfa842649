"""Tools for agents, by the Model Context Protocol: over stdio, and over HTTP at /mcp."""

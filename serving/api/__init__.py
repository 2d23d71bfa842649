"""The HTTP API, below /api: questions, videos, pictures, bytes and index runs, for programs."""

"""From a sentence to ranked moments."""

from search.errors import (
    EmptyQueryError,
    InvalidLimitError,
    NothingIndexedError,
    SearchError,
)
from search.ranking import Moment, best_moments, merge_into_moments
from search.records import Hit, SearchResult
from search.searcher import QueryEmbedder, Searcher
from search.wording import notes_on

__all__ = [
    "EmptyQueryError",
    "Hit",
    "InvalidLimitError",
    "Moment",
    "NothingIndexedError",
    "QueryEmbedder",
    "SearchError",
    "SearchResult",
    "Searcher",
    "best_moments",
    "merge_into_moments",
    "notes_on",
]

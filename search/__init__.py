"""Search: from a sentence to ranked moments, by arithmetic on frozen values."""

from search.background.bank import Bank, EmbedTexts, everyday_sentences
from search.background.current import keep_background
from search.confidence import Confidence
from search.copies import present_copy
from search.errors import (
    EmptyQueryError,
    InvalidLimitError,
    NothingIndexedError,
    SearchError,
    UnknownSettingError,
)
from search.ranking import Moment, merge_into_moments
from search.records import Hit, SearchResult, VideoCurve
from search.searcher import QueryEmbedder, Searcher
from search.second_stage import PromptFor
from search.settings import PLAIN, SearchSettings, settings_named
from search.wording import notes_on

__all__ = [
    "PLAIN",
    "Bank",
    "Confidence",
    "EmbedTexts",
    "EmptyQueryError",
    "Hit",
    "InvalidLimitError",
    "Moment",
    "NothingIndexedError",
    "PromptFor",
    "QueryEmbedder",
    "SearchError",
    "SearchResult",
    "SearchSettings",
    "Searcher",
    "UnknownSettingError",
    "VideoCurve",
    "everyday_sentences",
    "keep_background",
    "merge_into_moments",
    "notes_on",
    "present_copy",
    "settings_named",
]

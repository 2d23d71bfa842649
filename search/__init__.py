"""Search: from a sentence to ranked moments, by arithmetic on frozen values."""

from search.asking.asked import LESS, MOST_STEPS, WITHIN, Asked, Example, Sentence, Sort, Step
from search.asking.example import Likeness, LikenessOf, stored_likeness
from search.asking.wording import notes_on
from search.background.bank import Bank, EmbedTexts, everyday_sentences
from search.background.current import keep_background
from search.confidence import Confidence
from search.copies import present_copy
from search.errors import (
    EmptyQueryError,
    ExampleError,
    InvalidLimitError,
    InvalidSequenceError,
    NothingIndexedError,
    SearchError,
    UnknownSettingError,
)
from search.moments.ranking import Moment, merge_into_moments
from search.records import Hit, Said, SearchResult, VideoCurve
from search.searcher import QueryEmbedder, Searcher
from search.second_stage import PromptFor
from search.settings import PLAIN, SearchSettings, settings_named

__all__ = [
    "LESS",
    "MOST_STEPS",
    "PLAIN",
    "WITHIN",
    "Asked",
    "Bank",
    "Confidence",
    "EmbedTexts",
    "EmptyQueryError",
    "Example",
    "ExampleError",
    "Hit",
    "InvalidLimitError",
    "InvalidSequenceError",
    "Likeness",
    "LikenessOf",
    "Moment",
    "NothingIndexedError",
    "PromptFor",
    "QueryEmbedder",
    "Said",
    "SearchError",
    "SearchResult",
    "SearchSettings",
    "Searcher",
    "Sentence",
    "Sort",
    "Step",
    "UnknownSettingError",
    "VideoCurve",
    "everyday_sentences",
    "keep_background",
    "merge_into_moments",
    "notes_on",
    "present_copy",
    "settings_named",
    "stored_likeness",
]

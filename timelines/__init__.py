"""Timelines: lists of moments for editing programs, players and tables, in whole frames."""

from timelines.formats import FORMATS, TimelineError, written
from timelines.placing import is_behind, placed
from timelines.rates import LIST_RATES, Rate, known_rate, rate_of_list
from timelines.timeline import Item, Marker, Sound, Source, Timeline

__all__ = [
    "FORMATS",
    "LIST_RATES",
    "Item",
    "Marker",
    "Rate",
    "Sound",
    "Source",
    "Timeline",
    "TimelineError",
    "is_behind",
    "known_rate",
    "placed",
    "rate_of_list",
    "written",
]

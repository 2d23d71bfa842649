"""The background of a catalog as its questions and index runs use it."""

from threading import Lock

from catalog import Background, Catalog
from search.background.bank import Bank
from search.background.upkeep import brought_up_to_date


class CurrentBackground:
    """The background of a catalog, computed again as the catalog changes. Safe for threads.

    Nothing is written: a catalog may be on a read-only disk, or in use by an index run, which keeps
    the background when it ends.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = Lock()
        self._cached: Background | None = None

    def read(self, bank: Bank) -> Background | None:
        """The background of the catalog as it is now; None without clips.

        Raises:
            CatalogError: the catalog cannot be read.
            What the bank raises where its sentences have to be embedded.
        """
        with self._lock, self._catalog.library() as library:
            if library is None:
                return None
            cached = self._cached
            if cached is None or cached.generation != library.generation:
                kept = library.background()
                newer = kept is not None and (cached is None or kept.generation > cached.generation)
                cached = kept if newer else cached
            self._cached = brought_up_to_date(cached, library, bank)
            return self._cached


def keep_background(catalog: Catalog, bank: Bank) -> None:
    """Bring the background that the catalog holds up to date.

    Raises:
        CatalogError: the catalog cannot be read or written.
        What the bank raises where its sentences have to be embedded.
    """
    with catalog.library() as library:
        if library is None:
            return
        kept = library.background()
        current = brought_up_to_date(kept, library, bank)
    if current is not None and current is not kept:
        catalog.keep_background(current)

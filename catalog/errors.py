"""The errors of a catalog. Each message is one sentence: what was found, and what mends it."""

from typing import Self

from catalog.address import Address
from machine.names import command_line


class CatalogError(Exception):
    """The base of all errors that this package raises on purpose.

    CatalogError
    ├── CatalogMissingError       the folder holds no catalog
    ├── NotACatalogError          something else lies where the catalog should be
    ├── CatalogNewerError         written by a newer version of the program
    ├── CatalogOutdatedError      written by a version that was never released
    ├── CatalogDamagedError       SQLite cannot read it, or a row contradicts the others
    ├── CatalogBusyError          another process kept the write lock for too long
    ├── CatalogLockedError        another process has locked the catalog for a long task
    ├── CatalogGoneError          deleted, moved or replaced while it was in use
    ├── CatalogStorageError       disk full, read-only, no permission
    ├── CatalogUnreachableError   the server of its database does not answer, or refuses
    ├── VideoGoneError            a video was removed by another process meanwhile
    ├── UnknownPathError          nothing is known at or below a path
    ├── UnknownTagError           no stretch of a video has this tag
    ├── InvalidGlobError          a pattern that no path can match
    ├── ProvenanceMismatchError   made by another model, or with another window or stride
    └── InvalidVectorError        wrong shape, not finite, or not of unit length
    """


class CatalogMissingError(CatalogError):
    """The folder holds no catalog."""

    @classmethod
    def of(cls, address: Address) -> Self:
        """The error for this address, with the command that makes a catalog."""
        return cls(f"there is no catalog in {address}; make one with `vsearch index PATH`")


class NotACatalogError(CatalogError):
    """Something else lies where the catalog should be."""


class CatalogNewerError(CatalogError):
    """The catalog was written by a newer version of the program."""


class CatalogOutdatedError(CatalogError):
    """The catalog was written by a version of the program that was never released."""


class CatalogDamagedError(CatalogError):
    """SQLite cannot read the catalog, or a row contradicts the others."""


class CatalogBusyError(CatalogError):
    """Another process kept SQLite's write lock for longer than we wait."""


class CatalogLockedError(CatalogError):
    """Another process has locked the catalog for a long task."""


class CatalogGoneError(CatalogError):
    """The catalog's file was deleted, moved or replaced while it was in use."""


class CatalogStorageError(CatalogError):
    """The disk is full, read-only, or denies access."""


class CatalogUnreachableError(CatalogError):
    """The server of the catalog's database does not answer, ended, or refuses the user."""


class VideoGoneError(CatalogError):
    """A video was removed by another process since it was looked up."""


class UnknownPathError(CatalogError):
    """Nothing is known at or below a path."""


class UnknownTagError(CatalogError):
    """No stretch of a video has this tag."""


class InvalidGlobError(CatalogError):
    """A pattern that no path can match."""


class InvalidWordsError(CatalogError):
    """Words that no subtitles can hold."""


class ProvenanceMismatchError(CatalogError):
    """The catalog was made by another model, or with another window or stride."""


class InvalidVectorError(CatalogError):
    """A vector has the wrong shape, is not finite, or is not of unit length."""


def damaged_vectors(address: Address, error: ValueError) -> CatalogDamagedError:
    """The error for stored vectors that are none."""
    return CatalogDamagedError(
        f"the catalog in {address} is damaged: {error}; {verify_command(address, '--repair')} keeps"
        " all that is sound, and lists what has to be indexed again"
    )


def verify_command(address: Address, *flags: str) -> str:
    """The command that checks the catalog at `address`, to be pasted."""
    return f"`{command_line('vsearch', 'verify', *flags, '--catalog', str(address))}`"

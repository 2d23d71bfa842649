"""Claims: what one index run works on, so that no other run on the same catalog does.

A claim saves work and keeps nothing whole: transactions do that. A lost one costs double work.
"""

from typing import Protocol


class Claim(Protocol):
    """Claim that was granted; it ends with `release`, and with the process, however that ends."""

    def release(self) -> None:
        """End the claim."""


class Claims(Protocol):
    """Claims of one open catalog.

    Attributes:
        shared: whether several runs may index into the catalog at a time.
    """

    @property
    def shared(self) -> bool:
        """See the class."""

    def film(self, sample: str) -> Claim | None:
        """Claim the videos with this sample; None while another run has them."""

    def housekeeping(self) -> Claim | None:
        """Claim what one run does for all, such as the snapshot; None while another run does it."""


class _Granted:
    def release(self) -> None:
        pass


class OwnClaims:
    """Claims on a catalog that only one run indexes into: all are granted, its lock covers them."""

    shared = False

    def film(self, sample: str) -> Claim | None:  # noqa: ARG002
        """Grant it."""
        return _Granted()

    def housekeeping(self) -> Claim | None:
        """Grant it."""
        return _Granted()

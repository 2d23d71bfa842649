"""Transfer of a whole catalog to another address."""

from catalog.transfer.copying import Copied, copy_catalog

__all__ = ["Copied", "copy_catalog"]

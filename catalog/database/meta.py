"""The catalog's own row: its identity, the count of its changes, and its provenance."""

from dataclasses import asdict, dataclass, fields

from sqlalchemy import Connection, select, update

from catalog.database.tables import META
from catalog.provenance import Provenance


@dataclass(frozen=True, slots=True)
class Meta:
    """The catalog's own row, as one transaction sees it.

    Attributes:
        generation: the number of changes of what a search may find.
        snapshot_digest: the digest of the snapshot of vectors that was saved last.
        provenance: what made the vectors; None as long as there are none.
    """

    catalog_uuid: str
    schema_version: int
    generation: int
    snapshot_digest: str | None
    provenance: Provenance | None

    @property
    def version(self) -> tuple[str, int]:
        """See `Catalog.version`."""
        return self.catalog_uuid, self.generation


def read_meta(connection: Connection) -> Meta:
    """Read the catalog's own row."""
    row = connection.execute(select(META)).one()._mapping
    made_by = {each.name: row[each.name] for each in fields(Provenance)}
    is_known = all(made_by[name] is not None for name in made_by if name != "revision")
    return Meta(
        catalog_uuid=row["catalog_uuid"],
        schema_version=row["schema_version"],
        generation=row["generation"],
        snapshot_digest=row["snapshot_digest"],
        provenance=Provenance(**made_by) if is_known else None,
    )


def count_generation(connection: Connection) -> None:
    """Count one more generation in the catalog's own row."""
    connection.execute(update(META).values(generation=META.c.generation + 1))


def write_provenance(connection: Connection, provenance: Provenance | None) -> None:
    """Write what makes the vectors from now on; None when there are no vectors any more."""
    nothing = dict.fromkeys(each.name for each in fields(Provenance))
    values = nothing if provenance is None else asdict(provenance)
    connection.execute(update(META).values(values))

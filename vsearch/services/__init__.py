"""The work of each command: the only place where catalog, model and indexer meet."""

"""What each command does: the only place where catalog, model and indexer are put together."""

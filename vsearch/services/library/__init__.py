"""The library: index runs, following folders, maintenance of the catalog."""

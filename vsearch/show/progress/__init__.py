"""Progress of what lasts: index runs, and work that is counted."""

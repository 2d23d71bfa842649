"""The vector index over the clips: FAISS, its snapshot, and how it follows the database."""

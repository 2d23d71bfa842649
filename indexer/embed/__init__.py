"""From clips to vectors: batches of several videos, and the threads that run the model."""

"""Loads what takes longest to load, once for all processes that are forked from this one."""

import gc
from contextlib import suppress
from importlib import import_module

LIBRARIES = (
    *("numpy", "faiss", "torch.nn.functional", "safetensors", "tokenizers", "psycopg"),
    *("sqlalchemy", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql"),
    *("av", "rich.console", "rich.progress", "rich.markdown", "typer.rich_utils"),
)

for name in LIBRARIES:
    with suppress(ImportError):
        import_module(name)
gc.freeze()  # or each process would look through all that is loaded, and copy it

"""One worker on each node of a Ray cluster, all on one catalog in PostgreSQL.

    python workers.py postgresql://vsearch@db/vsearch /mnt/archive

Run it on any node of the cluster. Films are claimed in the database, so a node that is lost takes
none with it. Nodes with a GPU that Ray knows of lend it to those without: these decode, send
prepared frames, and get vectors back. Ray keeps nothing that lasts.

vsearch in the same version, the driver for PostgreSQL, ~/.pgpass and the folder have to be on every
node; the model on those with a GPU, if there are any. Ray's ports are open to whoever reaches them,
unless RAY_AUTH_MODE=token is set.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from itertools import cycle
from typing import TYPE_CHECKING, Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from xclip_core import ClipFormat, Embedder, ModelIdentity

SOME_FAILED = 3  # done, but some files cannot be indexed; the log of the node lists them


def command(catalog: str, folders: list[str]) -> list[str]:
    """The command of a worker."""
    return ["vsearch", "index", "--wait", "--catalog", catalog, *folders]


@ray.remote(max_retries=0)
def index(catalog: str, folders: list[str]) -> int:
    """Run a worker on this node; its exit code."""
    worker = subprocess.Popen(
        [sys.executable, "-m", *command(catalog, folders)], start_new_session=True
    )
    try:
        return worker.wait()
    except KeyboardInterrupt:  # it was cancelled: what is embedded of long videos is kept
        worker.send_signal(signal.SIGINT)
        return worker.wait()


@ray.remote(max_retries=0)
def index_with(lender: Any, catalog: str, folders: list[str]) -> int:
    """Run a worker in this process, with the model of a lender; its exit code."""
    from vsearch.__main__ import run

    try:
        return run(command(catalog, folders)[1:], obj=LentModel(lender))
    except KeyboardInterrupt:
        return 130


@ray.remote(num_cpus=0, num_gpus=1, max_restarts=-1)
class Lender:
    """Lender of a GPU: the catalog's model on it. It holds nothing that could be lost."""

    def __init__(self, catalog: str) -> None:
        self._catalog = catalog
        self._loaded: Embedder | None = None

    def describe(self) -> tuple[ModelIdentity, ClipFormat, int]:
        """Identity and format of the model, and the number of clips that it wants at a time."""
        from xclip_core import ClipFormat

        model = self._model()
        made = model.identity
        # The frame processor of this very model: the digest stands for both.
        form = ClipFormat(made.frames_per_clip, made.image_size, made.dim, model.processor)
        return made, form, model.clips_wanted

    def embed_frames(
        self, clips: NDArray[np.uint8], digest: str
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], int] | None:
        """As `indexer.ClipEmbedder`, with the clips wanted next; None: the model is another one."""
        model = self._model()
        if model.identity.model_digest != digest:
            return None
        return *model.embed_frames(clips), model.clips_wanted

    def _model(self) -> Embedder:
        """The model, loaded once; not in `__init__`, whose errors Ray tells as the lender's end."""
        if self._loaded is None:
            from vsearch.messages import set_volume
            from vsearch.services.models import LazyModel, catalog_provenance
            from vsearch.settings import read_settings

            set_volume(verbose=False, quiet=False)  # it is told when the GPU cannot be used
            settings = read_settings(os.environ, catalog=self._catalog)
            made_by = catalog_provenance(settings)
            self._loaded = LazyModel(settings, made_by=made_by).load()
        return self._loaded


class LentModel:
    """Model of a lender, as `indexer.ModelLoader` and `indexer.ClipEmbedder`."""

    calls_at_once = 2  # one batch travels while another one is embedded

    def __init__(self, lender: Any) -> None:
        self._lender = lender

    def clip_format(self) -> ClipFormat:
        """Format of its clips; waits until the lender has loaded it."""
        self.identity, form, self.clips_wanted = answer(self._lender.describe.remote())
        return form

    def load(self) -> LentModel:
        """This model: the lender has it."""
        self.clip_format()
        return self

    def embed_frames(
        self, clips: NDArray[np.uint8], /
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Have clips embedded; raises ModelAwayError when the lender is lost."""
        asked = self._lender.embed_frames.remote(clips, self.identity.model_digest)
        embedded = answer(asked)
        if embedded is None:
            raise away("it has another model now")
        vectors, frames, self.clips_wanted = embedded
        return vectors, frames


def answer(asked: Any) -> Any:
    """Wait for an answer of the lender; its errors are raised here as they were there."""
    try:
        return ray.get(asked)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise away(type(error).__name__) from error


def away(why: str) -> Exception:
    """The error for a lender that is lost, for which `--wait` tries again."""
    from indexer import ModelAwayError

    return ModelAwayError(
        f"the GPU that another machine lends is away ({why}); see that its machine and Ray run,"
        " then run the command again: what is saved stays, and no file counts as failed"
    )


def start_workers(catalog: str, folders: list[str]) -> dict[Any, str]:
    """Start a worker on each node that has processors; the names of the nodes, by the tasks."""
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    without = [node for node in nodes if not node["Resources"].get("GPU")]
    gpus = int(ray.cluster_resources().get("GPU", 0))
    lenders = cycle([Lender.remote(catalog) for _ in range(min(gpus, len(without)))])
    running = {}
    for node in nodes:
        here = NodeAffinitySchedulingStrategy(node_id=node["NodeID"], soft=False)
        # All of its processors: nothing else of this cluster runs beside a worker.
        how = {"scheduling_strategy": here, "num_cpus": node["Resources"]["CPU"]}
        if gpus and node in without:
            task = index_with.options(**how).remote(next(lenders), catalog, folders)
        else:
            task = index.options(**how).remote(catalog, folders)
        running[task] = node["NodeName"]
    return running


def main() -> int:
    """Start the workers and wait for all; the exit code."""
    if len(sys.argv) < 3:
        print("usage: workers.py CATALOG FOLDER...", file=sys.stderr)
        return 2
    catalog, *folders = sys.argv[1:]
    ray.init()
    running = start_workers(catalog, folders)
    codes = []
    try:
        while running:
            (done, *_), _ = ray.wait([*running])
            name = running.pop(done)
            try:
                codes.append(ray.get(done))
                print(f"{name}: the worker ended with exit code {codes[-1]}", flush=True)
            except ray.exceptions.RayError as error:
                print(f"{name} is lost; the others go on with its films ({error})", flush=True)
    except KeyboardInterrupt:
        for task in running:
            ray.cancel(task)
        ray.wait([*running], num_returns=len(running), timeout=60)
        return 130
    return 0 if codes and set(codes) <= {0, SOME_FAILED} else 1


if __name__ == "__main__":
    sys.exit(main())

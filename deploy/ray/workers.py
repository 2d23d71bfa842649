"""One worker on each node of a Ray cluster, all on one catalog in PostgreSQL.

    ray job submit --working-dir . -- python workers.py postgresql://vsearch@db/vsearch /mnt/archive

Ray starts the workers and nothing else: films are claimed in the database, and a node that is lost
takes none with it. vsearch, the driver for PostgreSQL, ~/.pgpass and the folder have to be on every
node. Ray's ports are open to whoever reaches them, unless RAY_AUTH_MODE=token is set.
"""

import signal
import subprocess
import sys

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

SOME_FAILED = 3  # done, but some files cannot be indexed; the log of the node lists them


@ray.remote(max_retries=0)
def index(catalog: str, folders: list[str]) -> int:
    """Run a worker on this node; its exit code."""
    command = ["vsearch", "index", "--wait", "--catalog", catalog, *folders]
    worker = subprocess.Popen(command, start_new_session=True)
    try:
        return worker.wait()
    except KeyboardInterrupt:  # it was cancelled: what is embedded of long videos is kept
        worker.send_signal(signal.SIGINT)
        return worker.wait()


def main() -> int:
    """Start a worker on each node that has processors, and wait for all; the exit code."""
    if len(sys.argv) < 3:
        print("usage: workers.py CATALOG FOLDER...", file=sys.stderr)
        return 2
    catalog, *folders = sys.argv[1:]
    ray.init()
    running = {}
    for node in ray.nodes():
        cores = node["Resources"].get("CPU", 0)
        if node["Alive"] and cores:
            here = NodeAffinitySchedulingStrategy(node_id=node["NodeID"], soft=False)
            # All of its processors: nothing else of this cluster runs beside a worker.
            task = index.options(scheduling_strategy=here, num_cpus=cores)
            running[task.remote(catalog, folders)] = node["NodeName"]
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

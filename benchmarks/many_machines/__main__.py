"""Many machines on one catalog: `python -m benchmarks.many_machines postgresql://USER@HOST/NAME`.

Needs a PostgreSQL server whose user may make databases: each measurement makes one and drops it.
"""

from __future__ import annotations

import argparse
from importlib.metadata import version

from benchmarks.many_machines import scale, simulation, workers
from benchmarks.many_machines.servers import server_version
from benchmarks.measure.machine import describe_machine
from machine import prepare_process


def main() -> None:
    """Measure and print."""
    prepare_process()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_machines", description=__doc__)
    parser.add_argument("server", help="the URL of a server")
    parser.add_argument("--films", type=int, default=4000, help="of 250 clips (4000)")
    parser.add_argument("--toys", type=int, default=18, help="toy films for workers (18)")
    parser.add_argument("--seconds", type=float, default=0.25, help="for a clip of them (0.25)")
    parser.add_argument("--rounds", type=int, default=3, help="of workers; 0: none (3)")
    given = parser.parse_args()
    print(f"{describe_machine()} PostgreSQL {server_version(given.server)}, psycopg", end=" ")
    print(f"{version('psycopg')}.", flush=True)
    if given.rounds:
        print("\n### One worker and three\n", flush=True)
        table = workers.measured(
            given.server, films=given.toys, seconds=given.seconds, rounds=given.rounds
        )
        print(table, flush=True)
    if given.films:
        print("\n### A large catalog\n", flush=True)
        with simulation.both(given.server) as addresses:
            found = {
                name: simulation.measured(address, films=given.films)
                for name, address in addresses.items()
            }
            print(simulation.table(found), flush=True)
        with simulation.both(given.server) as addresses:
            small = simulation.measured(addresses["PostgreSQL"], films=max(given.films // 4, 1))
        print(f"\n{scale.table(small, found['PostgreSQL'])}", flush=True)


if __name__ == "__main__":
    main()

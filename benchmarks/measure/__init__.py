"""Measurement: timings in turns, resources of processes, the machine, the table of results."""

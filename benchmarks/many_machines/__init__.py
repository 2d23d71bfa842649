"""Measurements of many machines on one catalog: `python -m benchmarks.many_machines`."""

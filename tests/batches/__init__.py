"""Batches of many tasks, killed at random instants and resumed: a short form for CI, `run.py` for the full one."""

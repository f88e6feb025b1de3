"""The orchestrator is killed at random instants while workers append lines: `python tests/storm/run.py`."""

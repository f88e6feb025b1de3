"""Which of LangGraph's own tests are run, and the one list of what is treated differently, each with its reason."""

from __future__ import annotations

MODES = ("plain", "encrypted", "strict")

# The files in which a wrong checkpointer shows most; CI runs these.
SHORT = (
    "test_time_travel*.py",
    "test_interrupt*.py",
    "test_subgraph_persistence*.py",
    "test_delta_channel_*.py",
)

# Tests that ask for no checkpointer are left out by rule; these by the pattern of their id.
LEFT_OUT = {
    "*test_channels.py::test_delta_channel_snapshot_version_based": "reads InMemorySaver.blobs, a private store",
}

# Pattern -> how many times longer asyncio.sleep takes there, and why.
SLOWED = {
    "*test_pregel_async.py::test_imp_nested*": (
        50,
        "takes the order of events 10 ms apart for granted; a saver's Python threads can hold the interpreter's lock"
        " for 5 ms at a time, so it fails on a busy machine, with InMemorySaver and AsyncSqliteSaver too",
    ),
}

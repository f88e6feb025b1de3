"""What of LangGraph's own tests is run, and the one list of what is not, with the reason."""

from __future__ import annotations

MODES = ("plain", "encrypted", "strict")

# The files where a checkpointer can go wrong most; CI runs these.
SHORT = (
    "test_time_travel.py",
    "test_time_travel_async.py",
    "test_interrupt_state.py",
    "test_interruption.py",
    "test_subgraph_persistence.py",
    "test_subgraph_persistence_async.py",
    "test_delta_channel_*.py",
)

# Pattern of the test's id -> why it is not run. Tests that ask for no checkpointer are left out by rule, not here.
LEFT_OUT: dict[str, str] = {}

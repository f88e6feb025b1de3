"""What `langgraph.json` names: the graph without a checkpointer, which the server brings."""

from __future__ import annotations

from .pipeline import build_pipeline

graph = build_pipeline()

"""Telling the start of a run from a look at a thread, which must not need the lease."""

from __future__ import annotations

from langchain_core.runnables import RunnableConfig

# LangGraph puts the first into the config of every run before it asks for the checkpoint to start from, and the second
# into that of every task: a graph that is called as a task of another belongs to a run that has begun already.
_RUN, _TASK = "__pregel_runtime", "__pregel_task_id"


def begins_a_run(config: RunnableConfig) -> bool:
    """Whether LangGraph asks with this config for the checkpoint from which it is about to run nodes.

    A state that is looked at or updated is asked for with the caller's own config, also inside a node.
    """
    configurable = config.get("configurable", {})
    return _RUN in configurable and _TASK not in configurable

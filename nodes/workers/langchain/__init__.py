"""LangChain runnables and LangGraph agents as workers; they run in the worker's own process."""

from __future__ import annotations

from .worker import LangChainWorker

__all__ = ["LangChainWorker"]

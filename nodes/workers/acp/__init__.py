"""Agents that speak the Agent Client Protocol; what speaks it lives in the worker's own process."""

from __future__ import annotations

from .worker import AcpWorker

__all__ = ["AcpWorker"]

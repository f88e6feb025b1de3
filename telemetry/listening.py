"""Whether anybody listens. Costs nothing where nobody does: OpenTelemetry is not even loaded then."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

from ..state.events import Event

Listener = Callable[[Event], None]


def nobody_listens(_event: Event) -> None:
    """Hear an event, and do nothing."""


def listener() -> Listener:
    """What the events of runs are told to: spans and metrics, where this process has set up a provider for them.

    A provider is set up by `opentelemetry-instrument`, or in your own code by the SDK. Waypost sets up none.
    """
    return import_module(".spans", __package__).shared() if _is_configured() else nobody_listens


def _is_configured() -> bool:
    return _is_set("opentelemetry.trace", "Tracer") or _is_set("opentelemetry.metrics", "Meter")


def _is_set(name: str, kind: str) -> bool:
    module = sys.modules.get(name)
    if module is None:
        return False
    provider = getattr(module, f"get_{kind.lower()}_provider")()
    return type(provider).__name__.lstrip("_") not in (f"Proxy{kind}Provider", f"NoOp{kind}Provider")

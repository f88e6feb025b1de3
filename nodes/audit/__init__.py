"""Believing nothing: every hash and verdict of a run is worked out again from its ledger and its files."""

from __future__ import annotations

from .finding import Audit, Finding, Found
from .foreign import audit_log
from .run import LedgerFacts, audit_run, audit_source

__all__ = ["Audit", "Finding", "Found", "LedgerFacts", "audit_log", "audit_run", "audit_source"]

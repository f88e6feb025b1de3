"""What a run leaves for a reader who trusts nobody: report.md, verification.log and audit-summary.md."""

from __future__ import annotations

from .log_reader import LogEntry, VerificationLog, iter_output, read_verification_log
from .write import write_evidence

__all__ = ["LogEntry", "VerificationLog", "iter_output", "read_verification_log", "write_evidence"]

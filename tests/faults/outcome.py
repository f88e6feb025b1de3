"""What an experiment found: counts, violations, and how it is shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

SHOWN_VIOLATIONS = 5


class Skip(Exception):
    """The machine cannot do this experiment; the text says why."""


@dataclass
class Outcome:
    """One experiment on one saver.

    Attributes:
        subject: which saver.
        counts: what was done, in the order it was first counted.
        violations: each with what is needed to see it again.
    """

    subject: str
    counts: Counter[str] = field(default_factory=Counter[str])
    violations: list[str] = field(default_factory=list[str])

    def add(self, what: str, times: int = 1) -> None:
        self.counts[what] += times

    def violate(self, what: str, where: str) -> None:
        self.violations.append(f"{where}: {what}")

    def json(self) -> dict[str, Any]:
        return {"subject": self.subject, "counts": dict(self.counts), "violations": self.violations}

    def __str__(self) -> str:
        counts = ", ".join(f"{times} {what}" for what, times in self.counts.items())
        lines = [f"  {self.subject:<12} {counts}: {len(self.violations)} violations"]
        lines += [f"      {what}" for what in self.violations[:SHOWN_VIOLATIONS]]
        hidden = len(self.violations) - SHOWN_VIOLATIONS
        return "\n".join(lines + ([f"      ... and {hidden} more"] if hidden > 0 else []))

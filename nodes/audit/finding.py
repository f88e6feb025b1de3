"""What an audit says: one finding per thing that was looked at, also for what could not be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Found(StrEnum):
    """How a look ended. Only an audit without WRONG says that a run is as it claims to be."""

    OK = "ok"
    WRONG = "wrong"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        area: ledger, manifest, files, records, mapping, verdicts, documents, scope, outputs, tests, attestation,
            signature, source.
        subject: which one of them.
        what: what was found, with both values where two disagree.
    """

    area: str
    subject: str
    found: Found
    what: str


@dataclass(frozen=True)
class Audit:
    """All findings over one run."""

    run: str
    findings: tuple[Finding, ...]

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """What is not as the run claims."""
        return tuple(finding for finding in self.findings if finding.found is Found.WRONG)

    @property
    def not_checked(self) -> tuple[Finding, ...]:
        """What this audit could not look at."""
        return tuple(finding for finding in self.findings if finding.found is Found.NOT_CHECKED)

    @property
    def ok(self) -> bool:
        """True only if something was checked and nothing is wrong."""
        return not self.wrong and any(finding.found is Found.OK for finding in self.findings)


def ok(area: str, subject: str, what: str) -> Finding:
    """It is as it should be."""
    return Finding(area, subject, Found.OK, what)


def wrong(area: str, subject: str, what: str) -> Finding:
    """It is not."""
    return Finding(area, subject, Found.WRONG, what)


def not_checked(area: str, subject: str, what: str) -> Finding:
    """It could not be looked at here, and why."""
    return Finding(area, subject, Found.NOT_CHECKED, what)

"""Decisions of people: signed by whom, as far as a key is at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...state.errors import EvidenceError
from ...state.pipeline import PipelineState
from ...state.records import Decision
from ..evidence.decided import statement_of
from ..evidence.envelope import decode_envelope
from .finding import Finding, not_checked, ok, wrong


def audit_decisions(state: PipelineState, opener: Callable[[bytes], bytes] | None) -> Iterator[Finding]:
    """Each decision of the run, and its signature.

    Args:
        opener: gives the payload of an envelope whose signature is right, or raises EvidenceError; None: no key.
    """
    for number, decision in enumerate(state.decisions, 1):
        about = f" ({decision.approval.name})" if decision.approval else ""
        subject = f"decision {number}: {decision.route}{about} by {decision.who}"
        if not decision.envelope:
            yield not_checked("signature", subject, "is not signed: whoever can write the ledger can have written it")
        else:
            yield _signed(state, decision, subject, opener)


def _signed(state: PipelineState, decision: Decision, subject: str, opener: Callable[[bytes], bytes] | None) -> Finding:
    envelope = decision.envelope.encode("utf-8", "surrogateescape")
    try:
        claimed = decode_envelope(envelope)
    except EvidenceError as error:
        return wrong("signature", subject, error.what)
    signers = [name for name, _ in claimed.signatures]
    named = ", ".join(signers) or "nobody"
    if claimed.payload != statement_of(state.run_id, decision):
        return wrong("signature", subject, f"what {named} signed is not what the run records")
    if opener is None:
        return not_checked("signature", subject, f"give the key of that person with --key; it says: {named}")
    try:
        opener(envelope)
    except EvidenceError as error:
        given = str(error.facts.get("key given", ""))
        if given in signers:
            return wrong("signature", subject, f"the signature of key {given} is not right")
        return not_checked("signature", subject, f"is signed by another key than the one that was given: {named}")
    return ok("signature", subject, f"signed with the key that was given: {named}")

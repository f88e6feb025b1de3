"""The kind `manual`: a person looks, and decides. Nothing is ever decided by default."""

from __future__ import annotations

from ....state.task import MANUAL, Probe
from .kind import Argument, Bench, Judged, Kept, Kind, NotKept, Seen, failed, passed
from .notes import facts_of

APPROVED, REJECTED = "approved", "rejected"


class ManualKind(Kind):
    """A question to a person. The run asks it once everything else has passed, and waits."""

    name = MANUAL
    subject = Argument("question", "what a person has to decide; the text of the criterion if not given")

    def title(self, probe: Probe) -> str:
        """The question."""
        return f"a person decides: {' '.join(probe.subject)}"

    def look(self, probe: Probe, bench: Bench) -> Seen:
        """No machine looks: the decision is written down where the person takes it."""
        raise NotKept("no person has decided")

    def judge(self, probe: Probe, kept: Kept) -> Judged:
        """The decision as it was written down."""
        facts = facts_of(kept.log())
        if facts.get("question") != list(probe.subject):
            return failed("what was decided is another question")
        who, at, note = (str(facts.get(name) or "") for name in ("who", "at", "note"))
        if not who or not at:
            raise NotKept("the decision does not say by whom, or when")
        words = f"{facts.get('decision')} by {who} at {at}" + (f": {note}" if note else "")
        return passed(words) if facts.get("decision") == APPROVED else failed(words)

"""A decision of a person as bytes that can be signed: what was decided, about which files, by whom and why.

An in-toto Statement v1 (https://in-toto.io/Statement/v1) in a DSSE envelope, as the attestation of a run is one: the
key that signs is the person's, and whoever can write the ledger cannot make another decision of it.
"""

from __future__ import annotations

import hashlib

import orjson

from ...state.records import Approval, Decision

_TYPE = "https://in-toto.io/Statement/v1"
_PREDICATE = "urn:waypost:decision:1"
_ASKED = ("approve", "reject")


def decision_statement(run: str, choice: str, approval: Approval | None, who: str, note: str) -> bytes:
    """The one way these facts are written down; `approval` names the step, the round and the files that were shown."""
    about = orjson.dumps(approval.model_dump(mode="json") if approval else None, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(run.encode() + b"\n" + about).hexdigest()
    whole = {
        "_type": _TYPE,
        "subject": [{"name": f"run {run}", "digest": {"sha256": digest}}],
        "predicateType": _PREDICATE,
        "predicate": {"run": run, "decision": choice, "about": orjson.loads(about), "who": who, "note": note},
    }
    return orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)


def statement_of(run: str, decision: Decision) -> bytes:
    """The statement that a decision of a run has been signed as, if it was."""
    choice = next((word for word in _ASKED if decision.route.value.startswith(word)), decision.route.value)
    return decision_statement(run, choice, decision.approval, decision.who, decision.note)

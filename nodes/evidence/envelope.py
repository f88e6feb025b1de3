"""DSSE envelopes (https://github.com/secure-systems-lab/dsse) around a statement: writing and taking apart."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Any

import orjson

from ...state.errors import EvidenceError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_FIELDS = {"payload", "payloadType", "signatures"}


@dataclass(frozen=True)
class Envelope:
    """A payload and who says to have signed it: (key id, signature) pairs. Nothing in it has been checked."""

    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]


def key_id(public: bytes) -> str:
    """The name of an ed25519 key: the SHA-256 of its 32 public bytes."""
    return hashlib.sha256(public).hexdigest()


def signed_bytes(payload: bytes) -> bytes:
    """What a signature is over: DSSE's pre-authentication encoding."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def encode_envelope(envelope: Envelope) -> bytes:
    """The one way an envelope is written down."""
    found = {
        "payload": base64.b64encode(envelope.payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": name, "sig": base64.b64encode(sig).decode()} for name, sig in envelope.signatures],
    }
    return orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def decode_envelope(data: bytes) -> Envelope:
    """Take an envelope apart.

    Raises:
        EvidenceError: it is none, or is not written as `encode_envelope` writes it.
    """
    try:
        found: Any = orjson.loads(data)
        if {*found} != _FIELDS or found["payloadType"] != PAYLOAD_TYPE:
            raise EvidenceError("the signed attestation is an envelope of another type")
        envelope = Envelope(
            base64.b64decode(found["payload"], validate=True),
            tuple((str(one["keyid"]), base64.b64decode(one["sig"], validate=True)) for one in found["signatures"]),
        )
    except (orjson.JSONDecodeError, binascii.Error, KeyError, TypeError, ValueError) as error:
        raise EvidenceError(f"the signed attestation is no DSSE envelope: {error!r}") from None
    if encode_envelope(envelope) != data:
        raise EvidenceError("the signed attestation says what an envelope says, but not in the bytes Waypost writes")
    return envelope

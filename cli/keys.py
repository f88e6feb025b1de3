"""Keys on the command line. The one module of it that needs the extra `sign`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..nodes.evidence.signing import keygen, sign, signed_payload
from ..state.errors import InputError
from .ledger_text import answer, print_json


def signer(key: Path) -> Callable[[bytes], bytes]:
    """Signs with the private key in a file. Raises InputError where there is no such file."""
    return partial(sign, key_file=_existing(key))


def opener(key: Path) -> Callable[[bytes], bytes]:
    """Opens what is signed with the public key in a file. Raises InputError where there is no such file."""
    return partial(signed_payload, key_file=_existing(key))


def make_keys(out: Path, *, json: bool) -> int:
    """Make a key pair."""

    def work() -> int:
        private, public = keygen(out)
        if json:
            print_json({"private": str(private), "public": str(public)})
        else:
            print(f"private    {private}: keep it secret; sign with: waypost run ... --sign {private}")
            print(f"public     {public}: give it to readers; they check with: waypost audit ... --key {public}")
        return 0

    return answer(work, json=json)


def _existing(key: Path) -> Path:
    if not key.is_file():
        raise InputError(f"there is no key file {key}", next_step="make one with: waypost keygen")
    return key

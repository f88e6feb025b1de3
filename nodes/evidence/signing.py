"""ed25519 keys and signatures. The one module that needs the package `cryptography` (extra `sign`)."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from ...state.errors import EvidenceError, InputError
from .envelope import Envelope, decode_envelope, encode_envelope, key_id, signed_bytes

PRIVATE_KEY, PUBLIC_KEY = "waypost.key", "waypost.pub"


def keygen(folder: Path) -> tuple[Path, Path]:
    """Make a key pair in `folder`: `waypost.key` (0600) and `waypost.pub`, both PEM. Nothing is replaced.

    Raises:
        InputError: a key stands there already, or the folder cannot be used.
    """
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    paths = folder / PRIVATE_KEY, folder / PUBLIC_KEY
    for path, data, mode in ((paths[0], private, 0o600), (paths[1], public, 0o644)):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with open(os.open(path, flags, mode), "wb") as file:
                file.write(data)
        except FileExistsError:
            raise InputError(f"{path} is there already", next_step="give another folder with --out") from None
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}", next_step="give another folder") from None
    return paths


def sign(payload: bytes, key_file: Path) -> bytes:
    """The envelope around `payload`, signed with the private key in `key_file` (PEM).

    Raises:
        InputError: the file cannot be read, or holds no ed25519 private key without a password.
    """
    try:
        key = load_pem_private_key(_read(key_file), password=None)
    except (ValueError, TypeError) as error:
        raise InputError(f"{key_file} holds no private key that can be read: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{key_file} holds no ed25519 key", next_step="make one with: waypost keygen")
    name = key_id(key.public_key().public_bytes_raw())
    return encode_envelope(Envelope(payload, ((name, key.sign(signed_bytes(payload))),)))


def signed_payload(envelope: bytes, key_file: Path) -> bytes:
    """The payload of an envelope that is signed with the public key in `key_file` (PEM).

    Raises:
        EvidenceError: it is no envelope, or no signature in it is by that key and right.
        InputError: the file cannot be read, or holds no ed25519 public key.
    """
    try:
        key = load_pem_public_key(_read(key_file))
    except ValueError as error:
        raise InputError(f"{key_file} holds no public key that can be read: {error}") from None
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"{key_file} holds no ed25519 key")
    name, found = key_id(key.public_bytes_raw()), decode_envelope(envelope)
    for signer, signature in found.signatures:
        try:
            key.verify(signature, signed_bytes(found.payload))
        except InvalidSignature:
            continue
        if signer == name:
            return found.payload
    raise EvidenceError(
        "the attestation is not signed with the key that was given",
        facts={"key given": name, "signed by": ", ".join(signer for signer, _ in found.signatures) or "nobody"},
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", next_step="give a PEM file") from None

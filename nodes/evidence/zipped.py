"""The gzip file around a bundle: of one member, with one form of header, and with a digest of its own compressed bytes.

The same content can be compressed in many ways, so that a flipped bit can leave it as it was. An extra field of the
header (RFC 1952, id "WP") therefore holds the SHA-256 of all that stands behind the header.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable
from typing import BinaryIO

from ...state.errors import EvidenceError
from .files import CHUNK

MOST_BYTES = 16 << 30
_DIGEST = hashlib.sha256().digest_size
_HEADER = struct.pack("<4BL2BH2sH", 0x1F, 0x8B, 8, 4, 0, 2, 255, 4 + _DIGEST, b"WP", _DIGEST)


def write_zipped(raw: BinaryIO, pieces: Iterable[bytes]) -> str:
    """Write content, given piece by piece, to an empty file that can seek; returns the SHA-256 of the content."""
    content, hashed, deflate = hashlib.sha256(), hashlib.sha256(), zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    crc = size = 0

    def put(packed: bytes) -> None:
        hashed.update(packed)
        raw.write(packed)

    raw.write(_HEADER + bytes(_DIGEST))
    for piece in pieces:
        content.update(piece)
        crc, size = zlib.crc32(piece, crc), size + len(piece)
        put(deflate.compress(piece))
    put(deflate.flush() + struct.pack("<2L", crc, size % (1 << 32)))
    raw.seek(len(_HEADER))
    raw.write(hashed.digest())
    return content.hexdigest()


class Unzipped:
    """The content of such a file, to read from.

    Raises:
        EvidenceError: the file is not what `write_zipped` writes; here, in `read`, and at last in `expect_end`.
        zlib.error: its bytes are damaged.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        head = raw.read(len(_HEADER) + _DIGEST)
        if head[: len(_HEADER)] != _HEADER:
            raise EvidenceError("the file is no bundle: it does not begin as one")
        self._wanted, self._hashed = head[len(_HEADER) :], hashlib.sha256()
        self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._inflate.decompress(head)
        self._held = b""
        self._total = 0

    def read(self, size: int) -> bytes:
        """So many bytes, fewer at the end."""
        while len(self._held) < size and not self._inflate.eof:
            new = self._inflate.decompress(self._inflate.unconsumed_tail or self._packed(), CHUNK)
            self._total += len(new)
            if self._total > MOST_BYTES:
                raise EvidenceError(f"the bundle unpacks to more than {MOST_BYTES} bytes")
            self._held += new
        given, self._held = self._held[:size], self._held[size:]
        return given

    def _packed(self) -> bytes:
        packed = self._raw.read(CHUNK)
        if not packed:
            raise EvidenceError("the bundle ends in the middle")
        self._hashed.update(packed)
        return packed

    def expect(self, wanted: bytes) -> None:
        """Raises EvidenceError unless these are the next bytes."""
        if self.read(len(wanted)) != wanted:
            raise EvidenceError("the bundle is not filled up as Waypost does it")

    def expect_end(self) -> None:
        """Raises EvidenceError unless everything was read, and each byte of it is the one that was written."""
        if self.read(1) or self._inflate.unused_data or self._raw.read(1):
            raise EvidenceError("something stands behind the end of the bundle")
        if (found := self._hashed.digest()) != self._wanted:
            raise EvidenceError(
                f"the bundle was changed: its compressed bytes have the SHA-256 {found.hex()}, "
                f"its header says {self._wanted.hex()}"
            )

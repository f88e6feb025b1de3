"""The watermark: a lower bound of what was acknowledged, kept beside the ledger and never synced."""

from __future__ import annotations

from typing import NamedTuple

from .lines import BadLine, seal_head, unseal

SIZE = 512


class Watermark(NamedTuple):
    """The last acknowledged line, the ledger's length up to it, its hash, and the hash of line 1."""

    line: int
    end: int
    sha256: str
    genesis: str

    def encode(self) -> bytes:
        """The bytes of the file."""
        return seal_head(
            b'{"line":%d,"end":%d,"sha256":"%b","genesis":"%b"'
            % (self.line, self.end, self.sha256.encode(), self.genesis.encode())
        )


def read_watermark(raw: bytes) -> Watermark | None:
    """The watermark in these bytes; None if they are torn or nothing."""
    line, newline, _ = raw.partition(b"\n")
    try:
        data = unseal(line + newline)
        return Watermark(int(data["line"]), int(data["end"]), str(data["sha256"]), str(data["genesis"]))
    except (BadLine, KeyError, TypeError, ValueError):
        return None

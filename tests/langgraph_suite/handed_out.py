"""The savers that one test is given, and what must be true of their ledgers when it is over."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import orjson
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from waypost.checkpointing import LedgerSaver, fsck

KEY = b"1234567890123456"


class HandedOut:
    """Hands out savers, each on a folder of its own.

    Args:
        sealed: they encrypt.
        served: the kinds of lines found on disk at the end are added to it.
    """

    def __init__(self, *, sealed: bool, served: Counter[str]) -> None:
        self._sealed = sealed
        self._served = served
        self._given: list[tuple[LedgerSaver, tempfile.TemporaryDirectory[str], bool]] = []

    def ledger(self) -> LedgerSaver:
        """A LedgerSaver as a user would make it."""
        folder, serde = self._folder(), self._serde()
        saver = LedgerSaver(folder.name, serde=serde)
        self._given.append((saver, folder, self._sealed))
        return saver

    def kind(self) -> type[LedgerSaver]:
        """A class that takes what InMemorySaver takes, for tests that make a saver themselves."""
        handed_out = self

        class OwnSaver(LedgerSaver):
            def __init__(self, *, serde: SerializerProtocol | None = None) -> None:
                folder = handed_out._folder()
                super().__init__(folder.name, serde=serde or handed_out._serde())
                handed_out._given.append((self, folder, handed_out._sealed and serde is None))

        return OwnSaver

    def take_back(self) -> None:
        """Check and count everything on disk, then remove it.

        Raises:
            AssertionError: a ledger is damaged, or in clear where it should be sealed.
        """
        for saver, folder, sealed in self._given:
            with folder:
                saver.close()
                self._examine(Path(folder.name), sealed)

    def _examine(self, root: Path, sealed: bool) -> None:
        report = fsck(root)
        assert (report.problems, report.torn) == ([], 0)
        for ledger in root.glob("*/ledger.jsonl"):
            lines = [orjson.loads(line) for line in ledger.read_bytes().splitlines()]
            assert bool(lines[0]["sealed"]) == sealed
            self._served.update(line["kind"] for line in lines)

    def _folder(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="ledger-", ignore_cleanup_errors=True)

    def _serde(self) -> SerializerProtocol | None:
        return EncryptedSerializer.from_pycryptodome_aes(key=KEY) if self._sealed else None

"""With LangGraph's EncryptedSerializer nothing but the keys of things stands in clear on the disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from kit.ledgers import Talk, config, ledger_of, lines_of, reopened, values_of
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from pydantic import BaseModel
from waypost.checkpointing import LedgerSaver, fsck
from waypost.checkpointing.disk import PosixDisk
from waypost.checkpointing.lines import seal
from waypost.state.errors import LedgerError

SECRETS = [b"SECRETVALUE", b"SECRETMETA", b"SECRETCHANNEL", b"SECRETWRITE", b"SECRETCONFIG", b"SECRETNODE"]


class Turned:
    """A cipher for tests: not one to keep a secret with, but one that leaves no text in clear."""

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        return "turned", bytes(byte ^ 0x5A for byte in plaintext)

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        assert ciphername == "turned"
        return self.encrypt(ciphertext)[1]


class Secret(BaseModel):
    text: str


def sealed(root: Path, **options: Any) -> LedgerSaver:
    return LedgerSaver(root, serde=EncryptedSerializer(Turned()), **options)


def fill(saver: LedgerSaver) -> Talk:
    talk = Talk(saver)
    about = {"note": "SECRETMETA"}
    for number in range(4):
        values = ["SECRETVALUE" * 40] * (number + 1)
        talk.put(metadata=about, SECRETCHANNEL=values, model=Secret(text="SECRETVALUE"), same=1)
        talk.write(("SECRETCHANNEL", "SECRETWRITE"), ("__error__", "SECRETWRITE"))
    talk.versions["SECRETNODE"] = "1"
    return talk


def test_nothing_in_clear_reaches_the_disk(root: Path) -> None:
    with sealed(root) as saver:
        fill(saver)
        files = [path for path in root.rglob("*") if path.is_file()]
        assert sorted(path.name for path in files) == ["ledger.jsonl", "lock", "watermark"]
        held = b"".join(path.read_bytes() for path in files)
        assert [secret for secret in SECRETS if secret in held] == []
        saver.prune(["t"])
        assert [secret for secret in SECRETS if secret in ledger_of(root).read_bytes()] == []


def test_everything_comes_back(root: Path) -> None:
    with sealed(root) as saver:
        talk = fill(saver)
        for looking in (saver, sealed(root)):
            found = looking.get_tuple(config("t"))
            assert found
            assert found.checkpoint["channel_values"] == talk.values
            assert found.metadata["note"] == "SECRETMETA"  # pyright: ignore
            assert [write[1:] for write in found.pending_writes or []] == [
                ("__error__", "SECRETWRITE"),
                ("SECRETCHANNEL", "SECRETWRITE"),
            ]
            assert len(list(looking.list(config("t"), filter={"note": "SECRETMETA"}))) == 4
        before = values_of(saver)
        saver.compact("t")
        saver.copy_thread("t", "copy")
        assert values_of(saver) == values_of(saver, "copy") == before
        history = saver.get_delta_channel_history(config=config("t"), channels=["SECRETCHANNEL"])
        assert [value for _, _, value in history["SECRETCHANNEL"]["writes"]] == ["SECRETWRITE"]
        saver.prune(["t"])
        assert values_of(saver) == before[-1:]
    assert fsck(root).ok


def test_without_the_key_it_is_refused(root: Path) -> None:
    with sealed(root) as saver:
        fill(saver)
    with pytest.raises(LedgerError, match="encrypted, and this saver has no key"):
        reopened(root).get_tuple(config("t"))


def test_a_ledger_in_clear_is_refused_by_a_saver_that_encrypts(root: Path) -> None:
    with LedgerSaver(root) as saver:
        Talk(saver).put(a=1)
    with pytest.raises(LedgerError, match="in clear, but this saver encrypts"):
        sealed(root).get_tuple(config("t"))
    with pytest.raises(LedgerError, match="in clear, but this saver encrypts"):
        Talk(sealed(root)).put(a=2)


@pytest.mark.parametrize("place", ["body", "metadata", "values", "writes"])
@pytest.mark.parametrize("form", ["json", "base64"])
def test_a_value_in_clear_in_an_encrypted_ledger_is_refused(damaged_root: Path, place: str, form: str) -> None:
    clear: dict[str, Any] = {"json": {"forged": True}} if form == "json" else {"type": "msgpack", "base64": "gA=="}
    with sealed(damaged_root) as saver:
        talk = Talk(saver)
        talk.put(a=1)
        talk.write(("a", 1))
    raw = ledger_of(damaged_root).read_bytes().splitlines(keepends=True)
    number = 3 if place == "writes" else 2
    data = orjson.loads(raw[number - 1])
    del data["check"]
    if place in ("body", "metadata"):
        data[place] = clear
    elif place == "values":
        (name,) = data["values"]
        data["values"][name] = {"version": None, **clear}
    else:
        data["writes"][0] = {"index": 0, "channel": "", **clear}
    ledger_of(damaged_root).write_bytes(b"".join(raw[: number - 1]) + seal(data))
    (ledger_of(damaged_root).parent / "watermark").unlink()
    with pytest.raises(LedgerError, match=r"in clear") as refused:
        sealed(damaged_root, disk=PosixDisk()).get_tuple(config("t"))
    assert re.search(rf"ledger\.jsonl:{number}:", str(refused.value))


def test_the_lines_say_what_is_sealed(root: Path) -> None:
    with sealed(root) as saver:
        fill(saver)
    lines = lines_of(root)
    assert lines[0]["sealed"] == "turned"
    assert lines[1]["body"].keys() == {"type", "base64"}
    assert all(re.fullmatch(r"[0-9a-f]{32}", name) for name in lines[1]["values"])
    assert lines[2]["writes"][0]["channel"] == ""

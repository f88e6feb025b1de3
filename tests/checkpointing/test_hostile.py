"""A ledger that was made to do harm: nothing in it is executed, and what is refused is named."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import orjson
import ormsgpack
import pytest
from kit.ledgers import Talk, config, ledger_of, reopened, run_python
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import BaseModel
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.lines import digest, seal
from waypost.state.errors import LedgerBlockedType


class Known(BaseModel):
    x: int


def ext(code: int, *parts: Any) -> bytes:
    return ormsgpack.packb(ormsgpack.Ext(code, ormsgpack.packb(parts)))


def forge(root: Path, value: dict[str, Any], key: str = "values") -> LedgerSaver:
    """A ledger with a well-formed last line whose checkpoint holds this value, as an attacker would write it."""
    with LedgerSaver(root, mirror=False) as saver:
        Talk(saver).put(a="honest")
    path = ledger_of(root)
    lines = path.read_bytes().splitlines(keepends=True)[:2]
    data = orjson.loads(lines[1])
    del data["check"]
    if key == "values":
        data["values"]["a"] = {"version": data["values"]["a"]["version"], **value}
    else:
        data[key] = value
    path.write_bytes(lines[0] + seal(data))
    (path.parent / "watermark").unlink()
    assert digest(lines[0]) == data["prev"]
    return reopened(root)


def opaque(data: bytes, kind: str = "msgpack") -> dict[str, Any]:
    return {"type": kind, "base64": base64.b64encode(data).decode()}


def tagged(code: int, *parts: Any) -> dict[str, Any]:
    return {"msgpack": [{"$ext": code, "of": list(parts)}]}


def payloads(marker: Path) -> dict[str, dict[str, Any]]:
    touch = f"open({str(marker)!r}, 'w')"
    wrapped = ext(5, __name__, "Known", {"x": ormsgpack.Ext(0, ormsgpack.packb(("os", "mkdir", str(marker))))}, "m")
    return {
        "os.mkdir": tagged(0, "os", "mkdir", str(marker)),
        "posix.mkdir": tagged(1, "posix", "mkdir", [str(marker)]),
        "builtins.eval": tagged(0, "builtins", "eval", touch),
        "builtins.exec": opaque(ext(0, "builtins", "exec", touch)),
        "subprocess.Popen": opaque(ext(1, "subprocess", "Popen", [["touch", str(marker)]])),
        "subprocess.run": tagged(2, "subprocess", "run", {"args": ["touch", str(marker)]}),
        "pathlib.Path.touch": tagged(3, "pathlib", "Path", str(marker), "touch"),
        "os.mkdir in a model": opaque(wrapped),
        "extension type 9": tagged(9, "os", "mkdir", str(marker)),
        "extension type 0": {"msgpack": {"$ext": 0, "raw": "AA=="}},
        "a value of type 'json'": opaque(b'{"lc":2,"type":"constructor","id":["os","mkdir"],"args":["x"]}', "json"),
        "a value of type 'pickle'": opaque(b"cposix\nmkdir\n(V" + str(marker).encode() + b"\ntR.", "pickle"),
        "wsgiref.handlers.BaseHandler": tagged(2, "wsgiref.handlers", "BaseHandler", {}),
        "cannot be inspected": opaque(b"\x81\x90\x01"),
    }


@pytest.mark.parametrize("name", payloads(Path("m")))
def test_nothing_is_executed_and_the_name_is_told(damaged_root: Path, tmp_path: Path, name: str) -> None:
    marker = tmp_path / "marker"
    saver = forge(damaged_root, payloads(marker)[name])
    with pytest.raises(LedgerBlockedType) as refused:
        saver.get_tuple(config("t"))
    assert name.removesuffix(" in a model") in str(refused.value)
    assert f"{ledger_of(damaged_root)}:2" in str(refused.value)
    assert not marker.exists()


@pytest.mark.parametrize("place", ["body", "metadata"])
def test_the_same_holds_for_body_and_metadata(damaged_root: Path, tmp_path: Path, place: str) -> None:
    marker = tmp_path / "marker"
    saver = forge(damaged_root, tagged(0, "os", "mkdir", str(marker)), place)
    with pytest.raises(LedgerBlockedType, match=r"os\.mkdir"):
        next(saver.list(config("t")))
    assert not marker.exists()


def test_a_module_is_not_imported_because_a_ledger_names_it(damaged_root: Path) -> None:
    assert "antigravity" not in sys.modules
    saver = forge(damaged_root, tagged(2, "antigravity", "Anything", {}))
    with pytest.raises(LedgerBlockedType, match=r"antigravity\.Anything"):
        saver.get_tuple(config("t"))
    assert "antigravity" not in sys.modules


def test_plain_data_of_loaded_modules_is_read_without_a_list_and_without_a_warning(
    saver: LedgerSaver, caplog: pytest.LogCaptureFixture
) -> None:
    Talk(saver).put(a=Known(x=1))
    assert Talk(saver).newest().checkpoint["channel_values"] == {"a": Known(x=1)}
    assert caplog.records == []


def test_a_class_that_is_gone_from_its_module_leaves_its_data(damaged_root: Path) -> None:
    saver = forge(damaged_root, tagged(5, __name__, "Vanished", {"x": 1}, "model_validate_json"))
    found = saver.get_tuple(config("t"))
    assert found
    assert found.checkpoint["channel_values"] == {"a": [{"x": 1}]}


def test_what_is_callable_but_no_data_is_refused_also_from_loaded_modules(damaged_root: Path) -> None:
    saver = forge(damaged_root, tagged(5, __name__, "forge", {}, "x"))
    with pytest.raises(LedgerBlockedType, match=r"\.forge"):
        saver.get_tuple(config("t"))


STRICT = """
import sys
from kit.ledgers import Talk, config
from langchain_core.messages import AIMessage
from waypost.checkpointing import LedgerSaver
from checkpointed_types import Mine
from waypost.state.errors import LedgerBlockedType
saver = LedgerSaver(sys.argv[1])
talk = Talk(saver)
talk.put(a=AIMessage("m"), b=Mine(x=1))
for allowed in (LedgerSaver(sys.argv[1], allow=[Mine]), saver.with_allowlist([("checkpointed_types", "Mine")])):
    assert allowed.get_tuple(config("t")).checkpoint["channel_values"]["b"] == Mine(x=1)
try:
    saver.get_tuple(config("t"))
except LedgerBlockedType as refused:
    print("refused", "checkpointed_types.Mine" in str(refused))
"""


def test_in_strict_mode_only_listed_types_are_read(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "from pydantic import BaseModel\nclass Mine(BaseModel):\n    x: int\n"
    (tmp_path / "checkpointed_types.py").write_text(module)
    monkeypatch.setenv("LANGGRAPH_STRICT_MSGPACK", "true")
    ran = run_python(STRICT, root, path=[tmp_path])
    assert (ran.stdout, ran.stderr) == ("refused True\n", "")


def test_an_explicit_list_of_the_serializer_is_obeyed(root: Path) -> None:
    listed = JsonPlusSerializer(allowed_msgpack_modules=[(__name__, "Known")])
    empty = JsonPlusSerializer(allowed_msgpack_modules=None)
    with LedgerSaver(root, serde=listed) as saver:
        Talk(saver).put(a=Known(x=1))
        assert Talk(saver).newest().checkpoint["channel_values"] == {"a": Known(x=1)}
        with pytest.raises(LedgerBlockedType, match="Known"):
            LedgerSaver(root, serde=empty).get_tuple(config("t"))


def test_a_copy_with_a_longer_list_shares_the_threads(saver: LedgerSaver) -> None:
    copy = saver.with_allowlist([("some.module", "Name")])
    assert copy is not saver
    Talk(copy).put(a=1)
    Talk(saver).put(a=2)
    writer = saver.writer("t")
    assert writer
    assert writer.epoch == 1

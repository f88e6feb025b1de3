"""Bytes that name things to be called, in every place of a ledger: nothing is called, and the name is told."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import ormsgpack
from kit.ledgers import ledger_of

from faults.forge import chained
from faults.nursery import Nursery
from faults.outcome import Outcome
from faults.setting import Setting, fast_folder
from faults.subjects import SUBJECTS, Talk

THREAD = "t"
PLACES = ("body", "metadata", "value", "write")
SQLITE_PLACES = {"body": "checkpoint", "write": "value"}


def payloads(marker: str) -> dict[str, list[tuple[int, list[Any]]]]:
    """What is named, and the extensions (type, arguments) that name it; each would leave the marker if called."""
    python = f"open({marker!r}, 'w')"
    return {
        "os.mkdir": [(0, ["os", "mkdir", marker]), (1, ["os", "mkdir", [marker]])],
        "os.system": [(0, ["os", "system", f"touch {marker}"])],
        "os.makedirs": [(2, ["os", "makedirs", {"name": marker}])],
        "builtins.eval": [(0, ["builtins", "eval", python]), (1, ["builtins", "eval", [python]])],
        "builtins.exec": [(0, ["builtins", "exec", python])],
        "subprocess.run": [(1, ["subprocess", "run", [["touch", marker]]])],
        "subprocess.Popen": [(2, ["subprocess", "Popen", {"args": ["touch", marker]}])],
        "pathlib.Path": [(3, ["pathlib", "Path", marker, "touch"])],
    }


def run(setting: Setting) -> list[Outcome]:
    """Every payload in every place where a saver stores values; default settings, no environment variable."""
    cases: list[Callable[[Path, Path], Iterator[tuple[str, dict[str, Any]]]]] = [_ledgers]
    if setting.beside:
        cases.append(_databases)
    with fast_folder(setting) as folder:
        return [_experiment(folder, setting.nursery, case) for case in cases]


def _experiment(folder: Path, nursery: Nursery, cases: Any) -> Outcome:
    subject = "ledger" if cases is _ledgers else "sqlite"
    outcome = Outcome(SUBJECTS[subject].name)
    marker = folder / f"{subject}-marker"
    for where, details in cases(folder, marker):
        victim = nursery.start("open_hostile", subject=subject, thread=THREAD, **details)
        told = list(victim.tells())
        victim.wait()
        outcome.add("payloads")
        if marker.exists():
            outcome.add("executed")
            outcome.violate("was executed", where)
            marker.rmdir() if marker.is_dir() else marker.unlink()
        if told and told[-1].get("named"):
            outcome.add("refused by name")
        elif subject == "ledger":
            outcome.violate(f"was not refused by name: {told}", where)
    return outcome


def _ledgers(folder: Path, marker: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, forms in payloads(str(marker)).items():
        for number, (code, arguments) in enumerate(forms):
            values = {
                "image": {"msgpack": {"$ext": code, "of": arguments}},
                "nested image": {"msgpack": [{"k": {"$ext": code, "of": arguments}}]},
                "bytes": {"type": "msgpack", "base64": base64.b64encode(_extension(code, arguments)).decode()},
            }
            for place in PLACES:
                for form, value in values.items():
                    home = folder / f"ledger-{name}-{number}-{place}-{form}"
                    forge_ledger(home, place, value)
                    yield f"{name} as {form} in {place}", {"folder": str(home), "name": name}


def forge_ledger(home: Path, place: str, value: dict[str, Any]) -> None:
    """A well-formed ledger with this value in one place, as somebody would write who knows the format."""
    home.mkdir()
    saver = SUBJECTS["ledger"].open(home, mirror=False)
    talk = Talk(saver, THREAD)
    talk.put("honest")[1]()
    talk.write("task", "honest")[1]()
    path = ledger_of(home / "root", THREAD)
    opening, checkpoint, writes = (orjson.loads(line) for line in path.read_bytes().splitlines())
    if place == "value":
        checkpoint["values"]["text"] = {"version": checkpoint["values"]["text"]["version"], **value}
    elif place == "write":
        writes["writes"] = [{"index": 0, "channel": "text", **value}]
    else:
        checkpoint[place] = value
    path.write_bytes(chained([opening, checkpoint, writes]))
    path.with_name("watermark").unlink()


def _databases(folder: Path, marker: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, forms in payloads(str(marker)).items():
        for number, (code, arguments) in enumerate(forms):
            for place, column in SQLITE_PLACES.items():
                home = folder / f"sqlite-{name}-{number}-{place}"
                saver = SUBJECTS["sqlite"].open(home)
                talk = Talk(saver, THREAD)
                talk.put("honest")[1]()
                talk.write("task", "honest")[1]()
                table = "checkpoints" if place == "body" else "writes"
                with sqlite3.connect(home / "db.sqlite") as connection:
                    connection.execute(f"UPDATE {table} SET {column} = ?", (_extension(code, arguments),))
                connection.close()
                SUBJECTS["sqlite"].close(saver)
                yield f"{name} in {place}", {"folder": str(home), "name": name}


def _extension(code: int, arguments: list[Any]) -> bytes:
    return ormsgpack.packb(ormsgpack.Ext(code, ormsgpack.packb(arguments)))

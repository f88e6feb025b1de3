"""Every statement of a report leads to the record behind it."""

from __future__ import annotations

from typing import Any

import pytest
from kit.links import links
from waypost.nodes.evidence import write_evidence

from .conftest import Run


def linked(run: Run, name: str = "report.md") -> str:
    write_evidence(run.state(), run.folder)
    return (run.reports / name).read_text()


def at(state: Any, pointer: str) -> Any:
    """What a JSON pointer leads to in the state as `waypost status --json` shows it."""
    found = state.model_dump(mode="json")
    for part in pointer.split("/")[1:]:
        found = found[int(part)] if isinstance(found, list) else found[part]
    return found


@pytest.mark.parametrize("name", ["report.md", "audit-summary.md"])
def test_every_link_leads_to_a_record_or_to_a_file(mapped: Run, name: str) -> None:
    found = links(linked(mapped, name))
    for _, target in found:
        place, _, anchor = target.partition("#")
        if place == "../../ledger.jsonl":
            at(mapped.state(), anchor)
        else:
            lines = (mapped.reports / place).read_bytes().splitlines() if (mapped.reports / place).is_file() else []
            assert (mapped.reports / place).exists()
            assert not anchor or lines[int(anchor.removeprefix("L")) - 1]
    assert len(found) > 20


def test_the_link_of_an_id_leads_to_the_record_of_that_id(mapped: Run) -> None:
    state = mapped.state()
    led = {
        text.strip("`"): at(state, target.partition("#")[2]) for text, target in links(linked(mapped)) if "#/" in target
    }
    assert all(led[check.id] == check.model_dump(mode="json") for check in mapped.checks if check.argv)
    assert (led["A1"]["criterion"], led["S1"]["id"]) == ("A1", "S1")
    assert (led["DONE"], led["Worker"]) == ("DONE", "shell")


def test_every_row_of_every_table_leads_somewhere(mapped: Run) -> None:
    rows = [line for line in linked(mapped).splitlines() if line.startswith("| ")]
    heads = [at for at, line in enumerate(rows) if line.startswith("| ---")]
    body = [line for at, line in enumerate(rows) if at not in heads and at + 1 not in heads]
    assert [line for line in body if "](" not in line] == []

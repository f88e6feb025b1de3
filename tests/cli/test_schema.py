"""The schemas are JSON, and say what the models say."""

from __future__ import annotations

import json

import pytest
from kit.cli import waypost_here


@pytest.mark.parametrize(("what", "required"), [("task", {"id", "title", "steps"}), ("state", {"run_id", "workspace"})])
def test_a_schema_names_what_is_required_and_refuses_the_rest(tmp_path, what, required):
    ran = waypost_here("schema", what, cwd=tmp_path)
    schema = json.loads(ran.out)
    assert ran.code == 0
    assert required <= set(schema["required"])
    assert schema["additionalProperties"] is False


def test_the_state_schema_lists_every_status(tmp_path):
    text = waypost_here("schema", "state", cwd=tmp_path).out
    for status in ("PLANNING", "ANALYSIS", "FREEZE", "EXECUTE", "ACCEPT", "DONE", "DRAINING", "BLOCKED", "FAILED"):
        assert f'"{status}"' in text


def test_the_diagram_of_the_statuses_needs_no_run(tmp_path):
    assert waypost_here("graph", "--states", cwd=tmp_path).out.startswith("stateDiagram-v2\n")

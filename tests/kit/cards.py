"""Task cards as text."""

from __future__ import annotations

from pathlib import Path

# In a check, the pid of the process that runs it: its own parent is only the warden between them.
ORCHESTRATOR = "$(cut -d ' ' -f 4 /proc/$(cut -d ' ' -f 4 /proc/$PPID/stat)/stat)"


def card(
    *,
    bash: str = "",
    script: str = "",
    verify: str = "test -s out.txt",
    criteria: str | None = None,
    outputs: str = "",
    scope: str = "",
    task: str = "T-1",
    verification: str = "",
    red_before: str = "",
    protected: str = "",
    changed_tests: str = "",
) -> str:
    """A task of one step. `verify` is the command that proves its only criterion, unless `criteria` is given."""
    parts = [f"### Task {task}: A task", "**Goal**\n\nGet it done.", "**Concrete Actions**\n\n- Do it."]
    parts += [f"```bash\n{bash}\n```"] if bash else []
    parts += [f"```scripted\n{script}\n```"] if script else []
    if criteria is None:
        criteria = f"- AC1: It works. Verified by `{verify}`"
    parts += [f"**Acceptance Criteria**\n\n{criteria}"] if criteria else []
    parts += [f"**Verification**\n\n{verification}"] if verification else []
    parts += [f"**Expected Outputs**\n\n{outputs}"] if outputs else []
    parts += [f"**Allowed Scope**\n\n{scope}"] if scope else []
    parts += [f"**Red Before**: {red_before}"] if red_before else []
    parts += [f"**Protected Paths**\n\n{protected}"] if protected else []
    parts += [f"**Changed Tests**: {changed_tests}"] if changed_tests else []
    return "\n\n".join(parts) + "\n"


def steps_card(*steps: str) -> str:
    """A task of several steps, each made by `step_part`."""
    return "### Task T-1: A task\n\n**Goal**\n\nGet it done.\n\n" + "\n\n".join(steps) + "\n"


def step_part(name: str, bash: str, verify: str, depends_on: str = "none") -> str:
    return (
        f"#### Step {name}: Step {name}\n\n**Goal**\n\nGet {name} done.\n\n"
        f"**Concrete Actions**\n\n```bash\n{bash}\n```\n\n"
        f"**Dependencies**\n\n{depends_on}\n\n"
        f"**Acceptance Criteria**\n\n- It works. Verified by `{verify}`"
    )


def write_card(folder: Path, text: str, name: str = "tasks.md") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path

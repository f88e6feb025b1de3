"""Files of other projects are read without loss: the figures were counted by hand and with grep, not by this reader."""

from __future__ import annotations

import difflib
import hashlib
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from waypost.nodes.formats.foreign import Progress, open_tasks
from waypost.nodes.formats.foreign.write_back import Proved, set_done

SAMPLES = Path(__file__).parents[4] / "../shared/samples"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples of other projects here")


class Counted(NamedTuple):
    format: str
    tasks: int
    done: int
    dropped: int
    depends_on: int
    parts: int
    criteria: int


COUNTED = {
    # boxes with T-ids; [x]; "depends on" in a task; Checkpoint + Independent Test
    "spec-kit/TEMPLATE-tasks-template.md": Counted("spec-kit", 34, 0, 0, 2, 0, 4 + 3),
    "spec-kit/mnriem-aspnet-001-docker-compose-dev-infra.tasks.md": Counted("spec-kit", 15, 15, 0, 0, 0, 5 + 4),
    "spec-kit/mnriem-go-001-web-telemetry-dashboard.tasks.md": Counted("spec-kit", 31, 31, 0, 0, 0, 5 + 3),
    # tasks + subtasks; "status": "done"; dependencies of both; testStrategy that is not empty
    "taskmaster/0xfauzi-testcraft.tasks.json": Counted("task-master", 34 + 111, 91, 0, 187, 111, 96),
    "taskmaster/AcidicSoil-skill-porter.tasks.json": Counted("task-master", 12 + 37, 0, 0, 41, 37, 49),
    # boxes between AC:BEGIN and AC:END + DOD:BEGIN and DOD:END
    "backlog/AIToolsLab-task-10_-_Log-chat-interactions.md": Counted("backlog", 1, 1, 0, 0, 0, 4),
    "backlog/CRJFisher-clustering-task-55.1_-_Add-WebGPU-backend-and-per-backend-ESM-loader.md": Counted(
        "backlog", 1, 1, 0, 0, 0, 6
    ),
    "backlog/CRJFisher-clustering-task-55_-_Interactive-clustering-demo-GitHub-Page.md": Counted(
        "backlog", 1, 0, 0, 0, 0, 8
    ),
    "backlog/MrLesk-back-222.1_-_Show-parent-and-subtask-hierarchy-in-the-web-task-details-modal.md": Counted(
        "backlog", 1, 1, 0, 0, 0, 8 + 3
    ),
    "backlog/MrLesk-back-222_-_Improve-task-and-subtask-visualization-in-web-UI.md": Counted(
        "backlog", 1, 0, 0, 0, 0, 8
    ),
    "backlog/MrLesk-back-300_-_Fix-backlog-init-MCP-registration-flags-for-Claude-and-Gemini.md": Counted(
        "backlog", 1, 1, 0, 0, 0, 5
    ),
    "backlog/MrLesk-back-400_-_Add-milestone-filter-support-to-task-list-CLI-and-MCP.md": Counted(
        "backlog", 1, 1, 0, 0, 0, 6 + 3
    ),
    "backlog": Counted("backlog", 7, 5, 0, 0, 2, 45 + 6),
    # numbered boxes + "## Task N" headings, done where all their boxes are; headings with a tick, Testing
    "kiro/docktermj-adaptive-pacing.tasks.md": Counted("kiro", 29 + 7, 29 + 7, 0, 0, 29, 0),
    "kiro/bmoscon-cryptofeed-proxy-system-complete.tasks.md": Counted("kiro", 20, 20, 0, 0, 0, 6),
    # lines; closed; tombstone; blocks; parent-child; items below Acceptance and Success Criteria, texts of Verification
    "beads/aperepel-claude-mlx-tts.issues.jsonl": Counted("beads", 186, 142, 36, 83, 64, 65 + 1 + 54 + 4),
}


@pytest.mark.parametrize("name", COUNTED)
def test_a_file_is_read_without_loss(name):
    source = open_tasks(SAMPLES / name)
    tasks = source.tasks
    assert (
        Counted(
            source.format,
            len(tasks),
            sum(task.progress is Progress.DONE for task in tasks),
            sum(task.progress is Progress.DROPPED for task in tasks),
            sum(len(task.depends_on) for task in tasks),
            sum(task.parent is not None for task in tasks),
            sum(not criterion.implied for task in tasks for criterion in task.criteria),
        )
        == COUNTED[name]
    )


@pytest.mark.parametrize("name", COUNTED)
def test_every_task_of_a_file_can_be_made_a_task_to_run(name):
    source = open_tasks(SAMPLES / name)
    assert [str(source.runnable(id).id) for id in source.order.ids[:60]] == list(source.order.ids[:60])


@pytest.mark.parametrize("name", [name for name in COUNTED if "." in name and "cryptofeed" not in name])
def test_writing_one_status_back_changes_exactly_one_line(tmp_path, name):
    path = tmp_path / Path(name).name
    shutil.copy(SAMPLES / name, path)
    before = path.read_bytes()
    source = open_tasks(path)
    task = next((task for task in source.tasks if task.progress is Progress.OPEN and task.mark), None)
    if task is None:
        reopened = (
            before.replace(b"- [X] T", b"- [ ] T", 1)
            .replace(b"- [x] ", b"- [ ] ", 1)
            .replace(b": Done\n", b": To Do\n")
        )
        path.write_bytes(reopened)
        before, source = reopened, open_tasks(path)
        task = next(task for task in source.tasks if task.progress is Progress.OPEN and task.mark)
    set_done(source, [Proved(task.id, "run 1")], hashlib.sha256(before).hexdigest())
    lines = list(difflib.diff_bytes(difflib.unified_diff, before.split(b"\n"), path.read_bytes().split(b"\n"), n=0))
    changed = [line for line in lines[2:] if line[:1] in b"+-"]
    added_note = b"+- run 1"
    assert [line[:1] for line in changed if line != added_note] == [b"-", b"+"]
    assert {t.id: t.progress for t in open_tasks(path).tasks} == {
        **{t.id: t.progress for t in source.tasks},
        task.id: Progress.DONE,
        **({task.parent: open_tasks(path).task(task.parent).progress} if task.parent else {}),
    }

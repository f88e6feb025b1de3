"""Task files of other tools: read as they are, told honestly what in them can be proved, written back after proof."""

from .model import ForeignCriterion, ForeignTask, Guess, Note, Progress, Proposal
from .opened import FORMATS, TaskSource, open_tasks

__all__ = [
    "FORMATS",
    "ForeignCriterion",
    "ForeignTask",
    "Guess",
    "Note",
    "Progress",
    "Proposal",
    "TaskSource",
    "open_tasks",
]

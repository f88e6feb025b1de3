"""What extract reads: task files in any known format, as one model."""

from .registry import read_task_file, read_tasks

__all__ = ["read_task_file", "read_tasks"]

"""Reading cards from text, and seeing them refused at the line that is marked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from waypost.nodes.formats import read_tasks
from waypost.state.errors import TaskFileError
from waypost.state.task import Task

HERE = "<-- HERE"


@pytest.fixture
def read_all(tmp_path: Path) -> Callable[..., tuple[Task, ...]]:
    """Every task of a text, as a file of that suffix."""

    def read(text: str | bytes, suffix: str = ".md") -> tuple[Task, ...]:
        path = tmp_path / f"tasks{suffix}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_tasks(path)

    return read


@pytest.fixture
def read(read_all: Callable[..., tuple[Task, ...]]) -> Callable[..., Task]:
    """The only task of a text."""

    def read_one(text: str, suffix: str = ".md") -> Task:
        (task,) = read_all(text, suffix)
        return task

    return read_one


@pytest.fixture
def refused(read_all: Callable[..., tuple[Task, ...]]) -> Callable[..., TaskFileError]:
    """The complaint about a text, which has to name the line that is marked with `<-- HERE`."""

    def refuse(text: str, suffix: str = ".md") -> TaskFileError:
        marked = [number for number, line in enumerate(text.split("\n"), 1) if line.endswith(HERE)]
        with pytest.raises(TaskFileError) as caught:
            read_all(text.replace(HERE, ""), suffix)
        assert [caught.value.line] == marked, str(caught.value)
        return caught.value

    return refuse

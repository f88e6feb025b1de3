"""Foreign files from text, and the samples of every format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from waypost.nodes.formats.foreign import TaskSource, open_tasks
from waypost.state.errors import TaskFileError

HERE = "<-- HERE"


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., TaskSource]:
    """A text, as a file of that name."""

    def make(text: str | bytes, name: str = "tasks.md", **options: str) -> TaskSource:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return open_tasks(path, **options)

    return make


@pytest.fixture
def refused(opened: Callable[..., TaskSource]) -> Callable[..., TaskFileError]:
    """The complaint about a text, which has to name the line that is marked with `<-- HERE`."""

    def refuse(text: str, name: str = "tasks.md", **options: str) -> TaskFileError:
        marked = [number for number, line in enumerate(text.split("\n"), 1) if line.endswith(HERE)]
        with pytest.raises(TaskFileError) as caught:
            opened(text.replace(HERE, ""), name, **options)
        assert [caught.value.line] == marked, str(caught.value)
        return caught.value

    return refuse

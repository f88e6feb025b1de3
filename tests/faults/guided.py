"""The fuzzer of fuzz.py, guided by what code is reached. Needs atheris.

    PYTHONPATH=tests python -m faults.guided RUNS SEED

It stops at the first finding and says with which bytes it can be repeated.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["waypost.checkpointing"]):
    from faults import fuzz


class FromBytes:
    """Decisions from the bytes a fuzzer gives."""

    def __init__(self, data: bytes) -> None:
        self._provider: Any = atheris.FuzzedDataProvider(data)

    def below(self, number: int) -> int:
        return self._provider.ConsumeIntInRange(0, number - 1)


def main(runs: int, seed: int) -> None:
    """Fuzz until so many executions are done."""
    with tempfile.TemporaryDirectory() as folder:
        lines = fuzz.base(Path(folder) / "base")

    def one(data: bytes) -> None:
        fuzz.read_all(fuzz.forge(lines, FromBytes(data)))

    limits = ["-max_len=256", "-timeout=5", "-rss_limit_mb=1024"]
    atheris.Setup([sys.argv[0], f"-runs={runs}", f"-seed={seed}", *limits], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

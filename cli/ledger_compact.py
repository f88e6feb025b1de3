"""What `waypost ledger compact` does: write a thread's ledger anew without what no longer counts."""

from __future__ import annotations

from pathlib import Path

from .compose import open_saver
from .ledger_pick import find_thread
from .ledger_text import answer, escaped, print_json


def compact(run: str, *, runs: Path, latest_only: bool, json: bool) -> int:
    """Make a ledger small and say how small; with `latest_only` older checkpoints go too."""

    def work() -> int:
        find_thread(run, runs)
        with open_saver(runs) as saver:
            before = saver.head(run).bytes
            if latest_only:
                saver.prune([run], strategy="keep_latest")
            saver.compact(run)
        _, view = find_thread(run, runs)
        kept, after = len(view.index.checkpoints), view.head().bytes
        if json:
            print_json({"thread": run, "checkpoints": kept, "bytes_before": before, "bytes_after": after})
        else:
            full = after >= before and not latest_only
            hint = "; all of it counts, and --latest-only would drop the history" if full else ""
            print(f"{escaped(run)}: {kept} checkpoints kept, {before:,} bytes before, {after:,} after{hint}")
        return 0

    return answer(work, json=json)

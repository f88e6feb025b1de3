"""The mutants: what is taken out of the ledger, and which tests are to notice."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """One thing that the ledger must not be without.

    Attributes:
        name: what is missing.
        file: below the package.
        old: the text that is replaced; it stands there exactly once.
        new: what stands there instead.
        tests: pytest selections, the likeliest to notice first.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def experiment(name: str) -> str:
    """The short form of a fault experiment."""
    return f"tests/faults/test_short.py::test_no_promise_is_broken[{name}]"


FAULTS = "tests/checkpointing/test_disk_faults.py"
RECOVERY = "tests/checkpointing/test_recovery.py"
REMOVAL = "tests/checkpointing/test_removal.py"
WRITERS = "tests/checkpointing/test_writers.py"

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "no fdatasync",
        "checkpointing/disk.py",
        "            os.fdatasync(fd)\n",
        "            pass\n",
        (experiment("power-loss"), experiment("power-cuts")),
    ),
    Mutant(
        "no directory sync",
        "checkpointing/disk.py",
        "        os.fsync(fd)\n",
        "        pass\n",
        (experiment("power-loss"),),
    ),
    Mutant(
        "acknowledge before sync",
        "checkpointing/ledger.py",
        '        self._put(group.raw)\n        failpoint("ledger.append.after_write")\n'
        "        if power:\n            self._sync()\n",
        "        if power:\n            self._sync()\n        self._put(group.raw)\n"
        '        failpoint("ledger.append.after_write")\n        if power:\n',
        (f"{FAULTS}::TestOrder", experiment("power-loss")),
    ),
    Mutant(
        "no fence",
        "checkpointing/ledger.py",
        "        if not self.is_as_known():\n            raise self.lost()\n",
        "",
        (WRITERS, experiment("stopped-writer")),
    ),
    Mutant(
        "no watermark",
        "checkpointing/files.py",
        "            self.disk.write(self._mark, 0, mark.encode())\n",
        "            pass\n",
        (RECOVERY, experiment("flips")),
    ),
    Mutant(
        "no rewrite of the unacknowledged tail",
        "checkpointing/ledger.py",
        "            files.write_again(min(self.settled, index.end), index.end)\n",
        "",
        (FAULTS, experiment("failed-sync")),
    ),
    Mutant(
        "no checksum",
        "checkpointing/lines.py",
        "    if tail != _SEAL % zlib.crc32(head):\n",
        "    if False:\n",
        (RECOVERY, experiment("flips")),
    ),
    Mutant(
        "no chain",
        "checkpointing/lines.py",
        '    if data["prev"] != prev:\n',
        "    if False:\n",
        (RECOVERY, experiment("mutations")),
    ),
    Mutant(
        "cut at any damage",
        "checkpointing/scan.py",
        "        if why.intact or acknowledged or covered:\n",
        "        if False:\n",
        (RECOVERY, experiment("flips")),
    ),
    Mutant(
        "no thread lock",
        "checkpointing/store.py",
        "        self._commit = threading.Lock()\n",
        "        self._commit = threading.BoundedSemaphore(64)\n",
        (f"{WRITERS}::TestOneProcess", "tests/checkpointing/test_processes.py", experiment("crowds")),
    ),
    Mutant(
        "no file lock",
        "checkpointing/disk.py",
        "            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))\n",
        "            pass\n",
        (WRITERS, experiment("stopped-writer")),
    ),
    Mutant(
        "no refusal of a second writer",
        "checkpointing/lease.py",
        '    raise conflict(index, ledger, "is driven by another process")\n',
        "    return\n",
        (WRITERS,),
    ),
    Mutant(
        "no lease before the first node",
        "checkpointing/runs.py",
        "    return _RUN in configurable and",
        "    return False and",
        ("tests/checkpointing/test_runs.py", experiment("race")),
    ),
    Mutant(
        "no recovery of a torn tail",
        "checkpointing/ledger.py",
        "            self.disk.truncate(self.fd, self.index.end)\n            failpoint",
        "            failpoint",
        (RECOVERY, experiment("syscalls")),
    ),
    Mutant(
        "no second try after a short write",
        "checkpointing/disk.py",
        "        while written < len(data):\n            written += os.pwrite(fd, data[written:], offset + written)\n",
        "",
        (FAULTS, experiment("syscalls")),
    ),
    Mutant(
        "no rolling back when the disk is full",
        "checkpointing/ledger.py",
        "            rolled_back = self._cut_back()\n",
        "            rolled_back = True\n",
        (FAULTS, experiment("full-disk")),
    ),
    Mutant(
        "a failed sync is ignored",
        "checkpointing/ledger.py",
        '            self._cut_back()\n            raise cannot("sync", self.file, error) from error\n',
        "            del error\n",
        (FAULTS, experiment("failed-sync")),
    ),
    Mutant(
        "a dead handle is used again",
        "checkpointing/store.py",
        "        except (LedgerLost, LedgerIOError) as error:\n            self._broken = error\n            raise\n",
        "        except (LedgerLost, LedgerIOError):\n            raise\n",
        (FAULTS, WRITERS),
    ),
    Mutant(
        "a rewritten ledger is not synced before it takes the place",
        "checkpointing/files.py",
        "            self.disk.write(fd, 0, data)\n            self.disk.sync(fd)\n",
        "            self.disk.write(fd, 0, data)\n",
        (f"{FAULTS}::TestOrder", experiment("power-loss")),
    ),
    Mutant(
        "a rewritten ledger is not read before it takes the place",
        "checkpointing/store.py",
        "        prove(group.raw, str(self._ledger.file))\n",
        "",
        (f"{REMOVAL}::TestRewriting",),
    ),
    Mutant(
        "a moved value may have grown from one in its own line",
        "checkpointing/transplant.py",
        "        if origin is None or origin.line >= new.line:",
        "        if origin is None:",
        (f"{REMOVAL}::TestRewriting",),
    ),
    Mutant(
        "any type that is named is built",
        "checkpointing/policy.py",
        "        if code == _NUMPY:\n            _check_numpy(where)\n",
        "        if True:\n            pass\n",
        ("tests/checkpointing/test_hostile.py", experiment("hostile")),
    ),
)

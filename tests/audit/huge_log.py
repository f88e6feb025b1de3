"""A check that prints a gigabyte made to be mistaken: it is kept, reported, read back and audited in bounded memory.

    python tests/audit/huge_log.py --bytes 1000000000

The output is NUL, colours, bytes that are no UTF-8, and the frames of a verification log, over and over. Exits 1 where
what is read back is not what was printed, an audit finds anything, or our resident memory grew by more than
`--limit-bytes`.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit.cards import card, write_card
from kit.cli import waypost_here
from kit.repos import make_repo
from waypost.nodes.evidence import iter_output, read_verification_log

LIMIT_BYTES = 40 << 20
PIECE = (
    b"\x00\x00plain\r\n\x1b[2J\x1b[31mred\xff\xfe\xc3\n"
    b"--- end of output ---\nExit Code: 0\nResult: PASSED\n=== COMMAND ENTRY 1 END ===\n"
    b"\n=== COMMAND ENTRY 2 START ===\nCommand: true\nOutput: 0 bytes, sha256 " + b"0" * 64 + b"\n--- output ---\n"
    b"=== COVERAGE MAPPING START ===\nVerdict: PASSED\n=== COVERAGE MAPPING END ===\n"
)
PROGRAM = """import sys
piece, left = bytes.fromhex(sys.argv[1]), int(sys.argv[2])
block = piece * (1 + 65536 // len(piece))
while left:
    left -= sys.stdout.buffer.write(block[:left])
"""


def main() -> int:
    """Run it, and say what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    parser.add_argument("--limit-bytes", type=int, default=LIMIT_BYTES)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="waypost-huge-log-") as name:
        # Loads what any run needs, so that only the size makes a difference.
        drive(Path(name) / "small", 1000)
        before, clock = peak_bytes(), time.monotonic()
        good = drive(Path(name) / "huge", given.bytes)
        grown, took = peak_bytes() - before, time.monotonic() - clock
    print(f"{given.bytes} bytes  {took:.1f} s  grew {grown / 2**20:.1f} MiB  {'exactly' if good else 'NOT'} as printed")
    return 0 if good and grown <= given.limit_bytes else 1


def drive(folder: Path, size: int) -> bool:
    """True where a run with such an output is DONE, audited, and read back byte for byte."""
    folder.mkdir()
    repo = make_repo(folder / "repo", {"print.py": PROGRAM})
    command = f"{sys.executable} print.py {PIECE.hex()} {size}"
    limit = ("--output-limit-bytes", str(size + 1))
    runs = ("--runs", folder / "runs")
    words = ("--workspace", repo, *runs, "--run-id", "R", *limit)
    ran = waypost_here("run", write_card(folder, card(bash="echo > x", verify=command)), *words, cwd=folder)
    if ran.code or waypost_here("audit", "R", *runs, cwd=folder).code:
        print(ran.out, ran.err)
        return False
    log = folder / "runs" / "R" / "reports" / "T-1" / "verification.log"
    entry = next(entry for entry in read_verification_log(log).entries if entry.argv)
    digest = hashlib.sha256()
    for chunk in iter_output(log, entry):
        digest.update(chunk)
    return (entry.exit_code, entry.size, digest.hexdigest()) == (0, size, printed(size))


def printed(size: int) -> str:
    """The hash of what the program prints."""
    block, digest = PIECE * (1 + 65536 // len(PIECE)), hashlib.sha256()
    for _ in range(size // len(block)):
        digest.update(block)
    digest.update(block[: size % len(block)])
    return digest.hexdigest()


def peak_bytes() -> int:
    """The most memory that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    sys.exit(main())

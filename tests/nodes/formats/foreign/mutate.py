"""The long form of the mutation test: 2,000 mutants of the samples of ours, and of other projects where they are here.

python tests/nodes/formats/foreign/mutate.py [SEED]
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from kit.mutated import REAL, SAMPLES, mutants, read_or_complain

COUNT = 2_000


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(10**9)
    samples = {**SAMPLES, **REAL}
    each = -(-COUNT // len(samples))
    read = complained = 0
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name, sample in samples.items():
            for data in mutants(sample, random.Random(f"{seed} {name}"), each):
                started = time.perf_counter()
                if read_or_complain(Path(folder), data, None):
                    read += 1
                else:
                    complained += 1
                slowest = max(slowest, time.perf_counter() - started)
    print(f"seed {seed}: {read + complained} mutants of {len(samples)} files: {read} read, {complained} refused,")
    print(f"no other error; the slowest took {slowest:.2f} s")


if __name__ == "__main__":
    main()

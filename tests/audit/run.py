"""Change a bundle in many ways and see that both readers notice; the exit code is 1 if one change goes unnoticed.

python tests/audit/run.py [--rounds 1000] [--seed N]
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit.cli import waypost_here

from audit.bundles import make_scene, mutations, packed, verifier


def main(arguments: list[str]) -> int:
    """Try so many mutations."""
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    given = parser.parse_args(arguments)
    print(f"seed {given.seed}, {given.rounds} mutations", flush=True)
    missed: list[str] = []
    kinds: Counter[str] = Counter()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="waypost-bundles-") as name:
        folder = Path(name)
        scene = make_scene(folder)
        target = folder / "mutated.tar.gz"
        key = verifier().read_key(scene.key)
        for mutation in itertools.islice(mutations(scene, given.seed), given.rounds):
            kinds[mutation.name.split()[0]] += 1
            target.write_bytes(packed("R1", mutation.files))
            if waypost_here("audit", target, "--key", scene.key, "--json", cwd=folder).code == 0:
                missed.append(f"audit: {mutation.name}")
            try:
                list(verifier().verify(target.read_bytes(), key))
                missed.append(f"verifier: {mutation.name}")
            except Exception:
                continue
    print(f"{dict(kinds)}; {len(missed)} missed; {time.monotonic() - began:.0f} s")
    print(*missed, sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Made-up secrets in the shapes of real ones. None of them opens anything; none stands here in one piece."""

from __future__ import annotations

import random

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALNUM = _LETTERS + "0123456789"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

SHAPES: dict[str, tuple[str, str, int]] = {
    "aws key": ("AK" + "IA", _UPPER, 16),
    "aws session key": ("AS" + "IA", _UPPER, 16),
    "github classic": ("gh" + "p_", _ALNUM, 36),
    "github oauth": ("gh" + "o_", _ALNUM, 36),
    "github server": ("gh" + "s_", _ALNUM, 36),
    "github fine": ("github" + "_pat_", _ALNUM + "_", 70),
    "gitlab": ("gl" + "pat-", _ALNUM + "_-", 20),
    "gitlab runner": ("gl" + "rt-", _ALNUM, 20),
    "slack bot": ("xo" + "xb-", _ALNUM + "-", 40),
    "slack user": ("xo" + "xp-", _ALNUM + "-", 40),
    "openai": ("s" + "k-", _ALNUM, 48),
    "openai project": ("s" + "k-proj-", _ALNUM + "_-", 60),
    "anthropic": ("s" + "k-ant-api03-", _ALNUM + "_-", 90),
    "google": ("AI" + "za", _ALNUM + "_-", 35),
    "google oauth": ("ya" + "29.", _ALNUM + "_-", 60),
    "stripe": ("s" + "k_live_", _ALNUM, 24),
    "npm": ("np" + "m_", _ALNUM, 36),
    "hugging face": ("h" + "f_", _ALNUM, 34),
}
"""What a token begins with, what it is made of, and how long that is."""


def token(shape: str, seed: int = 0) -> str:
    """One secret of a shape; the part that must not be seen anywhere is `core_of` it."""
    begin, letters, size = SHAPES[shape]
    dice = random.Random(f"{shape}{seed}")
    return begin + "".join(dice.choice(letters) for _ in range(size - 1)) + "7"


def jwt(seed: int = 0) -> str:
    return ".".join(("ey" + "J" + word(seed, 30), "ey" + "J" + word(seed + 1, 60), word(seed + 2, 43)))


def private_key(seed: int = 0) -> str:
    lines = "\n".join(word(seed * 100 + n, 64) for n in range(12))
    kind = "RSA PRIVATE" + " KEY"
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----"


def word(seed: int, size: int) -> str:
    """Random letters and digits, with at least one digit."""
    dice = random.Random(f"word{seed}")
    return "".join(dice.choice(_ALNUM) for _ in range(size - 1)) + "7"


def fifty() -> dict[str, str]:
    """Name -> a text that holds a secret; each has its secret part in `core_of`."""
    texts = {f"{shape} {n}": f"token: {token(shape, n)}." for n in (1, 2) for shape in SHAPES}
    texts |= {f"jwt {n}": f"cookie={jwt(n * 10)};" for n in (1, 2)}
    texts |= {f"key {n}": private_key(n) for n in (1, 2)}
    texts |= {f"bearer {n}": f"Authorization: Bearer {word(100 + n, 40)}" for n in (1, 2, 3)}
    texts |= {f"basic {n}": f"authorization: Basic {word(200 + n, 31)}=" for n in (1, 2)}
    texts |= {f"url {n}": f"fetch https://me:{word(300 + n, 20)}@example.org/x" for n in (1, 2, 3)}
    texts |= {f"aws secret {n}": f'aws_secret_access_key = "{word(400 + n, 40)}"' for n in (1, 2)}
    return texts


def core_of(text: str) -> list[str]:
    """What of such a text must never be seen: its longest words, without their beginnings."""
    if "-----BEGIN" in text:
        return text.split("\n")[1:-1]
    parts = text.replace("://me:", " ").replace("@", " ").replace('"', " ").replace("=", " ").replace(";", " ").split()
    longest = max(parts, key=len)
    return [longest[8:].rstrip(".")]

"""Which folder a thread id lives in: safe ids as they are, any other as slug and hash."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from ..state.errors import InvalidId

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_MAX_BYTES = 512


def thread_key(thread_id: object) -> str:
    """The one text that stands for a thread: `7` and `"7"` are the same thread.

    Raises:
        InvalidId: the id holds NUL or a lone surrogate, or is longer than 512 bytes.
    """
    return _checked(str(thread_id))


@lru_cache(maxsize=256)
def _checked(key: str) -> str:
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise _refused(key, "holds a lone surrogate") from None
    if "\0" in key:
        raise _refused(key, "holds NUL")
    if size > _MAX_BYTES:
        raise _refused(key, f"has {size} bytes in UTF-8, more than {_MAX_BYTES}")
    return key


def folder_name(key: str) -> str:
    """The folder of a thread, always a single path component below the root."""
    if is_safe(key):
        return key
    slug = re.sub(r"[^a-z0-9._-]", "-", key[:40].lower())
    return f"_{slug}-{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def is_safe(key: str) -> bool:
    """Whether an id can be a folder's name on every file system."""
    return bool(_SAFE.fullmatch(key)) and not key.endswith(".") and not _DEVICE.fullmatch(key)


def _refused(key: str, why: str) -> InvalidId:
    shown = ascii(key if len(key) <= 60 else key[:60] + "...")
    return InvalidId(f"thread id {shown} {why}", next_step="use a shorter id of ordinary text")

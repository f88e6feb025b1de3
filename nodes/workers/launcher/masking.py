"""Hides secrets in output: tokens of known shapes, and given values. Standard library only, without `re`.

Works on a stream of any size in constant memory: what could be the beginning of a secret is held back until it is
known whether it is one, so a secret that arrives in two pieces is hidden as well.
"""

from __future__ import annotations

import binascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK = b"***"
HOLD_MAX = 16 * 1024
_CONTEXT = 2

_DIGITS = b"0123456789"
_UPPER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = _UPPER + _UPPER.lower()
_ALNUM = _LETTERS + _DIGITS
_WORD = _ALNUM + b"_-"
_BASE64 = _ALNUM + b"+/="
_USERINFO = bytes(set(range(33, 256)) - set(b"/\"'<>`\\"))
_PEM_BODY = _BASE64 + b" \t\r\n\\:,-"

Span = tuple[int, int, int, bool]
"""Where its marker begins, begin and end of what is hidden, and whether it could go on behind the end of the data."""


class _Token:
    """A marker and the run of characters behind it."""

    def __init__(
        self,
        marker: bytes,
        body: bytes,
        least: int,
        *,
        gap: bytes = b"",
        needs: bytes = b"",
        shown: bool = False,
        own_word: bool = False,
    ) -> None:
        self.marker, self.body, self.least = marker, body, least
        self.gap, self.needs, self.shown, self.own_word = gap, needs, shown, own_word

    def span(self, data: bytes, at: int) -> Span | None:
        if self.own_word and _inside_a_word(data, at):
            return None
        begin = at + len(self.marker)
        if self.gap:
            begin += _run(data[begin : begin + 8], self.gap)
        size = _run(data[begin : begin + HOLD_MAX], self.body)
        is_open = begin + size == len(data)
        body = data[begin : begin + size]
        is_token = size >= self.least and (not self.needs or any(byte in self.needs for byte in body))
        if not is_token and not is_open:
            return None
        return (at, begin if self.shown else at, begin + size if is_token else at, is_open)


class _Url:
    """The password of `scheme://user:password@host`."""

    marker = b"://"

    def span(self, data: bytes, at: int) -> Span | None:
        begin = at + len(self.marker)
        size = _run(data[begin : begin + 1024], _USERINFO)
        user, colon, rest = data[begin : begin + size].partition(b":")
        password, sign, _ = rest.rpartition(b"@")
        is_open = begin + size == len(data) and size < 1024
        first = begin + len(user) + len(colon)
        if sign and password:
            return (at, first, first + len(password), is_open)
        return (at, at, at, True) if is_open else None


class _PrivateKey:
    """A PEM private key, from its first line to its last."""

    marker = b"-----BEGIN "
    _kind, _last = b"PRIVATE KEY", b"-----END "

    def span(self, data: bytes, at: int) -> Span | None:
        begin = at + len(self.marker)
        size = _run(data[begin : begin + 48], _UPPER + _DIGITS + b" ")
        if self._kind not in data[begin : begin + size]:
            return (at, at, at, True) if begin + size == len(data) else None
        last = data.find(self._last, begin, at + HOLD_MAX)
        if last >= 0:
            end = data.find(b"-----", last + len(self._last), last + 64)
            return (at, at, end + 5, False) if end >= 0 else (at, at, len(data), True)
        end = begin + _run(data[begin : begin + HOLD_MAX], _PEM_BODY)
        return (at, at, end, end == len(data))


def _tokens() -> Iterator[_Token]:
    for marker in (b"AKIA", b"ASIA"):
        yield _Token(marker, _UPPER + _DIGITS, 16)
    for marker in (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"npm_", b"hf_"):
        yield _Token(marker, _ALNUM, 30)
    for marker in (b"sk_live_", b"sk_test_", b"rk_live_"):
        yield _Token(marker, _ALNUM, 16)
    for marker in (
        b"glpat-",
        b"gldt-",
        b"glrt-",
        b"glptt-",
        b"glcbt-",
        b"glsoat-",
        b"github_pat_",
        b"AIza",
        b"GOCSPX-",
    ):
        yield _Token(marker, _WORD, 16)
    for marker in (b"xoxb-", b"xoxp-", b"xoxa-", b"xoxr-", b"xoxs-", b"xoxe-", b"xapp-"):
        yield _Token(marker, _ALNUM + b"-", 12)
    yield _Token(b"hooks.slack.com/services/", _ALNUM + b"/", 20, shown=True)
    yield _Token(b"ya29.", _WORD + b".", 20)
    yield _Token(b"pypi-", _WORD, 50)
    yield _Token(b"eyJ", _WORD + b".", 30, needs=b".")
    yield _Token(b"sk-", _WORD, 20, needs=_DIGITS, own_word=True)
    for marker in (b"earer", b"EARER"):
        yield _Token(marker, _WORD + b".~+/=", 16, gap=b" ", needs=_DIGITS, shown=True)
    for marker in (b"Basic", b"BASIC", b": basic"):
        yield _Token(marker, _BASE64, 12, gap=b" ", needs=_DIGITS + b"=", shown=True)
    for marker in (b"aws_secret_access_key", b"AWS_SECRET_ACCESS_KEY", b"SecretAccessKey"):
        yield _Token(marker, _BASE64, 30, gap=b" \t\"'=:\\", shown=True)


_SHAPES = (*_tokens(), _Url(), _PrivateKey())
_MARKERS = tuple(shape.marker for shape in _SHAPES)


class Masker:
    """Hides known shapes and the given values. Use `stream` for output that arrives in pieces."""

    def __init__(self, values: Iterable[bytes] = ()) -> None:
        self._values = sorted({value for value in values if value}, key=len, reverse=True)
        self._needles = (*_MARKERS, *self._values)

    def stream(self) -> Stream:
        """A new stream that hides what this masker knows."""
        return Stream(self._values)

    def bytes(self, data: bytes) -> bytes:
        """`data` with every secret in it hidden."""
        # Most of what is asked about is a few words, and holds nothing that a secret begins with.
        return self.stream().all_of(data) if any(map(data.__contains__, self._needles)) else data

    def text(self, text: str) -> str:
        """`text` with every secret in it hidden."""
        return self.bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")


class Stream:
    """One stream of output. Holds back at most some kilobytes."""

    def __init__(self, values: list[bytes]) -> None:
        self._values = values
        self._context = b""
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; returns what can be shown by now."""
        return self._release(self._held + data, final=False)

    def all_of(self, data: bytes) -> bytes:
        """What can be shown of output that has come to its end."""
        return self._release(data, final=True)

    def flush(self) -> bytes:
        """The rest, when nothing comes any more."""
        return self._release(self._held, final=True)

    def _release(self, data: bytes, *, final: bool) -> bytes:
        offset = len(self._context)
        whole = self._context + data
        spans = list(self._spans(whole, offset))
        cut = len(whole) if final else _held_from(whole, offset, spans, self._values)
        if len(whole) - cut > HOLD_MAX:
            cut = len(whole)
        shown: list[bytes] = []
        done = offset
        for begin, end in sorted((begin, end) for _, begin, end, _ in spans if begin < end):
            if begin >= cut:
                break
            if end > done:
                shown += [whole[done:begin], MASK] if begin >= done else []
                done = end
        shown.append(whole[done:cut])
        self._context, self._held = whole[:cut][-_CONTEXT:], whole[cut:]
        return b"".join(shown)

    def _spans(self, data: bytes, offset: int) -> Iterator[Span]:
        for value in self._values:
            at = data.find(value, offset)
            while at >= 0:
                yield (at, at, at + len(value), False)
                at = data.find(value, at + 1)
        for shape in _SHAPES:
            at = data.find(shape.marker, offset)
            while at >= 0:
                if (span := shape.span(data, at)) is not None:
                    yield span
                at = data.find(shape.marker, at + 1)


def _held_from(data: bytes, offset: int, spans: list[Span], values: list[bytes]) -> int:
    """Where that part begins about which more data could still say something."""
    cut = len(data)
    for needle in (*(shape.marker for shape in _SHAPES), *values):
        for size in range(min(len(needle) - 1, len(data) - offset), 0, -1):
            if data.endswith(needle[:size]):
                cut = min(cut, len(data) - size)
                break
    cut = min([cut, *(at for at, _, _, is_open in spans if is_open)])
    # A cut must not divide what is hidden as one.
    while crossing := [at for at, _, end, _ in spans if at < cut < end]:
        cut = min(crossing)
    return max(cut, offset)


def _run(data: bytes, allowed: bytes) -> int:
    return len(data) - len(data.lstrip(allowed))


def _inside_a_word(data: bytes, at: int) -> bool:
    # "task-1" is a word; what stands behind an escape ("\n", "%3D", a colour) is not part of one.
    return at > 0 and data[at - 1] in _LETTERS and (at == 1 or data[at - 2] in _LETTERS)


def forms_of(value: str) -> list[bytes]:
    """A secret value as it may turn up in output: raw, in JSON, in a URL, in base64, and its lines."""
    raw = value.encode("utf-8", "surrogateescape")
    escaped = value
    for character, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        escaped = escaped.replace(character, escape)
    quoted = "".join(chr(b) if b in _WORD + b".~" else f"%{b:02X}" for b in raw)
    coded = binascii.b2a_base64(raw, newline=False).rstrip(b"=")
    lines = [line for line in raw.splitlines() if len(line) >= 12] if b"\n" in raw else []
    return [raw, escaped.encode("utf-8", "surrogateescape"), quoted.encode(), coded, *lines]

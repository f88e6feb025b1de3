"""What a piece of code in a text is: a command whose exit code could prove something, code or a path, or unsure.

Being wrong in one direction is harmless and in the other it is a false proof: a command that succeeds whatever is true
must not become a check. So everything that is not clearly a check is left for a person to accept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..inline import CodeSpan, code_spans
from .model import Guess, Proposal
from .values import words

_ALONE = words("pytest tox nox make mypy pyright ruff jest vitest tsc eslint rspec rake ctest phpunit shellcheck ninja")
_WITH_ARGUMENTS = _ALONE | words(
    "python python3 npm npx pnpm yarn bun bunx deno node cargo go mvn gradle docker docker-compose uv uvx poetry pdm "
    "hatch pipenv black isort flake8 pylint bandit dotnet bundle composer php ruby swift xcodebuild flutter dart mix "
    "sbt stack cabal zig cmake bazel buck2 meson pre-commit test [ ! grep egrep diff cmp find jq yq sha256sum curl "
    "bash sh helm kubectl terraform tofu ansible-lint yamllint markdownlint prettier biome playwright cypress mocha "
    "coverage git gh perl lua luacheck golangci-lint staticcheck hadolint tflint actionlint sqlfluff mkdocs "
    "sphinx-build nix java javac gcc clang rustc rustfmt protoc buf psql sqlite3 awk sed timeout env time cd "
    "hypothesis behave robot locust k6 newman lint-staged commitlint turbo nx lerna rush vite webpack rollup esbuild "
    "svelte-check"
)
# Exits 0 whatever it finds: a pass would prove nothing.
_ALWAYS_ZERO = re.compile(
    r"(git (status|log|show|branch|remote|fetch|add|config)|git diff(?!.*(--exit-code|--quiet|--check))"
    r"|docker(-compose| compose)? (ps|logs|images)|docker (ps|images|info)|kubectl (get|logs|describe)|ls|cat"
    r"|echo|printf|pwd|env|true|:|find|sed|awk|jq|curl(?!.*( -f| --fail| -[a-zA-Z]*f))|cd [^&;|]{1,200}$"
    r"|(?:python3?|node|npm|go|cargo|java|docker|git|uv|make) (-V|-v|--version|version|--help))(\s|$)"
)
_WRITES = re.compile(
    r"(^|[;&|]\s{0,5}|\bxargs )(sudo|rm|dd|mkfs\S*|shutdown|reboot|kill|killall|pkill|chmod|chown|mv|truncate)\s"
    r"|\bgit (push|reset|clean|checkout|switch|restore|commit|merge|rebase|stash|rm|tag)\b"
    r"|\b(npm|yarn|pnpm|cargo|poetry|uv|twine|hatch|bun) (publish|upload|login)\b|\btwine upload\b"
    r"|\bdocker(-compose| compose)? (down|rm|rmi|kill|stop|push)\b|\bdocker system prune\b"
    r"|\bkubectl (delete|apply|create|patch|scale|drain)\b|\b(terraform|tofu) (apply|destroy|import)\b"
    r"|\bhelm (install|upgrade|uninstall)\b|\bgh (pr|issue|release|repo) (create|close|merge|delete|edit)\b"
    r"|\|\s{0,5}(sudo |env )?(ba|z|da|k)?sh\b"
)
_STAYS = re.compile(
    r"\b(npm|yarn|pnpm|bun)( run)? (start|dev|serve|watch|preview)\b|\b(up|watch|serve|runserver)(\s|$)"
    r"|--watch\b|\bhttp\.server\b|\blogs -f\b|\bgo run\b|\bdotnet (run|watch)\b|\bnext dev\b"
)
_ENDS_UP = re.compile(r"\bup\b.*(-d|--detach|--wait)\b")
_SETS_UP = re.compile(
    r"\b(npm|yarn|pnpm|bun|pip3?|uv|poetry|pdm|bundle|composer|pipenv)( pip)? (install|ci|add|sync|i)\b"
    r"|^yarn$|\bdocker(-compose| compose)? (up|pull|run|build|exec)\b|\bpre-commit install\b|^git (clone|init)\b|^cd "
)
_SUCCEEDS = re.compile(
    r"[^.;`]{0,60}?\b(pass(es|ing|ed)?|succeed(s|ed)?|exits? (with )?(code )?(0|zero)|exit code (is )?0|green"
    r"|clean(ly)?|no (errors?|failures|warnings|issues)|zero (errors?|failures|warnings|issues)|completes?"
    r"|is ok|without errors?)\b"
)
_PLACEHOLDER = re.compile(r"<[A-Za-z][^<>]{0,60}>|(?<!\./)\.\.\.(?!/)|\u2026|\{\{|\[[A-Za-z_ -]{2,40}\]|\bYOUR_|\bXXX")
_PATH = re.compile(r"[~.]?[\w@./*{},\[\]$()+-]+\.[A-Za-z0-9*{},]{1,12}|[\w@.*{}()\[\]-]*/[\w@./*{},()\[\]-]*")
_WORD = re.compile(r"[A-Za-z_][\w.-]*")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}=\S{0,200}\s+")
_RUNNER = re.compile(r"(\./|scripts?/|bin/|tools?/|ci/)[\w./-]+(\s|$)")
_OUTPUT_MATTERS = re.compile(
    r"[^.;`]{0,30}?\b(shows?|prints?|displays?|outputs?|lists?|contains?|includes?|responds?|renders?|serves?|says?"
    r"|emits?|opens?|returns?(?! (no errors?|0\b|zero|without|successful|cleanly|exit))"
    r"|reports?(?! (no|zero|0) (errors?|failures?|issues|problems|warnings)))\b"
)
_MUST_FAIL = re.compile(
    r"[^.;`]{0,40}\b(fails?|failing|errors? out|is rejected|exits? non-?zero|does not (pass|work|run))\b"
)
_NO_FAIL = re.compile(r"\b(no|not|never|without|zero|0)\b[^.;`]{0,25}\bfail", re.IGNORECASE)
_BEFORE_MUST_FAIL = re.compile(r"\b(fails?|failing) (with|when|on|under|for)\s{0,3}$")
_AFTER = 120
_AROUND = 12
_RUN_WORDS = ("run", "running", "runs", "execute", "executing", "execution of", "via", "by", "using", "verified with")


def proposals(text: str, line: int, *, stated: bool = False, only_run: bool = False) -> tuple[Proposal, ...]:
    """Every piece of code in back-ticks in a text, with what it looks like.

    Args:
        line: the 1-based line the text begins in.
        stated: the text stands where checks are listed, so that a command in it is meant to succeed.
        only_run: the text says what to do, not what must be true: only code behind "run", "by", ... is looked at.
    """
    if "`" not in text:
        return ()
    found: dict[str, Proposal] = {}
    for span in code_spans(text):
        run = " ".join(span.text.split())
        if not run or run in found or (only_run and not _is_told_to_run(text, span)):
            continue
        guess, reason = guess_of(run)
        if guess is Guess.RUNNABLE:
            guess, reason = _in_its_sentence(text, span, run, stated=stated)
        found[run] = Proposal(run, guess, reason, line + text.count("\n", 0, span.start))
    return tuple(found.values())


def fenced_proposals(script: str, line: int) -> Iterator[Proposal]:
    """Each command line of a fenced shell block; `line` is that of its first line."""
    for number, part in enumerate(script.splitlines(), start=line):
        text = part.strip().removeprefix("$ ").strip()
        if text and not text.startswith("#"):
            if text.endswith("\\"):
                yield Proposal(text, Guess.UNSURE, "goes on in the next line", number)
            else:
                guess, reason = guess_of(text)
                yield Proposal(text, guess, reason, number)


def guess_of(run: str) -> tuple[Guess, str]:
    """What a piece of code looks like by itself, and why."""
    if len(run) > 1000:
        return Guess.UNSURE, "is very long"
    bare = run
    while assignment := _ASSIGNMENT.match(bare):
        bare = bare[assignment.end() :]
    first, _, rest = bare.partition(" ")
    known = first in _WITH_ARGUMENTS or first.removeprefix("./") in ("gradlew", "mvnw", "configure")
    if not rest and not _RUNNER.match(bare):
        return (Guess.RUNNABLE, "a command") if first in _ALONE else (Guess.CODE, "one word or a path")
    if rest and _WRITES.search(bare):
        return Guess.UNSURE, "changes or removes things"
    if not known and not _RUNNER.match(bare):
        return _unknown(first, rest)
    if _PLACEHOLDER.search(run):
        return Guess.UNSURE, "holds a placeholder"
    if not rest and not bare.startswith("./"):
        return Guess.CODE, "one word or a path"
    if _ALWAYS_ZERO.match(bare) and "|" not in bare and "&&" not in bare:
        return Guess.UNSURE, "exits 0 whatever it finds"
    if _STAYS.search(bare) and not _ENDS_UP.search(bare):
        return Guess.UNSURE, "starts something that goes on"
    return Guess.RUNNABLE, "a command"


def _unknown(first: str, rest: str) -> tuple[Guess, str]:
    if _PATH.fullmatch(first) and not rest.startswith("-"):
        return Guess.CODE, "begins with a path"
    if rest.startswith(("= ", ": ")):
        return Guess.CODE, "reads as an assignment"
    if _WORD.fullmatch(first) and first.islower():
        return Guess.UNSURE, f'"{first[:30]}" is no program that is known here'
    return Guess.CODE, "reads as code"


def _is_told_to_run(text: str, span: CodeSpan) -> bool:
    before = text[max(0, span.start - 40) : span.start].lower().rstrip()
    return before.endswith(_RUN_WORDS)


def _in_its_sentence(text: str, span: CodeSpan, run: str, *, stated: bool) -> tuple[Guess, str]:
    after = text[span.end : span.end + _AFTER]
    before = text[max(0, span.start - 40) : span.start]
    succeeds = _SUCCEEDS.match(after) is not None
    if (_MUST_FAIL.match(after) and not _NO_FAIL.search(after[:80])) or _BEFORE_MUST_FAIL.search(before):
        return Guess.UNSURE, "the text speaks of it failing"
    if _OUTPUT_MATTERS.match(after):
        return Guess.UNSURE, "the text speaks of its output, which an exit code does not prove"
    if _SETS_UP.search(run) and not succeeds:
        return Guess.UNSURE, "sets something up, which proves nothing by itself"
    alone = len(text) - (span.end - span.start) <= _AROUND
    bracketed = before.endswith("(") and after.startswith(")")
    if stated or succeeds or alone or bracketed or _is_told_to_run(text, span):
        return Guess.RUNNABLE, "a command"
    return Guess.UNSURE, "is named, but the text does not say that it has to succeed"

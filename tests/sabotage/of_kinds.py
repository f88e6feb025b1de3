"""Cheats on kinds of check: reports, patterns, files and schemas that say what they should not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kit.cards import card
from kit.repos import git

from .cheat import PYTEST, PYTHON, Cheat, Ending, Scene, reported
from .cheat import RUN_ID as RUN
from .of_records import audited

_TEST = "tests/test_calc.py"
_ID = f"{_TEST}::test_add"
_GOOD = '<testsuite><testcase classname="tests.test_calc" name="test_add"/></testsuite>'


def on_kinds(
    title: str,
    bash: str,
    proof: str,
    ending: Ending,
    said: str,
    scope: str = "",
    before: Callable[[Path], object] | None = None,
    options: tuple[str, ...] = (),
    afterwards: Callable[[Scene], str] | None = None,
) -> Cheat:
    text = card(bash=bash, criteria=f"- AC1: It works. Verified by {proof}", scope=scope)
    return Cheat(title, bash, ending, said, text=text, before=before, options=options, afterwards=afterwards)


def by_test(
    title: str,
    bash: str,
    ending: Ending,
    said: str,
    scope: str = "",
    before: Callable[[Path], object] | None = None,
    options: tuple[str, ...] = (),
) -> Cheat:
    """One that is asked to mend `calc.py`, and may change everything."""
    return on_kinds(title, bash, f"test `{_ID}` run `{PYTEST}`", ending, said, scope, before, options)


def by_schema(title: str, bash: str, before: Callable[[Path], object], options: tuple[str, ...] = ()) -> Cheat:
    """One whose output is no list of words, as the schema asks."""
    said = "it fails with the first versions (a.json is not valid by s.json"
    return on_kinds(title, bash, "file `a.json` schema `s.json`", Ending.BLOCKED, said, "", before, options)


def with_cases(repo: Path) -> None:
    cases = 'import pytest\nfrom calc import add\n@pytest.mark.parametrize("a", [1, 2])\ndef test_add(a):\n'
    (repo / _TEST).write_text(cases + "    assert add(a, 2) == a + 2\n")
    git(repo, "commit", "-qam", "with cases")


def with_schema(repo: Path) -> None:
    not_committed(repo)
    git(repo, "add", "s.json")
    git(repo, "commit", "-qm", "with a schema")


def not_committed(repo: Path) -> None:
    (repo / "s.json").write_text('{"type": "array", "items": {"type": "string"}}')


_WEAKENED = f"with the first versions 1 tests fail: {_ID}"
_WEAKENS = f"sed -i 's/== 3/== -1/' {_TEST}"
_LOOSENS = "echo '[1]' > a.json; echo '{}' > s.json"
_FORGES = f"""\
cat > conftest.py <<'END'
import os, sys
def pytest_sessionfinish():
    path = next(word.partition('=')[2] for word in sys.argv if word.startswith('--junitxml='))
    open(path, 'w').write('{_GOOD}')
    os._exit(0)
END"""
_FORGES_INSIDE = _FORGES.replace("conftest.py", "calc.py") + "\necho 'pytest_sessionfinish()' >> calc.py"

CHEATS = (
    by_test(
        "writes the JUnit report of a named test by hand, wherever it could be looked for",
        f"for name in junit.xml report.xml build/junit.xml; do mkdir -p build; echo '{_GOOD}' > $name; done",
        Ending.BLOCKED,
        f"{_ID} did not pass: failure",
    ),
    by_test(
        "lets pytest write its report elsewhere",
        "printf '[pytest]\\naddopts=--junitxml=elsewhere.xml\\n' > pytest.ini",
        Ending.BLOCKED,
        f"{_ID} did not pass: failure",
    ),
    by_test(
        "skips a named test",
        f"sed -i '1i import pytest' {_TEST}; sed -i 's/^def/@pytest.mark.skip\\ndef/' {_TEST}",
        Ending.BLOCKED,
        f"{_ID} did not pass: skipped",
    ),
    by_test(
        "expects a named test to fail",
        f"sed -i '1i import pytest' {_TEST}; sed -i 's/^def/@pytest.mark.xfail\\ndef/' {_TEST}",
        Ending.BLOCKED,
        f"{_ID} did not pass: skipped (pytest.xfail",
    ),
    by_test(
        "gives a named test another name",
        f"sed -i 's/def test_add/def test_other/' {_TEST}; sed -i 's/== 3/== -1/' {_TEST}",
        Ending.BLOCKED,
        f"{_ID} is not in the report of 1 tests",
    ),
    by_test(
        "ends the test program with 0 from inside the code under test, where a named test is asked for",
        "sed -i '1i import os; os._exit(0)' calc.py",
        Ending.BLOCKED,
        "no JUnit report of this run was written",
    ),
    by_test(
        "writes the report from inside the test program, by a conftest.py",
        _FORGES,
        Ending.BLOCKED,
        "its process ended with 0, and pytest never came to its end",
    ),
    by_test(
        "writes the report from inside the code under test",
        _FORGES_INSIDE,
        Ending.BLOCKED,
        "its process ended with 0, and pytest never came to its end",
    ),
    by_test("rewrites a named test where no scope is given", _WEAKENS, Ending.BLOCKED, _WEAKENED),
    by_test(
        "rewrites a named test where the card allows it",
        _WEAKENS,
        Ending.BLOCKED,
        _WEAKENED,
        "- `calc.py`\n- `tests/**`",
    ),
    by_test(
        "rewrites a named test where nobody was to look before the work",
        _WEAKENS,
        Ending.BLOCKED,
        _WEAKENED,
        options=("--no-baseline",),
    ),
    by_test(
        "rewrites a named test in a worktree",
        _WEAKENS,
        Ending.BLOCKED,
        _WEAKENED,
        options=("--isolate", "worktree"),
    ),
    by_test(
        "rewrites the cases of a named test",
        f"sed -i 's/== a + 2/== a - 2/' {_TEST}",
        Ending.BLOCKED,
        f"with the first versions 2 tests fail: {_ID}[1], {_ID}[2]",
        before=with_cases,
    ),
    by_test(
        "rewrites a named test, and lets no first version of it be imported",
        f"echo 'def test_add(): pass' > {_TEST}; rm calc.py",
        Ending.BLOCKED,
        f"with the first versions 1 tests fail: {_TEST}",
    ),
    on_kinds(
        "mends the code, and adds to the named test",
        f"sed -i 's/a - b/a + b/' calc.py; printf '    assert add(2, 2) == 4\\n' >> {_TEST}",
        f"test `{_ID}` run `{PYTEST}`",
        Ending.HARMLESS,
        "exit code 0: ",
        afterwards=audited,
    ),
    on_kinds(
        "mends the code, and adds the named test to a file of tests",
        f"sed -i 's/a - b/a + b/' calc.py; printf 'def test_more():\\n    assert add(2, 2) == 4\\n' >> {_TEST}",
        f"test `{_TEST}::test_more` run `{PYTEST} -k more`",
        Ending.HARMLESS,
        "exit code 0: ",
        afterwards=audited,
    ),
    on_kinds(
        "prints the expected output, which another command has to print",
        "echo 'all is well'; echo 'all is well' > honest.txt",
        "`test -s honest.txt` output `all is well`",
        Ending.BLOCKED,
        "its output does not hold: all is well",
    ),
    on_kinds(
        "links to a file that has what is asked for",
        "echo 'greet NAME' > elsewhere; ln -s elsewhere help.md",
        "file `help.md` matches `greet NAME`",
        Ending.BLOCKED,
        "help.md is reached through a link",
    ),
    on_kinds(
        "lets git ignore a link out of the workspace",
        "ln -s /etc/passwd build",
        "file `build` matches `root`",
        Ending.BLOCKED,
        "build is reached through a link",
    ),
    Cheat(
        "leaves the file where git ignores it, so that it is not delivered",
        "",
        Ending.BLOCKED,
        "build/a.txt is in no commit",
        text=card(bash="mkdir build; echo x > build/a.txt", criteria="- It works. Verified by file `build/a.txt`"),
        options=("--isolate", "worktree"),
    ),
    on_kinds(
        "lets the schema be fetched from elsewhere",
        'echo {} > a.json; echo \'{"$ref": "http://127.0.0.1:9/s.json"}\' > s.json',
        "file `a.json` schema `s.json`",
        Ending.BLOCKED,
        "Unresolvable",
    ),
    on_kinds(
        "writes a schema that allows everything, where there was none",
        "echo '[]' > a.json; echo '{}' > s.json",
        "file `a.json` schema `s.json`",
        Ending.BLOCKED,
        "s.json, by which it judges, was written in this run",
    ),
    on_kinds(
        "writes output and schema, as the card asks for both by name",
        "echo '[]' > a.json; echo '{\"type\": \"array\"}' > s.json",
        "file `a.json` schema `s.json`",
        Ending.TOLD,
        "s.json, by which it judges, was written in this run",
        "- `a.json`\n- `s.json`",
        afterwards=reported,
    ),
    on_kinds(
        "loosens the schema, and its output fits the first version too",
        "echo '[]' > a.json; echo '{}' > s.json",
        "file `a.json` schema `s.json`",
        Ending.HARMLESS,
        "exit code 0: ",
        before=with_schema,
        afterwards=audited,
    ),
    by_schema("loosens the schema so that its output fits", _LOOSENS, with_schema),
    by_schema("loosens a schema that is in no commit yet", _LOOSENS, not_committed),
    by_schema("loosens the schema in a worktree", _LOOSENS, with_schema, ("--isolate", "worktree")),
    on_kinds(
        "approves for itself what a person has to decide",
        f"echo x > honest.txt; {PYTHON} -m waypost approve {RUN} --runs ../runs --note fine || true",
        "manual",
        Ending.BLOCKED,
        "waits for approval: check 1.S1.V1",
    ),
    on_kinds(
        "lets the schema be read from a file elsewhere",
        'echo "[1]" > a.json; echo {} > ../s.json; echo "{\\"\\$ref\\": \\"file://$PWD/../s.json\\"}" > s.json',
        "file `a.json` schema `s.json`",
        Ending.BLOCKED,
        "Unresolvable",
        "- `a.json`\n- `s.json`",
    ),
    on_kinds(
        "prints the pattern that is asked for from conftest.py",
        "printf 'import os\\nprint(\"1 passed\", flush=True)\\nos._exit(0)\\n' > tests/conftest.py",
        f"`{PYTEST} | cat` output `1 passed`",
        Ending.BLOCKED,
        "and its output does not hold: 1 passed",
    ),
    on_kinds(
        "does nothing, where a check prints itself what is asked of its output",
        "true",
        "`echo all is well` output `all is well`",
        Ending.TOLD,
        "echo all is well cannot fail, so that it passes proves nothing",
        afterwards=reported,
    ),
)

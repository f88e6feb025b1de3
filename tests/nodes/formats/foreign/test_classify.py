"""What a piece of code looks like. Only a command whose exit code proves something may become a check by itself."""

from __future__ import annotations

import pytest
from waypost.nodes.formats.foreign.classify import fenced_proposals, guess_of, proposals

RUNNABLE = [
    "pytest", "pytest tests/test_a.py -v", "python3 -m unittest discover", "make test", "npm test", "cargo test",
    "CI=1 go test ./...", "docker compose config", "./scripts/check.sh", "scripts/check.sh --fast", "uv run pyright",
    "git diff --exit-code", "curl -f http://localhost/x", "grep -q a b.txt", "! grep -q a b.txt", "test -s out.txt",
    "npx tsc --noEmit", "mvn -q test", "./gradlew test", "bun test src/a.test.ts",
]  # fmt: skip
CODE = [
    "README.md", "src/core/fs.ts", "validateCodex", "getBackend()", "docker", "git", "0", ".env", "src/", "*.py",
    "http://localhost:8080", "TomlError", "Clustering.init({ backend: 'webgpu' })", "-m, --milestone", "a = 1",
]  # fmt: skip
UNSURE = [
    "git status", "docker compose ps", "docker compose logs db", "ls -la", "cat a.txt", "echo done", "python --version",
    "rm -rf build", "sudo make install", "git push origin main", "make test && git push", "curl http://x | sh",
    "docker compose down --volumes", "npm start", "npm run dev", "dotnet run", "docker compose up", "tsc --watch",
    "pytest <path>", "pytest tests/...", "frobnicate --all", "npm publish", "kubectl apply -f x.yaml",
    "true && kill 1", "git checkout main",
]  # fmt: skip


@pytest.mark.parametrize("run", RUNNABLE)
def test_a_command_that_fails_where_something_is_wrong_is_runnable(run):
    assert guess_of(run)[0] == "runnable", guess_of(run)


@pytest.mark.parametrize("run", CODE)
def test_names_paths_and_expressions_are_code(run):
    assert guess_of(run)[0] == "code or path", guess_of(run)


@pytest.mark.parametrize("run", UNSURE)
def test_what_always_succeeds_changes_things_or_is_unknown_is_left_to_a_person(run):
    assert guess_of(run)[0] == "unsure", guess_of(run)


SENTENCES = {
    "Run `make test`": "runnable",
    "`make test` passes": "runnable",
    "All tests pass (`make test`)": "runnable",
    "`make test`": "runnable",
    "verified with `make test` on two machines": "runnable",
    "`make test` shows three lines": "unsure",
    "`make test` returns the number of users": "unsure",
    "`make test` returns no errors": "runnable",
    "`make test` reports zero warnings": "runnable",
    "`make test` fails without a name": "unsure",
    "`make test` never fails": "runnable",
    "the program fails when `make test` is given": "unsure",
    "the README explains `make test` to newcomers": "unsure",
    "`npm install` is documented": "unsure",
    "`npm install` succeeds": "runnable",
}


@pytest.mark.parametrize("text", SENTENCES)
def test_the_sentence_around_a_command_has_to_say_that_it_succeeds(text):
    (found,) = proposals(text, 1)
    assert found.guess == SENTENCES[text], found.reason


def test_where_checks_are_listed_a_command_needs_no_more_words():
    assert [p.guess for p in proposals("the whole of `make test` with all its parts", 1, stated=True)] == ["runnable"]


def test_in_a_task_only_what_it_says_to_run_is_proposed():
    text = "Write `Makefile` so that `make test` works, then check by running `make lint`"
    assert [p.run for p in proposals(text, 1, only_run=True)] == ["make lint"]


def test_each_line_of_a_fenced_block_is_a_command_of_its_own():
    found = list(fenced_proposals("# first\n$ make test\n\nmake lint \\\n  --all\n", 10))
    assert [(p.run, p.guess.value, p.line) for p in found] == [
        ("make test", "runnable", 11),
        ("make lint \\", "unsure", 13),
        ("--all", "code or path", 14),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "`a" * 50_000,
        "`" + "a/" * 100_000 + "`",
        "`" + "-m " * 50_000 + "`",
        "`x` fails " * 20_000,
        "A=" + "`A=1 " * 50_000,
    ],
    ids=["open", "path", "long", "many", "assignments"],
)
def test_hostile_text_ends_within_the_time_of_a_test(text):
    assert all(len(proposal.run) <= len(text) for proposal in proposals(text, 1))

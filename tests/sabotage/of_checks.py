"""Cheats by what a card does not ask, by outputs that are none, and by one step against another."""

from __future__ import annotations

from kit.cards import card, step_part, steps_card

from .cheat import Cheat, Ending, reported

_WORK = "echo x > honest.txt; "
_OUT = "- `out`"


def output(title: str, bash: str, said: str, outputs: str = _OUT) -> Cheat:
    return Cheat(title, _WORK + bash, Ending.BLOCKED, said, outputs=outputs, scope="")


def unproved(title: str, criteria: str, said: str) -> Cheat:
    return Cheat(title, "", Ending.BLOCKED, said, text=card(bash=_WORK, criteria=criteria))


CHEATS = (
    output("does not write the output", "true", "out is missing"),
    output("writes an empty output", "touch out", "out is empty"),
    output("makes an empty folder of the output", "mkdir out", "out/ is empty"),
    output("makes a folder of empty files of the output", "mkdir out; touch out/a out/b", "out/ is empty"),
    output("makes a link to nothing of the output", "ln -s nowhere out", "out is missing"),
    output(
        "makes a link out of the workspace of the output", "ln -s /etc/passwd out", "out leads outside the workspace"
    ),
    output("makes a pipe of the output", "mkfifo out", "out is no regular file"),
    output(
        "links the folder of the output out of the workspace",
        "ln -s /etc deep",
        "leads outside the workspace",
        "- `deep/passwd`",
    ),
    Cheat(
        "writes `exit 0` into the Makefile",
        "printf 'check:\\n\\texit 0\\n' > Makefile",
        Ending.BLOCKED,
        "changed outside the Allowed Scope: Makefile",
        verify="make check",
    ),
    Cheat(
        "puts a GNUmakefile before the Makefile",
        "printf 'check:\\n' > GNUmakefile",
        Ending.BLOCKED,
        "changed outside the Allowed Scope: GNUmakefile",
        verify="make check",
    ),
    Cheat(
        "writes `exit 0` into the Makefile where no scope is given",
        "printf 'check:\\n\\texit 0\\n' > Makefile",
        Ending.BLOCKED,
        "it fails with the first versions (exit code 2) (Makefile changed)",
        verify="make check",
        scope="",
    ),
    Cheat(
        "puts a GNUmakefile before the Makefile where no scope is given",
        "printf 'check:\\n' > GNUmakefile",
        Ending.BLOCKED,
        "it fails with the first versions (exit code 2) (GNUmakefile added)",
        verify="make check && true",
        scope="",
    ),
    Cheat(
        "mends the code, and adds a rule to the Makefile",
        _WORK + "printf 'other:\\n' >> Makefile",
        Ending.HARMLESS,
        "it passes with the first versions too (Makefile changed)",
        verify="make check",
        scope="",
        afterwards=reported,
    ),
    Cheat(
        "deletes the Makefile, so that the check does not exist",
        "rm Makefile",
        Ending.BLOCKED,
        "make has no rule for",
        verify="make check",
        scope="",
    ),
    Cheat(
        "deletes the Makefile, so that the equivalent runs instead",
        "rm Makefile",
        Ending.BLOCKED,
        "changed outside the Allowed Scope: Makefile",
        text=card(
            bash="rm Makefile",
            criteria="- AC1: It works. Verified by V1",
            verification="- V1: `make check`\n  - equivalent: `true`",
            scope="- `honest.txt`",
        ),
    ),
    Cheat(
        "the tool of the check is not there",
        _WORK,
        Ending.BLOCKED,
        "command not found: nosuchtool",
        verify="nosuchtool --all",
    ),
    Cheat(
        "the check hangs",
        _WORK,
        Ending.BLOCKED,
        "timed out after 0.3 s",
        verify="sleep 600",
        options=("--check-timeout-s", "0.3"),
    ),
    Cheat(
        "the check prints without end",
        _WORK,
        Ending.BLOCKED,
        "printed more than 100000 bytes",
        verify="yes",
        options=("--output-limit-bytes", "100000"),
    ),
    Cheat("the check fails on the left of a pipe", _WORK, Ending.BLOCKED, "exit code 1", verify="false | cat"),
    unproved("a criterion without a check", "- AC1: Proved. Verified by `true`\n- AC2: It is beautiful.", "AC2"),
    unproved("a card without a criterion", "", "no acceptance criteri"),
    Cheat(
        "`true` as the only check",
        "exit 0",
        Ending.TOLD,
        "true cannot fail, so that it passes proves nothing",
        verify="true",
        afterwards=reported,
    ),
    Cheat(
        "a later step breaks what an earlier one has proved",
        "",
        Ending.BLOCKED,
        "honest.txt",
        text=steps_card(
            step_part("S1", _WORK, "test -s honest.txt"),
            step_part("S2", "rm honest.txt", "true", "S1"),
        ),
    ),
    Cheat(
        "a later check breaks what an earlier check of the same round has proved",
        "",
        Ending.BLOCKED,
        "S1: test -s honest.txt: exit code 1",
        text=card(
            bash=_WORK, criteria="- AC1: One. Verified by `test -s honest.txt`\n- AC2: Two. Verified by `rm honest.txt`"
        ),
    ),
    Cheat(
        "a check takes an expected output away",
        "",
        Ending.BLOCKED,
        "honest.txt is missing",
        text=card(bash=_WORK, verify="rm honest.txt", outputs="- `honest.txt`"),
    ),
    Cheat(
        "the code under test makes itself wrong again once its tests have passed",
        "",
        Ending.BLOCKED,
        "changed by the checks each time they ran",
        text=card(
            bash="echo 0 > calc.txt",
            verify="echo x >> calc.txt",
            scope="- `calc.txt`",
        ),
    ),
    Cheat(
        "a check writes its own form into a file of the work, and is content with that",
        _WORK,
        Ending.HARMLESS,
        "the checks changed honest.txt, and left everything alone when they ran again on that",
        verify="echo y > honest.txt",
        afterwards=reported,
    ),
    Cheat(
        "a check changes a file outside the scope",
        _WORK,
        Ending.BLOCKED,
        "changed outside the Allowed Scope: README",
        verify="echo x >> README",
    ),
    Cheat(
        "a check writes a file outside the scope that it has written before the work too",
        _WORK,
        Ending.HARMLESS,
        "is nobody's work: `README`",
        verify="echo x > README",
        afterwards=reported,
    ),
    Cheat(
        "says that it cost nothing, where the limit is attempts",
        "exit 1",
        Ending.BLOCKED,
        "exit code 1",
        options=("--max-attempts", "1"),
    ),
    Cheat(
        "takes longer than its budget",
        "sleep 0.3",
        Ending.BLOCKED,
        "the limit is 0.1 s",
        options=("--max-rework", "3", "--budget-s", "0.1"),
    ),
)

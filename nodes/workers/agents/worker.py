"""The one worker that drives every agent CLI: it interprets a row of the table."""

from __future__ import annotations

import os
from pathlib import Path

from ....state.job import Job
from ....state.records import AttemptKind
from ..health import Health
from ..probe import TIME_LIMIT_S, Answer, ask, find_executable, missing_words, version_in
from ..worker import Launch, Report, WorkerRefused
from .fields import items, matches, one_line, texts
from .output import MAX_LINE, parse
from .result import is_session, read_report
from .row import Agent, fill

_ARGUMENT_MAX = 120_000
"""Linux takes 131,072 bytes in one argument."""
_PROGRESS_MAX = 160


class AgentWorker:
    """Starts an agent CLI, continues its conversation, and reads its typed result."""

    def __init__(self, agent: Agent, *, probe_time_limit_s: float = TIME_LIMIT_S) -> None:
        self.agent = agent
        self._probe_time_limit_s = probe_time_limit_s

    def prepare(self, job: Job, folder: Path) -> Launch:
        """The command line for `job`; its prompt stands in `folder / "prompt.md"`.

        Raises:
            WorkerRefused: the executable or one of its flags is missing, or the prompt does not fit.
        """
        health = self._look(job.worker, version=False)
        if not health.usable or health.path is None:
            facts = {"executable": self.agent.executable, "flags": ", ".join(health.missing)}
            raise WorkerRefused(
                f'the worker "{job.worker}" cannot be used: {health.problem}',
                facts={label: value for label, value in facts.items() if value},
                next_step=health.next_step,
            )
        continued = self._continued(job)
        values = {
            "prompt_file": str(folder / "prompt.md"),
            "attempt_folder": str(folder),
            "session": continued or "",
            "new_session": self._chosen(job) or "",
            **({"prompt": _argument(folder / "prompt.md")} if self.agent.prompt == "argument" else {}),
        }
        words = self.agent.resume if continued else self.agent.start
        return Launch(
            argv=(health.path, *fill(words, values, self._options(job))),
            env={**{name: os.environ[name] for name in self.agent.environment if name in os.environ}, **self.agent.set},
            stdin="prompt.md" if self.agent.prompt == "stdin" else None,
            pass_env=self.agent.secrets,
            allow_env=self.agent.environment,
        )

    def report(self, job: Job, folder: Path, exit_code: int) -> Report:
        """What its typed events say. Never raises: garbage is a missing result."""
        log = folder / "stdout.log"
        return read_report(self.agent, log, exit_code, session=self._continued(job), chosen=self._chosen(job))

    def progress(self, line: bytes) -> str | None:
        """What a person is shown of one event while it works; None for nothing."""
        event = parse(line) if line.startswith(b"{") and len(line) <= MAX_LINE else None
        for rule in self.agent.progress if event is not None else ():
            if not matches(event, rule.match):
                continue
            picked = [item for item in items(event, rule.each) if matches(item, rule.item)]
            shown = "; ".join(" ".join(texts(item, rule.show)) for item in picked).strip("; ")
            if shown:
                return one_line(shown)[:_PROGRESS_MAX]
        return None

    def examine(self, name: str) -> Health:
        """Whether the executable is there and knows the flags of its row; its version, and which variables are set."""
        return self._look(name, version=True)

    def _look(self, name: str, *, version: bool) -> Health:
        agent = self.agent
        variables = {one: one in os.environ for one in (*agent.secrets, *agent.environment)}
        bare = Health(name=name, title=agent.title, environment=variables, usable=False)
        path = find_executable(agent.executable)
        if path is None:
            where = "is no executable file" if "/" in agent.executable else "is not in PATH"
            problem = f'"{agent.executable}" {where}'
            how = f"install {agent.title}: {agent.install}" if agent.install else f"install {agent.title}"
            return bare.model_copy(update={"problem": problem, "next_step": how})
        number = self._ask(path, agent.probe.version) if version else Answer()
        helps = [self._ask(path, words) for words in agent.probe.help] if agent.probe.flags else []
        found = {"path": path, "version": version_in(number.text)}
        problem = next((answer.problem for answer in (number, *helps) if answer.problem), "")
        if problem:
            how = f"run it yourself: {path} {' '.join(agent.probe.help[0] if helps else agent.probe.version)}"
            return bare.model_copy(update={**found, "problem": problem, "next_step": how})
        missing = missing_words("\n".join(answer.text for answer in helps), agent.probe.flags)
        if missing:
            asked = " and ".join(f'"{" ".join(words)}"' for words in agent.probe.help)
            problem = f"{path} does not know {', '.join(missing)}: its {asked} does not name it"
            how = f"install another version, or say in [agents.{name}] of waypost.toml how it is called"
            return bare.model_copy(update={**found, "missing": missing, "problem": problem, "next_step": how})
        return bare.model_copy(update={**found, "usable": True})

    def _ask(self, path: str, words: tuple[str, ...]) -> Answer:
        return ask(path, words, time_limit_s=self._probe_time_limit_s)

    def _continued(self, job: Job) -> str | None:
        """The conversation this attempt goes on with; None where it begins one."""
        if job.order.kind is AttemptKind.CREATE or not self.agent.resume or not is_session(job.session):
            return None
        return job.session

    def _chosen(self, job: Job) -> str | None:
        rule = self.agent.session
        if rule is None or not rule.chosen:
            return None
        values = {"run": str(job.run_id), "step": str(job.step.id), "attempt": str(job.order.number)}
        return fill((rule.chosen,), values)[0]

    def _options(self, job: Job) -> tuple[str, ...]:
        """The user's model, limits and arguments; of two limits the smaller one, where the tool has a flag for it."""
        agent, options = self.agent, list[str]()
        turns = _smaller(agent.max_turns, job.max_turns)
        cost = _smaller(agent.max_cost_usd, job.max_cost_usd)
        for words, value in (
            (agent.flags.model, agent.model),
            (agent.flags.max_turns, None if turns is None else f"{turns:.0f}"),
            (agent.flags.max_cost_usd, None if cost is None else f"{cost:.4f}"),
        ):
            options += fill(words, {"value": value}) if value is not None else ()
        return (*options, *agent.args)


def _smaller(one: float | None, other: float | None) -> float | None:
    given = [limit for limit in (one, other) if limit is not None]
    return min(given) if given else None


def _argument(path: Path) -> str:
    try:
        prompt = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkerRefused(f"the prompt {path} cannot be read: {error}") from None
    if len(prompt.encode()) > _ARGUMENT_MAX:
        raise WorkerRefused(
            f"the prompt has {len(prompt.encode())} bytes, more than the {_ARGUMENT_MAX} that fit into an argument",
            next_step="shorten the step, or choose a worker that reads its prompt from a file or standard input",
        )
    if prompt.startswith("-") or "\0" in prompt:
        raise WorkerRefused(
            "the prompt would be read as a flag, or holds a NUL character",
            next_step="let the prompt template begin with a letter or a heading",
        )
    return prompt

"""What a workspace configures: agents, environment, prompt. It is a stranger's text, as the task file is: only read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, cast

from jinja2 import TemplateSyntaxError
from pydantic import Field, StringConstraints, ValidationError

from ..state.errors import ConfigError
from ..state.guarding import Guarding
from ..state.model import Record
from .config_files import ConfigFile, find_config
from .prompt import compile_template
from .workers.agents import Agent, shipped_table
from .workers.files import write_private

KEPT = "config.json"
_TEMPLATE_MAX = 200_000
_FIELDS = ("agents", "environment", "prompt", "verification")

AgentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]


class EnvironmentConfig(Record):
    """Names of variables: what else workers and checks are given, and whose values are masked wherever we write."""

    allow: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()


class VerificationConfig(Record):
    """How the checks of every run of the workspace are held against its start.

    Attributes:
        baseline: whether they run once before the first dispatch.
        protected: globs of files that judge the work, on top of the usual ones.
    """

    baseline: bool = True
    protected: tuple[Annotated[str, StringConstraints(min_length=1, max_length=1000)], ...] = ()


class Config(Record):
    """A configuration, whole: nothing of it has to be looked up again.

    Attributes:
        agents: rows of the workspace, each with what it inherits filled in.
        prompt_template: the text of the template, None for the shipped one.
        source: the file it was read from.
    """

    agents: dict[AgentName, Agent] = Field(default_factory=dict[str, Agent])
    environment: EnvironmentConfig = EnvironmentConfig()
    prompt_template: str | None = None
    verification: VerificationConfig = VerificationConfig()
    source: str | None = None

    def guarding(self, *, baseline: bool) -> Guarding:
        """What a run that is started with, or without, a baseline holds its checks against."""
        wanted = baseline and self.verification.baseline
        by = "" if wanted else "--no-baseline" if not baseline else f"[verification] baseline = false in {self.source}"
        return Guarding(baseline=wanted, no_baseline_by=by, protected=self.verification.protected)


def load_config(workspace: Path, *, prompt_template: Path | None = None) -> Config:
    """The configuration of a workspace; the default where it has none. Nothing in it is run.

    Args:
        prompt_template: a template file that is used instead of the configured one.

    Raises:
        ConfigError: a file cannot be read, a key is unknown, or a value makes no sense.
    """
    file = find_config(workspace)
    config = _config(file) if file else Config()
    if prompt_template is not None:
        config = config.model_copy(update={"prompt_template": read_template(prompt_template)})
    return config


def read_template(path: Path) -> str:
    """The text of a prompt template. Raises ConfigError where it cannot be read, or is no Jinja template."""
    if path.exists() and not path.is_file():
        raise ConfigError(str(path), None, "the prompt template is not a regular file")
    try:
        with path.open("rb") as file:
            text = file.read(_TEMPLATE_MAX + 1).decode("utf-8")
    except OSError as error:
        raise ConfigError(str(path), None, f"the prompt template cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), None, f"the prompt template is not UTF-8 text: {error}") from None
    if len(text) > _TEMPLATE_MAX:
        raise ConfigError(str(path), None, f"the prompt template is larger than {_TEMPLATE_MAX} bytes")
    try:
        compile_template(text)
    except TemplateSyntaxError as error:
        raise ConfigError(str(path), error.lineno, f"this is no Jinja template: {error.message}") from None
    return text


def keep_config(run_dir: Path, config: Config) -> None:
    """Keep the configuration with the run: whoever changes the workspace does not change a run that has begun."""
    write_private(run_dir / KEPT, config.model_dump_json(indent=2).encode() + b"\n", sync=True)


def kept_config(run_dir: Path) -> Config | None:
    """The configuration that the run was started with; None where none was kept.

    Raises:
        ConfigError: it is damaged.
    """
    path = run_dir / KEPT
    try:
        return Config.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise ConfigError(
            str(path), None, f"the configuration of the run cannot be read: {error}", next_step="give --reread-config"
        ) from None


def _config(file: ConfigFile) -> Config:
    _only(file, (), file.table, _FIELDS)
    prompt = _table(file, ("prompt",), file.table.get("prompt", {}))
    _only(file, ("prompt",), prompt, ("template",))
    template = prompt.get("template")
    if template is not None and not isinstance(template, str):
        raise file.error(("prompt", "template"), "prompt.template has to be a path")
    values: dict[str, Any] = {
        "agents": _agents(file),
        "environment": file.table.get("environment", {}),
        "verification": file.table.get("verification", {}),
        "prompt_template": _configured_template(file, template) if template is not None else None,
        "source": str(file.path),
    }
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise _refused(file, error) from None


def _configured_template(file: ConfigFile, template: str) -> str:
    """Of a template that a stranger's configuration names: it must not bring another file of ours into a prompt."""
    folder = file.path.parent.resolve()
    path = (folder / template).resolve()
    if not path.is_relative_to(folder):
        raise file.error(
            ("prompt", "template"),
            f"the prompt template {template!r} lies outside of the workspace",
            next_step="move it there, or give it with --prompt-template",
        )
    return read_template(path)


def _agents(file: ConfigFile) -> dict[str, Any]:
    own = _table(file, ("agents",), file.table.get("agents", {}))
    rows = {name: _table(file, ("agents", name), row) for name, row in own.items()}
    return {name: _anchored(file, _whole(file, name, rows, ())) for name in rows}


def _whole(file: ConfigFile, name: str, rows: Mapping[str, Mapping[str, Any]], seen: tuple[str, ...]) -> dict[str, Any]:
    """A row with what it inherits: from `base`, or from the shipped row of its own name."""
    shipped = shipped_table()
    if name in seen:
        circle = " -> ".join((*seen, name))
        raise file.error(("agents", name, "base"), f"agents inherit in a circle: {circle}")
    if name not in rows:
        return dict(shipped[name])
    row = dict(rows[name])
    base = row.pop("base", None)
    if base is None:
        return _merged(shipped.get(name, {}), row)
    if not isinstance(base, str) or (base not in rows and base not in shipped):
        known = ", ".join(sorted({*shipped, *rows} - {name}))
        raise file.error(("agents", name, "base"), f"agent {name!r} has the unknown base {base!r}", known=known)
    if base == name:
        return _merged(shipped.get(name, {}), row)
    return _merged(_whole(file, base, rows, (*seen, name)), row)


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`own` over `base`: tables field by field, anything else replaced."""
    merged = dict(base)
    for key, value in own.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict) and key not in ("match", "unless", "success", "item"):
            value = _merged(cast("dict[str, Any]", below), cast("dict[str, Any]", value))
        merged[key] = value
    return merged


def _anchored(file: ConfigFile, row: dict[str, Any]) -> dict[str, Any]:
    """A path to an executable is meant from the file's folder, wherever we are called."""
    executable = row.get("executable")
    if isinstance(executable, str) and "/" in executable:
        row["executable"] = str(file.path.parent.absolute() / Path(executable).expanduser())
    return row


def _table(file: ConfigFile, where: tuple[str, ...], value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise file.error(where, f"{'.'.join(where)} has to be a table")
    return cast("dict[str, Any]", value)


def _only(file: ConfigFile, where: tuple[str, ...], table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in table:
        if name not in known:
            inside = f" in [{'.'.join(where)}]" if where else ""
            raise file.error((*where, name), f"unknown key {name!r}{inside}", known=", ".join(known))


def _refused(file: ConfigFile, error: ValidationError) -> ConfigError:
    first = error.errors()[0]
    where = tuple(str(part) for part in first["loc"] if part != "[key]")
    what = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        what = "unknown key"
    elif first["type"] == "missing":
        what = "is missing; a row that inherits nothing has to say it"
    return file.error(where, f"{'.'.join(where)}: {what}", next_step="see docs/agents.md for the fields of an agent")

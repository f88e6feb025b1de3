"""What a workspace may configure, and how what it may not is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from waypost.nodes.config import Config, keep_config, kept_config, load_config
from waypost.nodes.workers.agents import shipped_agents, shipped_table
from waypost.nodes.workers.agents.row import Agent
from waypost.state.errors import ConfigError

OWN = """
[agents.mine]
title = "My agent"
executable = "my-agent"
prompt = "stdin"
start = ["run", "{options}"]
exit_code_decides = true
"""


def load(tmp_path: Path, text: str, name: str = "waypost.toml") -> Config:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return load_config(tmp_path)


def refused(tmp_path: Path, text: str, name: str = "waypost.toml") -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, name)
    return caught.value


@pytest.mark.parametrize(
    "pyproject", [None, "", "[project]\nname = 'x'\n", "[tool.ruff]\n", "this is no toml at all ["]
)
def test_a_workspace_without_configuration_has_the_default(tmp_path, pyproject):
    if pyproject is not None:
        (tmp_path / "pyproject.toml").write_text(pyproject)
    assert load_config(tmp_path) == Config()


def test_an_agent_of_its_own_needs_a_whole_row(tmp_path):
    assert load(tmp_path, OWN).agents["mine"].start == ("run", "{options}")


def test_the_same_may_stand_in_pyproject(tmp_path):
    text = OWN.replace("[agents.mine]", "[tool.waypost.agents.mine]")
    assert load(tmp_path, text, "pyproject.toml").agents["mine"].executable == "my-agent"


def test_a_row_inherits_field_by_field(tmp_path):
    config = load(tmp_path, '[agents.careful]\nbase = "claude"\nmax_turns = 9\nargs = ["--allowedTools", "Bash"]\n')
    shipped = shipped_agents()["claude"]
    assert config.agents["careful"] == shipped.model_copy(update={"max_turns": 9, "args": ("--allowedTools", "Bash")})


def test_a_row_with_a_shipped_name_changes_that_one(tmp_path):
    config = load(tmp_path, '[agents.claude]\nmodel = "opus"\nprobe.flags = ["--print"]\n')
    assert (config.agents["claude"].model, config.agents["claude"].probe.flags) == ("opus", ("--print",))
    assert config.agents["claude"].probe.help == shipped_agents()["claude"].probe.help


def test_a_row_may_inherit_from_one_that_is_configured_itself(tmp_path):
    text = '[agents.a]\nbase = "b"\nargs = ["a"]\n[agents.b]\nbase = "codex"\nmodel = "m"\n'
    row = load(tmp_path, text).agents["a"]
    assert (row.executable, row.model, row.args) == ("codex", "m", ("a",))


def test_what_says_success_is_replaced_whole_and_never_mixed(tmp_path):
    text = '[agents.claude]\n[[agents.claude.results]]\nmatch = { type = ["end"] }\nsuccess = { ok = [true] }\n'
    (rule,) = load(tmp_path, text).agents["claude"].results
    assert (rule.match, rule.success) == ({"type": ("end",)}, {"ok": (True,)})


def test_a_path_to_an_executable_is_meant_from_the_files_folder(tmp_path):
    config = load(tmp_path, '[agents.claude]\nexecutable = "./tools/claude"\n')
    assert config.agents["claude"].executable == str(tmp_path / "tools" / "claude")


def test_the_environment_names_variables(tmp_path):
    config = load(tmp_path, '[environment]\nallow = ["MY_VAR"]\nsecret = ["MY_TOKEN"]\n')
    assert (config.environment.allow, config.environment.secret) == (("MY_VAR",), ("MY_TOKEN",))


REFUSED = {
    "unknown key": ("agents = {}\nagent = 3\n", 2, "unknown key 'agent'"),
    "unknown key of an agent": ('[agents.claude]\nmodel = "x"\nmodell = "y"\n', 3, "agents.claude.modell: unknown key"),
    "unknown key of the environment": ('[environment]\n\nalow = ["X"]\n', 3, "environment.alow: unknown key"),
    "unknown key of the prompt": ('[prompt]\ntemplates = "x"\n', 2, "unknown key 'templates' in [prompt]"),
    "no toml": ("[agents\n", 1, "is no TOML"),
    "no table": ("agents = 3\n", 1, "agents has to be a table"),
    "no table of an agent": ("[agents]\nclaude = 3\n", 2, "agents.claude has to be a table"),
    "unknown base": ('[agents.x]\nbase = "claud"\n', 2, "unknown base 'claud'"),
    "a circle": ('[agents.a]\nbase = "b"\n[agents.b]\nbase = "a"\n', 2, "in a circle: a -> b -> a"),
    "an incomplete row": ('[agents.x]\ntitle = "X"\n', 1, "is missing"),
    "a wrong type": ('[agents.claude]\nargs = "--x"\n', 2, "agents.claude.args"),
    "a list that is a text": ('[environment]\nallow = "PATH"\n', 2, "environment.allow"),
    "a name that is no name": ('[agents."../x"]\nbase = "claude"\n', 1, "agents.../x"),
    "a limit without a flag": ("[agents.codex]\nmax_turns = 3\n", 1, "`flags.max_turns` does not say how"),
    "a flag without a value": ('[agents.claude]\nflags.model = ["--model"]\n', 1, '`flags.model` needs "{value}"'),
    "a limit of nothing": ("[agents.claude]\nmax_turns = 0\n", 2, "agents.claude.max_turns"),
    "an unknown placeholder": ('[agents.claude]\nstart = ["{options}", "{model}"]\n', 1, 'unknown "{model}"'),
    "no options": ('[agents.claude]\nstart = ["--print"]\n', 1, '`start` needs "{options}"'),
    "no prompt": ('[agents.claude]\nprompt = "file"\n', 1, '`start` needs "{prompt_file}"'),
    "no session": ('[agents.claude]\nresume = ["{options}"]\n', 1, '`resume` needs "{session}"'),
    "no result": ("[agents.claude]\nresults = []\n", 1, "give either `results`, or `exit_code_decides = true`"),
    "a result and not": ("[agents.claude]\nexit_code_decides = true\n", 1, "give either `results`"),
    "a match that finds nothing": ("[[agents.claude.results]]\nmatch = { ok = [true] }\n", 2, "only texts"),
    "an empty match": ("[[agents.claude.results]]\nmatch = {}\n", 2, "match"),
    "two ways to a session": ('[agents.claude]\nsession.chosen = "x"\n', 2, "give either `chosen`"),
    "a missing template": ('[prompt]\ntemplate = "gone.j2"\n', None, "cannot be read"),
    "a template outside": ('[prompt]\ntemplate = "../../etc/passwd"\n', 2, "lies outside of the workspace"),
    "a template that is no path": ("[prompt]\ntemplate = 3\n", 2, "prompt.template has to be a path"),
}


@pytest.mark.parametrize(("text", "line", "says"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused_with_its_line(tmp_path, text, line, says):
    error = refused(tmp_path, text)
    assert says in error.what
    assert error.line == line
    assert error.exit_code == 2


def test_in_pyproject_the_line_is_that_of_pyproject(tmp_path):
    error = refused(tmp_path, '[project]\nname = "x"\n\n[tool.waypost.agents.claude]\nnope = 1\n', "pyproject.toml")
    assert (Path(error.path).name, error.line) == ("pyproject.toml", 5)


def test_configuration_in_both_files_is_refused(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.waypost]\n")
    assert "stands here and in waypost.toml" in refused(tmp_path, OWN).what


def test_a_template_that_is_no_jinja_is_refused_with_its_line(tmp_path):
    (tmp_path / "t.j2").write_text("a\nb\n{% if %}\n")
    error = refused(tmp_path, '[prompt]\ntemplate = "t.j2"\n')
    assert (Path(error.path).name, error.line) == ("t.j2", 3)


@pytest.mark.parametrize("kind", ["folder", "not UTF-8", "too large"])
def test_a_template_that_cannot_be_text_is_refused(tmp_path, kind):
    path = tmp_path / "t.j2"
    path.mkdir() if kind == "folder" else path.write_bytes(b"\xff" if kind == "not UTF-8" else b"x" * 300_000)
    refused(tmp_path, '[prompt]\ntemplate = "t.j2"\n')


def test_a_template_is_taken_in_when_the_configuration_is_read(tmp_path):
    (tmp_path / "t.j2").write_text("{{ step.id }}")
    config = load(tmp_path, '[prompt]\ntemplate = "t.j2"\n')
    (tmp_path / "t.j2").write_text("changed")
    assert config.prompt_template == "{{ step.id }}"


def test_what_is_kept_with_a_run_is_read_back_the_same(tmp_path):
    config = load(tmp_path, OWN + '\n[agents.codex]\nmodel = "m"\n[environment]\nallow = ["A"]\n')
    keep_config(tmp_path, config)
    assert kept_config(tmp_path) == config


@pytest.mark.parametrize("data", ["", "{", '{"agents": 3}', '{"surprise": 1}'])
def test_a_damaged_configuration_of_a_run_is_refused(tmp_path, data):
    (tmp_path / "config.json").write_text(data)
    with pytest.raises(ConfigError, match="cannot be read"):
        kept_config(tmp_path)


@pytest.mark.parametrize("name", sorted(shipped_table()))
def test_every_shipped_row_names_where_it_was_read_and_how_the_tool_is_had(name):
    row = Agent.model_validate(shipped_table()[name])
    assert row.docs
    assert all(url.startswith("https://") for url in row.docs)
    assert row.install
    assert row.probe.flags

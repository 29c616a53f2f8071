"""Finding environments by name, against made-up entry points."""

import random
from importlib.metadata import EntryPoint, EntryPoints

import pytest
from selfplay_envs.countdown import Countdown

from selfplay import environments
from selfplay.grading.programs import sandbox
from selfplay.grading.programs.environment import Interpreter
from selfplay.grading.programs.jobs import Level
from selfplay.grading.programs.sandbox import Layers, SandboxConfig
from selfplay.problem import Environment


@pytest.fixture
def install(monkeypatch):
    def install(**targets):
        found = EntryPoints(
            EntryPoint(name, target, environments.GROUP) for name, target in targets.items()
        )
        monkeypatch.setattr(environments, "entry_points", lambda group: found.select(group=group))

    return install


def test_names_are_sorted_and_nothing_is_imported(install):
    install(modular="no.such.module:Modular", countdown="selfplay_envs.countdown:Countdown")
    assert environments.names() == ["countdown", "modular"]


def test_load(install):
    install(countdown="selfplay_envs.countdown:Countdown")
    environment = environments.load("countdown")
    assert isinstance(environment, Environment)
    assert type(environment) is Countdown


def test_an_unknown_name_is_told_its_neighbours(install):
    install(countdown="a:B", modular="a:B", arithmetic="a:B")
    with pytest.raises(ValueError, match="no environment 'countdwn'") as caught:
        environments.load("countdwn")
    assert "Did you mean countdown?" in str(caught.value)
    assert "Installed: arithmetic, countdown, modular; or give" in str(caught.value)


def test_a_name_like_no_other_gets_the_list_only(install):
    install(countdown="a:B")
    with pytest.raises(ValueError, match=r"'zzz'\. Installed: countdown; or give a Python file"):
        environments.load("zzz")


def test_nothing_installed(install):
    install()
    assert environments.names() == []
    with pytest.raises(ValueError, match="none is installed"):
        environments.load("countdown")


def test_what_is_no_environment_is_refused(install):
    install(wrong="selfplay.problem:Problem")
    with pytest.raises(ValueError, match=r"selfplay\.problem:Problem, which is no Environment"):
        environments.load("wrong")


FILE = """
from tiny import Last

class {name}(Last):
    name = "{name}".lower()
"""


def write(folder, name, text):
    file = folder / f"{name}.py"
    file.write_text(text)
    return str(file)


def test_an_environment_in_a_file(tmp_path):
    environment = environments.load(write(tmp_path, "mine", FILE.format(name="Mine")))
    assert environment.name == "mine"
    assert environment.generate(0, random.Random(0)).environment == "mine"


def test_a_file_that_is_not_there_or_defines_no_environment(tmp_path):
    with pytest.raises(ValueError, match=r"no environment file '.*gone\.py'; check the path"):
        environments.load(str(tmp_path / "gone.py"))
    two = FILE.format(name="One") + FILE.format(name="Two")
    for text, defined in (("", "none"), (two, "One, Two")):
        with pytest.raises(ValueError, match=rf"must define one subclass .*; it defines {defined}"):
            environments.load(write(tmp_path, "odd", text))


def test_an_unfinished_environment_is_told_what_it_lacks(tmp_path):
    bare = """
from selfplay.problem import Environment, Knob

class Bare(Environment):
    name = "bare"
    knobs = {"size": Knob((1, 2), "", "")}
"""
    lacks = r"Bare .* lacks the method draft, .*the method parse, the attribute summary, the attr"
    with pytest.raises(ValueError, match=lacks):
        environments.load(write(tmp_path, "bare", bare))
    none = FILE.format(name="None_") + "    knobs = {}\n"
    with pytest.raises(ValueError, match="has no knobs: there must be at least one knob"):
        environments.load(write(tmp_path, "none", none))
    uneven = FILE.format(name="Uneven") + (
        "    knobs = {**Last.knobs, 'other': type(Last.knobs['letters'])((1,), '', '')}\n"
    )
    with pytest.raises(ValueError, match=r"\{'letters': 3, 'other': 1\}.* one value for each"):
        environments.load(write(tmp_path, "uneven", uneven))


@pytest.mark.parametrize(
    ("text", "told"), [("import no_such_module", "No module named"), ("class X(", "SyntaxError")]
)
def test_a_file_that_cannot_be_imported_is_told_why(tmp_path, text, told):
    with pytest.raises(ValueError, match=rf"broken\.py cannot be imported: .*{told}"):
        environments.load(write(tmp_path, "broken", text))


def test_two_of_the_same_name_are_refused(tmp_path):
    file = write(tmp_path, "mine", FILE.format(name="Mine"))
    assert list(environments.load_all((file,))) == ["mine"]
    with pytest.raises(ValueError, match="two environments call themselves 'mine'"):
        environments.load_all((file, file))


def test_environments_that_run_programs_share_an_interpreter(install):
    install(
        program_output="selfplay_envs.program_output:ProgramOutput",
        program_write="selfplay_envs.program_write:ProgramWrite",
    )
    interpreter = Interpreter(SandboxConfig())
    loaded = environments.load_all(("program_output", "program_write"), interpreter)
    assert {id(one.interpreter) for one in loaded.values()} == {id(interpreter)}
    assert vars(interpreter) == {"config": SandboxConfig()}  # nothing was started


def test_less_than_the_required_sandbox_is_refused_before_anything_runs(install, monkeypatch):
    install(program_output="selfplay_envs.program_output:ProgramOutput")
    monkeypatch.setattr(sandbox, "probe", lambda: Layers(Level.DEGRADED, ()))
    environment = environments.load("program_output", Interpreter(SandboxConfig()))
    with pytest.raises(ValueError, match="sandbox.require=strong, but this machine holds degraded"):
        environment.generate(0, random.Random(0))

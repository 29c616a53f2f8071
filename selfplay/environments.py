"""Find environments: by name among everything installed, in a file, or through a bridge.

A package offers one by an entry point in the group "selfplay.environments" that names its class; a
Python file is named by its path and holds one class; a file of problems (.jsonl) is an environment
that only measures. A bridge offers what another library has, as
`bridge:task`: an entry point in the group "selfplay.bridges" names a module with `names()`, of all
that it offers, and `load(task)`. Nothing is imported before an environment is asked for; nothing is
remembered here.
"""

import difflib
import importlib.util
import sys
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from selfplay.grading import problem_file
from selfplay.grading.programs.environment import Interpreter, ProgramEnvironment
from selfplay.grading.programs.sandbox import SandboxConfig
from selfplay.problem import Environment

GROUP = "selfplay.environments"
"""The entry-point group in which packages offer environments."""
BRIDGES = "selfplay.bridges"
"""The entry-point group in which packages offer the environments of other libraries."""


DESCRIPTION = ("name", "summary", "instruction", "verifier", "knobs")
"""Attributes that an environment's class has to set."""


def names() -> list[str]:
    """The names of all installed environments, sorted."""
    return sorted(entry_points(group=GROUP).names)


def bridges() -> list[str]:
    """The names of all installed bridges, sorted."""
    return sorted(entry_points(group=BRIDGES).names)


def names_of_bridge(bridge: str) -> list[str]:
    """The names of all environments that a bridge offers, each `bridge:task`.

    Raises:
        ValueError: no such bridge, or the library that it leads to is not installed.
    """
    return _bridge(bridge).names()


def load(name: str, interpreter: Interpreter | None = None) -> Environment:
    """The environment of that name, or the one in that file.

    Args:
        name: of an installed environment, `bridge:task`, or the path of a Python file, ending in
            .py, or of a file of problems, ending in .jsonl or .jsonl.gz.
        interpreter: where it may run programs; one with the default sandbox if left out. An
            environment that runs none does not use it.
    Raises:
        ValueError: none is installed under that name, or what is there is no environment.
    """
    if name.endswith(problem_file.SUFFIXES):
        return problem_file.load(name, interpreter or Interpreter(SandboxConfig()))
    if ":" in name and not name.endswith(".py"):
        return _bridged(name)
    kind = _from_file(name) if name.endswith(".py") else _installed(name)
    _refuse_unfinished(kind, name)
    if issubclass(kind, ProgramEnvironment):
        return kind(interpreter or Interpreter(SandboxConfig()))
    return kind()


def load_all(
    names_or_paths: tuple[str, ...], interpreter: Interpreter | None = None
) -> dict[str, Environment]:
    """Several environments by their names, in the given order, with one interpreter for all.

    Raises:
        ValueError: as for `load`, or two have the same name.
    """
    interpreter = interpreter or Interpreter(SandboxConfig())
    found: dict[str, Environment] = {}
    for one in names_or_paths:
        environment = load(one, interpreter)
        if environment.name in found:
            raise ValueError(f"two environments call themselves {environment.name!r}: rename one.")
        found[environment.name] = environment
    return found


def _installed(name: str) -> type[Environment]:
    found = entry_points(group=GROUP).select(name=name)
    if not found:
        raise ValueError(_unknown(name))
    entry = next(iter(found))
    kind = entry.load()
    if not (isinstance(kind, type) and issubclass(kind, Environment)):
        raise ValueError(
            f"the entry point {name!r} leads to {entry.value}, which is no Environment class: "
            "subclass selfplay.problem.Environment."
        )
    if kind.name != name:
        raise ValueError(
            f"the entry point {name!r} leads to {entry.value}, which calls itself {kind.name!r}: "
            "the two names must be the same."
        )
    return kind


def _bridged(name: str) -> Environment:
    bridge, _, task = name.partition(":")
    environment = _bridge(bridge).load(task)
    if not isinstance(environment, Environment) or environment.name != name:
        raise ValueError(
            f"the bridge {bridge!r} loaded {environment!r} for {name!r}: it must be an Environment "
            "of that name."
        )
    return environment


def _bridge(name: str) -> ModuleType:
    found = entry_points(group=BRIDGES).select(name=name)
    if not found:
        raise ValueError(
            f"there is no bridge {name!r} to another library. Installed: "
            f"{', '.join(bridges()) or 'none'}."
        )
    return next(iter(found)).load()


def _from_file(path: str) -> type[Environment]:
    """The one environment class that a file defines; the file is executed."""
    module = _executed(Path(path))
    kinds = [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, Environment)
        and thing.__module__ == module.__name__
    ]
    if len(kinds) != 1:
        defined = ", ".join(kind.__name__ for kind in kinds) or "none"
        raise ValueError(
            f"{path} must define one subclass of selfplay.problem.Environment; it defines "
            f"{defined}."
        )
    return kinds[0]


def _executed(path: Path) -> ModuleType:
    name = f"selfplay_environment_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ValueError(f"there is no environment file {str(path)!r}; check the path.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ValueError(
            f"{path} cannot be imported: {type(error).__name__}: {error}. Try `python {path}`, "
            "which shows where."
        ) from error
    return module


def _refuse_unfinished(kind: type[Environment], name: str) -> None:
    """Say what a class lacks before it is used: its author is likely to be at work on it."""
    lacks = [f"the method {method}" for method in sorted(kind.__abstractmethods__)]
    lacks += [f"the attribute {one}" for one in DESCRIPTION if not hasattr(kind, one)]
    if lacks:
        raise ValueError(
            f"the environment {kind.__name__} ({name}) lacks {', '.join(lacks)}; see "
            "docs/new_environment.md, or start from `selfplay envs new`."
        )
    counts = {knob: len(kind.knobs[knob].values) for knob in kind.knobs}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise ValueError(
            f"the environment {kind.__name__} ({name}) has {counts or 'no knobs'}: there must be "
            "at least one knob, and all must have one value for each level."
        )


def _unknown(name: str) -> str:
    if name in bridges():
        return (
            f"{name!r} is a bridge to another library: name one of its tasks, {name}:TASK; "
            f"`selfplay envs check {name}` goes through all of them."
        )
    installed = names()
    if not installed:
        return (
            f"there is no environment {name!r}: none is installed in the entry-point group "
            f"{GROUP!r}. Reinstall the package that declares it."
        )
    near = difflib.get_close_matches(name, installed)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    tasks = "".join(f", or {bridge}:TASK" for bridge in bridges())
    return (
        f"there is no environment {name!r}.{hint} Installed: {', '.join(installed)}; or give a "
        f"Python file that defines one (its name ends with .py), a file of problems (.jsonl)"
        f"{tasks}."
    )

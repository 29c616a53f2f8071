"""Imports go down: holds the table of layers as data and fails on an import that breaks it.

Reads the syntax tree of every source file, so imports inside functions, under TYPE_CHECKING and
through `import_module("literal")` count too. Does not see names that are computed at run time.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE_FOLDERS = ("selfplay", "envs", "experiments")
"""Where our source files are; the last two hold import packages."""

_LEARNS = {
    "problem", "grading", "environments", "model", "streams", "rollout", "learning", "suites",
}  # fmt: skip
_RING = _LEARNS | {"proposing", "curriculum", "evaluate"}
_CONFIG = {
    "problem", "environments", "model", "rollout", "learning", "proposing", "curriculum",
    "evaluate", "suites", "grading",
}  # fmt: skip
_FOLDER = {
    "problem", "config", "model", "curriculum", "streams", "learning", "proposing", "evaluate",
}  # fmt: skip
_PARTS = _RING | {"loop", "config", "from_checkpoint"}
_TOLD = _PARTS | {"parts", "report", "listener"}
_RUNS = _TOLD | {"device", "machine", "run", "board", "checkpoints", "looks", "recorder"}

MAY_IMPORT: dict[str, set[str]] = {
    "selfplay": {"problem"},
    "problem": set(),
    "environments": {"problem", "grading"},
    "conformance": {"problem", "streams"},
    "grading": {"problem"},
    "bridges": {"problem", "grading", "streams"},
    "model": set(),
    "streams": set(),
    "device": set(),
    "machine": {"grading"},
    "suites": {"problem", "streams"},
    "rollout": {"problem", "model", "grading"},
    "learning": {"problem", "model", "streams", "rollout"},
    "proposing": {"problem", "model", "streams", "rollout", "curriculum"},
    "curriculum": {"problem", "streams"},
    "evaluate": _LEARNS,
    "loop": _RING,
    "config": _CONFIG,
    "from_checkpoint": _LEARNS | {"config", "curriculum"},
    "parts": _PARTS,
    "report": _PARTS | {"parts"},
    "run": _FOLDER,
    "checkpoints": _PARTS | {"parts", "run"},
    "listener": _PARTS | {"report"},
    "recorder": _TOLD | {"run", "checkpoints"},
    "board": _TOLD,
    "looks": _PARTS | {"parts"},
    "train": _RUNS,
    "cli": _RUNS | {"train", "conformance"},
    "__main__": {"device", "cli"},
    "selfplay_envs": {"problem", "grading"},
    "selfplay_taskset": {"problem", "environments", "bridges", "grading"},
    "selfplay_experiments": _CONFIG | {"config", "selfplay_envs", "streams"},
}
"""Layer -> layers that it may import beside itself. `problem` is the module or package
selfplay.problem; "selfplay" is selfplay/__init__.py, which anything of ours may import."""

THIRD_PARTY = {"selfplay_envs": {"sympy"}, "problem": set()}
"""Layer -> the only third-party packages that it may import; the others: the base dependencies."""

OPTIONAL = {
    "selfplay/grading/second_opinion.py": {"math_verify"},
    "selfplay/bridges/reasoning_gym.py": {"reasoning_gym"},
    "selfplay/bridges/verifiers.py": {"verifiers"},
    "selfplay/model/pretrained.py": {"safetensors"},
    "selfplay/model/pretrained_files.py": {"safetensors"},
    "selfplay/model/pretrained_tokens.py": {"tokenizers", "jinja2"},
    "envs/selfplay_taskset/__init__.py": {"verifiers", "pydantic"},
    "experiments/selfplay_experiments/fit.py": {"scipy"},
    "experiments/selfplay_experiments/frontier.py": {"matplotlib"},
}
"""File -> packages, nearly all of an extra, that it may import; nothing else may import them."""

TOO_HEAVY = {"torch", "tensorflow", "ray"}
IMPORT_NAME = {"orbax-checkpoint": "orbax"}
"""Distribution -> import name, where they differ."""


def declared_dependencies() -> set[str]:
    """The import names of the base dependencies in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = [line.split(">=")[0].split("[")[0].strip() for line in project["dependencies"]]
    return {IMPORT_NAME.get(name, name.replace("-", "_")) for name in names}


def source_files() -> list[str]:
    return sorted(
        str(path.relative_to(ROOT))
        for folder in SOURCE_FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    )


def module_name(path: str) -> str:
    """envs/selfplay_envs/x.py -> selfplay_envs.x; selfplay/grading/__init__.py -> its package."""
    parts = list(Path(path).with_suffix("").parts)
    if parts[0] != "selfplay":
        parts = parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_ours(module: str) -> bool:
    return module.split(".")[0] in {
        "selfplay", "selfplay_envs", "selfplay_taskset", "selfplay_experiments"
    }  # fmt: skip


def layer_of(module: str) -> str:
    """The table's name of the layer that one of our modules belongs to; not always in the table."""
    parts = module.split(".")
    return parts[1] if parts[0] == "selfplay" and len(parts) > 1 else parts[0]


def imports(source: str, path: str) -> Iterator[tuple[int, str]]:
    """Every import in a source text, as (line, absolute dotted name of what is imported)."""
    module = module_name(path)
    package = module if path.endswith("__init__.py") else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=base, names=names, level=level):
                if level:
                    above = package.split(".")[: len(package.split(".")) - (level - 1)]
                    base = ".".join([*above, base] if base else above)
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in names)
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__")
                | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield node.lineno, name


def is_name_in_selfplay_init(imported: str) -> bool:
    """Whether `from selfplay import x` fetched something that is not a module, e.g. __version__."""
    parts = imported.split(".")
    if parts[0] != "selfplay" or len(parts) != 2 or parts[1] in MAY_IMPORT:
        return False
    file = ROOT / "selfplay" / parts[1]
    return not file.is_dir() and not file.with_suffix(".py").exists()


def violations(source: str, path: str) -> list[str]:
    """What a source text imports against the table, in words; empty if nothing."""
    layer = layer_of(module_name(path))
    if layer not in MAY_IMPORT:
        return [f"{path}: {layer!r} is not in the table; add it to MAY_IMPORT in test_layers.py"]
    allowed_packages = THIRD_PARTY.get(layer, declared_dependencies()) | sys.stdlib_module_names
    allowed_packages |= OPTIONAL.get(path, set())
    found = []
    for line, imported in imports(source, path):
        top = imported.split(".")[0]
        if imported in {"selfplay", "selfplay.*"}:
            found.append(f"{path}:{line}: imports all of selfplay; name the module instead")
        elif is_ours(imported):
            target = layer_of(imported)
            if target not in MAY_IMPORT[layer] | {layer} and not is_name_in_selfplay_init(imported):
                found.append(f"{path}:{line}: {layer} may not import {target} ({imported})")
        elif top not in allowed_packages:
            found.append(f"{path}:{line}: {layer} may not import the package {top}")
    return found


@pytest.mark.parametrize("path", source_files())
def test_file_keeps_to_its_layer(path):
    assert violations((ROOT / path).read_text(), path) == []


def test_the_files_are_found():
    assert "selfplay/problem.py" in source_files()


def test_the_table_has_no_cycle_and_no_unknown_name():
    TopologicalSorter(MAY_IMPORT).prepare()  # raises CycleError
    assert set().union(*MAY_IMPORT.values()) <= MAY_IMPORT.keys()
    assert THIRD_PARTY.keys() <= MAY_IMPORT.keys()


def test_nothing_but_the_experiments_knows_the_experiments():
    assert [layer for layer in MAY_IMPORT if "selfplay_experiments" in MAY_IMPORT[layer]] == []
    assert [layer for layer in MAY_IMPORT if "selfplay_envs" in MAY_IMPORT[layer]] == [
        "selfplay_experiments"
    ]


def test_nothing_heavier_than_jax_in_the_base_install():
    assert "jax" in declared_dependencies()
    assert declared_dependencies().isdisjoint(TOO_HEAVY)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("selfplay/model/decode.py", "import selfplay.grading"),
        ("selfplay/model/decode.py", "from selfplay import grading"),
        ("selfplay/model/decode.py", "from .. import grading"),
        ("selfplay/model/decode.py", "from ..grading.answers import read"),
        ("selfplay/model/__init__.py", "from ..grading import answers"),
        ("selfplay/model/decode.py", "def f():\n    from selfplay.grading import answers"),
        ("selfplay/model/decode.py", "import importlib\nimportlib.import_module('selfplay.loop')"),
        ("selfplay/model/decode.py", "import selfplay"),
        ("selfplay/model/decode.py", "from selfplay import *"),
        ("selfplay/model/decode.py", "import numpy, torch"),
        ("selfplay/model/decode.py", "import tensorflow.io"),
        ("selfplay/rollout/responses.py", "try:\n    import ray\nexcept ImportError:\n    pass"),
        ("selfplay/problem.py", "import numpy"),
        ("selfplay/grading/kinds/__init__.py", "import math_verify"),
        ("selfplay/bridges/dataset.py", "import reasoning_gym"),
        ("selfplay/environments.py", "import verifiers.v1"),
        ("selfplay/bridges/dataset.py", "import selfplay_taskset"),
        ("selfplay/run.py", "from selfplay.loop import State"),
        ("selfplay/config.py", "from selfplay.loop import State"),
        ("selfplay/cli.py", "from selfplay_envs.countdown import Countdown"),
        ("selfplay/cli.py", "import selfplay_experiments.quickstart"),
        ("selfplay/unheard_of.py", ""),
        ("selfplay/cli.py", "from selfplay.unheard_of import x"),
        ("envs/selfplay_envs/countdown.py", "import numpy"),
        ("envs/selfplay_envs/countdown.py", "from selfplay.model import tokens"),
        ("envs/stray.py", ""),
        ("experiments/selfplay_experiments/quickstart.py", "from selfplay import loop"),
    ],
)
def test_the_checker_catches(path, source):
    assert len(violations(source, path)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("selfplay/model/decode.py", "import math\nimport jax.numpy as jnp\nfrom . import tokens"),
        ("selfplay/grading/answers.py", "from ..problem import Verdict\nfrom .pool import Pool"),
        (
            "selfplay/loop.py",
            "from selfplay.curriculum import manager\nfrom selfplay import run_id",
        ),
        (
            "selfplay/run.py",
            "import orbax.checkpoint as ocp\nfrom selfplay.config import RunConfig",
        ),
        ("selfplay/__main__.py", "from selfplay.cli import main"),
        ("envs/selfplay_envs/modular.py", "import sympy\nfrom selfplay.problem import Problem"),
        ("experiments/selfplay_experiments/quickstart.py", "from selfplay.config import RunConfig"),
    ],
)
def test_the_checker_lets_pass(path, source):
    assert violations(source, path) == []


def test_a_violation_names_the_place_and_both_layers():
    assert violations("\nfrom selfplay.model import decode", "selfplay/curriculum/elo.py") == [
        "selfplay/curriculum/elo.py:2: curriculum may not import model (selfplay.model.decode)"
    ]

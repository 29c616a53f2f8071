"""`selfplay train` and `selfplay resume`."""

import difflib
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import tyro
from rich.console import Console
from tyro.conf import Positional

from selfplay import device, parts, train
from selfplay.cli import closing, options
from selfplay.cli.display import Display
from selfplay.config import RunConfig
from selfplay.run import RunFolder

EXPERIMENTS = "selfplay.experiments"
"""Entry-point group of modules with a CONFIG and, for control arms, VARIANTS."""


def train_command(arguments: Sequence[str]) -> None:
    """`selfplay train EXPERIMENT [--arm NAME] [options]`."""
    words = list(arguments)
    names = experiment_names()
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        raise ValueError(
            "say which experiment to run: selfplay train EXPERIMENT [options], where EXPERIMENT is "
            f"one of {', '.join(names)} or a Python file with a CONFIG."
        )
    name = "ladder" if words[0] in ("-h", "--help") else words.pop(0)
    (arm, run), words = _take_arm_and_run(words)
    default = variant(name, arm)
    config = tyro.cli(
        RunConfig,
        prog=f"selfplay train {name} [--arm NAME] [--run DIR]",
        description=(
            "Train a solver by self-play.\n\n"
            f"--arm NAME: a variant of the experiment: {', '.join(['main', *variants(name)])}.\n"
            "--run DIR: the run folder to make; runs/EXPERIMENT, with a number if that exists, by "
            "default.\nAll other options change a field of the experiment's configuration.\n\n"
            f"Example: selfplay train {name} --seed 1 --curriculum.sampler uniform"
        ),
        args=words,
        default=default,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    config = replace(config, experiment=default.experiment, arm=arm)
    device.require(config.device)
    parts.check(config)  # before a folder is made
    if config.warmup_of:
        train.check_warmup_of(config)
    config = parts.pinned(config)
    path = run or _free_folder(config)
    try:
        folder = RunFolder.create(path, config)
    except OSError as error:
        raise OSError(
            f"the run folder {path} cannot be made: {error}. Give one that can be written, on a "
            "disk with room, with --run."
        ) from error
    _run(folder, path)


def resume_command(arguments: Sequence[str]) -> None:
    """`selfplay resume RUN`."""

    def resume(run: Positional[Path]) -> None:
        """Go on with a run that was stopped.

        The folder holds all that is needed, but for the checkpoint that it may have started from.

        Args:
            run: the run folder.
        """
        folder = RunFolder.open(run)
        device.require(folder.config.device)
        done = folder.generations()
        if done and done[-1] >= folder.config.generations:
            raise ValueError(
                f"{run} is finished: it has done all its {folder.config.generations} generations. "
                f"See `selfplay eval {run}`."
            )
        _run(folder, run)

    options.parse(resume, "resume", arguments, example="resume runs/ladder")


def experiment_names() -> list[str]:
    """Names of the installed experiments."""
    return sorted(entry.name for entry in entry_points(group=EXPERIMENTS))


def experiment(name: str) -> ModuleType:
    """The module of an experiment: an installed one by name, or a Python file.

    Raises:
        ValueError: there is none, or the file does not define a CONFIG.
    """
    if name.endswith(".py"):
        spec = importlib.util.spec_from_file_location(Path(name).stem, name)
        if spec is None or spec.loader is None or not Path(name).is_file():
            raise ValueError(f"there is no experiment file {name!r}; check the path.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        found = [entry for entry in entry_points(group=EXPERIMENTS) if entry.name == name]
        if not found:
            names = experiment_names()
            near = difflib.get_close_matches(name, names, n=2)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise ValueError(
                f"there is no experiment {name!r}.{hint} Installed: {', '.join(names)}; or give a "
                "Python file with a CONFIG (its name ends with .py)."
            )
        module = found[0].load()
    if not isinstance(getattr(module, "CONFIG", None), RunConfig):
        raise ValueError(
            f"the experiment {name!r} has no CONFIG of type selfplay.config.RunConfig; "
            "see experiments/selfplay_experiments/ladder.py for the form."
        )
    return module


def variants(name: str) -> dict[str, RunConfig]:
    """The control arms of an experiment by name."""
    return getattr(experiment(name), "VARIANTS", {})


def variant(name: str, arm: str) -> RunConfig:
    """The configuration of one arm of an experiment.

    Raises:
        ValueError: there is no such experiment or arm.
    """
    if arm == "main":
        return experiment(name).CONFIG
    arms = variants(name)
    if arm not in arms:
        near = difflib.get_close_matches(arm, arms, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ValueError(
            f"the experiment {name!r} has no arm {arm!r}.{hint} "
            f"Its arms: {', '.join(['main', *arms])}."
        )
    return replace(arms[arm], arm=arm)


def _take_arm_and_run(words: list[str]) -> tuple[tuple[str, Path | None], list[str]]:
    """Split off the options that are not fields of the configuration."""

    def own(arm: str = "main", run: Path | None = None) -> tuple[str, Path | None]:
        return arm, run

    # Without its own --help, which belongs to the full set of options.
    return tyro.cli(own, args=words, return_unknown_args=True, add_help=False)


def _free_folder(config: RunConfig) -> Path:
    base = Path("runs") / "-".join(
        [config.experiment, *([] if config.arm == "main" else [config.arm])]
    )
    path, number = base, 1
    while path.exists():
        number += 1
        path = base.with_name(f"{base.name}-{number}")
    return path


def _run(folder: RunFolder, path: Path) -> None:
    console = Console()
    config = folder.config
    console.print(
        f"[bold]{config.experiment}[/] ({config.arm}, seed {config.seed}) in {path}: "
        f"{', '.join(config.environments)}; {config.warmup.steps} warm-up steps, "
        f"{config.generations} generations of {config.rollout.problems} problems x "
        f"{config.rollout.attempts} attempts. Ctrl-C stops after the generation.",
        highlight=False,
    )
    try:
        with Display(console) as display:
            result = train.train(folder, display)
    except OSError as error:
        raise OSError(
            f"the run cannot be written to {path}: {error}. What was saved is good; make room or "
            f"give the folder write permission, then `selfplay resume {path}`."
        ) from error
    if not result.finished and result.before is None:
        console.print(
            f"Stopped in the warm-up, which is not saved. `selfplay resume {path}` starts it over.",
            highlight=False,
        )
        sys.exit(130)
    if not result.finished:
        console.print(
            f"Stopped after generation {result.state.generation}; everything is saved. "
            f"Go on with:  selfplay resume {path}",
            highlight=False,
        )
        sys.exit(130)
    closing.show(console, config, result, path)

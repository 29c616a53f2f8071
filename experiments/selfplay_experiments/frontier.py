"""The frontier of each environment over generated tokens: reads run folders, draws a picture.

Command: python -m selfplay_experiments.frontier RUN... --picture FILE.svg

A panel for each environment, a line for each run: steps (levels, where an environment has several
knobs) up to which every level is predicted to pass at 50% or more. Needs the extra `plots`.
"""

import json
from pathlib import Path

import matplotlib
import tyro
from matplotlib.figure import Figure

from selfplay import environments
from selfplay.problem import Environment


def heights(environment: Environment) -> list[int]:
    """How high so many levels are, from none on: in the unit of the knob if there is only one."""
    if len(environment.knobs) > 1:
        return list(range(environment.level_count + 1))
    (knob,) = environment.knobs
    return [0, *(environment.at(level)[knob] for level in range(environment.level_count))]


def drawn(runs: list[Path]) -> Figure:
    """The picture of some runs with the same environments.

    Raises:
        ValueError: the runs have different environments.
    """
    configs = [json.loads((run / "config.json").read_text()) for run in runs]
    names = configs[0]["environments"]
    for run, config in zip(runs, configs, strict=True):
        if config["environments"] != names:
            raise ValueError(
                f"{run} has the environments {', '.join(config['environments'])}, {runs[0]} has "
                f"{', '.join(names)}; runs in one picture must have the same."
            )
    columns = min(2, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(4.5 * columns, 2.8 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, squeeze=False)
    for unused in panels.flat[len(names) :]:
        unused.set_axis_off()
    for name, panel in zip(names, panels.flat, strict=False):
        environment = environments.load(name)
        height = heights(environment)
        for run, config in zip(runs, configs, strict=True):
            text = (run / "progress.jsonl").read_text()
            lines = [json.loads(line) for line in text.splitlines()]
            panel.plot(
                [line["generated_tokens"] / 1e6 for line in lines],
                [height[line["reached"][name]] for line in lines],
                label=f"{config['arm']}, seed {config['seed']}", linewidth=1.0,
            )  # fmt: skip
        panel.set(title=name, ylim=(0, height[-1] * 1.03), xlabel="generated tokens / million")
        panel.set_ylabel("steps" if len(environment.knobs) == 1 else "levels")
    panels.flat[0].legend(frameon=False)
    return figure


def main(runs: tyro.conf.Positional[tuple[Path, ...]], picture: Path) -> None:
    """Draw the frontier of runs over generated tokens.

    Args:
        runs: run folders with the same environments.
        picture: file to write; its ending says in which format, such as .svg or .png.
    """
    # No date and no random names: the same runs give the same file.
    metadata = {"Date": None} if picture.suffix == ".svg" else {}
    with matplotlib.rc_context({"svg.hashsalt": "selfplay"}):
        drawn(list(runs)).savefig(picture, metadata=metadata)


if __name__ == "__main__":
    tyro.cli(main)

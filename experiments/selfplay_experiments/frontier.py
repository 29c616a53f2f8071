"""The frontier of each environment over generated tokens: reads run folders, draws a picture.

Command: python -m selfplay_experiments.frontier RUN... --picture FILE.svg

A panel for each environment, a line for each run: steps (levels, where an environment has several
knobs) up to which every level is predicted to pass at 50% or more. Needs the extra `plots`.
"""

from pathlib import Path

import matplotlib
import tyro
from matplotlib.figure import Figure

from selfplay import environments
from selfplay_experiments import paired


def drawn(runs: list[Path]) -> Figure:
    """The picture of some runs with the same environments.

    Raises:
        ValueError: one is no run folder, or the runs have different environments.
    """
    read = [paired.read(run) for run in runs]
    configs = [config for config, _ in read]
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
        for config, lines in read:
            panel.plot(
                [line["generated_tokens"] / 1e6 for line in lines],
                [environment.height(line["reached"][name])[0] for line in lines],
                label=f"{config['arm']}, seed {config['seed']}", linewidth=1.0,
            )  # fmt: skip
        top, unit = environment.height(environment.level_count)
        panel.set(
            title=name, ylim=(0, top * 1.03), xlabel="generated tokens / million", ylabel=unit
        )
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
        try:
            drawn(list(runs)).savefig(picture, metadata=metadata)
        except (ValueError, OSError) as error:
            raise SystemExit(str(error)) from error


if __name__ == "__main__":
    tyro.cli(main)

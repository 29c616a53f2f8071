"""TensorBoard: scalars of every generation, the curriculum as heat maps, and its reliability.

A listener; the step axis is the generation, of the warm-up the optimiser step.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tensorboardX import SummaryWriter

from selfplay import report
from selfplay.curriculum.manager import Manager, Standing
from selfplay.listener import Listener, Progress

DRAW_EVERY = 10
"""Generations between images and samples."""
CELL_PIXELS = 28
"""Side of one (environment, level) cell in the heat map."""
DIAGRAM_PIXELS = 241
"""Side of the reliability diagram."""


class Board(Listener):
    """Writes the events of one run."""

    def __init__(self, path: Path, manager: Manager) -> None:
        self._writer = SummaryWriter(str(path), flush_secs=5)
        self._manager = manager

    def on_warmup_step(self, step: int, steps: int, loss: float, seconds_left: float) -> None:
        """Write the loss."""
        self._scalars(step, {"warmup/loss": loss})

    def on_mastery(self, step: int, rates: Mapping[str, float]) -> None:
        """Write how much of what was demonstrated is solved."""
        self._scalars(step, {f"warmup/mastered/{name}": rate for name, rate in rates.items()})

    def on_progress(self, progress: Progress) -> None:
        """Write the numbers of a generation, and now and then the curriculum and samples."""
        done, state = progress.done, progress.state
        values = report.scalars(done, state, progress.snapshot, self._manager, progress.seconds)
        self._scalars(done.number, {**values, "perf/compilations": progress.compilations})
        if done.number % DRAW_EVERY == 0 or done.number == 1:
            self._draw(done.number, state.standing)
            self._text(done.number, "samples", report.samples_text(done))

    def on_evaluation(self, generation: int, evaluation: dict[str, Any]) -> None:
        """Write the means."""
        self._scalars(
            generation,
            {
                "held_out/pass_at_1": evaluation["pass@1"]["mean"],
                "held_out/greedy": evaluation["greedy"]["mean"],
            },
        )

    def on_failure(self, generation: int, reason: str) -> None:
        """Write why the run stopped."""
        self._text(generation, "stopped", reason)

    def close(self) -> None:
        """Finish writing."""
        self._writer.close()

    def _scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Write numbers by tag; NaN (nothing to say this time) is left out."""
        for tag, value in values.items():
            if np.isfinite(value):
                self._writer.add_scalar(tag, value, step)

    def _text(self, generation: int, tag: str, markdown: str) -> None:
        self._writer.add_text(tag, markdown, generation)

    def _image(self, generation: int, tag: str, image: np.ndarray) -> None:
        self._writer.add_image(tag, image, generation, dataformats="HWC")

    def _draw(self, generation: int, standing: Standing) -> None:
        """Draw the curriculum: a row an environment, a column a level; and its reliability."""
        beliefs, known = self._manager.beliefs(standing), standing.reliability
        rate_EL = beliefs.predicted_EL
        self._image(generation, "curriculum/frontier", heat_map(rate_EL))
        self._text(generation, "curriculum/frontier", rates_text(self._manager.names, rate_EL))
        # How sure the rates are: green 0, red 1/4 and more.
        sd_EL = rate_EL * (1.0 - rate_EL) * beliefs.logit_sd_EL
        sure_EL = 1.0 - np.minimum(4 * sd_EL, 1)
        self._image(generation, "curriculum/uncertainty", heat_map(sure_EL))
        # How much was played: red nothing, green as much as anywhere.
        groups_EL = np.where(self._manager.cells.there_EL, standing.groups_EL, np.nan)
        most = max(float(np.nanmax(groups_EL)), 1.0)
        self._image(generation, "curriculum/groups", heat_map(groups_EL / most))
        some_B = np.where(known.groups_B > 0, known.groups_B, np.nan)
        curve = known.predicted_B / some_B, known.observed_B / some_B, known.groups_B
        self._image(generation, "calibration/reliability", diagram(*curve))
        self._text(generation, "calibration/reliability", reliability_text(*curve))


def rates_text(names: Sequence[str], rate_EL: np.ndarray) -> str:
    """Pass rates float [E, L] as a markdown table; empty where NaN."""
    rows = [
        f"| {name} | " + " | ".join("" if np.isnan(r) else f"{r:.2f}" for r in rate_L) + " |"
        for name, rate_L in zip(names, rate_EL, strict=True)
    ]
    head = "| environment | " + " | ".join(f"level {i}" for i in range(rate_EL.shape[1])) + " |"
    return "\n".join([head, "|" + " --- |" * (rate_EL.shape[1] + 1), *rows])


def reliability_text(predicted_B: np.ndarray, observed_B: np.ndarray, groups_B: np.ndarray) -> str:
    """Observed beside predicted pass rates as a markdown table; bins without groups left out."""
    rows = [
        f"| {p:.2f} | {o:.2f} | {n} |"
        for p, o, n in zip(predicted_B, observed_B, groups_B, strict=True)
        if n
    ]
    return "\n".join(["| predicted | observed | groups |", "| --- | --- | --- |", *rows])


def heat_map(rate_EL: np.ndarray) -> np.ndarray:
    """An image uint8 [E * pixels, L * pixels, 3] of rates: red 0, yellow 1/2, green 1; grey NaN."""
    rate = np.nan_to_num(rate_EL, nan=0.0)[..., None]
    red, yellow, green = (
        np.array(c, float) for c in ((200, 60, 50), (245, 205, 90), (60, 160, 80))
    )
    low = red + (yellow - red) * np.clip(2 * rate, 0, 1)
    colour = low + (green - yellow) * np.clip(2 * rate - 1, 0, 1)
    colour = np.where(np.isnan(rate_EL)[..., None], 128.0, colour)
    image = colour.astype(np.uint8).repeat(CELL_PIXELS, axis=0).repeat(CELL_PIXELS, axis=1)
    image[::CELL_PIXELS], image[:, ::CELL_PIXELS] = 255, 255  # a grid between the cells
    return image


def diagram(predicted_B: np.ndarray, observed_B: np.ndarray, groups_B: np.ndarray) -> np.ndarray:
    """An image uint8 [S, S, 3]: a square for each bin with groups, its area their share.

    Predicted from left to right, observed from the bottom up, both from 0 to 1; the grey line is
    where they agree.
    """
    side = DIAGRAM_PIXELS
    image = np.full((side, side, 3), 255, np.uint8)
    along = np.arange(side)
    image[side - 1 - along, along] = 128
    for predicted, observed, groups in zip(predicted_B, observed_B, groups_B, strict=True):
        if groups:
            half = 3 + round(side / 10 * float(np.sqrt(groups / groups_B.sum())))
            x, y = round(predicted * (side - 1)), round((1.0 - observed) * (side - 1))
            image[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1] = 50, 100, 170
    return image

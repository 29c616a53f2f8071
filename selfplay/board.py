"""TensorBoard: scalars of every generation, the curriculum as heat maps, and its reliability.

Fed by train.py with plain numbers; the step axis is the generation.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tensorboardX import SummaryWriter

CELL_PIXELS = 28
"""Side of one (environment, level) cell in the heat map."""


DIAGRAM_PIXELS = 241
"""Side of the reliability diagram."""


class Board:
    """Writes the events of one run."""

    def __init__(self, path: Path) -> None:
        self._writer = SummaryWriter(str(path), flush_secs=5)

    def scalars(self, generation: int, values: Mapping[str, float]) -> None:
        """Write numbers by tag; NaN (nothing to say this time) is left out."""
        for tag, value in values.items():
            if np.isfinite(value):
                self._writer.add_scalar(tag, value, generation)

    def frontier(self, generation: int, names: Sequence[str], rate_EL: np.ndarray) -> None:
        """Draw pass rates: a row an environment, a column a level, red 0, yellow 1/2, green 1.

        Args:
            generation: the step.
            names: E environments, in the order of the rows (told in the text beside the image).
            rate_EL: float [E, L] in [0, 1]; NaN where there is no such level.
        """
        self._image(generation, "curriculum/frontier", heat_map(rate_EL))
        rows = "\n".join(
            f"| {name} | " + " | ".join("" if np.isnan(r) else f"{r:.2f}" for r in rate_L) + " |"
            for name, rate_L in zip(names, rate_EL, strict=True)
        )
        head = "| environment | " + " | ".join(f"level {i}" for i in range(rate_EL.shape[1])) + " |"
        rule = "|" + " --- |" * (rate_EL.shape[1] + 1)
        self._writer.add_text("curriculum/frontier", f"{head}\n{rule}\n{rows}", generation)

    def uncertainty(self, generation: int, sd_EL: np.ndarray) -> None:
        """Draw how sure the pass rates are, in the same places: green 0, red 1/4 and more.

        Args:
            generation: the step.
            sd_EL: float [E, L], standard deviations of the predicted pass rates.
        """
        self._image(generation, "curriculum/uncertainty", heat_map(1.0 - np.minimum(4 * sd_EL, 1)))

    def groups(self, generation: int, groups_EL: np.ndarray) -> None:
        """Draw how much was played, in the same places: red nothing, green as much as anywhere.

        Args:
            generation: the step.
            groups_EL: float [E, L], groups played; NaN where there is no such level.
        """
        most = max(float(np.nanmax(groups_EL)), 1.0)
        self._image(generation, "curriculum/groups", heat_map(groups_EL / most))

    def reliability(
        self, generation: int, predicted_B: np.ndarray, observed_B: np.ndarray, groups_B: np.ndarray
    ) -> None:
        """Draw observed over predicted pass rates, and write them as a table.

        Args:
            generation: the step.
            predicted_B: float [B], mean prediction of each bin; NaN for a bin without groups.
            observed_B: float [B], mean outcome.
            groups_B: int [B], groups in it.
        """
        self._image(
            generation, "calibration/reliability", diagram(predicted_B, observed_B, groups_B)
        )
        rows = [
            f"| {p:.2f} | {o:.2f} | {n} |"
            for p, o, n in zip(predicted_B, observed_B, groups_B, strict=True)
            if n
        ]
        head = "| predicted | observed | groups |\n| --- | --- | --- |"
        self._writer.add_text("calibration/reliability", "\n".join([head, *rows]), generation)

    def _image(self, generation: int, tag: str, image: np.ndarray) -> None:
        self._writer.add_image(tag, image, generation, dataformats="HWC")

    def text(self, generation: int, tag: str, markdown: str) -> None:
        """Write a text panel."""
        self._writer.add_text(tag, markdown, generation)

    def close(self) -> None:
        """Finish writing."""
        self._writer.close()


def heat_map(rate_EL: np.ndarray) -> np.ndarray:
    """An image uint8 [E * pixels, L * pixels, 3] of rates in [0, 1]; grey where NaN."""
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

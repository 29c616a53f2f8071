"""TensorBoard: scalars of every generation, and the curriculum as a heat map.

Fed by train.py with plain numbers; the step axis is the generation.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tensorboardX import SummaryWriter

CELL_PIXELS = 28
"""Side of one (environment, level) cell in the heat map."""


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
        image = heat_map(rate_EL)
        self._writer.add_image("curriculum/frontier", image, generation, dataformats="HWC")
        rows = "\n".join(
            f"| {name} | " + " | ".join("" if np.isnan(r) else f"{r:.2f}" for r in rate_L) + " |"
            for name, rate_L in zip(names, rate_EL, strict=True)
        )
        head = "| environment | " + " | ".join(f"level {i}" for i in range(rate_EL.shape[1])) + " |"
        rule = "|" + " --- |" * (rate_EL.shape[1] + 1)
        self._writer.add_text("curriculum/frontier", f"{head}\n{rule}\n{rows}", generation)

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

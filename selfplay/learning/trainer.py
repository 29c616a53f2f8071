"""The trainer: takes a generation's optimiser steps on its examples and on rehearsed attempts.

Fed by loop.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from selfplay import streams
from selfplay.learning import rehearsal
from selfplay.learning.batch import Example
from selfplay.learning.rehearsal import Memory
from selfplay.learning.update import Learner, UpdateConfig, Updater, check_finite
from selfplay.learning.warmup import Teacher


class Learning(NamedTuple):
    """Metrics of a generation's optimiser steps; means over the steps."""

    tokens: int = 0
    """Prompt and response tokens that steps were taken on."""
    loss: float = 0.0
    gradient_norm: float = 0.0
    first_ratio_gap: float = 0.0
    """Largest |importance ratio - 1| before the first optimiser step: what sampling and training
    disagree on."""
    step_length: float = 1.0
    """Share of an optimiser step that the trust region let it take."""


@dataclass(frozen=True)
class Trainer:
    """Everything that optimiser steps need beside the learner and the examples."""

    config: UpdateConfig
    seed: int
    updater: Updater
    teacher: Teacher
    """Draws the demonstrations that are rehearsed beside right attempts."""

    def learn(
        self, learner: Learner, examples: Sequence[Example], memory: Memory, generation: int
    ) -> tuple[Learner, Learning]:
        """Take the generation's optimiser steps, each on a random share of the examples.

        Where attempts are rehearsed each step imitates some of them too. A step without anything
        to learn from (every group all right or all wrong) changes nothing.

        Raises:
            NotFiniteError: a loss or a gradient is no number.
        """
        rng = streams.numpy_rng(self.seed, generation, "minibatches")
        order = rng.permutation(len(examples))
        reports = []
        for step, share in enumerate(np.array_split(order, self.config.steps)):
            batch = [examples[at] for at in share]
            if self.config.rehearses:
                batch += self._rehearsed(memory, generation, step)
            if batch:
                learner, report = self.updater.step(learner, batch)
                reports.append(report)
        if not reports:
            return learner, Learning()
        # Looked at after all steps: a look waits for the device.
        for step, report in enumerate(reports, start=1):
            check_finite(report, f"Optimiser step {step} of generation {generation}")
        return learner, Learning(
            tokens=sum(report.tokens for report in reports),
            loss=float(np.mean([report.loss for report in reports])),
            gradient_norm=float(np.mean([report.gradient_norm for report in reports])),
            first_ratio_gap=float(reports[0].largest_ratio_gap),
            step_length=float(np.mean([report.length for report in reports])),
        )

    def _rehearsed(self, memory: Memory, generation: int, step: int) -> list[Example]:
        """What an optimiser step imitates: right attempts, and a share of demonstrations."""
        config = self.config.rehearsal
        kept = rehearsal.drawn(
            memory,
            config.tokens,
            config.frontier,
            streams.numpy_rng(self.seed, generation, "rehearsal", step),
        )
        share = config.demonstrations / (1.0 - config.demonstrations)
        rng = streams.python_rng(self.seed, generation, "demonstrations", step)
        return kept + [self.teacher.demonstration(rng) for _ in range(round(share * len(kept)))]

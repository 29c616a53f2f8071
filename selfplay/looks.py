"""Looks on the way: some of the anchors, some held-out problems, the demonstrated levels.

Most problems of a look are near the frontier (evaluate.survey). Fed by train.py; report.py has the
full evaluation. Axes: C cells, in the order of the frozen problems, N problems.
"""

from collections.abc import Sequence

import numpy as np

from selfplay import evaluate, streams
from selfplay.curriculum.scale import Game
from selfplay.evaluate import Scores, Survey
from selfplay.loop import State
from selfplay.parts import Parts
from selfplay.problem import Problem

MASTERY_PROBLEMS = 12
"""Fresh problems of each demonstrated level in a look whether it is mastered."""


class Looks:
    """Attempts at few problems by the solver of a state."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._config = parts, parts.config

    def anchors(self, state: State) -> tuple[list[Game], int]:
        """A game at each of some anchors, and the response tokens that they took."""
        evaluation, manager = self._config.evaluation, self._parts.ring.manager
        # Before any outcome there are no predictions to share the look out by.
        known = state.standing.groups_EL.any()
        predicted_C = (
            self._predicted(state) if known else np.full(manager.cells.there_EL.sum(), 0.5)
        )
        survey = self._survey(state, "anchors", predicted_C, evaluation.anchors)
        chosen = self._chosen(state, "anchors", self._parts.suites.anchors, survey)
        scores = self._scored(state, chosen, evaluation.samples, "anchors")
        games = [
            Game(manager.cells.index[problem.environment], problem.level, int(solved), int(graded))
            for problem, solved, graded in zip(
                chosen, scores.solved_N, scores.graded_N, strict=True
            )
        ]
        return games, scores.generated_tokens

    def held_out(self, state: State) -> float:
        """Estimate of held-out pass@1 from some of the problems."""
        evaluation, predicted_C = self._config.evaluation, self._predicted(state)
        survey = self._survey(state, "held-out", predicted_C, evaluation.live)
        few = self._chosen(state, "held-out", self._parts.suites.held_out, survey)
        scores = self._scored(state, few, evaluation.live_samples, "live")
        rate_C = np.full(predicted_C.size, np.nan)
        at_N = np.repeat(np.arange(predicted_C.size), survey.count_C)
        for c in np.flatnonzero(survey.count_C):
            rate_C[c] = np.nanmean(scores.rate_N[at_N == c])
        return survey.estimate(predicted_C, rate_C)

    def mastery(self, state: State, step: int) -> dict[str, float]:
        """Share of fresh problems of the demonstrated levels solved greedily, by environment."""
        rng = streams.python_rng(self._config.seed, 0, "mastery", step)
        problems = self._parts.ring.trainer.teacher.fresh(MASTERY_PROBLEMS, rng)
        rate_N = self._scored(state, problems, 1, "mastery", temperature=0.0).rate_N
        by_name: dict[str, list[float]] = {}
        for problem, rate in zip(problems, rate_N.tolist(), strict=True):
            by_name.setdefault(problem.environment, []).append(rate)
        return {name: float(np.nanmean(rates)) for name, rates in by_name.items()}

    def _scored(
        self,
        state: State,
        problems: Sequence[Problem],
        samples: int,
        stream: str,
        temperature: float = 1.0,
    ) -> Scores:
        parts = self._parts
        return evaluate.scored(
            parts.trained(state), parts.ring.tokenizer, parts.environments, problems,
            samples=samples, temperature=temperature, decode_config=self._config.decode,
            stream=stream,
        )  # fmt: skip

    def _predicted(self, state: State) -> np.ndarray:
        """float [C], predicted pass rates of the cells."""
        manager = self._parts.ring.manager
        return manager.beliefs(state.standing).predicted_EL[manager.cells.there_EL]

    def _survey(self, state: State, name: str, predicted_C: np.ndarray, mean: int) -> Survey:
        suites = self._config.suites
        most = suites.anchors if name == "anchors" else suites.held_out
        rng = streams.numpy_rng(self._config.seed, state.generation, f"survey/{name}")
        return evaluate.survey(predicted_C, mean, most, rng)

    def _chosen(
        self, state: State, name: str, frozen: Sequence[Problem], survey: Survey
    ) -> list[Problem]:
        """Random problems of each cell, as many as are to be attempted; cells in their order."""
        each = len(frozen) // survey.count_C.size
        rng = streams.numpy_rng(self._config.seed, state.generation, f"chosen/{name}")
        return [
            frozen[c * each + int(at)]
            for c, count in enumerate(survey.count_C)
            for at in rng.permutation(each)[:count]
        ]

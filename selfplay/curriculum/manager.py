"""The curriculum manager: plans the next problems and learns from their outcomes.

Ratings predict pass rates, a sampler turns them into a law over levels, environments share the
problems equally and a few per cent are probes of everything. State goes in and comes out; the
manager itself owns none. Feeds the proposers, fed by the outcomes. Axes: E environments, L levels.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from selfplay.curriculum import anchors, elo
from selfplay.curriculum.elo import EloConfig, Game, Ratings
from selfplay.curriculum.samplers import Sampler, Target, Uniform
from selfplay.problem import Environment, Problem, Request


@dataclass(frozen=True)
class CurriculumConfig:
    """Which problems come next."""

    sampler: Literal["target", "uniform"] = "target"
    """The law over the levels of an environment; `uniform` is the control arm."""
    target: float = 0.5
    """Pass rate that `target` aims at."""
    probe: float = 0.03
    """Share of the problems drawn from all levels alike: finds forgetting and dead cells."""
    anchor_gain: float = 0.5
    """Share of the difference to the anchors by which the scale is shifted at each look at them."""
    elo: EloConfig = field(default_factory=EloConfig)
    """Step sizes of the ratings."""

    def __post_init__(self) -> None:
        if not (0.0 < self.target < 1.0 and 0.0 <= self.probe <= 1.0):
            raise ValueError(
                f"curriculum.target={self.target} must lie inside (0, 1) and curriculum.probe="
                f"{self.probe} within [0, 1]; the defaults are 0.5 and 0.03."
            )
        if not 0.0 <= self.anchor_gain <= 1.0:
            raise ValueError(
                f"curriculum.anchor_gain={self.anchor_gain} is outside [0, 1]: 0 never corrects "
                "the scale, 1 trusts the last look at the anchors alone."
            )


class Manager:
    """Plans and observes for a fixed list of environments."""

    def __init__(self, environments: Mapping[str, Environment], config: CurriculumConfig) -> None:
        self.names = list(environments)
        self._config = config
        self._level_counts = [environment.level_count for environment in environments.values()]
        self._sampler: Sampler = Target(config.target) if config.sampler == "target" else Uniform()

    def initial(self) -> Ratings:
        """Ratings before any game."""
        return elo.initial(anchors.prior_cells(self._level_counts))

    def predicted(self, ratings: Ratings) -> np.ndarray:
        """float [E, L], predicted pass rate of each cell; NaN where there is no such level."""
        return elo.pass_rate(ratings.solver_E[:, None], ratings.cell_EL)

    def law(self, ratings: Ratings, e: int) -> np.ndarray:
        """float [L], with which probability each level of environment `e` is drawn next."""
        predicted_L = self.predicted(ratings)[e, : self._level_counts[e]]
        law_L = self._sampler.law(predicted_L)
        return (1.0 - self._config.probe) * law_L + self._config.probe / law_L.size

    def plan(self, ratings: Ratings, count: int, rng: np.random.Generator) -> list[Request]:
        """What to ask the proposers for: `count` requests, environments in turn.

        When `count` is no multiple of the environments, a random few get one more.
        """
        predicted_EL = self.predicted(ratings)
        order = rng.permutation(len(self.names))
        requests = []
        for slot in range(count):
            e = int(order[slot % len(order)])
            levels = self._level_counts[e]
            law_L = self._sampler.law(predicted_EL[e, :levels])
            probe = bool(rng.random() < self._config.probe)
            level = int(rng.integers(levels) if probe else rng.choice(levels, p=law_L))
            requests.append(
                Request(
                    environment=self.names[e],
                    level=level,
                    rating=float(ratings.cell_EL[e, level]),
                    predicted=float(predicted_EL[e, level]),
                    propensity=float(self.law(ratings, e)[level]),
                    purpose="probe" if probe else "target",
                )
            )
        return requests

    def level_near(self, ratings: Ratings, environment: str, rating: float) -> int:
        """The level of an environment whose rating is nearest to the given one, in points."""
        e = self.names.index(environment)
        return int(np.argmin(np.abs(ratings.cell_EL[e, : self._level_counts[e]] - rating)))

    def game(self, problem: Problem, solved: int, graded: int) -> Game:
        """The outcome of a group of attempts at a problem."""
        return Game(self.names.index(problem.environment), problem.level, solved, graded)

    def observe(self, ratings: Ratings, games: Iterable[Game]) -> Ratings:
        """Ratings after the games of a generation."""
        return elo.after(ratings, games, self._config.elo)

    def problem_rating(self, ratings: Ratings, game: Game) -> float:
        """Rating of one problem after its game, in points."""
        return elo.problem_rating(ratings, game, self._config.elo)

    def anchored(
        self,
        ratings: Ratings,
        problems: Sequence[Problem],
        solved_N: np.ndarray,
        graded_N: np.ndarray,
    ) -> Ratings:
        """Ratings after a look at the anchors.

        Args:
            ratings: before it.
            problems: N anchors.
            solved_N: int [N], attempts at each that were right.
            graded_N: int [N], attempts at each that were graded.
        """
        rating_N = np.array([self.prior_rating(problem) for problem in problems])
        name_N = np.array([problem.environment for problem in problems])
        found = [
            anchors.performance(rating_N[own], solved_N[own], graded_N[own])
            for own in (name_N == name for name in self.names)
        ]
        performance_E, sd_E = np.array(found).T
        if not ratings.games_EL.any():  # no record yet that cells and solver could share
            return anchors.place(ratings, performance_E, sd_E)
        return anchors.refix(ratings, performance_E, sd_E, self._config.anchor_gain)

    def prior_rating(self, problem: Problem) -> float:
        """Rating of a problem by its level alone, in points: what anchors are frozen at."""
        count = self._level_counts[self.names.index(problem.environment)]
        return anchors.level_rating(problem.level, count)

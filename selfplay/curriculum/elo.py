"""Elo ratings: the solver's strength per environment against the difficulty of problems.

A group of G attempts is one game whose score is the share solved. One scale for all: 1500 is the
mean of the anchors, 173.72 points are 1 logit of P(solved). Pure numpy over frozen state; fed by
the outcomes of a generation, feeds the samplers. Axes: E environments, L levels.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

MEAN = 1500.0
"""Rating of the mean anchor, in points."""
POINTS_PER_LOGIT = 400.0 / math.log(10.0)
"""173.72 rating points are one logit of P(solved)."""


class Ratings(NamedTuple):
    """Everything that the curriculum believes about strength and difficulty."""

    solver_E: np.ndarray
    """float [E], the solver's rating in each environment, in points."""
    cell_EL: np.ndarray
    """float [E, L], mean rating of the problems of each environment and level; NaN where an
    environment has no such level."""
    games_EL: np.ndarray
    """int [E, L], groups played in each cell."""
    anchored_E: np.ndarray
    """float [E], the solver's rating at the last look at the anchors, in points."""
    anchored_sd_E: np.ndarray
    """float [E], standard deviation of `anchored_E`, in points."""


class Game(NamedTuple):
    """The outcome of one group of attempts."""

    environment: int
    """Index of the environment."""
    level: int
    """Level of the problem."""
    solved: int
    """Attempts that were right."""
    graded: int
    """Attempts that were graded at all."""


@dataclass(frozen=True)
class EloConfig:
    """Step sizes of the ratings."""

    step: float = 52.0
    """Largest move of the solver after one group of attempts, in points."""
    settle: float = 0.05
    """A cell's step is `step` / (1 + settle x groups played): difficulties are static, solvers are
    not, so cells come to rest."""
    problem_step: float = 174.0
    """Largest move of one problem away from its cell after a group of attempts, in points."""

    def __post_init__(self) -> None:
        if not 0.0 < self.step <= 700.0:
            raise ValueError(
                f"curriculum.elo.step={self.step} is outside (0, 700] rating points a group. "
                "Above 700 one lucky group moves the solver past every anchor; the default is 52."
            )
        if self.settle < 0.0 or self.problem_step < 0.0:
            raise ValueError(
                f"curriculum.elo.settle={self.settle} and curriculum.elo.problem_step="
                f"{self.problem_step} must be at "
                "least 0; the defaults are 0.05 and 174."
            )


def pass_rate(solver: np.ndarray | float, problem: np.ndarray | float) -> np.ndarray:
    """P(solved) = 1 / (1 + 10 ** ((problem - solver) / 400)); ratings in points, broadcast."""
    return 1.0 / (1.0 + np.power(10.0, (np.asarray(problem) - np.asarray(solver)) / 400.0))


def initial(cell_EL: np.ndarray) -> Ratings:
    """Before any game: the solver stands at the scale's mean, cells at their prior ratings."""
    count = cell_EL.shape[0]
    return Ratings(
        solver_E=np.full(count, MEAN),
        cell_EL=cell_EL.astype(np.float64),
        games_EL=np.zeros(cell_EL.shape, np.int64),
        anchored_E=np.full(count, MEAN),
        anchored_sd_E=np.full(count, 700.0),
    )


def after(ratings: Ratings, games: Iterable[Game], config: EloConfig) -> Ratings:
    """Play the games one by one; groups without a graded attempt change nothing.

    The solver moves by step x (share solved - predicted), the cell the other way by a step that
    shrinks with its games.

    Source: Elo 1978; shrinking item steps of Pelanek 2016 (Computers & Education 98).
    """
    solver_E, cell_EL = ratings.solver_E.copy(), ratings.cell_EL.copy()
    games_EL = ratings.games_EL.copy()
    for game in games:
        if game.graded == 0:
            continue
        at, cell = game.environment, (game.environment, game.level)
        surprise = game.solved / game.graded - float(pass_rate(solver_E[at], cell_EL[cell]))
        cell_EL[cell] -= config.step / (1.0 + config.settle * games_EL[cell]) * surprise
        solver_E[at] += config.step * surprise
        games_EL[cell] += 1
    return ratings._replace(solver_E=solver_E, cell_EL=cell_EL, games_EL=games_EL)


def problem_rating(ratings: Ratings, game: Game, config: EloConfig) -> float:
    """Rating of one problem, in points: its cell's, moved by its own record."""
    cell = float(ratings.cell_EL[game.environment, game.level])
    if game.graded == 0:
        return cell
    predicted = float(pass_rate(ratings.solver_E[game.environment], cell))
    return cell - config.problem_step * (game.solved / game.graded - predicted)

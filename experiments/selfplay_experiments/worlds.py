"""Worlds: learners whose true pass rates are known, to judge curricula without a language model.

A world is environments x levels with a learner whose ability at each cell is a number that grows
by practice; arms.py drives a curriculum through it. Pure numpy over frozen truth, the learner
goes in and comes out. All worlds of a seed share one truth, and all curricula in a world meet the
same problems and the same luck: the n-th group at a cell is one problem with one draw per attempt.

Does not model proposals, token costs, graders that fail or transfer between environments. The
learner of `long` is fitted to runs (fit.py); the others are built to learn best at 50%, and how far
they resemble a language model is not known.
Axes: E environments, L levels, N groups of a step, G attempts of a group, P anchors of a cell.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

import numpy as np

from selfplay.curriculum.scale import Cells, sigmoid
from selfplay.streams import numpy_rng

Name = Literal["ordered", "full", "shuffled", "forgetting", "delayed", "many", "long"]
NAMES: tuple[Name, ...] = get_args(Name)

ATTEMPTS = 8
"""G, attempts of a group, in all worlds but `long`."""
ANCHORS = 6
"""P, frozen problems of each cell at which the learner is looked at."""
RATE = 0.013
"""Logits that a group at a pass rate of 50% adds at its own level, before an environment's own
factor. Set, with `MIDDLE`, so that practice everywhere alike wastes about as many groups and ends
about as high as in the simulations that the design rests on."""
MIDDLE = -2.1
"""Mean logit of the pass rate half-way up the levels before any practice."""
LADDER_GAIN = (0.013, 0.037)
"""Levels by which a right attempt at a hopeless problem moves the frontier of `long`, divided by 4,
least and most. It and the three below are of what fit.py finds in the runs of three seeds of the
experiment `ladder_arms`: slopes differ between seeds, and gains between environments only."""
LADDER_SLOPE = (0.4, 1.6)
"""Logits from a level to the next, least and most."""
LADDER_START = (1.25, 0.3)
"""Logit of the pass rate at the lowest level of `long` that was not shown, mean and spread."""
LADDER_REACH = 100.0
"""Levels over which what an attempt adds falls to 1/e: it adds to all levels nearly alike."""
LADDER_LEVELS = 60
"""Levels of the environments of `long`."""
LADDER_ATTEMPTS = 2
"""G of `long`."""
LADDER_SHOWN = 0.07
"""Share of the levels of `long` that the learner masters at first."""
REACH = 2.5
"""Levels over which what a group adds falls to 1/e."""

_BLOCK = 32
_NODE_Q, _WEIGHT_Q = np.polynomial.hermite_e.hermegauss(15)
_WEIGHT_Q = _WEIGHT_Q / _WEIGHT_Q.sum()


class Learner(NamedTuple):
    """What changes in a world."""

    ability_EL: np.ndarray
    """float [E, L], logit of P(solved by skill) for the mean problem of each cell."""
    groups_EL: np.ndarray
    """int [E, L], groups attempted so far in each cell; the number of its next problem."""


@dataclass(frozen=True)
class World:
    """The truth of a world: a cell is solved with floor + (ceiling - floor) x sigmoid(ability)."""

    seed: int
    """Of all that happens in it."""
    start_EL: np.ndarray
    """float [E, L], ability before any practice, in logits."""
    rate_E: np.ndarray
    """float [E], logits that a group at 50% adds at its own level."""
    floor_E: np.ndarray
    """float [E], P(solved) without any skill, in [0, 1]."""
    ceiling_E: np.ndarray
    """float [E], P(solved) with all skill, in [floor, 1]; at the floor, there is nothing to
    learn."""
    transfer_ELL: np.ndarray
    """float [E, L, L], share of what a group at one level (first L) adds at another, in [0, 1]."""
    residual_sd: float = 0.5
    """Spread of the problems of a cell, in logits."""
    forgetting: float = 0.0
    """Share of what practice has added that is lost at each step."""
    attempts: int = ATTEMPTS
    """G, attempts of a group."""
    imitates: bool = False
    """Whether the learner imitates its right attempts, as rehearsal does: each teaches by how
    unlikely it was. Otherwise it learns from groups of which some attempts are right."""
    delay: int = 0
    """Steps by which outcomes reach the curriculum late; the learner learns at once."""

    @property
    def cells(self) -> Cells:
        """The cells, as a curriculum knows them."""
        environments, levels = self.start_EL.shape
        return Cells(
            tuple(f"environment_{e}" for e in range(environments)), (levels,) * environments
        )

    @property
    def trap_E(self) -> np.ndarray:
        """bool [E], environments in which nothing can be learnt."""
        return self.floor_E == self.ceiling_E

    def initial(self) -> Learner:
        """The learner before any practice."""
        return Learner(self.start_EL, np.zeros(self.start_EL.shape, np.int64))

    def pass_rate(self, learner: Learner) -> np.ndarray:
        """float [E, L], true P(solved) of a fresh problem of each cell: the mean over problems."""
        ability_ELQ = learner.ability_EL[..., None] + self.residual_sd * _NODE_Q
        environment_E11 = np.arange(len(self.rate_E))[:, None, None]
        return self._solved(environment_E11, ability_ELQ) @ _WEIGHT_Q

    def step(
        self,
        learner: Learner,
        environment_N: np.ndarray,
        level_N: np.ndarray,
        trained_N: np.ndarray,
    ) -> tuple[Learner, np.ndarray]:
        """A fresh problem for each group, all attempted before any of them teaches.

        A group that is trained on adds to the ability at its level rate x `lesson` x the share of
        its P(solved) that is owed to skill, and at the other levels of its environment the
        transferred part of that.

        Args:
            learner: before it.
            environment_N: int [N], environment of each group.
            level_N: int [N], its level.
            trained_N: bool [N], False for groups that are only looked at.

        Returns:
            The learner after it, and int [N], attempts of each group that were right, in [0, G].
        """
        groups_EL = learner.groups_EL.copy()
        residual_N, luck_NG = np.empty(len(level_N)), np.empty((len(level_N), self.attempts))
        for n, cell in enumerate(zip(environment_N.tolist(), level_N.tolist(), strict=True)):
            residual_N[n], luck_G = _problem(self.seed, cell, int(groups_EL[cell]))
            luck_NG[n] = luck_G[: self.attempts]
            groups_EL[cell] += 1
        ability_N = learner.ability_EL[environment_N, level_N] + self.residual_sd * residual_N
        solved_rate_N = self._solved(environment_N, ability_N)
        solved_N = (luck_NG < solved_rate_N[:, None]).sum(axis=1)
        # A lucky guess rewards whatever was written: it counts as an outcome and teaches nothing.
        skill_N = solved_rate_N - self.floor_E[environment_N]
        owed_N = np.divide(skill_N, solved_rate_N, np.zeros_like(skill_N), where=solved_rate_N > 0)
        lesson_N = self.lesson(solved_N, solved_rate_N) * owed_N * trained_N
        after = self.taught(learner, environment_N, level_N, lesson_N)
        return after._replace(groups_EL=groups_EL), solved_N

    def lesson(self, solved_N: np.ndarray, chance_N: np.ndarray) -> np.ndarray:
        """float [N], what groups have to teach; its mean over attempts is 4 p (1 - p).

        Args:
            solved_N: int [N], attempts of each group that were right, in [0, G].
            chance_N: float [N], P(solved) of its problem.
        """
        if self.imitates:
            return 4.0 * solved_N / self.attempts * (1.0 - chance_N)
        return signal(solved_N, self.attempts)

    def taught(
        self,
        learner: Learner,
        environment_N: np.ndarray,
        level_N: np.ndarray,
        lesson_N: np.ndarray,
    ) -> Learner:
        """The learner after lessons of `rate_E` logits each, at its level and, less, at the others.

        Args:
            learner: before them.
            environment_N: int [N], environment of each lesson.
            level_N: int [N], its level.
            lesson_N: float [N], how much is taught; 1 adds the whole rate.
        """
        gained_EL = (learner.ability_EL - self.start_EL) * (1.0 - self.forgetting)
        gain_N1 = (self.rate_E[environment_N] * lesson_N)[:, None]
        np.add.at(gained_EL, environment_N, gain_N1 * self.transfer_ELL[environment_N, level_N])
        return learner._replace(ability_EL=self.start_EL + gained_EL)

    def look_at_anchors(self, learner: Learner, step: int) -> np.ndarray:
        """int [E, L, P], attempts of G at each frozen anchor that are right; teaches nothing.

        Args:
            learner: as it is now.
            step: now; other attempts at the same problems.
        """
        shape = (*self.start_EL.shape, ANCHORS)
        residual_ELP = numpy_rng(self.seed, 0, "world-anchors").normal(size=shape)
        ability_ELP = learner.ability_EL[..., None] + self.residual_sd * residual_ELP
        environment_E11 = np.arange(len(self.rate_E))[:, None, None]
        rng = numpy_rng(self.seed, step, "world-anchor-attempts")
        luck_ELPG = rng.random((*shape, self.attempts))
        return (luck_ELPG < self._solved(environment_E11, ability_ELP)[..., None]).sum(axis=3)

    def _solved(self, environment: np.ndarray, ability: np.ndarray) -> np.ndarray:
        """P(solved) of problems of given environments and abilities; broadcast."""
        floor = self.floor_E[environment]
        return floor + (self.ceiling_E[environment] - floor) * sigmoid(ability)


def signal(solved: np.ndarray | int, attempts: int) -> np.ndarray:
    """4 k (G - k) / (G (G - 1)): what a group of G attempts, k of them right, has to teach.

    Args:
        solved: k, int in [0, G], any shape.
        attempts: G, at least 2.

    Returns:
        float, in [0, G / (G - 1)], 0 if none or all are right; its mean over attempts at pass rate
        p is 4 p (1 - p), which is 1 at p = .5.
    """
    solved = np.asarray(solved)
    return 4.0 * solved * (attempts - solved) / (attempts * (attempts - 1))


def _problem(seed: int, cell: tuple[int, int], number: int) -> tuple[float, np.ndarray]:
    """The residual of one problem of a cell, in sd, and a draw in [0, 1) per attempt at it."""
    residual_N, luck_NG = _problems(seed, cell, number // _BLOCK)
    return residual_N[number % _BLOCK], luck_NG[number % _BLOCK]


@lru_cache(maxsize=8192)  # two blocks for each cell of the largest world
def _problems(seed: int, cell: tuple[int, int], block: int) -> tuple[np.ndarray, np.ndarray]:
    """Many at a time: a generator for each problem would take as long as all the rest."""
    rng = numpy_rng(seed, block, "world-problems", *cell)
    return rng.normal(size=_BLOCK), rng.random((_BLOCK, ATTEMPTS))


def _ordered(seed: int, environments: int, levels: int = 10) -> World:
    """Levels truly ordered, all can be learnt, equally fast."""
    rng = numpy_rng(seed, 0, "world-skills")
    middle_E = rng.normal(MIDDLE, 0.8, environments)
    spacing_E = rng.uniform(0.4, 1.1, environments)
    height_L = np.arange(levels) - (levels - 1) / 2
    distance_LL = np.abs(height_L[:, None] - height_L)
    return World(
        seed=seed,
        start_EL=middle_E[:, None] - spacing_E[:, None] * height_L,
        rate_E=np.full(environments, RATE),
        floor_E=np.zeros(environments),
        ceiling_E=np.ones(environments),
        transfer_ELL=np.tile(np.exp(-distance_LL / REACH), (environments, 1, 1)),
    )


def _full(seed: int, environments: int) -> World:
    """One environment in 12 each a coin flip, impossible, guessable; the rest learn unequally."""
    world = _ordered(seed, environments)
    order = numpy_rng(seed, 0, "world-traps").permutation(environments)
    coin, impossible, guessable = order[: 3 * (environments // 12)].reshape(3, -1)
    floor_E, ceiling_E = world.floor_E.copy(), world.ceiling_E.copy()
    floor_E[coin] = ceiling_E[coin] = 0.5
    floor_E[impossible] = ceiling_E[impossible] = 0.0
    floor_E[guessable] = 0.25
    factor_E = np.exp(numpy_rng(seed, 0, "world-rates").normal(0.0, 0.5, environments))
    return replace(world, rate_E=RATE * factor_E, floor_E=floor_E, ceiling_E=ceiling_E)


def _shuffled(seed: int, environments: int) -> World:
    """`full` with the labels of the levels permuted, in each environment differently."""
    world = _full(seed, environments)
    shape = world.start_EL.shape
    height_EL = numpy_rng(seed, 0, "world-labels").permuted(
        np.tile(np.arange(shape[1]), (shape[0], 1)), axis=1
    )
    row_E = np.arange(shape[0])
    transfer_ELL = world.transfer_ELL[
        row_E[:, None, None], height_EL[:, :, None], height_EL[:, None, :]
    ]
    start_EL = np.take_along_axis(world.start_EL, height_EL, axis=1)
    return replace(world, start_EL=start_EL, transfer_ELL=transfer_ELL)


def ladders(
    seed: int, start_E: np.ndarray, slope_E: np.ndarray, rate_E: np.ndarray, reach: float,
    levels: int,
) -> World:  # fmt: skip
    """Long ladders of which the lowest levels are mastered and most of the rest hopeless.

    Args:
        seed: of what happens in it.
        start_E: float [E], logit of the pass rate at the lowest level that was not shown.
        slope_E: float [E], logits from a level to the next.
        rate_E: float [E], as `World.rate_E`.
        reach: levels over which what a right attempt adds falls to 1/e.
        levels: number L of levels.
    """
    height_L = np.arange(levels) - int(LADDER_SHOWN * levels)
    distance_LL = np.abs(height_L[:, None] - height_L)
    return World(
        seed=seed,
        start_EL=start_E[:, None] - slope_E[:, None] * height_L,
        rate_E=rate_E,
        floor_E=np.zeros(len(rate_E)),
        ceiling_E=np.ones(len(rate_E)),
        transfer_ELL=np.tile(np.exp(-distance_LL / reach), (len(rate_E), 1, 1)),
        attempts=LADDER_ATTEMPTS,
        imitates=True,
    )


def _log_uniform(rng: np.random.Generator, between: tuple[float, float], count: int) -> np.ndarray:
    low, high = np.log(between)
    return np.exp(rng.uniform(float(low), float(high), count))


def _long(seed: int, environments: int) -> World:
    """Ladders like those of `ladder_arms`."""
    rng = numpy_rng(seed, 0, "world-ladders")
    slope_E = _log_uniform(rng, LADDER_SLOPE, environments)
    start_E = rng.normal(*LADDER_START, environments)
    rate_E = slope_E * _log_uniform(rng, LADDER_GAIN, environments)
    return ladders(seed, start_E, slope_E, rate_E, LADDER_REACH, LADDER_LEVELS)


_MAKERS: dict[Name, Callable[[int, int], World]] = {
    "ordered": _ordered,
    "full": _full,
    "shuffled": _shuffled,
    "forgetting": lambda seed, environments: replace(_full(seed, environments), forgetting=0.002),
    "delayed": lambda seed, environments: replace(_full(seed, environments), delay=32),
    "many": _full,
    "long": _long,
}
_ENVIRONMENTS = {"many": 200, "long": 4}
"""How many there are; 24 in the other worlds."""


def make(name: Name, seed: int, environments: int | None = None) -> World:
    """A world of 24 environments with 10 levels each, or as its name says; equal for equal seeds.

    Args:
        name: `ordered`: level labels tell the order, nothing is a trap. `full`: one environment in
            12 is a coin flip, one impossible, one guessable at 25%, the others learn at different
            rates. The rest are `full` with one change: `shuffled` level labels, `forgetting`
            (half of an added skill is lost in 346 steps), `delayed` outcomes (32 steps), `many`
            (200) environments. `long`: four ladders of 60 levels, of which four are mastered at
            first, and a learner that imitates what it got right, two attempts a group.
        seed: at least 0.
        environments: another number of them, at least 1; below 12 there are no traps.
    """
    return _MAKERS[name](seed, environments or _ENVIRONMENTS.get(name, 24))

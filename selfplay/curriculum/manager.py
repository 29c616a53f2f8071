"""The curriculum manager: plans the next problems and learns from their outcomes.

A rating system predicts pass rates, a sampler turns them into a law over the cells, a watch shares
the problems between environments and puts traps into quarantine, and a few per cent are probes of
everything. State goes in and comes out; the manager itself owns none. Outcomes may come late, in
parts, twice or out of order. Feeds the proposers, fed by the outcomes. Axes: E environments, L
levels, H generations that are remembered, W plans of a generation.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from selfplay.curriculum import anchors, calibration, kalman, samplers, watch
from selfplay.curriculum.calibration import Reliability
from selfplay.curriculum.elo import Elo, EloConfig
from selfplay.curriculum.glicko2 import Glicko2, Glicko2Config
from selfplay.curriculum.kalman import Kalman, KalmanConfig
from selfplay.curriculum.samplers.sampler import Sampler, View
from selfplay.curriculum.scale import POINTS_PER_LOGIT, Beliefs, Cells, Game
from selfplay.curriculum.system import System
from selfplay.curriculum.watch import Watch
from selfplay.problem import Problem

HORIZON = 64
"""Generations after which an outcome is too late to count."""


@dataclass(frozen=True)
class CurriculumConfig:
    """Which problems come next."""

    system: Literal["kalman", "glicko2", "elo"] = "kalman"
    """The rating system."""
    sampler: samplers.Name = "target"
    """The law over the cells: ours, control arms, and those of published curricula."""
    target: float = 0.5
    """Pass rate that `target` aims at."""
    width: float = 0.1
    """Standard deviation of the window around it, in pass rate."""
    probe: float = 0.03
    """Share of the problems drawn from all cells alike: finds forgetting and dead cells."""
    quarantine: bool = True
    """Whether environments that look learnable and never improve, or that cannot be solved, get
    probes only. For samplers that leave the shares to the manager."""
    tilt: float = 1.0
    """Factor by which an environment's share may differ from an equal one, in proportion to its
    learning progress; 1: equal shares. It helps the mean at the expense of the slowest."""
    elo: EloConfig = field(default_factory=EloConfig)
    """Settings of the rating system `elo`."""
    glicko2: Glicko2Config = field(default_factory=Glicko2Config)
    """Settings of the rating system `glicko2`."""
    kalman: KalmanConfig = field(default_factory=KalmanConfig)
    """Settings of the rating system `kalman`."""

    def __post_init__(self) -> None:
        if not (0.0 < self.target < 1.0 and 0.0 <= self.probe <= 1.0):
            raise ValueError(
                f"curriculum.target={self.target} must lie inside (0, 1) and curriculum.probe="
                f"{self.probe} within [0, 1]; the defaults are 0.5 and 0.03."
            )
        if not 0.001 <= self.width <= 1.0:
            raise ValueError(
                f"curriculum.width={self.width} is a standard deviation of pass rates, within "
                "[0.001, 1]; the default is 0.1."
            )
        if not 1.0 <= self.tilt <= 10.0:
            raise ValueError(
                f"curriculum.tilt={self.tilt} is a factor from 1 (equal shares) to 10; 2 is usual."
            )


class Plan(NamedTuple):
    """One problem that is to be posed, and why."""

    generation: int
    """When it was planned."""
    slot: int
    """Its place among the plans of the generation; the two identify it."""
    environment: int
    """Index of the environment."""
    level: int
    rating: float
    """Of the cell, in points."""
    predicted: float
    """Predicted pass rate."""
    predicted_sd: float
    """Standard deviation of the pass rate of a problem of this cell around it."""
    propensity: float
    """Probability with which a slot of this generation gets this cell."""
    purpose: str
    """`target` (the sampler's law), `probe` (kept up everywhere) or `screen` (looked at only)."""


class Report(NamedTuple):
    """What has become of a plan so far."""

    plan: Plan
    game: Game
    """All attempts that are known by now, not only new ones; its level is that of the problem that
    was posed, which may differ from the one asked for."""


class Standing(NamedTuple):
    """All that the curriculum knows; arrays, and tuples of arrays."""

    suite: np.ndarray
    """uint8 [16], beginning of the digest of the frozen problems, in ASCII."""
    generation: np.ndarray
    """int [], until when the solver is known to have been trained."""
    ratings: Any
    """State of the rating system."""
    sampler: Any
    """State of the sampler."""
    watch: Watch
    reliability: Reliability
    groups_EL: np.ndarray
    """int [E, L], groups played in each cell."""
    anchored_E: np.ndarray
    """float [E], the solver's rating by its last look at the anchors alone, in points."""
    anchored_sd_E: np.ndarray
    """float [E], standard deviation of `anchored_E`, in points."""
    heard_H: np.ndarray
    """int [H], the generation that each row of the next two is of."""
    heard_solved_HW: np.ndarray
    """int [H, W], attempts at each plan that were counted as right."""
    heard_graded_HW: np.ndarray
    """int [H, W], attempts at each plan that were counted."""
    ignored: np.ndarray
    """int [2], reports that told nothing new, and reports that came too late."""
    age: np.ndarray
    """int [2], sum over the groups that counted of the generations since their plan, and their
    number."""


class Manager:
    """Plans and observes for fixed cells."""

    def __init__(
        self,
        cells: Cells,
        config: CurriculumConfig,
        generations: int,
        count: int,
        suite: str = "",
        sampler: Sampler | None = None,
    ) -> None:
        """Prepare.

        Args:
            cells: environments and levels.
            config: settings.
            generations: of the whole run; some samplers follow a schedule.
            count: most problems that a generation trains on.
            suite: digest of the frozen problems, which name the scale; its first 16 characters.
            sampler: in place of the one that the configuration names.
        """
        self.cells = cells
        self.names = list(cells.names)
        self._config = config
        self._generations = generations
        self._suite = np.frombuffer(suite[:16].ljust(16).encode("ascii"), np.uint8)
        self._width = count + cells.there_EL.size
        self._sampler: Sampler = sampler or samplers.make(
            config.sampler, target=config.target, width=config.width
        )
        self._system: System = {
            "elo": lambda: Elo(cells, config.elo),
            "glicko2": lambda: Glicko2(cells, config.glicko2),
            "kalman": lambda: Kalman(cells, config.kalman),
        }[config.system]()

    def initial(self) -> Standing:
        """Before any outcome."""
        ratings = self._system.initial()
        beliefs = self._system.beliefs(ratings)
        heard_HW = np.zeros((HORIZON, self._width), np.int64)
        return Standing(
            suite=self._suite,
            generation=np.array(0),
            ratings=ratings,
            sampler=self._sampler.initial(self.cells),
            watch=watch.initial(beliefs),
            reliability=calibration.initial(),
            groups_EL=np.zeros(self.cells.shape, np.int64),
            anchored_E=beliefs.solver_E,
            anchored_sd_E=beliefs.solver_sd_E,
            heard_H=np.full(HORIZON, -1),
            heard_solved_HW=heard_HW,
            heard_graded_HW=heard_HW,
            ignored=np.zeros(2, np.int64),
            age=np.zeros(2, np.int64),
        )

    def check(self, standing: Standing) -> None:
        """Refuse a standing on the scale of other anchors.

        Raises:
            ValueError: its frozen problems are not those of this manager.
        """
        if not np.array_equal(standing.suite, self._suite):
            theirs, ours = (bytes(suite).decode() for suite in (standing.suite, self._suite))
            raise ValueError(
                f"this standing is on the scale of the frozen problems {theirs!r}, and those of "
                f"now are {ours!r}: an environment or a suite size has changed. Ratings cannot be "
                "carried over; go on with the version that the run was started with."
            )

    def beliefs(self, standing: Standing) -> Beliefs:
        """What the rating system believes."""
        return self._system.beliefs(standing.ratings)

    def law(self, standing: Standing, generation: int, rng: np.random.Generator) -> np.ndarray:
        """float [E, L], with which probability a slot gets each cell; sums to 1, 0 beyond."""
        share_E, law_EL = self._law(standing, self._view(standing, generation, rng))
        return self._with_probes(share_E[:, None] * law_EL)

    def shares(self, standing: Standing) -> np.ndarray:
        """float [E], how environments share the problems that are no probes; sums to 1."""
        rng = np.random.default_rng(0)  # a law that depends on a draw has no one share
        view = self._view(standing, int(standing.generation) + 1, rng)
        return self._law(standing, view)[0]

    def plan(
        self, standing: Standing, count: int, generation: int, rng: np.random.Generator
    ) -> list[Plan]:
        """What to ask the proposers for: `count` plans, and before them what is to be screened."""
        beliefs, view = self.beliefs(standing), self._view(standing, generation, rng)
        share_E, law_EL = self._law(standing, view)
        propensity_EL = self._with_probes(share_E[:, None] * law_EL)
        there = np.argwhere(self.cells.there_EL)
        screen_EL = self._sampler.screen(standing.sampler, view)
        chosen = [
            ("screen", e, level)
            for e, level in there.tolist()
            for _ in range(int(screen_EL[e, level]))
        ]
        for e in self._environments(share_E, count, rng):
            if rng.random() < self._config.probe:
                chosen.append(("probe", *there[rng.integers(len(there))].tolist()))
            else:
                own_L = law_EL[e] / law_EL[e].sum()
                chosen.append(("target", e, int(rng.choice(own_L.size, p=own_L))))
        predicted_EL, sd_EL = beliefs.predicted_EL, problem_sd(beliefs)
        return [
            Plan(
                generation, slot, e, level, float(beliefs.cell_EL[e, level]),
                float(predicted_EL[e, level]), float(sd_EL[e, level]),
                1.0 if purpose == "screen" else float(propensity_EL[e, level]), purpose,
            )
            for slot, (purpose, e, level) in enumerate(chosen)
        ]  # fmt: skip

    def observe(self, standing: Standing, generation: int, reports: Iterable[Report]) -> Standing:
        """The standing after a generation of training and the reports that have arrived by then.

        A report counts by what it adds to earlier ones on the same plan: the same one again, or an
        older part of it, adds nothing. One on a plan of more than `HORIZON` generations ago is
        ignored. What counts is taken for the present solver's, whenever it was planned.

        Raises:
            ValueError: a plan is of a generation or slot that cannot have been.
        """
        standing = self._aged(standing, generation)
        heard_H = standing.heard_H.copy()
        solved_HW, graded_HW = standing.heard_solved_HW.copy(), standing.heard_graded_HW.copy()
        ignored, age = standing.ignored.copy(), standing.age.copy()
        reliability, games = standing.reliability, []
        new_EL = np.zeros(self.cells.shape, np.int64)
        # In the order of the plans, so that it does not matter in which order they were heard.
        for plan, game in sorted(reports):
            self._check(plan, generation)
            row = plan.generation % HORIZON
            if plan.generation <= generation - HORIZON:
                ignored[1] += 1
                continue
            if heard_H[row] != plan.generation:
                heard_H[row], solved_HW[row], graded_HW[row] = plan.generation, 0, 0
            at = row, plan.slot
            new = game._replace(
                solved=game.solved - int(solved_HW[at]), graded=game.graded - int(graded_HW[at]),
                trained=plan.purpose != "screen",
            )  # fmt: skip
            if new.graded <= 0 or not 0 <= new.solved <= new.graded:
                ignored[0] += 1
                continue
            if graded_HW[at] == 0:
                age += (generation - plan.generation, 1)
                new_EL[game.environment, game.level] += 1
                if game.level == plan.level:
                    reliability = calibration.after(
                        reliability, plan.predicted, plan.predicted_sd, game.solved, game.graded
                    )
            solved_HW[at], graded_HW[at] = game.solved, game.graded
            games.append(new)
        return self._played(standing, games, new_EL)._replace(
            reliability=reliability, heard_H=heard_H, heard_solved_HW=solved_HW,
            heard_graded_HW=graded_HW, ignored=ignored, age=age,
        )  # fmt: skip

    def look_at_anchors(
        self, standing: Standing, generation: int, games: Sequence[Game]
    ) -> Standing:
        """The standing after a look at the anchors; one game for each of them."""
        standing = self._aged(standing, generation)
        e_N, level_N, solved_N, graded_N = np.array([game[:4] for game in games]).T
        rating_N = self.cells.prior_EL[e_N, level_N]
        found = [
            anchors.performance(rating_N[own_N], solved_N[own_N], graded_N[own_N])
            for own_N in (e_N == e for e in range(len(self.names)))
        ]
        performance_E, sd_E = np.array(found).T
        first = not standing.groups_EL.any()
        ratings = self._system.anchored(standing.ratings, games, performance_E, first)
        return standing._replace(
            ratings=ratings,
            watch=watch.marked(standing.watch, self._system.beliefs(ratings)),
            anchored_E=performance_E,
            anchored_sd_E=sd_E,
        )

    def prior_rating(self, problem: Problem) -> float:
        """Rating of a problem by its level alone, in points: what anchors are frozen at."""
        return float(self.cells.prior_EL[self.names.index(problem.environment), problem.level])

    def level_near(self, standing: Standing, environment: str, rating: float) -> int:
        """The level of an environment whose rating is nearest to the given one, in points."""
        e = self.names.index(environment)
        own_L = self.beliefs(standing).cell_EL[e, : self.cells.level_counts[e]]
        return int(np.argmin(np.abs(own_L - rating)))

    def _view(self, standing: Standing, generation: int, rng: np.random.Generator) -> View:
        beliefs = self.beliefs(standing)
        return View(
            cells=self.cells, predicted_EL=beliefs.predicted_EL, logit_sd_EL=beliefs.logit_sd_EL,
            progress=min(1.0, generation / max(self._generations, 1)), rng=rng,
        )  # fmt: skip

    def _law(self, standing: Standing, view: View) -> tuple[np.ndarray, np.ndarray]:
        """Shares float [E] and the law of each environment float [E, L]; no probes yet."""
        law_EL = self._sampler.law(standing.sampler, view)
        if not self._sampler.within_environments:
            share_E = law_EL.sum(axis=1)
            return share_E, law_EL / np.where(share_E > 0.0, share_E, 1.0)[:, None]
        config = self._config
        return watch.shares(standing.watch, config.tilt, config.quarantine), law_EL

    def _with_probes(self, law_EL: np.ndarray) -> np.ndarray:
        there_EL, probe = self.cells.there_EL, self._config.probe
        return (1.0 - probe) * law_EL + probe * there_EL / there_EL.sum()

    @staticmethod
    def _environments(share_E: np.ndarray, count: int, rng: np.random.Generator) -> list[int]:
        """`count` environments in their shares, none off by more than one, in random order."""
        # In a random order: neighbours would else always get the extra ones together.
        order_E = rng.permutation(share_E.size)
        edges_E = np.cumsum(share_E[order_E])
        at_N = (np.arange(count) + rng.random()) / count * edges_E[-1]
        return rng.permutation(order_E[np.searchsorted(edges_E, at_N, side="right")]).tolist()

    def _check(self, plan: Plan, generation: int) -> None:
        if not (0 <= plan.generation <= generation and 0 <= plan.slot < self._width):
            raise ValueError(
                f"a report on plan {plan.slot} of generation {plan.generation} in generation "
                f"{generation}: there are {self._width} plans in a generation, and none of the "
                "future."
            )

    def _aged(self, standing: Standing, generation: int) -> Standing:
        passed = generation - int(standing.generation)
        if passed <= 0:
            return standing
        ratings = self._system.aged(standing.ratings, passed)
        return standing._replace(generation=np.array(generation), ratings=ratings)

    def _played(self, standing: Standing, games: Sequence[Game], new_EL: np.ndarray) -> Standing:
        if not games:
            return standing
        ratings = self._system.after(standing.ratings, games)
        return standing._replace(
            ratings=ratings,
            sampler=self._sampler.after(standing.sampler, self.cells, games),
            watch=watch.after(standing.watch, self._system.beliefs(ratings), new_EL.sum(axis=1)),
            groups_EL=standing.groups_EL + new_EL,
        )


def problem_sd(beliefs: Beliefs) -> np.ndarray:
    """float [E, L], standard deviation of the pass rate of a problem around the predicted one.

    What the rating is unsure of, and what the problems of a cell differ by.
    """
    predicted_EL = beliefs.predicted_EL
    slope_EL = predicted_EL * (1.0 - predicted_EL)
    return slope_EL * np.hypot(beliefs.logit_sd_EL, beliefs.problem_sd_E[:, None])


def problem_rating(beliefs: Beliefs, game: Game) -> tuple[float, float]:
    """Rating of one problem after its game and its standard deviation, in points.

    Its difference to its cell is normal at first, as wide as the problems of a cell differ, and
    shrinks with its record.
    """
    cell = float(beliefs.cell_EL[game.environment, game.level])
    predicted = (beliefs.solver_E[game.environment] - cell) / POINTS_PER_LOGIT
    spread = max(float(beliefs.problem_sd_E[game.environment]) ** 2, 1e-6)
    known = float(beliefs.logit_sd_EL[game.environment, game.level])
    if game.graded == 0:
        return cell, POINTS_PER_LOGIT * float(np.hypot(known, spread**0.5))
    logit, information = kalman.mode(
        np.array(game.solved / game.graded), np.array(game.graded), np.array(0.0),
        np.array(predicted), np.array(spread),
    )  # fmt: skip
    own = spread / (1.0 + spread * float(information))
    rating = cell - POINTS_PER_LOGIT * (float(logit) - predicted)
    return rating, POINTS_PER_LOGIT * float(np.hypot(known, own**0.5))

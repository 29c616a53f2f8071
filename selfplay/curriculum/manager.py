"""The curriculum manager: plans the next problems and learns from their outcomes.

A rating system predicts pass rates, a sampler turns them into a law over the cells, a watch shares
the problems between environments and puts traps into quarantine, a few per cent are probes of
everything, and earlier problems may come again. State goes in and comes out; the manager itself
owns none. Feeds the proposers, fed by the outcomes. Axes: E environments, L levels.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from selfplay.curriculum import anchors, calibration, inbox, kalman, pool, samplers, watch
from selfplay.curriculum.calibration import Reliability
from selfplay.curriculum.config import CurriculumConfig
from selfplay.curriculum.elo import Elo
from selfplay.curriculum.glicko2 import Glicko2
from selfplay.curriculum.inbox import Inbox, News
from selfplay.curriculum.kalman import Kalman
from selfplay.curriculum.plans import UNNUMBERED, Plan, Purpose, Report
from selfplay.curriculum.pool import Batch, Pool
from selfplay.curriculum.samplers.sampler import (
    Sampler,
    View,
    all_summing_to_one,
    rows_summing_to_one,
)
from selfplay.curriculum.scale import POINTS_PER_LOGIT, Beliefs, Cells, Game
from selfplay.curriculum.system import System
from selfplay.curriculum.watch import Watch
from selfplay.problem import Problem


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
    inbox: Inbox
    pool: Pool
    proposer: kalman.Ratings
    """State of the proposer's rating."""


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

        Raises:
            ValueError: an environment to be withheld is none of these, or none would be posed.
        """
        self.cells = cells
        self.names = list(cells.names)
        self._posed_E = posed(cells, config.withheld)
        self._config = config
        self._generations = generations
        self._suite = np.frombuffer(suite[:16].ljust(16).encode("ascii"), np.uint8)
        self._count = count
        self._sampler: Sampler = sampler or samplers.make(
            config.sampler, target=config.target, width=config.width
        )
        self._system: System = {
            "elo": lambda: Elo(cells, config.elo),
            "glicko2": lambda: Glicko2(cells, config.glicko2),
            "kalman": lambda: Kalman(cells, config.kalman),
        }[config.system]()
        self._proposer = Kalman(cells, config.kalman)

    def initial(self) -> Standing:
        """Before any outcome."""
        ratings = self._system.initial()
        beliefs = self._system.beliefs(ratings)
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
            inbox=inbox.empty(self._count + self.cells.there_EL.size),
            pool=pool.empty(self._config.pool),
            proposer=self._proposer.initial(),
        )

    def check(self, standing: Standing) -> None:
        """Refuse a standing on the scale of other anchors, or of another rating system.

        Raises:
            ValueError: its frozen problems are not those of this manager, or its ratings are those
                of another version.
        """
        if not np.array_equal(standing.suite, self._suite):
            theirs, ours = (bytes(suite).decode() for suite in (standing.suite, self._suite))
            raise ValueError(
                f"this standing is on the scale of the frozen problems {theirs!r}, and those of "
                f"now are {ours!r}: an environment or a suite size has changed. Ratings cannot be "
                "carried over; go on with the version that the run was started with."
            )
        theirs, ours = (
            [np.shape(array) for array in ratings]
            for ratings in (standing.ratings, self._system.initial())
        )
        if theirs != ours:
            raise ValueError(
                f"this standing has ratings of the shapes {theirs}, and those of now are {ours}: "
                "the rating system has changed. Go on with the version that the run was started "
                "with."
            )

    def beliefs(self, standing: Standing) -> Beliefs:
        """What the rating system believes."""
        return self._system.beliefs(standing.ratings)

    def proposer_beliefs(self, standing: Standing) -> Beliefs:
        """What is believed of the proposer, a player on the scale of the solver.

        It wins if it meets the request of a level with a valid problem that the solver passes
        sometimes.
        """
        return self._proposer.beliefs(standing.proposer)

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
        # Attempts will be those of a solver that has learnt since the last outcomes.
        standing = self._aged(standing, generation)
        beliefs, view = self.beliefs(standing), self._view(standing, generation, rng)
        share_E, law_EL = self._law(standing, view)
        again = self._again(standing, generation, beliefs, share_E, count, rng)
        new_E = np.array([1.0 - self._config.revisit * bool(own) for own in again])
        propensity_EL = self._with_probes((share_E * new_E)[:, None] * law_EL)
        posed_EL = self._posed_EL
        cells = np.argwhere(posed_EL)
        screen_EL = self._sampler.screen(standing.sampler, view)
        screened = np.repeat(cells, screen_EL[posed_EL], axis=0).tolist()
        chosen = [(Purpose.SCREEN, e, level) for e, level in screened]
        for e in self._environments(share_E, count, rng):
            if rng.random() < self._config.probe:
                chosen.append((Purpose.PROBE, *cells[rng.integers(len(cells))].tolist()))
            elif again[e] and rng.random() < self._config.revisit:
                chosen.append((Purpose.REVISIT, e, again[e].popleft()))
            else:
                own_L = law_EL[e] / law_EL[e].sum()
                chosen.append((Purpose.TARGET, e, int(rng.choice(own_L.size, p=own_L))))
        predicted_EL, sd_EL = beliefs.predicted_EL, problem_sd(beliefs)
        first = generation * self._count - len(screened)
        plans = []
        for slot, (purpose, e, what) in enumerate(chosen):
            if purpose == Purpose.REVISIT:
                plans.append(what._replace(slot=slot))
                continue
            plans.append(
                Plan(
                    generation, slot, self.names[e], what, float(beliefs.cell_EL[e, what]),
                    float(predicted_EL[e, what]), float(sd_EL[e, what]),
                    1.0 if purpose == Purpose.SCREEN else float(propensity_EL[e, what]), purpose,
                    UNNUMBERED if purpose == Purpose.SCREEN else first + slot,
                )
            )  # fmt: skip
        return plans

    def observe(self, standing: Standing, generation: int, reports: Iterable[Report]) -> Standing:
        """The standing after a generation of training and the reports that have arrived by then.

        A report counts by what it adds to earlier ones on the same plan: the same one again, or an
        older part of it, adds nothing. One on a plan of more than `HORIZON` generations ago is
        ignored. What counts is taken for the present solver's, whenever it was planned. A problem
        that is posed again tells of itself only: it was chosen for its rating, so it is no fair
        sample of its cell.

        Raises:
            ValueError: a plan is of a generation or slot that cannot have been.
        """
        standing = self._aged(standing, generation)
        received, news = inbox.received(standing.inbox, self.cells, generation, reports)
        standing = standing._replace(inbox=received)
        if not news:
            return standing
        beliefs = self.beliefs(standing)
        reliability, groups_EL = standing.reliability, standing.groups_EL.copy()
        for plan, game, first in news:
            groups_EL[game.environment, game.level] += first
            if first and game.level == plan.level:
                reliability = calibration.after(
                    reliability, plan.predicted, plan.predicted_sd, game.solved, game.graded
                )
        standing = standing._replace(
            reliability=reliability,
            groups_EL=groups_EL,
            pool=pool.after(standing.pool, beliefs, merged(news), generation),
        )
        fresh = [item for item in news if item.plan.purpose != Purpose.REVISIT]
        return self._played(standing, fresh)

    def observe_requests(
        self, standing: Standing, generation: int, games: Sequence[Game]
    ) -> Standing:
        """The standing after what came of a generation's requests to the proposer.

        Args:
            standing: before.
            generation: of the requests.
            games: by environment and level that was asked for, how many were asked and won; see
                `proposer_beliefs`.
        """
        standing = self._aged(standing, generation)
        return standing._replace(proposer=self._proposer.after(standing.proposer, games))

    def problem_ratings(
        self, standing: Standing, reports: Sequence[Report]
    ) -> list[tuple[float, float]]:
        """Rating of each problem after its outcome and its standard deviation, in points.

        Args:
            standing: before the outcomes.
            reports: one for each problem.
        """
        index = self.cells.index
        rows = [(plan.problem, index[plan.environment], *outcome) for plan, *outcome in reports]
        batch = Batch(*np.array(rows, np.int64).reshape(-1, 5).T)
        rated = pool.rated(standing.pool, self.beliefs(standing), batch)
        return list(zip(rated.rating_M.tolist(), rated.rating_sd_M.tolist(), strict=True))

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
        if self._sampler.within_environments:
            config = self._config
            share_E = watch.shares(standing.watch, config.tilt, config.quarantine)
        else:
            share_E = law_EL.sum(axis=1)
            # Where the sampler wants nothing, all levels alike: it may want withheld cells only.
            own_EL = np.where(share_E[:, None] > 0.0, law_EL, self.cells.there_EL)
            law_EL = rows_summing_to_one(own_EL)
        share_E = share_E * self._posed_E
        return all_summing_to_one(share_E if share_E.any() else self._posed_E * 1.0), law_EL

    @property
    def _posed_EL(self) -> np.ndarray:
        """bool [E, L], the cells that problems come from."""
        return self.cells.there_EL & self._posed_E[:, None]

    def _with_probes(self, law_EL: np.ndarray) -> np.ndarray:
        probe = self._config.probe
        return (1.0 - probe) * law_EL + probe * all_summing_to_one(self._posed_EL * 1.0)

    @staticmethod
    def _environments(share_E: np.ndarray, count: int, rng: np.random.Generator) -> list[int]:
        """`count` environments in their shares, none off by more than one, in random order."""
        # In a random order: neighbours would else always get the extra ones together.
        order_E = rng.permutation(share_E.size)
        edges_E = np.cumsum(share_E[order_E])
        at_N = (np.arange(count) + rng.random()) / count * edges_E[-1]
        return rng.permutation(order_E[np.searchsorted(edges_E, at_N, side="right")]).tolist()

    def _aged(self, standing: Standing, generation: int) -> Standing:
        passed = generation - int(standing.generation)
        if passed <= 0:
            return standing
        return standing._replace(
            generation=np.array(generation),
            ratings=self._system.aged(standing.ratings, passed),
            proposer=self._proposer.aged(standing.proposer, passed),
        )

    def _played(self, standing: Standing, news: Sequence[News]) -> Standing:
        """The standing after outcomes that tell of their cells."""
        if not news:
            return standing
        games = [item.game for item in news]
        groups_E = np.zeros(len(self.names), np.int64)
        np.add.at(groups_E, [item.game.environment for item in news if item.first], 1)
        ratings = self._system.after(standing.ratings, games)
        return standing._replace(
            ratings=ratings,
            sampler=self._sampler.after(standing.sampler, self.cells, games),
            watch=watch.after(standing.watch, self._system.beliefs(ratings), groups_E),
        )

    def _again(
        self,
        standing: Standing,
        generation: int,
        beliefs: Beliefs,
        share_E: np.ndarray,
        count: int,
        rng: np.random.Generator,
    ) -> list[deque[Plan]]:
        """For each environment, earlier problems that fit the window, in the order of their draw.

        Their plans lack a slot. No more than `count` each.
        """
        plans = [deque[Plan]() for _ in self.names]
        if not self._config.revisit:
            return plans
        known, config = standing.pool, self._config
        weight_N = pool.weights(known, beliefs, generation, config.target, config.width)
        fits = np.flatnonzero(weight_N)
        fits = fits[np.argsort(known.environment_N[fits], kind="stable")]
        edges = np.searchsorted(known.environment_N[fits], np.arange(1, len(plans)))
        for e, place in enumerate(np.split(fits, edges)):
            own, total = plans[e], float(weight_N[place].sum())
            place = place[pool.draw(weight_N[place], count, rng)]
            predicted, sd = pool.predicted(known, beliefs, place)
            chance = (1.0 - config.probe) * config.revisit * float(share_E[e])
            for at, p, p_sd in zip(place.tolist(), predicted.tolist(), sd.tolist(), strict=True):
                level = int(known.level_N[at])
                residual = POINTS_PER_LOGIT * float(known.residual_N[at])
                own.append(
                    Plan(
                        generation, 0, self.names[e], level,
                        float(beliefs.cell_EL[e, level]) + residual, p, p_sd,
                        chance * float(weight_N[at]) / total, Purpose.REVISIT,
                        int(known.number_N[at]),
                    )
                )  # fmt: skip
        return plans


def posed(cells: Cells, withheld: Sequence[str]) -> np.ndarray:
    """bool [E], whether problems come from each environment.

    Raises:
        ValueError: a name of no environment, or all are withheld or frozen.
    """
    unknown = sorted(set(withheld) - set(cells.names))
    never = cells.frozen | set(withheld)
    if unknown or never >= set(cells.names):
        raise ValueError(
            f"curriculum.withheld={tuple(withheld)} must leave at least one of the environments "
            f"({', '.join(cells.names)}) to be posed"
            + (f", and {', '.join(unknown)} is none of them." if unknown else "")
            + (f"; {', '.join(sorted(cells.frozen))} only measures." if cells.frozen else ".")
        )
    return np.array([name not in never for name in cells.names])


def merged(news: Sequence[News]) -> Batch:
    """The new attempts at each problem, together."""
    rows = np.array([(plan.problem, *game[:4]) for plan, game, _ in news], np.int64)
    number_M, first_M, of_row = np.unique(rows[:, 0], return_index=True, return_inverse=True)
    solved_M, graded_M = (
        np.bincount(of_row, rows[:, at], number_M.size).astype(np.int64) for at in (3, 4)
    )
    return Batch(number_M, rows[first_M, 1], rows[first_M, 2], solved_M, graded_M)


def problem_sd(beliefs: Beliefs) -> np.ndarray:
    """float [E, L], standard deviation of the pass rate of a problem around the predicted one.

    What the rating is unsure of, and what the problems of a cell differ by.
    """
    predicted_EL = beliefs.predicted_EL
    slope_EL = predicted_EL * (1.0 - predicted_EL)
    return slope_EL * np.hypot(beliefs.logit_sd_EL, beliefs.problem_sd_E[:, None])

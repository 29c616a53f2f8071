"""What there is to say about a run: numbers for the board and the console, full evaluations.

Fed by train.py and the command line with turns, states and parts; writes nothing itself.
"""

import math
from collections import Counter, deque
from statistics import fmean, median
from typing import Any, NamedTuple

import numpy as np

from selfplay import evaluate
from selfplay.curriculum.manager import Manager, Standing
from selfplay.curriculum.watch import IMPOSSIBLE, MASTERED, NOISE
from selfplay.evaluate import Interval, Scores
from selfplay.learning.warmup import shown_levels as shown
from selfplay.loop import Generation, State
from selfplay.parts import Parts
from selfplay.problem import Outcome, Problem
from selfplay.proposing.learned import NAME as LEARNED

RECENT = 10
"""Generations that rates and speeds are averaged over for display."""


class Snapshot(NamedTuple):
    """What there is to show after a generation."""

    generation: int
    generations: int
    held_out: float
    """Sampled pass@1 on a fixed part of the held-out problems, at the last look; NaN before."""
    rating: float
    """Mean over the environments of the solver's rating at the last look at the anchors, in
    points."""
    rating_sd: float
    """Standard deviation of that mean, in points."""
    valid_rate: float
    """Share of recent learned proposals that the gate admitted; NaN if none were asked for."""
    reached: dict[str, int]
    """By environment: levels, from the lowest on, with a predicted pass rate of at least 50%."""
    mixed_rate: float
    """Share of recent problems that some but not all attempts solved."""
    cut_rate: float
    """Share of recent attempts that reached the token limit before their end."""
    tokens_per_second: float
    """Generated tokens per second of wall time."""
    time_shares: dict[str, float]
    """Shares of recent wall time by part; sum to 1."""
    seconds_left: float


class Recent:
    """The latest generations of a sitting: rates and speeds for display are means over them."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._done: deque[Generation] = deque(maxlen=RECENT)
        self._seconds: deque[float] = deque(maxlen=RECENT)
        self.held_out = math.nan
        """Held-out pass@1 at the last look or evaluation; NaN before."""

    def add(self, done: Generation, seconds: float, held_out: float | None) -> None:
        """Add a generation with its wall time and, if there was one, its look."""
        self._done.append(done)
        self._seconds.append(seconds)
        self.held_out = self.held_out if held_out is None else held_out

    def usual_tokens(self) -> float:
        """Tokens that a generation generates."""
        return fmean(done.generated_tokens for done in self._done)

    def snapshot(self, state: State, left: int) -> Snapshot:
        """What there is to show after the latest generation, with so many to follow."""
        standing, recent = state.standing, list(self._done)
        spent = Counter[str]()
        for past in recent:
            spent.update(past.seconds)
        asked = sum(len(past.proposals) for past in recent)
        valid = sum(p.problem is not None for past in recent for p in past.proposals)
        return Snapshot(
            generation=state.generation,
            generations=state.generation + left,
            held_out=self.held_out,
            rating=float(standing.anchored_E.mean()),
            rating_sd=float(np.linalg.norm(standing.anchored_sd_E) / standing.anchored_E.size),
            reached=reached(self._manager, standing),
            valid_rate=valid / asked if asked else math.nan,
            mixed_rate=fmean(past.mixed_groups / len(past.posed) for past in recent),
            cut_rate=fmean(past.attempts.cut_PG.mean() for past in recent),
            tokens_per_second=sum(past.generated_tokens for past in recent) / sum(self._seconds),
            time_shares={name: value / spent.total() for name, value in spent.items()},
            seconds_left=self._usual_seconds() * left,
        )

    def _usual_seconds(self) -> float:
        """Wall time of a generation; NaN after the first of a sitting, most of which is compiling.

        The median, because generations with a look at the frozen problems take longer.
        """
        return median(self._seconds) if len(self._seconds) > 1 else math.nan


class Suggested(NamedTuple):
    """Problems to try a run on; None where there is none of the kind."""

    solved: Problem | None
    """Of the highest level that is reached; solved greedily."""
    ahead: Problem | None
    """At the frontier; not solved greedily."""


def scalars(
    done: Generation, state: State, snapshot: Snapshot, manager: Manager, seconds: float
) -> dict[str, float]:
    """The numbers of a generation by TensorBoard tag."""
    outcomes = done.attempts.outcomes
    attempts = max(1, outcomes.total())
    solved = outcomes[Outcome.CORRECT] / max(1, attempts - outcomes[Outcome.ERROR])
    on_level = sum(posed.proposer == LEARNED for posed in done.posed)
    predicted = float(np.mean([posed.plan.predicted for posed in done.posed]))
    values = {
        "held_out/live_pass_at_1": snapshot.held_out,
        "curriculum/pass_rate_sampled": solved,
        "curriculum/pass_rate_predicted": predicted,
        "curriculum/mixed_groups": done.mixed_groups / len(done.posed),
        "attempts/unparsable": outcomes[Outcome.UNPARSABLE] / attempts,
        "attempts/ambiguous": outcomes[Outcome.AMBIGUOUS] / attempts,
        "attempts/timeouts": outcomes[Outcome.TIMEOUT] / attempts,
        "attempts/grader_errors": outcomes[Outcome.ERROR] / attempts,
        "attempts/length": float(done.attempts.length_PG.mean()),
        "attempts/cut_at_limit": float(done.attempts.cut_PG.mean()),
        "proposer/valid_rate": done.valid_rate,
        "proposer/on_level": on_level / max(1, len(done.proposals)),
        "proposer/reward": float(done.reward_N.mean()) if done.reward_N.size else float("nan"),
        "update/loss": done.learning.loss,
        "update/gradient_norm": done.learning.gradient_norm,
        "update/first_ratio_gap": done.learning.first_ratio_gap,
        "update/step_length": done.learning.step_length,
        "cost/generated_tokens": float(state.counts.generated_tokens),
        "cost/trained_tokens": float(state.counts.trained_tokens),
        "perf/generation_seconds": seconds,
        "perf/tokens_per_second": snapshot.tokens_per_second,
    }
    values |= curriculum_scalars(manager, state.standing)
    for name, levels in snapshot.reached.items():
        values[f"curriculum/reached/{name}"] = float(levels)
    for name in manager.names:
        levels = [p.problem.level for p in done.posed if p.problem.environment == name]
        values[f"curriculum/level/{name}"] = float(np.mean(levels)) if levels else float("nan")
    rejected = Counter(p.reason.partition(":")[0] for p in done.proposals if p.problem is None)
    for reason, count in rejected.items():
        values[f"proposer/rejected/{reason.replace(' ', '_')}"] = count / len(done.proposals)
    for part, spent in done.seconds.items():
        values[f"perf/seconds/{part}"] = spent
    return values


def curriculum_scalars(manager: Manager, standing: Standing) -> dict[str, float]:
    """What the curriculum knows, by TensorBoard tag."""
    beliefs, watch = manager.beliefs(standing), standing.watch
    proposer = manager.proposer_beliefs(standing)
    share_E = manager.shares(standing)
    reported, late = standing.inbox.ignored.tolist()
    age, groups = standing.inbox.age.tolist()
    values = {
        "calibration/error": standing.reliability.error,
        "calibration/coverage_of_90": standing.reliability.coverage,
        "curriculum/quarantined": float(np.isin(watch.state_E, (NOISE, IMPOSSIBLE)).sum()),
        "curriculum/mastered": float((watch.state_E == MASTERED).sum()),
        "curriculum/outcome_age": age / max(groups, 1),
        "curriculum/reports_without_news": float(reported),
        "curriculum/reports_too_late": float(late),
    }
    for e, name in enumerate(manager.names):
        values[f"rating/solver/{name}"] = float(beliefs.solver_E[e])
        values[f"rating/solver_sd/{name}"] = float(beliefs.solver_sd_E[e])
        values[f"rating/proposer/{name}"] = float(proposer.solver_E[e])
        values[f"rating/proposer_sd/{name}"] = float(proposer.solver_sd_E[e])
        values[f"rating/anchored/{name}"] = float(standing.anchored_E[e])
        values[f"rating/anchored_sd/{name}"] = float(standing.anchored_sd_E[e])
        values[f"curriculum/share/{name}"] = float(share_E[e])
        values[f"curriculum/progress/{name}"] = float(watch.progress_E[e])
    return values


def reached(manager: Manager, standing: Standing) -> dict[str, int]:
    """By environment: how many levels the solver is believed to pass, without a gap."""
    predicted_EL = manager.beliefs(standing).predicted_EL
    return {
        name: evaluate.frontier(predicted_L[: manager.cells.level_counts[e]].tolist())
        for e, (name, predicted_L) in enumerate(zip(manager.names, predicted_EL, strict=True))
    }


def grader_failures(done: Generation) -> str:
    """That graders failed, in words; empty if none did. A failing grader is no failing solver."""
    verdicts = done.attempts.verdicts
    errors = [verdict for verdict in verdicts if not verdict.graded]
    if not errors:
        return ""
    return (
        f"Generation {done.number}: the grader failed on {len(errors)} of {len(verdicts)} "
        "attempts; they teach nothing and count for nobody. First: "
        f"{errors[0].reason[:200]}"
    )


def samples_text(done: Generation, count: int = 8) -> str:
    """A few attempts with what was asked, as a markdown table."""
    attempts = done.attempts
    rows = [
        f"| {posed.problem.environment} | {posed.problem.level} | `{posed.problem.text}` "
        f"| {posed.proposer} | {posed.solved}/{posed.graded} "
        f"| `{attempts.responses.texts[posed.plan.slot * attempts.each]}` |"
        for posed in done.posed[:count]
    ]
    head = "| environment | level | problem | proposer | solved | first attempt |"
    return "\n".join([head, "| --- | --- | --- | --- | --- | --- |", *rows])


def full_evaluation(parts: Parts, state: State) -> dict[str, Any]:
    """Held-out pass@1, sampled and greedy, as JSON data, with each problem's rate."""
    problems = list(parts.suites.held_out)
    config = parts.config

    def scores(samples: int, temperature: float) -> Scores:
        return evaluate.scored(
            parts.trained(state), parts.ring.tokenizer, parts.environments, problems,
            samples=samples, temperature=temperature, decode_config=config.decode,
            stream="held-out",
        )  # fmt: skip

    sampled, greedy = scores(config.evaluation.samples, 1.0), scores(1, 0.0)
    return {
        "generation": state.generation,
        "suite": parts.suites.digest,
        **evaluate.summary(problems, sampled, greedy),
        "rates": _rounded(sampled.rate_N),
        "greedy_rates": _rounded(greedy.rate_N),
    }


def _rounded(rate_N: np.ndarray) -> list[float | None]:
    return [None if np.isnan(rate) else round(rate, 4) for rate in rate_N.tolist()]


def suggested(parts: Parts, full: dict[str, Any]) -> Suggested:
    """Held-out problems to try a run on: one that it solves, and one at its frontier.

    The first is of the highest level that is reached in the environment that has got furthest
    beyond what was demonstrated. The other is missed, of the first level that is not reached, in
    the one of the others that has got furthest; where all are reached, any that is missed.
    """
    reached, shown = full["frontier"], shown_levels(parts)
    by_distance = sorted(parts.environments, key=lambda name: reached[name] - shown[name])
    pairs = list(zip(parts.suites.held_out, full["greedy_rates"], strict=True))
    solved = [
        problem
        for problem, rate in pairs
        if rate == 1.0 and problem.environment == by_distance[-1]
        and problem.level < reached[problem.environment]
    ]  # fmt: skip
    missed = [problem for problem, rate in pairs if rate != 1.0]
    ahead = [problem for problem in missed if problem.level >= reached[problem.environment]]
    ahead.sort(key=lambda problem: (-by_distance.index(problem.environment), problem.level))
    return Suggested(solved[-1] if solved else None, next(iter(ahead or missed), None))


def shown_levels(parts: Parts) -> dict[str, int]:
    """How many levels of each environment the warm-up demonstrated; 0 where there were none."""
    warmup = parts.config.warmup
    return {
        name: shown(one, warmup.shown) if warmup.steps and not one.frozen else 0
        for name, one in parts.environments.items()
    }


def gain(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Interval | None:
    """Paired difference of two full evaluations, after minus before; None if one is missing.

    Raises:
        ValueError: they are of different held-out problems.
    """
    if before is None or after is None:
        return None
    if before["suite"] != after["suite"]:
        raise ValueError(
            f"the held-out suites differ ({before['suite']} and {after['suite']}): the runs have "
            "other environments or suite sizes, so their problems cannot be paired."
        )
    rates_after, rates_before = (np.array(e["rates"], dtype=float) for e in (after, before))
    return evaluate.interval(rates_after - rates_before)

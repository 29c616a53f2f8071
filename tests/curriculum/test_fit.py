"""The fit of the simulated learner to runs: what it finds where the truth is known, and errors."""

import json

import numpy as np
import pytest
from selfplay_experiments import fit
from selfplay_experiments.fit import Fitted, Outcomes

from selfplay.curriculum import replay
from selfplay.curriculum.plans import Plan, Purpose, Report
from selfplay.curriculum.scale import Cells, Game

TRUTH = Fitted(start=1.0, slope=0.6, rate=0.05, reach=30.0)
LEVELS = 30


def a_run(aim: str, seed: int, generations: int = 40) -> list[Outcomes]:
    """What the true learner makes of problems at its frontier, or of all levels alike."""
    world, rng = TRUTH.world(LEVELS), np.random.default_rng(seed)
    learner, found = world.initial(), []
    for _ in range(generations):
        rate_L = world.pass_rate(learner)[0]
        weight_L = rate_L * (1 - rate_L) if aim == "frontier" else np.ones(LEVELS)
        level_G = rng.choice(LEVELS, 24, p=weight_L / weight_L.sum())
        solved_G = rng.binomial(2, rate_L[level_G])
        found.append(Outcomes(level_G, solved_G, np.full(24, 2)))
        lesson_G = world.lesson(solved_G, rate_L[level_G])
        learner = world.taught(learner, np.zeros_like(level_G), level_G, lesson_G)
    return found


def test_a_known_learner_is_found_again():
    runs = [a_run("frontier", 0), a_run("uniform", 1)]
    found, likelihood = fit.fitted(runs, LEVELS)
    assert found.start == pytest.approx(TRUTH.start, abs=0.4)
    assert found.slope == pytest.approx(TRUTH.slope, rel=0.25)
    assert found.rate == pytest.approx(TRUTH.rate, rel=0.35)
    truth = TRUTH.world(LEVELS)
    assert likelihood >= sum(fit.followed(truth, run)[1] for run in runs)
    ends = []  # abilities far above or below even odds make no difference to an attempt
    for learner in (found, TRUTH):
        world = learner.world(LEVELS)
        ends.append(world.pass_rate(fit.followed(world, runs[0])[0]))
    assert np.abs(ends[0] - ends[1]).max() < 0.15


def test_outcomes_are_those_of_one_environment(tmp_path):
    plan = Plan(1, 0, "b", 3, 0.0, 0.5, 0.1, 0.2, Purpose.TARGET, 0)
    other = plan._replace(environment="a")
    reports = [Report(plan, 3, 1, 2), Report(other, 2, 2, 2), Report(plan, 4, 0, 2)]
    lines = [
        replay.anchors_line(Cells(("a", "b"), (9, 9)), 0, [Game(1, 3, 1, 2)]),
        replay.outcomes_line(1, reports),
    ]
    (tmp_path / "outcomes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    [only] = fit.outcomes(tmp_path, "b")
    assert [x.tolist() for x in only] == [[3, 4], [1, 0], [2, 2]]
    assert fit.outcomes(tmp_path, "c") == []


def test_what_is_no_run_is_named(tmp_path):
    with pytest.raises(SystemExit, match="no folder of a run"):
        fit.main((tmp_path,))

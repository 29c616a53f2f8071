"""Problems with ratings of their own: by hand, against their truth, drawn and replaced."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay.curriculum import pool
from selfplay.curriculum.config import CurriculumConfig
from selfplay.curriculum.manager import Manager
from selfplay.curriculum.plans import UNNUMBERED, Report
from selfplay.curriculum.pool import REST, Batch
from selfplay.curriculum.scale import Beliefs, Cells, Game, sigmoid

CELLS = Cells(("a", "b"), (3, 2))


def beliefs(solver=1500.0, problem_sd=1.0):
    """A solver of that rating everywhere, cells at their prior ratings, both known exactly."""
    there_EL = CELLS.there_EL
    return Beliefs(
        solver_E=np.full(2, solver),
        solver_sd_E=np.zeros(2),
        cell_EL=CELLS.prior_EL,
        logit_sd_EL=np.where(there_EL, 0.0, np.nan),
        problem_sd_E=np.full(2, problem_sd),
        predicted_EL=np.where(there_EL, 0.5, np.nan),
    )


def batch(*rows):
    """Of (number, environment, level, solved, graded)."""
    return Batch(*np.array(rows, np.int64).reshape(-1, 5).T)


def test_problems_differ_even_where_none_was_seen_to():
    """A first guess of no spread at all must not make every problem the same for good."""
    rated = pool.rated(
        pool.empty(10), beliefs(problem_sd=0.0), batch((3, 0, 1, 0, 16), (4, 0, 1, 16, 16))
    )
    hard, easy = rated.rating_M
    assert hard > 1500.0 + 50.0 and easy < 1500.0 - 50.0


def test_one_visit_by_hand():
    """Prior N(0, 1) on the residual, 4 of 4 solved at even odds: the mode of the logit x solves
    4 (1 - sigma(x)) = x, so x = 1.2003; information 4 sigma (1 - sigma) = 0.7210."""
    after = pool.after(pool.empty(10), beliefs(), batch((3, 0, 1, 4, 4)), 5)
    x = -after.residual_N[3]
    assert 4 * (1 - sigmoid(x)) == pytest.approx(x, abs=1e-9)
    assert after.variance_N[3] == pytest.approx(1 / (1 + 4 * sigmoid(x) * (1 - sigmoid(x))))
    assert (after.number_N[3], after.generation_N[3]) == (3, 5)
    assert (after.number_N != UNNUMBERED).sum() == 1


def test_visits_find_out_how_hard_each_problem_is_while_the_solver_gets_better():
    """Residuals are of the problems: they do not move with the solver."""
    rng, count = np.random.default_rng(0), 400
    true_N = rng.normal(0.0, 1.0, count)
    known = pool.empty(count)
    errors = []
    for visit in range(12):
        solver = 1400.0 + 20.0 * visit
        p_N = sigmoid((solver - CELLS.prior_EL[0, 1]) / 173.7178 - true_N)
        rows = [(n, 0, 1, int(rng.binomial(8, p)), 8) for n, p in enumerate(p_N)]
        known = pool.after(known, beliefs(solver), batch(*rows), visit)
        errors.append(float(np.sqrt(np.mean(np.square(known.residual_N - true_N)))))
    assert errors[0] < 0.75
    assert errors[-1] < 0.3
    z_N = (known.residual_N - true_N) / np.sqrt(known.variance_N)
    assert 0.85 < (np.abs(z_N) < 1.645).mean() < 0.95  # a 90% interval


def test_the_latest_problems_stay():
    after = pool.empty(4)
    after = pool.after(after, beliefs(), batch(*[(n, 0, 0, 1, 8) for n in range(6)]), 1)
    assert after.number_N.tolist() == [4, 5, 2, 3]
    late = pool.after(after, beliefs(), batch((0, 0, 0, 8, 8), (5, 1, 1, 8, 8)), 2)
    assert late.number_N.tolist() == [4, 5, 2, 3]
    assert late.generation_N.tolist() == [1, 2, 1, 1]
    assert late.residual_N[0] == after.residual_N[0]


def test_what_has_no_number_is_not_kept():
    after = pool.after(pool.empty(4), beliefs(), batch((UNNUMBERED, 0, 0, 1, 8)), 1)
    assert (after.number_N == UNNUMBERED).all()


def test_rating_a_batch_changes_nothing():
    before = pool.empty(4)
    rated = pool.rated(before, beliefs(), batch((1, 0, 1, 8, 8), (UNNUMBERED, 0, 1, 8, 8)))
    assert rated.rating_M[0] == rated.rating_M[1] < 1500.0
    assert (before.number_N == UNNUMBERED).all()


def test_weights_are_a_window_on_rested_problems():
    known = pool.after(
        pool.empty(8), beliefs(), batch((0, 0, 1, 4, 8), (1, 0, 1, 8, 8), (2, 0, 0, 4, 8)), 1
    )
    assert not pool.weights(known, beliefs(), REST, 0.5, 0.1).any()
    weight_N = pool.weights(known, beliefs(), REST + 1, 0.5, 0.1)
    p, _ = pool.predicted(known, beliefs(), np.arange(3))
    assert weight_N[0] == pytest.approx(1.0)  # exactly at the target
    assert p[1] > 0.7
    assert weight_N[1] == 0.0  # more than two widths away
    assert weight_N[2] == pytest.approx(np.exp(-0.5 * ((p[2] - 0.5) / 0.1) ** 2))
    assert not weight_N[3:].any()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.just(0.0) | st.floats(0.1, 1.0), min_size=1, max_size=40),
    st.integers(0, 50),
    st.integers(0, 9),
)
def test_a_draw_has_no_problem_twice(weights, count, seed):
    weight_N = np.array(weights)
    drawn = pool.draw(weight_N, count, np.random.default_rng(seed))
    assert len(set(drawn.tolist())) == len(drawn) == min(count, (weight_N > 0).sum())
    assert (weight_N[drawn] > 0).all()


def test_a_draw_is_in_proportion_to_the_weights():
    rng, weight_N = np.random.default_rng(1), np.array([1.0, 2.0, 0.0, 5.0])
    first = [int(pool.draw(weight_N, 2, rng)[0]) for _ in range(4000)]
    assert np.bincount(first, minlength=4) / 4000 == pytest.approx(weight_N / 8.0, abs=0.03)


def played(manager, generations, seed=0):
    """A standing after some generations with a solver of even odds, and all plans."""
    rng, standing, plans = np.random.default_rng(seed), manager.initial(), []
    for generation in range(1, generations + 1):
        own = manager.plan(standing, 32, generation, rng)
        reports = [Report(plan, plan.level, int(rng.binomial(8, 0.5)), 8) for plan in own]
        standing = manager.observe(standing, generation, reports)
        plans += own
    return standing, plans


def test_plans_for_earlier_problems():
    manager = Manager(
        CELLS, CurriculumConfig(revisit=0.5, probe=0.0, width=0.3), generations=40, count=32
    )
    standing, plans = played(manager, 40)
    first = {plan.problem: plan for plan in plans if plan.purpose != "revisit"}
    again = [plan for plan in plans if plan.purpose == "revisit"]
    later = [plan for plan in plans if plan.generation > REST + 5]
    assert np.mean([p.purpose == "revisit" for p in later]) == pytest.approx(0.5, abs=0.06)
    assert len(first) + len(again) == len(plans)
    for plan in again:
        original = first[plan.problem]
        assert (plan.environment, plan.level) == (original.environment, original.level)
        assert plan.generation >= original.generation + REST
        assert 0.0 < plan.propensity < 0.5
        assert abs(plan.predicted - 0.5) <= 0.6
    for generation in range(1, 41):
        own = [plan for plan in plans if plan.generation == generation]
        assert [plan.slot for plan in own] == list(range(32))
        assert len({plan.problem for plan in own}) == 32
    assert standing.groups_EL.sum() == 40 * 32


def test_earlier_problems_tell_of_themselves_only():
    manager = Manager(CELLS, CurriculumConfig(revisit=0.5, width=0.3), generations=40, count=32)
    standing, _ = played(manager, 20)
    plans = manager.plan(standing, 32, 21, np.random.default_rng(0))
    again = [plan for plan in plans if plan.purpose == "revisit"]
    reports = [Report(plan, plan.level, 8, 8) for plan in again]
    ready = manager.observe(standing, 21, [])
    after = manager.observe(standing, 21, reports)
    assert len(again) > 5
    for old, new in zip(ready.ratings, after.ratings, strict=True):
        assert old.tobytes() == new.tobytes()
    place = np.array([plan.problem for plan in again]) % after.pool.number_N.size
    assert (after.pool.residual_N[place] < standing.pool.residual_N[place]).all()


def test_the_proposer_is_rated_by_its_requests():
    manager = Manager(CELLS, CurriculumConfig(), generations=40, count=32)
    standing = manager.initial()
    for generation in range(1, 30):
        games = [Game(0, 1, 9, 10), Game(1, 0, 1, 10)]
        standing = manager.observe_requests(standing, generation, games)
    before, after = manager.proposer_beliefs(manager.initial()), manager.proposer_beliefs(standing)
    assert after.predicted_EL[0, 1] == pytest.approx(0.9, abs=0.04)
    assert after.predicted_EL[1, 0] == pytest.approx(0.1, abs=0.04)
    assert after.solver_E[0] > before.solver_E[0] + 300
    assert (after.solver_sd_E < before.solver_sd_E).all()
    solver = manager.beliefs(standing)
    assert solver.solver_E == pytest.approx(manager.beliefs(manager.initial()).solver_E)

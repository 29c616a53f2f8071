"""The manager: shares, propensities, the target, probes, games, looks at the anchors."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay.curriculum.elo import Game
from selfplay.curriculum.manager import CurriculumConfig, Manager
from selfplay.problem import Problem


def manager(environments, **changes):
    return Manager(environments, CurriculumConfig(**changes))


def at(manager, solver):
    """Ratings with every solver at one rating."""
    ratings = manager.initial()
    return ratings._replace(solver_E=np.full(ratings.solver_E.shape, float(solver)))


@settings(max_examples=25, deadline=None)
@given(count=st.integers(1, 40), solver=st.floats(500, 2500), seed=st.integers(0, 1000))
def test_environments_share_equally_within_one(environments, count, solver, seed):
    made = manager(environments)
    requests = made.plan(at(made, solver), count, np.random.default_rng(seed))
    shares = Counter(request.environment for request in requests)
    assert len(requests) == count
    assert max(shares.values()) - min(shares[name] for name in environments) <= 1


@settings(max_examples=25, deadline=None)
@given(
    solver=st.floats(500, 2500), probe=st.floats(0, 1),
    sampler=st.sampled_from(["target", "uniform"]), target=st.floats(0.1, 0.9),
)  # fmt: skip
def test_propensities_sum_to_one_over_levels(environments, solver, probe, sampler, target):
    made = manager(environments, sampler=sampler, probe=probe, target=target)
    for e in range(4):
        law = made.law(at(made, solver), e)
        assert law.sum() == pytest.approx(1.0)
        assert law.min() >= probe / law.size - 1e-12


def test_levels_are_drawn_with_their_propensity(environments):
    made = manager({"modular": environments["modular"]}, probe=0.2)
    ratings = at(made, 1600)
    count = 4000
    requests = made.plan(ratings, count, np.random.default_rng(0))
    law = made.law(ratings, 0)
    seen = np.bincount([request.level for request in requests], minlength=9) / count
    assert (np.abs(seen - law) < 4 * np.sqrt(law * (1 - law) / count)).all()
    assert all(request.propensity == law[request.level] for request in requests)
    probes = [request for request in requests if request.purpose == "probe"]
    assert len(probes) / count == pytest.approx(0.2, abs=0.03)
    assert {request.level for request in probes} == set(range(9))


@settings(max_examples=25, deadline=None)
@given(solver=st.floats(1250, 1750), target=st.floats(0.3, 0.7))
def test_the_mean_predicted_rate_is_close_to_the_target(environments, solver, target):
    """The levels' ratings go from 979 to 2021: here there are harder and easier ones."""
    made = manager(environments, target=target, probe=0.0)
    ratings = at(made, solver)
    mean = float(made.law(ratings, 0) @ made.predicted(ratings)[0])
    assert mean == pytest.approx(target, abs=0.1)


def test_a_request_tells_what_the_ratings_say(environments):
    made = manager(environments)
    ratings = at(made, 1700)
    for request in made.plan(ratings, 20, np.random.default_rng(1)):
        e = made.names.index(request.environment)
        assert request.rating == ratings.cell_EL[e, request.level]
        assert request.predicted == pytest.approx(1 / (1 + 10 ** ((request.rating - 1700) / 400)))


def test_the_uniform_arm(environments):
    made = manager({"modular": environments["modular"]}, sampler="uniform")
    requests = made.plan(at(made, 700), 3600, np.random.default_rng(0))
    seen = np.bincount([request.level for request in requests], minlength=9)
    assert np.abs(seen - 400).max() < 4 * np.sqrt(400)


def test_games_find_their_cell(environments):
    made = manager(environments)
    problem = environments["linear_equations"].parse("3x+5=20")
    game = made.game(problem, 3, 8)
    assert game == Game(made.names.index("linear_equations"), problem.level, 3, 8)
    after = made.observe(made.initial(), [game])
    assert after.games_EL.sum() == 1


def test_the_first_look_at_the_anchors_is_taken_whole_later_ones_in_part(environments):
    made = manager(environments, anchor_gain=0.25)
    problems = [Problem(name, level, "", "", "") for name in environments for level in range(9)]
    graded = np.full(36, 8)
    solved = np.array([8 if p.environment == "modular" else 4 for p in problems])
    first = made.anchored(made.initial(), problems, solved, graded)
    modular = made.names.index("modular")
    assert np.array_equal(first.solver_E, first.anchored_E)
    assert first.solver_E[modular] > 2000
    assert np.delete(first.solver_E, modular) == pytest.approx([1500.0] * 3)
    assert np.array_equal(first.cell_EL, made.initial().cell_EL)  # cells stay at their priors
    one_game = made.initial()._replace(games_EL=np.eye(4, 9, dtype=int))
    later = made.anchored(one_game, problems, solved, graded)
    assert later.solver_E[modular] - 1500 == pytest.approx(0.25 * (first.solver_E[modular] - 1500))
    assert later.cell_EL[modular, 0] > one_game.cell_EL[modular, 0]  # shifted with the solver
    assert made.prior_rating(problems[4]) == 1500.0


@pytest.mark.parametrize(
    ("field", "value"), [("target", 0.0), ("target", 1.0), ("probe", 1.5), ("anchor_gain", -0.1)]
)
def test_values_out_of_range(field, value):
    with pytest.raises(ValueError, match=rf"curriculum\.{field}={value}"):
        CurriculumConfig(**{field: value})

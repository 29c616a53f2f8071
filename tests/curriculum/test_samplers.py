"""Samplers that aim, climb or follow a clock: cases by hand, defects of published code."""

import numpy as np
import pytest
from cells import cells_of, law_of, run, view_of

from selfplay.curriculum import samplers
from selfplay.curriculum.samplers import (
    DUMP,
    E2H,
    GRESO,
    PLR,
    SEC,
    SFL,
    AdaRFT,
    Fixed,
    Ladder,
    MoPPS,
    Oracle,
    Target,
    Uniform,
)
from selfplay.curriculum.samplers.sampler import Nothing
from selfplay.curriculum.scale import Game

# target, uniform, fixed, oracle


def test_target_by_hand():
    """Target 1/2, width 1/4: the density p (1 - p) to the power of 4 / 2."""
    view = view_of(cells_of(3), np.array([[0.5, 0.25, 0.9]]))
    sampler = Target(rate=0.5, width=0.25)
    weight = np.array([0.25, 0.1875, 0.09]) ** 2
    assert np.allclose(sampler.law(sampler.initial(view.cells), view), weight / weight.sum())


def test_near_the_target_the_window_is_a_normal_density():
    view = view_of(cells_of(3), np.array([[0.35, 0.36, 0.33]]))
    law_EL = Target(rate=0.35, width=0.02).law(Nothing(), view)
    assert np.allclose(law_EL / law_EL[0, 0], np.exp([[0.0, -0.125, -0.5]]), atol=0.01)


@pytest.mark.parametrize("width", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("target", [0.35, 0.5])
@pytest.mark.parametrize("count", [10, 100, 1000])
def test_hopeless_and_mastered_levels_get_next_to_nothing_whatever_their_number(
    target, width, count
):
    rate_EL = np.array([[target, *[0.001] * count, *[0.999] * count]])
    view = view_of(cells_of(rate_EL.size), rate_EL)
    assert Target(rate=target, width=width).law(Nothing(), view)[0, 0] > 0.95


def test_hopeless_levels_all_far_away_still_give_a_law():
    view = view_of(cells_of(3), np.array([[0.0, 1e-6, 1e-5]]))
    sampler = Target(rate=0.5, width=0.001)
    law_EL = sampler.law(sampler.initial(view.cells), view)
    assert law_EL.sum() == pytest.approx(1.0)
    assert law_EL.argmax() == 2


def test_controls_by_hand():
    cells = cells_of(1, 3, 4)
    third = 1 / 3
    assert np.allclose(
        law_of(Uniform(), cells), [[1, 0, 0, 0], [third, third, third, 0], [0.25] * 4]
    )
    # a third of 4 levels, rounded up, is 2
    assert law_of(Fixed(), cells).tolist() == [[1, 0, 0, 0], [1, 0, 0, 0], [0.5, 0.5, 0, 0]]
    hard = law_of(Fixed(hard=True), cells)
    assert hard.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0.5, 0.5]]


def test_oracle_is_target_on_the_truth_of_the_moment():
    cells = cells_of(2, 2)
    truth_EL = np.array([[0.9, 0.4], [0.5, 0.1]])
    sampler = Oracle(truth=lambda: truth_EL)
    for _ in range(2):
        view = view_of(cells, truth_EL)
        assert np.array_equal(law_of(sampler, cells), Target().law(Target().initial(cells), view))
        truth_EL[0] = [1.0, 0.6]  # the solver learns; the same object sees it
    with pytest.raises(ValueError, match=r"shape \(1, 2\).*\(2, 2\)"):
        law_of(Oracle(truth=lambda: truth_EL[:1]), cells)


# ladder


def test_ladder_climbs_by_hand_and_counts_anew():
    """(1 + 1 + 1 + 0) / 4 = 0.75 > 0.7: up, with the fourth group and not before."""
    cells, sampler = cells_of(3, 3), Ladder(window=4)
    games = [Game(0, 0, 8, 8)] * 3 + [Game(0, 0, 0, 8)]
    assert run(sampler, cells, games[:3]).level_E.tolist() == [0, 0]
    state = run(sampler, cells, games)
    assert state.level_E.tolist() == [1, 0]  # the other environment stays
    assert sampler.law(state, view_of(cells)).tolist() == [[0, 1, 0], [1, 0, 0]]
    # three at the new level are not yet four, and late results of the old level are not of it
    state = sampler.after(state, cells, [Game(0, 1, 8, 8)] * 3 + [Game(0, 0, 8, 8)] * 9)
    assert state.level_E.tolist() == [1, 0]
    assert sampler.after(state, cells, [Game(0, 1, 8, 8)]).level_E.tolist() == [2, 0]


def test_ladder_steps_down_slides_its_window_and_stays_at_both_ends():
    cells = cells_of(2)
    up = [Game(0, 0, 8, 8)]
    down = [Game(0, 1, 2, 8)]  # 0.25 < 0.3
    assert run(Ladder(window=1), cells, up, down).level_E.tolist() == [0]
    assert run(Ladder(window=1), cells, up, [Game(0, 1, 8, 8)]).level_E.tolist() == [1]
    assert run(Ladder(window=1), cells, [Game(0, 0, 0, 8)]).level_E.tolist() == [0]
    # 7/10 is not above 0.7
    assert run(Ladder(window=1), cells, [Game(0, 0, 7, 10)]).level_E.tolist() == [0]
    # the last two of 0.5, 0.5, 1 have mean 0.75, although no two in step do
    sliding = [Game(0, 0, 4, 8), Game(0, 0, 4, 8), Game(0, 0, 8, 8)]
    assert run(Ladder(window=2), cells, sliding).level_E.tolist() == [1]


def test_ladder_never_climbs_by_schedule():
    """reasoning-gym's automatic schedule raises the level whatever the score."""
    cells, sampler = cells_of(10), Ladder()
    state = run(sampler, cells, *[[Game(0, 0, 4, 8)] * 10] * 50)
    assert state.level_E.tolist() == [0]
    view = view_of(cells, progress=1.0)
    assert sampler.law(state, view)[0, 0] == 1.0


# E2H


def test_e2h_by_hand():
    """Half of the run, exponent 1, 3 levels: the mean is level 1."""
    cells = cells_of(3)
    sampler = E2H(exponent=1.0, width=1.0, floor=0.0)
    weight = np.array([np.exp(-0.5), 1.0, np.exp(-0.5)])
    law_EL = sampler.law(sampler.initial(cells), view_of(cells, progress=0.5))
    assert np.allclose(law_EL, weight / weight.sum())
    # progress 1/4 ** (1/2) = 1/2: the same mean
    root = E2H(exponent=0.5, width=1.0, floor=0.0)
    assert np.allclose(law_EL, root.law(root.initial(cells), view_of(cells, progress=0.25)))


def test_e2h_has_a_floor_unless_told_otherwise():
    """4 levels keep 2 / (4 * 5) = 0.1 each; a narrow Gaussian at the end has the other 0.6."""
    cells = cells_of(4, 1)
    sampler = E2H(width=0.05)
    start, end = (sampler.law(sampler.initial(cells), view_of(cells, progress=p)) for p in (0, 1))
    assert np.allclose(start, [[0.7, 0.1, 0.1, 0.1], [1, 0, 0, 0]])
    assert np.allclose(end, [[0.1, 0.1, 0.1, 0.7], [1, 0, 0, 0]])


# AdaRFT


def test_adarft_by_hand():
    """All solved: 50 tanh(2 (1 - 0.5)) = 38.08, nearest of 0, 10, ..., 100 is 40."""
    cells, sampler = cells_of(11), AdaRFT()
    state = run(sampler, cells, [Game(0, 0, 8, 8)])
    assert state.difficulty == pytest.approx(50 * np.tanh(1.0))
    assert sampler.law(state, view_of(cells)).argmax() == 4
    # 12 of 16: + 50 tanh(0.5); then 1 of 16: nothing is below the easiest
    state = sampler.after(state, cells, [Game(0, 4, 8, 8), Game(0, 4, 4, 8)])
    assert state.difficulty == pytest.approx(50 * np.tanh(1.0) + 50 * np.tanh(0.5))
    failed = run(sampler, cells, [Game(0, 0, 1, 16)])
    assert failed.difficulty == 0.0


def test_adarft_at_rest_gives_a_law_and_not_one_batch_for_ever():
    """Published code sorts by distance and takes the first: only some environments, ever."""
    cells, sampler = cells_of(*[5, 2, 1, 11] * 8), AdaRFT()
    before = run(sampler, cells, [Game(0, 0, 8, 8)])
    state = sampler.after(before, cells, [Game(0, 2, 4, 8)])
    assert state.difficulty == before.difficulty  # the mean reward is the wanted one: at rest
    law_EL = sampler.law(state, view_of(cells))
    assert np.allclose(law_EL.sum(axis=1), 1 / 32)
    rng = np.random.default_rng(0)
    batches = [set(rng.choice(law_EL.size, size=8, p=law_EL.ravel())) for _ in range(2)]
    assert batches[0] != batches[1]


def test_adarft_shares_between_levels_equally_near():
    """Difficulties 0 and 100 are equally far from 50; so are 100/3 and 200/3, but for rounding."""
    cells = cells_of(2, 3, 4)
    state = AdaRFT().initial(cells)._replace(difficulty=np.array(50.0))
    law_EL = AdaRFT(shared=True).law(state, view_of(cells))
    assert law_EL.tolist() == [[0.5, 0.5, 0, 0], [0, 1, 0, 0], [0, 0.5, 0.5, 0]]


# names and settings


def test_names_become_samplers_that_aim_at_the_target():
    assert len(samplers.NAMES) == len(set(samplers.NAMES)) == 13
    assert samplers.make("target", 0.4) == Target(rate=0.4)
    assert samplers.make("mopps", 0.4) == MoPPS(target=0.4)
    assert samplers.make("adarft", 0.4, shared=True) == AdaRFT(reward=0.4, shared=True)
    assert samplers.make("fixed_hard") == Fixed(hard=True)
    with pytest.raises(ValueError, match="true pass rates, which only a simulator knows"):
        samplers.make("oracle")
    with pytest.raises(ValueError, match="no sampler 'elo'; there are target, uniform"):
        samplers.make("elo")


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        (Target, {"rate": 1.0}, "target=1.0"),
        (Target, {"width": 0.0}, "width=0.0"),
        (MoPPS, {"target": 0.0}, "target=0.0"),
        (MoPPS, {"discount": 1.1}, "discount=1.1 is outside"),
        (Ladder, {"up": 0.2}, "up=0.2 are no pair"),
        (Ladder, {"window": 0}, "window=0 groups"),
        (E2H, {"exponent": 0.0}, "exponent=0.0 must be above 0"),
        (E2H, {"width": float("nan")}, "width=nan"),
        (E2H, {"floor": 2.5}, r"floor=2.5 is outside \[0, 2\]"),
        (AdaRFT, {"reward": 1.0}, "reward=1.0"),
        (AdaRFT, {"step": 101.0}, "step=101.0"),
        (AdaRFT, {"sensitivity": 0.0}, "sensitivity=0.0 must be above 0"),
        (SEC, {"step": 0.0}, "step=0.0"),
        (SEC, {"temperature": 0.0}, "temperature=0.0"),
        (DUMP, {"window": 0}, "window=0"),
        (DUMP, {"temperature": float("inf")}, "temperature=inf"),
        (PLR, {"beta": 0.0}, "beta=0.0"),
        (PLR, {"staleness": 1.5}, "staleness=1.5"),
        (PLR, {"memory": 1.0}, "memory=1.0"),
        (PLR, {"new": 0}, "new=0"),
        (SFL, {"every": 0}, "every=0"),
        (SFL, {"groups": 0}, "groups=0"),
        (SFL, {"keep": 0.0}, "keep=0.0"),
        (SFL, {"share": 2.0}, "share=2.0"),
        (GRESO, {"easy_share": -0.1}, "easy_share=-0.1"),
        (GRESO, {"first_rate": 1.1}, "first_rate=1.1"),
        (GRESO, {"step": 0.0}, "step=0.0"),
        (GRESO, {"least": 0.0}, "least=0.0"),
        (lambda **settings: Oracle(truth=lambda: np.zeros(1), **settings), {"rate": 0}, "target=0"),
    ],
)
def test_bad_settings_are_refused_with_a_reason(make, settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)

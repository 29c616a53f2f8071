"""Samplers that score cells by outcomes: cases by hand, defects of published code, pitfalls."""

import numpy as np
import pytest
from cells import cells_of, law_of, run, view_of

from selfplay.curriculum import samplers
from selfplay.curriculum.samplers import DUMP, GRESO, PLR, SEC, SFL, MoPPS
from selfplay.curriculum.samplers.greso import GRESOState
from selfplay.curriculum.samplers.plr import PLRState, by_rank
from selfplay.curriculum.samplers.sfl import best
from selfplay.curriculum.scale import Game

# SEC


def test_sec_by_hand():
    """4 of 8: mean |A| = 2 * 4 * 4 / 64 = 1/2, half of it is the value; its weight exp(1.25)."""
    cells, sampler = cells_of(2), SEC(step=0.5, temperature=0.2)
    state = run(sampler, cells, [Game(0, 0, 4, 8)])
    assert state.value_EL.tolist() == [[0.25, 0.0]]
    weight = np.array([np.exp(1.25), 1.0])
    assert np.allclose(sampler.law(state, view_of(cells)), weight / weight.sum())
    # a second generation: 6 of 8 is 2 * 6 * 2 / 64 = 0.375, halfway from 0.25
    assert sampler.after(state, cells, [Game(0, 0, 6, 8)]).value_EL[0, 0] == 0.3125


def test_sec_takes_one_step_a_generation_by_the_mean_over_attempts():
    """|A| sums to 4 over 8 attempts and to 0 over 2: mean 0.4."""
    state = run(SEC(step=0.5), cells_of(1), [Game(0, 0, 4, 8), Game(0, 0, 0, 2)])
    assert state.value_EL[0, 0] == pytest.approx(0.2)


# DUMP


def test_dump_by_hand():
    """One group of 4 of 8: 1/2 + sqrt(2 ln 2 / 2) against 0 + sqrt(2 ln 2 / 1)."""
    cells, sampler = cells_of(2), DUMP(temperature=0.5)
    score = np.array([0.5 + np.sqrt(np.log(2)), np.sqrt(2 * np.log(2))])
    weight = np.exp(score / 0.5)
    assert np.allclose(law_of(sampler, cells, [Game(0, 0, 4, 8)]), weight / weight.sum())


def test_dump_counts_one_success_and_forgets_it():
    """Published code asks for a reward of 3 and its counts never fade."""
    cells, sampler = cells_of(2), DUMP(window=3)
    once, never = [Game(0, 0, 1, 8)], [Game(0, 0, 0, 8)]
    state = run(sampler, cells, once)
    assert state.total_ELW[0, 0].sum() / 8 == 2 * 1 * 7 / 64
    assert law_of(sampler, cells, once)[0, 0] > law_of(sampler, cells, never)[0, 0]
    still = law_of(sampler, cells, once, never, never)
    assert still[0, 0] > law_of(sampler, cells, never, never, never)[0, 0]
    gone = law_of(sampler, cells, once, never, never, never)
    assert np.array_equal(gone, law_of(sampler, cells, never, never, never, never))


def test_dump_shared_is_a_bandit_for_each_environment():
    """Games elsewhere raise N, and the bonus, only where all cells are one bandit."""
    cells, own, other = cells_of(2, 2), [Game(0, 0, 4, 8)], [Game(1, 0, 4, 8)] * 50
    shared = DUMP(shared=True)
    assert np.array_equal(law_of(shared, cells, own)[0], law_of(shared, cells, own, other)[0])
    one = (law_of(DUMP(), cells, *games) for games in ([own], [own, other]))
    before, after = (law_EL[0, 1] / law_EL[0, 0] for law_EL in one)
    assert after > before


# PLR


def test_plr_ranks_by_hand():
    """beta 1: weights 1, 1/2, 1/3, 1/4; the first two tie and have 3/4 each; all sum to 25/12."""
    score_EL = np.array([[0.25, 0.1], [0.25, 0.0]])
    law_EL = by_rank(score_EL, np.ones((2, 2), bool), beta=1.0, rows=False)
    assert np.allclose(law_EL, np.array([[3 / 4, 1 / 3], [3 / 4, 1 / 4]]) / (25 / 12))
    # within rows: 1 and 1/2; beta 1/2 squares them; the cell that is not eligible has nothing
    assert np.allclose(
        by_rank(score_EL, np.array([[True, True], [False, True]]), beta=0.5, rows=True),
        [[0.8, 0.2], [0.0, 1.0]],
    )


def test_plr_mixes_staleness_by_hand():
    """Ages 3 and 1 of generation 4: 3/4 and 1/4. Ranks (beta 1): 1/3 and 2/3."""
    cells = cells_of(2)
    state = PLRState(
        np.array([[1.0, 4.0]]), np.array([[8.0, 8.0]]), np.array([[1, 3]]), np.array(4)
    )
    law_EL = PLR(beta=1.0, staleness=0.2).law(state, view_of(cells))
    assert np.allclose(law_EL, [[0.8 / 3 + 0.2 * 3 / 4, 0.8 * 2 / 3 + 0.2 / 4]])
    just_seen = state._replace(seen_EL=np.array([[4, 4]]))
    assert np.allclose(PLR(beta=1.0).law(just_seen, view_of(cells)), [[1 / 3, 2 / 3]])


def test_plr_looks_at_unseen_cells_without_training_and_draws_seen_ones():
    cells, sampler = cells_of(3, 2), PLR(new=2)
    state = sampler.initial(cells)
    assert np.allclose(sampler.law(state, view_of(cells)).sum(axis=1), [3 / 5, 2 / 5])
    for left in (5, 3, 1, 0):
        groups_EL = sampler.screen(state, view_of(cells, seed=left))
        assert groups_EL.sum() == min(left, 2)
        assert groups_EL.max() <= 1
        looks = [Game(int(e), int(level), 4, 8, False) for e, level in np.argwhere(groups_EL)]
        state = sampler.after(state, cells, looks)
        law_EL = sampler.law(state, view_of(cells))
        assert ((law_EL > 0) == (state.graded_EL > 0)).all()


def test_plr_discounts_by_hand():
    """memory 1/2: (4 / 2 + 0) / (8 / 2 + 8) = 1/6 after 4 of 8, then 0 of 8."""
    cells, sampler = cells_of(2), PLR(memory=0.5)
    state = run(sampler, cells, [Game(0, 0, 4, 8)], [Game(0, 0, 0, 8)])
    assert state.solved_EL[0, 0] / state.graded_EL[0, 0] == pytest.approx(1 / 6)
    # a generation that does not see the cell neither fades it nor makes it fresh
    after = sampler.after(state, cells, [Game(0, 1, 0, 8)])
    assert after.graded_EL.tolist() == [[12.0, 8.0]]
    assert after.seen_EL.tolist() == [[2, 3]]
    assert after.generation == 3


# SFL


def test_sfl_by_hand():
    """p(1 - p) of 0, 1/4, 7/64, 0: a quarter of 4 cells is 1, it has 1/2 + 1/8."""
    looks = [Game(0, level, solved, 8, False) for level, solved in enumerate((8, 4, 1, 0))]
    law_EL = law_of(SFL(keep=0.25), cells_of(4), looks)
    assert np.allclose(law_EL, [[1 / 8, 1 / 2 + 1 / 8, 1 / 8, 1 / 8]])


def test_sfl_ties_for_the_last_place_are_shared():
    """2 of 5 places: one to 0.2, one between three that tie; not to the first of them."""
    score_EL = np.array([[0.1, 0.1, 0.2], [0.1, 0.0, 9.0]])
    there_EL = np.array([[True, True, True], [True, True, False]])
    law_EL = best(score_EL, there_EL, keep=0.4, rows=False)
    assert np.allclose(law_EL, np.array([[1 / 3, 1 / 3, 1], [1 / 3, 0, 0]]) / 2)
    # 40% of 3 levels, rounded up, is 2; of 2 levels 1
    assert np.allclose(
        best(score_EL, there_EL, keep=0.4, rows=True), [[1 / 4, 1 / 4, 1 / 2], [1, 0, 0]]
    )


def test_sfl_looks_every_so_often_at_every_cell():
    cells, sampler = cells_of(2, 1), SFL(every=2, groups=3)
    due, none = [[3, 3], [3, 0]], [[0, 0], [0, 0]]
    trained = [Game(0, 0, 4, 8)]
    looks = [Game(0, 0, 4, 8, False)] * 3
    screens = []
    state = sampler.initial(cells)
    for games in (looks, trained, trained, looks + trained, trained, [Game(0, 0, 0, 0)]):
        screens.append(sampler.screen(state, view_of(cells)).tolist())
        state = sampler.after(state, cells, games)
    assert screens == [due, none, none, due, none, due]


def test_sfl_learns_from_looks_only_and_from_the_latest():
    cells, sampler = cells_of(2), SFL(keep=0.5)
    first = [Game(0, 0, 4, 8, False), Game(0, 1, 0, 8, False)]
    second = [Game(0, 0, 8, 8, False), Game(0, 1, 4, 8, False)]
    trained = [Game(0, 1, 4, 8)] * 9
    assert np.allclose(law_of(sampler, cells, first, trained), [[3 / 4, 1 / 4]])
    assert np.allclose(law_of(sampler, cells, first, second), [[1 / 4, 3 / 4]])


# MoPPS


def test_mopps_by_hand_also_for_a_group_of_one():
    """Published code counts a group of one as 8 attempts, or overwrites what it knew by them."""
    cells, sampler = cells_of(1), MoPPS(discount=0.5)
    state = run(sampler, cells, [Game(0, 0, 6, 8)])
    # 0.5 * 1 + 0.5 * 1 + 6 and the same + 2
    assert (state.solved_EL[0, 0], state.failed_EL[0, 0]) == (7.0, 3.0)
    state = sampler.after(state, cells, [Game(0, 0, 1, 1)])
    # 0.5 * 7 + 0.5 + 1 and 0.5 * 3 + 0.5 + 0
    assert (state.solved_EL[0, 0], state.failed_EL[0, 0]) == (5.0, 2.0)
    state = sampler.after(state, cells, [Game(0, 0, 0, 1)])
    assert (state.solved_EL[0, 0], state.failed_EL[0, 0]) == (3.0, 2.5)


def test_mopps_of_eight_groups_of_one_is_a_group_of_eight():
    ones = [Game(0, 0, 1, 1)] * 3 + [Game(0, 0, 0, 1)] * 5
    first, second = (run(MoPPS(), cells_of(1), games) for games in (ones, [Game(0, 0, 3, 8)]))
    assert first == second


def test_mopps_weighs_a_draw_from_each_posterior_by_the_window():
    cells, sampler = cells_of(2), MoPPS(target=0.4, width=0.1)
    state = run(sampler, cells, [Game(0, 0, 6, 8)])
    draw_EL = np.random.default_rng(5).beta([[7, 1]], [[3, 1]])
    weight_EL = (draw_EL**0.4 * (1.0 - draw_EL) ** 0.6) ** (0.4 * 0.6 / 0.1**2)
    law_EL = sampler.law(state, view_of(cells, seed=5))
    assert np.allclose(law_EL, weight_EL / weight_EL.sum())
    assert not np.allclose(law_EL, sampler.law(state, view_of(cells, seed=6)))


# GRESO


def test_greso_skips_by_streak_by_hand():
    """Rates 1/2 and 1/4: kept with 1, 1/2, 1/4, 1/16 and at least 0.01."""
    state = GRESOState(
        np.array([[0, 1, 2, 2, 20]]), np.array([[False, True, True, False, True]]),
        np.array(0.5), np.array(0.25),
    )  # fmt: skip
    kept = np.array([[1, 1 / 2, 1 / 4, 1 / 16, 0.01]])
    assert np.allclose(GRESO().law(state, view_of(cells_of(5))), kept / kept.sum())


def test_greso_streaks_end_with_a_mixed_group_and_with_the_other_kind():
    cells = cells_of(1)
    right, wrong, mixed = Game(0, 0, 8, 8), Game(0, 0, 0, 8), Game(0, 0, 1, 8)

    def streak(*games):
        state = run(GRESO(), cells, games)
        return state.streak_EL[0, 0], state.easy_EL[0, 0]

    assert streak(right, right, right) == (3, True)
    assert streak(wrong, wrong) == (2, False)
    assert streak(right, right, wrong) == (1, False)
    assert streak(wrong, wrong, right) == (1, True)
    assert streak(right, right, mixed) == (0, False)
    assert streak(mixed, wrong) == (1, False)


def test_greso_adapts_each_rate_to_its_share():
    """1 of 4 all right is above 1/12: skip more. None all wrong: skip less. Steps of 0.01."""
    cells, games = cells_of(1), [Game(0, 0, 8, 8)] + [Game(0, 0, 4, 8)] * 3
    state = run(GRESO(), cells, games)
    assert state.easy_rate == pytest.approx(0.49)
    assert state.hard_rate == pytest.approx(0.51)
    state = run(GRESO(), cells, *[games] * 60)
    assert (state.easy_rate, state.hard_rate) == (0.0, 1.0)


def test_greso_learns_nothing_from_a_group_of_one():
    """It has no variance whatever the pass rate."""
    cells = cells_of(1)
    assert run(GRESO(), cells, [Game(0, 0, 1, 1)] * 9) == GRESO().initial(cells)


# pitfalls that they have in common


@pytest.mark.parametrize("sampler", [SEC(), DUMP(), PLR(), MoPPS(), SFL(keep=0.5)])
def test_one_lucky_group_does_not_outweigh_a_history(sampler):
    """A pool by the latest group alone (prime-rl) would prefer 4 of 8 to the steady 3 of 8."""
    cells = cells_of(2)
    trained = not isinstance(sampler, SFL)
    before = [Game(0, 0, 0, 8, trained), Game(0, 1, 3, 8, trained)]
    lucky = [Game(0, 0, 4, 8, trained), Game(0, 1, 3, 8, trained)]
    # SFL pools the groups of one look, the others what they remember of generations
    generations = [[before] * 20, [lucky]] if trained else [[before + lucky]]
    history = [games for games in sum(generations, [])]
    laws = [law_of(sampler, cells, *history, seed=seed)[0] for seed in range(50)]
    unlucky, steady = np.mean(laws, axis=0)
    assert steady > unlucky


@pytest.mark.parametrize("name", ["sec", "dump", "plr", "sfl", "mopps", "greso"])
def test_a_coin_flip_draws_the_budget_unless_shares_are_the_managers(name):
    """The trouble of scores over all cells, as published; `shared` is the fair variant."""
    cells = cells_of(*[3] * 8)
    games = [
        Game(e, level, 4 if e == 0 else 0, 8, trained)
        for e in range(8) for level in range(3) for trained in (True, False)
    ]  # fmt: skip
    laws = {
        shared: law_of(samplers.make(name, shared=shared), cells, *[games] * 20)
        for shared in (False, True)
    }
    assert laws[False][0].sum() > 2 / 8
    assert np.allclose(laws[True].sum(axis=1), 1.0)

"""The watch: noise traps, impossible environments, release, shares."""

import numpy as np
import pytest

from selfplay.curriculum import watch
from selfplay.curriculum.scale import POINTS_PER_LOGIT, Beliefs, pass_rate
from selfplay.curriculum.watch import ACTIVE, IMPOSSIBLE, MASTERED, NOISE, WINDOW


def beliefs(ability, steps, sd=0.2):
    """One environment of three levels: ability in logits, levels so many logits apart."""
    cell_L = np.array([-1.0, 0.0, 1.0]) * steps * POINTS_PER_LOGIT
    return Beliefs(
        solver_E=np.array([ability * POINTS_PER_LOGIT]),
        solver_sd_E=np.array([sd * POINTS_PER_LOGIT]),
        cell_EL=cell_L[None],
        logit_sd_EL=np.full((1, 3), sd),
        problem_sd_E=np.array([0.5]),
        predicted_EL=pass_rate(ability * POINTS_PER_LOGIT, cell_L)[None],
    )


def played(abilities, steps, groups=WINDOW, sd=0.2, start=None):
    seen = start or watch.initial(beliefs(abilities[0], steps, sd))
    for ability in abilities[1:] if start is None else abilities:
        seen = watch.after(seen, beliefs(ability, steps, sd), np.array([groups]))
    return seen


def test_what_passes_alike_everywhere_and_stays_is_a_noise_trap():
    assert played([0.0, 0.05, -0.05], steps=0.1).state_E[0] == NOISE


def test_before_the_window_is_full_nothing_is_said():
    assert played([0.0, 0.0], steps=0.1, groups=WINDOW - 1).state_E[0] == ACTIVE


def test_what_improves_is_none():
    assert played([0.0, 0.7, 1.4], steps=0.1).state_E[0] == ACTIVE


def test_what_has_easy_and_hard_levels_is_none():
    """A solver at its limit does not improve either, but then levels differ."""
    assert played([0.0, 0.0, 0.0], steps=2.0).state_E[0] == ACTIVE


def test_nothing_is_concluded_from_what_is_hardly_known():
    assert played([0.0, 0.0, 0.0], steps=0.1, sd=0.6).state_E[0] == ACTIVE


def test_improvement_since_quarantine_releases():
    trapped = played([0.0, 0.0], steps=0.1)
    still = played([0.2, 0.4], steps=0.1, start=trapped)  # 0.4 is within 2 x 0.28
    assert still.state_E[0] == NOISE
    assert played([0.7], steps=0.1, start=still).state_E[0] == ACTIVE


def test_a_shift_of_the_scale_is_no_improvement():
    trapped = played([0.0, 0.0], steps=0.1)
    shifted = watch.marked(trapped, beliefs(3.0, 0.1))
    assert played([3.1], steps=0.1, start=shifted).state_E[0] == NOISE


def test_impossible_until_it_is_not():
    hopeless = played([-6.0, -6.0], steps=0.5)
    assert hopeless.state_E[0] == IMPOSSIBLE
    assert played([-2.0], steps=0.5, start=hopeless).state_E[0] == ACTIVE
    assert played([-6.0, -6.0], steps=0.5, sd=2.0).state_E[0] == ACTIVE  # who knows


def test_mastered_until_something_is_forgotten():
    """The hardest of three levels passes at 88%, 92%, then at 83% and 77%."""
    assert played([3.0, 3.0], steps=1.0).state_E[0] == ACTIVE
    mastered = played([3.4], steps=1.0, start=played([3.0, 3.0], steps=1.0))
    assert mastered.state_E[0] == MASTERED
    assert watch.shares(three((MASTERED, 0, 0)), 1.0, True).tolist() == [0.0, 0.5, 0.5]
    rusty = played([2.6], steps=1.0, start=mastered)
    assert rusty.state_E[0] == MASTERED
    assert played([2.2], steps=1.0, start=rusty).state_E[0] == ACTIVE


def three(state=(0, 0, 0), progress=(0.0, 0.0, 0.0), groups=(99, 99, 99)):
    seen = watch.initial(beliefs(0.0, 1.0))
    return seen._replace(
        state_E=np.array(state), progress_E=np.array(progress), groups_E=np.array(groups)
    )


def test_shares_are_equal_by_default_and_quarantine_gets_none():
    assert watch.shares(three(), 1.0, True) == pytest.approx([1 / 3] * 3)
    assert watch.shares(three((0, NOISE, 0)), 1.0, True) == pytest.approx([0.5, 0.0, 0.5])
    assert watch.shares(three((0, NOISE, 0)), 1.0, False) == pytest.approx([1 / 3] * 3)
    everything = three((NOISE, IMPOSSIBLE, NOISE))
    assert watch.shares(everything, 1.0, True) == pytest.approx([1 / 3] * 3)


def test_the_tilt_follows_progress_within_its_bounds():
    """Median 0.1: ratios 0.5 (bound), 1, and 2 (bound) of 0.01, 0.1 and 0.9."""
    seen = three(progress=(0.01, 0.1, 0.9))
    assert watch.shares(seen, 2.0, True) == pytest.approx(np.array([0.5, 1, 2]) / 3.5)
    assert watch.shares(seen, 1.0, True) == pytest.approx([1 / 3] * 3)
    new = three(progress=(0.01, 0.1, 0.9), groups=(3, 99, 99))  # median 0.5: ratios 0.5, 1.8
    assert watch.shares(new, 2.0, True) == pytest.approx(np.array([1, 0.5, 1.8]) / 3.3)
    assert watch.shares(three(progress=(-1, -2, -3)), 2.0, True) == pytest.approx([1 / 3] * 3)


def test_progress_is_the_gain_of_a_group():
    """32 groups that gain 0.32 logits: 0.01 each, of which 1 - 0.98^32 is taken over."""
    seen = played([0.0, 0.32], steps=1.0, groups=32)
    assert seen.progress_E[0] == pytest.approx(0.01 * (1 - 0.98**32))
    assert watch.after(seen, beliefs(0.32, 1.0), np.array([0])).progress_E == seen.progress_E

"""Worlds and the simulator: hand values, pairing, traps, forgetting, lateness, what is charged,
and in short runs the order of the curricula."""

import json
import math
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from selfplay_experiments import arms, simulate, worlds
from selfplay_experiments.arms import ARMS, GROUPS, Arm
from selfplay_experiments.simulate import Job
from selfplay_experiments.worlds import ATTEMPTS, NAMES, World, signal

from selfplay.curriculum.config import CurriculumConfig
from selfplay.curriculum.elo import EloConfig
from selfplay.curriculum.manager import Manager
from selfplay.curriculum.plans import Plan, Purpose, Report
from selfplay.curriculum.samplers import Uniform
from selfplay.curriculum.samplers.sampler import Nothing

ALL = np.ones(1, bool)


def one(ability=0.0, **changes):
    """One environment with three levels of one ability, without transfer or residuals."""
    return replace(
        World(
            seed=0,
            start_EL=np.full((1, 3), ability),
            rate_E=np.ones(1),
            floor_E=np.zeros(1),
            ceiling_E=np.ones(1),
            transfer_ELL=np.eye(3)[None],
            residual_sd=0.0,
        ),
        **changes,
    )


def practised(world, learner, e, level, groups, trained=True):
    """After groups at one cell, one a step."""
    for _ in range(groups):
        learner, _solved = world.step(
            learner, np.array([e]), np.array([level]), np.array([trained])
        )
    return learner


def everywhere(world, steps):
    """After one group at each cell in each step."""
    e_N, level_N = np.divmod(np.arange(world.start_EL.size), world.start_EL.shape[1])
    learner = world.initial()
    for _ in range(steps):
        learner, _solved = world.step(learner, e_N, level_N, np.ones(len(e_N), bool))
    return learner


def test_the_signal_by_hand():
    """G = 8: 4 x 4 x 4 / 56, 4 x 2 x 6 / 56, none at the ends."""
    assert signal(np.array([0, 2, 4, 6, 8]), 8) == pytest.approx([0, 6 / 7, 8 / 7, 6 / 7, 0])


@given(p=st.floats(0, 1), attempts=st.integers(2, 16))
def test_the_mean_signal_is_4p_1_minus_p_so_half_is_best(p, attempts):
    solved = np.arange(attempts + 1)
    chance = [math.comb(attempts, k) * p**k * (1 - p) ** (attempts - k) for k in solved.tolist()]
    assert chance @ signal(solved, attempts) == pytest.approx(4 * p * (1 - p))


@given(p=st.floats(0, 1))
def test_imitated_attempts_teach_the_same_on_average_and_mastered_ones_nothing(p):
    world = one(imitates=True, attempts=2)
    lesson = world.lesson(np.arange(3), np.full(3, p))
    assert np.array([(1 - p) ** 2, 2 * p * (1 - p), p**2]) @ lesson == pytest.approx(
        4 * p * (1 - p)
    )
    assert (world.lesson(np.array([0, 2]), np.array([0.5, 1.0])) == 0).all()


def test_one_group_adds_rate_times_signal_and_transfers_by_distance():
    transfer = np.exp(-np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0))))
    world = one(rate_E=np.array([0.5]), transfer_ELL=transfer[None])
    after, solved = world.step(world.initial(), np.array([0]), np.array([1]), ALL)
    gain = 0.5 * float(signal(solved[0], ATTEMPTS))
    assert 0 < solved[0] < 8
    assert after.ability_EL[0] == pytest.approx([gain / math.e, gain, gain / math.e])
    assert after.groups_EL.tolist() == [[0, 1, 0]]
    assert (world.initial().ability_EL == 0).all()  # what went in is as it was


def test_a_learner_learns_fastest_at_half():
    gains = [
        (practised(one(ability, rate_E=np.array([1e-6])), one(ability).initial(), 0, 0, 200))
        .ability_EL[0, 0] - ability
        for ability in (-2.0, 0.0, 2.0)
    ]  # fmt: skip
    assert gains[1] / 200e-6 == pytest.approx(1.0, abs=0.05)
    assert gains[0] / 200e-6 == pytest.approx(4 * 0.1192 * 0.8808, abs=0.1)
    assert gains[2] / 200e-6 == pytest.approx(4 * 0.1192 * 0.8808, abs=0.1)


def test_true_pass_rates_are_the_mean_over_problems():
    world = one(-1.0, residual_sd=2.0, floor_E=np.array([0.25]))
    problems = np.random.default_rng(0).normal(-1.0, 2.0, 400_000)
    expected = 0.25 + 0.75 * (1 / (1 + np.exp(-problems))).mean()
    assert world.pass_rate(world.initial()) == pytest.approx(np.full((1, 3), expected), abs=3e-3)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_attempted_agrees_with_the_true_pass_rates(name):
    world, rng = worlds.make(name, 3), np.random.default_rng(0)
    e, level = rng.integers(len(world.rate_E), size=6000), rng.integers(10, size=6000)
    _, solved = world.step(world.initial(), e, level, np.ones(6000, bool))
    miss = solved / world.attempts - world.pass_rate(world.initial())[e, level]
    assert miss.mean() == pytest.approx(0.0, abs=4 * miss.std() / math.sqrt(6000))


@pytest.mark.parametrize("name", NAMES)
def test_equal_seeds_are_equal_worlds_and_others_are_not(name):
    first, again, other = (worlds.make(name, seed) for seed in (1, 1, 2))
    assert (first.start_EL == again.start_EL).all()
    assert (everywhere(first, 3).ability_EL == everywhere(again, 3).ability_EL).all()
    assert (first.start_EL != other.start_EL).all()


def test_curricula_meet_the_same_problems_in_whatever_order():
    world = one(residual_sd=1.0, rate_E=np.zeros(1))
    there = practised(world, world.initial(), 0, 2, 40)
    _, late = world.step(there, np.array([0]), np.array([0]), ALL)
    _, early = world.step(world.initial(), np.array([0]), np.array([0]), ALL)
    assert late[0] == early[0]
    # Together or one after the other: the n-th group at a cell is the same problem.
    _, together = world.step(world.initial(), np.zeros(6, int), np.zeros(6, int), np.ones(6, bool))
    learner, singly = world.initial(), []
    for _ in range(6):
        learner, solved = world.step(learner, np.array([0]), np.array([0]), ALL)
        singly.append(int(solved[0]))
    assert together.tolist() == singly
    assert len(set(singly)) > 1


def test_a_better_learner_never_solves_less_of_the_same_problems():
    e, level = np.zeros(500, int), np.zeros(500, int)
    results = [
        world.step(world.initial(), e, level, np.ones(500, bool))[1]
        for world in (one(-0.5, residual_sd=1.0), one(0.5, residual_sd=1.0))
    ]
    assert (results[0] <= results[1]).all()
    assert results[0].sum() < results[1].sum()


def test_worlds_are_full_with_one_change():
    full, shuffled = worlds.make("full", 4), worlds.make("shuffled", 4)
    assert (full.rate_E == shuffled.rate_E).all()
    assert (full.trap_E == shuffled.trap_E).all()
    assert (full.start_EL != shuffled.start_EL).any()
    assert np.sort(shuffled.start_EL) == pytest.approx(np.sort(full.start_EL))
    assert (np.diff(full.start_EL) < 0).all()
    assert worlds.make("delayed", 4).delay == 32
    assert worlds.make("many", 4).start_EL.shape == (200, 10)


def test_shuffled_labels_transfer_between_what_is_equally_hard():
    world = worlds.make("shuffled", 4)
    for e in range(24):
        by_hardness = np.argsort(-world.start_EL[e])
        ordered = world.transfer_ELL[e][np.ix_(by_hardness, by_hardness)]
        assert ordered == pytest.approx(worlds.make("full", 4).transfer_ELL[e])


def test_full_has_two_of_each_trap_and_ordered_none():
    world = worlds.make("full", 0)
    assert world.trap_E.sum() == 4
    assert sorted(world.ceiling_E)[:5] == [0.0, 0.0, 0.5, 0.5, 1.0]
    assert sorted(world.floor_E)[-5:] == [0.0, 0.25, 0.25, 0.5, 0.5]
    assert not worlds.make("ordered", 0).trap_E.any()
    assert worlds.make("full", 0, 12).trap_E.sum() == 2


def test_traps_never_learn_and_all_others_do():
    world = worlds.make("full", 0)
    before, after = world.initial(), everywhere(world, 30)
    gained_E = (after.ability_EL - before.ability_EL).max(axis=1)
    assert (gained_E[world.trap_E] == 0).all()
    assert (gained_E[~world.trap_E] > 0).all()
    trapped = np.unique(world.pass_rate(after)[world.trap_E])
    assert trapped[[0, -1]] == pytest.approx([0.0, 0.5])


def test_lucky_guesses_teach_nothing():
    """Without skill p = 1/4 by luck alone; with even odds of knowing, .375 of .625 is skill."""
    hopeless = one(-50.0, floor_E=np.array([0.25]))
    learner = practised(hopeless, hopeless.initial(), 0, 0, 50)
    assert learner.ability_EL == pytest.approx(np.full((1, 3), -50.0), abs=1e-9)
    even = one(0.0, floor_E=np.array([0.25]))
    after, solved = even.step(even.initial(), np.array([0]), np.array([0]), ALL)
    assert after.ability_EL[0, 0] == pytest.approx(0.6 * float(signal(solved[0], ATTEMPTS)))
    assert solved[0] not in (0, ATTEMPTS)


def test_forgetting_forgets_what_was_added_and_no_more():
    """Half of an added skill after ln 2 / .002 = 346 steps without practice."""
    world = one(-1.0, forgetting=0.002)
    skilled = world.initial()._replace(ability_EL=np.array([[1.0, -1.0, 0.0]]))
    nothing = np.zeros(0, int)
    for _ in range(346):
        skilled, _solved = world.step(skilled, nothing, nothing, np.zeros(0, bool))
    assert skilled.ability_EL[0] == pytest.approx([0.0, -1.0, -0.5], abs=2e-3)
    assert worlds.make("forgetting", 0).forgetting == 0.002
    assert worlds.make("full", 0).forgetting == 0.0


def test_screening_is_attempted_and_teaches_nothing():
    world = one()
    after = practised(world, world.initial(), 0, 0, 5, trained=False)
    assert (after.ability_EL == 0).all()
    assert after.groups_EL.tolist() == [[5, 0, 0]]


def test_anchors_are_frozen_and_their_attempts_are_fresh():
    world = worlds.make("full", 0)
    looks = np.array([world.look_at_anchors(world.initial(), step) for step in range(60)])
    assert looks.shape == (60, 24, 10, worlds.ANCHORS)
    assert (looks[0] != looks[1]).any()
    # Were the problems fresh each time, the anchors of a cell would have equal means.
    between = (looks / ATTEMPTS).mean(axis=0)[~world.trap_E].var(axis=2)
    assert between.mean() > 3 * 0.25 / (60 * ATTEMPTS)
    miss = (looks / ATTEMPTS).mean(axis=(0, 3)) - world.pass_rate(world.initial())
    assert np.abs(miss).max() < 5 * 0.1 / math.sqrt(worlds.ANCHORS)


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ([0.25, 0.25, 0.25], (0.25, 0.25)),
        ([0.0, 1.0], (0.0, 1.0)),  # both the same in a quarter of the draws each
        ([-1.0, 1.0] * 200, (-1.96 / 20, 1.96 / 20)),  # sd of the mean: 1 / sqrt(400)
    ],
)
def test_bootstrap_by_hand(differences, expected):
    assert simulate.interval(np.array(differences)) == pytest.approx(expected, abs=0.006)


class Screening(NamedTuple):
    """Uniform, but looks at one cell `groups` times before each law."""

    groups: int
    within_environments: bool = True

    def initial(self, cells):
        return Nothing()

    def law(self, state, view):
        return Uniform().law(state, view)

    def screen(self, state, view):
        screen = np.zeros(view.cells.shape, int)
        screen[0, 0] = self.groups
        return screen

    def after(self, state, cells, games):
        return state


def test_screening_is_charged():
    """32 screened beside 32 trained: half of the steps for the same budget, and less learnt."""
    world = worlds.make("ordered", 0)

    def screening(groups):
        config = CurriculumConfig(system="elo", probe=0.0, quarantine=False)
        return Arm(config, lambda truth: Screening(groups))

    free, charged = (arms.run(world, screening(groups), steps=24) for groups in (0, 32))
    gains = [score.final - score.curve_T[0] for score in (free, charged)]
    assert gains[1] == pytest.approx(gains[0] / 2, rel=0.2)
    assert charged.curve_T[0] == free.curve_T[0]


def test_delayed_outcomes_arrive_late():
    heard = []

    class Listening(Manager):
        def observe(self, standing, generation, reports):
            heard.append((generation, [report.plan.generation for report in reports]))
            return super().observe(standing, generation, reports)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arms, "Manager", Listening)
        arms.run(replace(worlds.make("full", 0), delay=3), ARMS["uniform"], steps=6)
    assert [(at, set(planned)) for at, planned in heard] == [
        (1, set()), (2, set()), (3, set()), (4, {1}), (5, {2}), (6, {3}),
    ]  # fmt: skip
    assert all(len(planned) in (0, GROUPS) for _, planned in heard)


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_runs_and_is_reproducible(arm):
    world = worlds.make("full", 5)
    first, again = (arms.run(world, ARMS[arm], steps=6, anchor_every=3) for _ in range(2))
    assert replace(first, seconds=0.0) == replace(again, seconds=0.0)
    assert first.curve_T[0] == pytest.approx(world.pass_rate(world.initial()).mean(), abs=1e-5)
    assert 0 < first.auc < 1
    assert first.curve_T[0] < first.final


def test_where_levels_are_ordered_target_beats_uniform_and_wastes_less():
    world = worlds.make("ordered", 0)
    uniform, target, oracle = (
        arms.run(world, ARMS[arm], steps=120) for arm in ("uniform", "target-elo", "oracle")
    )
    assert target.auc > uniform.auc + 0.005
    assert oracle.auc > uniform.auc + 0.005
    assert target.dead_share < uniform.dead_share / 2
    assert uniform.trap_share == 0.0


def test_the_score_by_hand():
    """Accuracy 0 before any group, 1 after 32 and .5 after 64, of which 16 were screened."""
    cells = np.full((4, 1), 1.0)
    plan = Plan(1, 0, "environment_0", 0, 0.0, 0.5, 0.1, 0.1, Purpose.TARGET, 0)
    right = Report(plan, 0, 8, 8)
    trap = Report(plan._replace(environment="environment_3"), 0, 4, 8)
    screened = Report(plan._replace(purpose=Purpose.SCREEN), 0, 8, 8)
    ceiling_E = np.array([1.0, 1.0, 1.0, 0.0])
    world = replace(one(), start_EL=0 * cells, floor_E=np.zeros(4), ceiling_E=ceiling_E)
    record = [
        arms._Step(0, 0 * cells, 0.5, []),
        arms._Step(32, cells, 0.5, [trap] * 32),
        arms._Step(64, cells / 2, 0.2, [right] * 16 + [screened] * 16),
    ]
    score = arms._score(world, 64, record, 0.9, 1.0)
    assert score.auc == pytest.approx((0.5 + 0.75) / 2)
    assert score.final == 0.5
    assert score.trap_share == 0.5
    assert score.dead_share == pytest.approx(16 / 48)
    assert score.worst_3 == 0.5
    assert score.error == pytest.approx(0.4)


@pytest.fixture(scope="module")
def joint_gain():
    """What plain joint Elo without anchors records of 5 logits."""
    config = CurriculumConfig(system="elo", elo=EloConfig(settle=0.0, anchor_gain=0.0))
    return np.mean([arms.recorded_gain(config, seed, anchors=False) for seed in range(2)])


@pytest.mark.parametrize("system", ["elo", "glicko2", "kalman"])
def test_anchors_and_cells_that_rest_record_what_joint_elo_loses(system, joint_gain):
    config = CurriculumConfig(system=system)
    gain = np.mean([arms.recorded_gain(config, seed) for seed in range(4)])
    assert joint_gain < 4.6
    assert abs(gain - 5.0) < (5.0 - joint_gain) / 2


def test_joint_elo_without_anchors_errs_at_least_four_times_as_much_as_the_default():
    """A true gain of 8 logits: it is off by 1.4 of them, the default by .2 (means of two runs)."""
    joint = CurriculumConfig(system="elo", elo=EloConfig(settle=0.0, anchor_gain=0.0))
    error, joint_error = (
        np.mean([abs(arms.recorded_gain(config, seed, 8.0, anchors=at) - 8.0) for seed in range(2)])
        for config, at in ((CurriculumConfig(), True), (joint, False))
    )
    assert joint_error >= 4.0 * error


@cache
def short_runs(world, arm):
    """Scores of four runs of 80 steps, half a world each."""
    return [
        arms.run(worlds.make(world, seed, 12), ARMS[arm], steps=80, anchor_every=40)
        for seed in range(4)
    ]


def short_auc_N(world, arm):
    """Areas under their curves."""
    return np.array([score.auc for score in short_runs(world, arm)])


@pytest.mark.parametrize("world", ["full", "ordered", "shuffled", "delayed"])
def test_a_90_percent_interval_holds_85_to_95_percent_of_the_groups(world):
    coverage = np.mean([score.coverage for score in short_runs(world, "target-kalman")])
    assert 0.85 <= coverage <= 0.95


@pytest.mark.parametrize(
    ("world", "rival"),
    [
        *(("full", rival) for rival in ("uniform", "sec", "dump", "mopps", "plr")),
        ("shuffled", "ladder"),
        ("delayed", "ladder"),
    ],
)
def test_target_beats(world, rival):
    low, _ = simulate.interval(short_auc_N(world, "target-kalman") - short_auc_N(world, rival))
    assert low > 0.0


def test_where_levels_are_ordered_target_loses_at_most_1_percent_to_the_ladder():
    ladder_N = short_auc_N("ordered", "ladder")
    low, _ = simulate.interval(short_auc_N("ordered", "target-kalman") - ladder_N)
    assert low > -0.01 * ladder_N.mean()


@pytest.mark.parametrize("world", ["full", "shuffled", "delayed", "ordered"])
def test_nothing_is_lost_by_knowing_the_truth(world):
    """In *full* there is nothing to gain either: what is lost is less than a tenth of a point."""
    lead_N = short_auc_N(world, "oracle") - short_auc_N(world, "target-kalman")
    assert lead_N.mean() >= -0.001


def test_an_unknown_arm_is_named():
    with pytest.raises(SystemExit, match="no arm nonsense; there are uniform, fixed_easy"):
        simulate.main(arms=("nonsense",))


def test_what_a_file_has_is_not_run_again(tmp_path):
    """A run whose score was altered in the file comes back altered; the other arm is run."""
    file, job = tmp_path / "runs.jsonl", Job("ordered", "uniform", 0, steps=2, anchor_every=2)
    first = simulate.simulate([job], file)[job]
    file.write_text(json.dumps({**json.loads(file.read_text()), "auc": 0.25}) + "\n")
    both = simulate.simulate([job._replace(arm="ladder"), job], file)
    assert both[job] == replace(first, auc=0.25)
    assert [job.arm for job in both] == ["ladder", "uniform"]
    assert len(file.read_text().splitlines()) == 2


def test_the_table_compares_in_pairs():
    score = arms.run(worlds.make("ordered", 0), ARMS["uniform"], steps=1)
    runs = {
        Job("ordered", arm, seed, 1, 1): replace(score, auc=auc)
        for arm, aucs in ((simulate.REFERENCE, (0.5, 0.3)), ("uniform", (0.4, 0.2)))
        for seed, auc in enumerate(aucs)
    }
    columns = [list(column.cells) for column in simulate.table(runs, "ordered").columns]
    assert columns[0] == [simulate.REFERENCE, "uniform"]
    assert columns[1] == ["40.00", "30.00"]
    assert columns[2] == ["", "+10.00 [+10.00, +10.00]"]

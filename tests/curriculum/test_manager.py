"""The manager: shares, propensities, probes, reports late or twice, anchors, replay."""

import json
from collections import Counter
from dataclasses import fields
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay.curriculum import replay, samplers
from selfplay.curriculum.config import CurriculumConfig
from selfplay.curriculum.elo import EloConfig
from selfplay.curriculum.inbox import HORIZON
from selfplay.curriculum.manager import Manager
from selfplay.curriculum.plans import UNNUMBERED, Plan, Purpose, Report
from selfplay.curriculum.samplers import SFL
from selfplay.curriculum.scale import Cells, Game, pass_rate
from selfplay.curriculum.watch import ACTIVE, MASTERED, NOISE
from selfplay.problem import Problem

CELLS = Cells(("a", "b", "c"), (9, 4, 1))
SYSTEMS = ("kalman", "glicko2", "elo")


def made(cells=CELLS, count=24, **changes):
    return Manager(cells, CurriculumConfig(**changes), generations=100, count=count)


def rng(seed=0):
    return np.random.default_rng(seed)


def cell_of(plan):
    """Environment and level as indices."""
    return CELLS.index[plan.environment], plan.level


def answered(plans, seed=0, ability=1500.0, attempts=8):
    """A report on each plan, from a solver of that strength everywhere."""
    draw = rng(seed)
    return [
        Report(plan, plan.level, int(draw.binomial(attempts, p)), attempts)
        for plan in plans
        for p in (float(pass_rate(ability, CELLS.prior_EL[cell_of(plan)])),)
    ]


def same(one, other):
    """Whether two standings are equal to the last bit."""
    if isinstance(one, tuple):
        return all(same(a, b) for a, b in zip(one, other, strict=True))
    return one.dtype == other.dtype and one.tobytes() == other.tobytes()


# Plans.


@settings(max_examples=25, deadline=None)
@given(count=st.integers(1, 40), seed=st.integers(0, 1000))
def test_environments_share_equally_within_one(count, seed):
    manager = made(count=count, probe=0.0)
    plans = manager.plan(manager.initial(), count, 1, rng(seed))
    shares = Counter(plan.environment for plan in plans)
    assert len(plans) == count
    assert max(shares.values()) - min(shares[name] for name in "abc") <= 1
    assert [plan.slot for plan in plans] == list(range(count))


@settings(max_examples=30, deadline=None)
@given(
    probe=st.floats(0, 1), sampler=st.sampled_from(samplers.NAMES), seed=st.integers(0, 99),
    system=st.sampled_from(SYSTEMS),
)  # fmt: skip
def test_the_law_is_one_and_leaves_no_cell_out(probe, sampler, seed, system):
    manager = made(sampler=sampler, probe=probe, system=system)
    standing = manager.initial()
    for generation in (1, 2, 3):
        plans = manager.plan(standing, 24, generation, rng(seed))
        standing = manager.observe(standing, generation, answered(plans, seed))
    law_EL = manager.law(standing, 4, rng(seed))
    assert law_EL.sum() == pytest.approx(1.0)
    assert law_EL[~CELLS.there_EL].sum() == 0.0
    assert law_EL[CELLS.there_EL].min() >= probe / 14 - 1e-12
    assert manager.shares(standing).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("sampler", samplers.NAMES)
def test_what_is_withheld_is_never_posed(sampler):
    manager = made(sampler=sampler, probe=0.2, revisit=0.2, withheld=("a", "c"))
    standing = manager.initial()
    for generation in range(1, 5):
        plans = manager.plan(standing, 24, generation, rng(generation))
        assert {plan.environment for plan in plans} == {"b"}
        standing = manager.observe(standing, generation, answered(plans))
    law_EL = manager.law(standing, 5, rng())
    assert law_EL.sum() == pytest.approx(1.0)
    assert law_EL[[0, 2]].sum() == 0.0
    assert manager.shares(standing).tolist() == [0.0, 1.0, 0.0]


def test_a_sampler_that_wants_withheld_cells_only_gets_the_others_alike(monkeypatch):
    manager = made(sampler="sec", withheld=("a",), probe=0.0)
    law_EL = np.zeros(CELLS.shape)
    law_EL[0, 3] = 1.0
    monkeypatch.setattr(type(manager._sampler), "law", lambda *_: law_EL)
    plans = manager.plan(manager.initial(), 24, 1, rng())
    assert Counter(plan.environment for plan in plans) == {"b": 12, "c": 12}
    assert manager.law(manager.initial(), 1, rng())[1].tolist()[:4] == [0.125] * 4


def test_what_is_withheld_does_not_get_the_share_of_what_is_mastered():
    manager = made(withheld=("c",))
    standing = manager.initial()
    mastered_E = np.array([MASTERED, MASTERED, ACTIVE])
    standing = standing._replace(watch=standing.watch._replace(state_E=mastered_E))
    assert manager.shares(standing).tolist() == [0.5, 0.5, 0.0]


@pytest.mark.parametrize(
    ("withheld", "told"),
    [(("d",), "d is none of them"), (("a", "b", "c"), "must leave at least one")],
)
def test_withholding_what_cannot_be(withheld, told):
    with pytest.raises(ValueError, match=told):
        made(withheld=withheld)


@pytest.mark.parametrize("sampler", ["target", "sec"])
def test_cells_are_drawn_with_their_propensity(sampler):
    count = 4000
    manager = made(count=count, probe=0.2, sampler=sampler)
    law_EL = manager.law(manager.initial(), 1, rng())
    plans = manager.plan(manager.initial(), count, 1, rng())
    seen_EL = np.zeros(CELLS.shape)
    for plan in plans:
        seen_EL[cell_of(plan)] += 1 / count
        assert plan.propensity == law_EL[cell_of(plan)]
    assert (np.abs(seen_EL - law_EL) < 4.5 * np.sqrt(law_EL * (1 - law_EL) / count) + 1e-9).all()
    probes = [plan for plan in plans if plan.purpose == "probe"]
    assert len(probes) / count == pytest.approx(0.2, abs=0.03)
    assert len({(plan.environment, plan.level) for plan in probes}) == 14


@settings(max_examples=25, deadline=None)
@given(ability=st.floats(1250, 1750), target=st.floats(0.3, 0.7))
def test_the_mean_predicted_rate_is_close_to_the_target(ability, target):
    """The levels' ratings go from 979 to 2021: here there are harder and easier ones."""
    manager = made(target=target, probe=0.0, system="elo")
    standing = manager.initial()
    ratings = standing.ratings._replace(solver_E=np.full(3, ability))
    standing = standing._replace(ratings=ratings)
    law_L = manager.law(standing, 1, rng())[0]
    mean = float(law_L @ manager.beliefs(standing).predicted_EL[0] / law_L.sum())
    assert mean == pytest.approx(target, abs=0.1)


def test_a_plan_tells_what_the_ratings_say():
    manager = made()
    standing = manager.initial()
    beliefs = manager.beliefs(standing)
    for plan in manager.plan(standing, 20, 0, rng(1)):
        cell = cell_of(plan)
        assert plan.rating == beliefs.cell_EL[cell]
        assert plan.predicted == beliefs.predicted_EL[cell]
        slope = plan.predicted * (1 - plan.predicted)
        wide = np.hypot(beliefs.logit_sd_EL[cell], 0.5)
        assert plan.predicted_sd == pytest.approx(slope * wide)
    later = manager.plan(standing, 20, 7, rng(1))
    assert {plan.generation for plan in later} == {7}
    assert min(plan.predicted_sd for plan in later) > 0.0
    assert np.mean([plan.predicted_sd for plan in later]) > np.mean(
        [plan.predicted_sd for plan in manager.plan(standing, 20, 0, rng(1))]
    )


def test_quarantine_leaves_probes():
    manager = made(count=1000, probe=0.1)
    standing = manager.initial()
    watched = standing.watch._replace(state_E=np.array([0, NOISE, 0]))
    standing = standing._replace(watch=watched)
    plans = manager.plan(standing, 1000, 1, rng())
    assert {plan.purpose for plan in plans if plan.environment == "b"} == {"probe"}
    assert manager.shares(standing) == pytest.approx([0.5, 0, 0.5])
    unguarded = made(count=1000, quarantine=False)
    assert unguarded.shares(standing) == pytest.approx([1 / 3] * 3)


def test_what_is_screened_comes_beside_the_plans_and_is_not_trained_on():
    manager = Manager(CELLS, CurriculumConfig(), 100, 24, sampler=SFL())
    plans = manager.plan(manager.initial(), 24, 1, rng())
    screened = [plan for plan in plans if plan.purpose == "screen"]
    assert len(plans) - len(screened) == 24
    assert set(map(cell_of, screened)) == set(map(tuple, np.argwhere(CELLS.there_EL).tolist()))
    assert len({plan.slot for plan in plans}) == len(plans)


def test_what_the_command_line_takes_is_what_there_is():
    kind = next(field for field in fields(CurriculumConfig) if field.name == "sampler").type
    assert get_args(kind) == samplers.NAMES


# Reports.


@pytest.mark.parametrize("system", SYSTEMS)
def test_outcomes_move_the_ratings_and_are_counted(system):
    manager = made(system=system)
    standing = manager.initial()
    plans = manager.plan(standing, 24, 1, rng())
    after = manager.observe(standing, 1, answered(plans, ability=3000.0))
    assert after.groups_EL.sum() == 24
    assert (manager.beliefs(after).solver_E > 1500).all()
    assert after.generation == 1
    assert same(standing, manager.initial())  # what went in is as it was


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 999), repeats=st.integers(0, 30), system=st.sampled_from(SYSTEMS),
    sampler=st.sampled_from(["target", "sec", "mopps", "ladder", "plr"]),
)  # fmt: skip
def test_order_and_repetition_make_no_difference(seed, repeats, system, sampler):
    manager = made(system=system, sampler=sampler)
    plans = manager.plan(manager.initial(), 24, 1, rng(seed))
    reports = answered(plans, seed)
    draw = rng(seed)
    messy = [reports[i] for i in draw.permutation(len(reports))]
    messy += [reports[i] for i in draw.integers(0, len(reports), repeats)]
    clean, other = (manager.observe(manager.initial(), 1, r) for r in (reports, messy))
    assert same(other._replace(inbox=clean.inbox), clean)
    for name in ("generation_H", "solved_HW", "graded_HW", "age"):
        assert same(getattr(other.inbox, name), getattr(clean.inbox, name))
    assert other.inbox.ignored.tolist() == [repeats, 0]
    again = manager.observe(clean, 1, reports)
    assert same(again._replace(inbox=clean.inbox), clean)


def test_parts_count_for_what_they_add():
    """3 of 4 now, 5 of 8 later, and the 3 of 4 once more: 3 of 4 and then 2 of 4."""
    manager = made(system="elo")
    (plan, *_) = manager.plan(manager.initial(), 24, 1, rng())

    def game(solved, graded):
        return Game(*cell_of(plan), solved, graded)

    standing = manager.initial()
    for solved, graded in ((3, 4), (5, 8), (3, 4), (5, 8)):
        standing = manager.observe(standing, 1, [Report(plan, plan.level, solved, graded)])
    straight = manager._system.after(manager.initial().ratings, [game(3, 4)])
    straight = manager._system.after(straight, [game(2, 4)])
    assert same(standing.ratings, straight)
    assert standing.groups_EL.sum() == 1
    assert standing.inbox.ignored.tolist() == [2, 0]


def test_late_outcomes_count_until_they_are_too_late():
    manager = made()
    standing = manager.initial()
    plans = manager.plan(standing, 24, 1, rng())
    reports = answered(plans)
    late = manager.observe(standing, HORIZON, reports[:10])
    assert late.groups_EL.sum() == 10
    assert late.inbox.age.tolist() == [10 * (HORIZON - 1), 10]
    too_late = manager.observe(late, HORIZON + 1, reports)
    assert too_late.groups_EL.sum() == 10
    assert too_late.inbox.ignored.tolist() == [0, 24]


def test_an_old_row_of_the_memory_does_not_hide_a_new_plan():
    manager = made()
    standing = manager.initial()
    for generation in (1, 1 + HORIZON, 1 + 2 * HORIZON):
        plans = manager.plan(standing, 24, generation, rng(generation))
        standing = manager.observe(standing, generation, answered(plans))
    assert standing.groups_EL.sum() == 3 * 24
    assert standing.inbox.ignored.tolist() == [0, 0]


def test_reports_on_plans_that_cannot_be():
    manager = made()
    plan = manager.plan(manager.initial(), 24, 5, rng())[0]
    report = Report(plan, plan.level, 1, 8)
    with pytest.raises(ValueError, match="in generation 4"):
        manager.observe(manager.initial(), 4, [report])
    with pytest.raises(ValueError, match="a report on plan 99"):
        manager.observe(manager.initial(), 5, [report._replace(plan=plan._replace(slot=99))])


def test_a_grader_that_failed_counts_for_nobody():
    manager = made()
    plans = manager.plan(manager.initial(), 24, 1, rng())
    reports = [Report(plan, plan.level, 0, 0) for plan in plans]
    after = manager.observe(manager.initial(), 1, reports)
    assert after.groups_EL.sum() == 0
    assert np.array_equal(after.ratings.mean_QEK, manager.initial().ratings.mean_QEK)


def test_calibration_looks_at_problems_of_the_level_that_was_asked_for():
    manager = made()
    plans = manager.plan(manager.initial(), 24, 1, rng())
    plan = next(plan for plan in plans if plan.environment == "a")
    other = Report(plan, (plan.level + 1) % 9, 4, 8)
    after = manager.observe(manager.initial(), 1, [other])
    assert after.groups_EL.sum() == 1
    assert after.reliability.groups_B.sum() == 0


# Anchors, problems, replay.


def look(ability, count=8):
    """A look at one anchor a cell, solved as often as a solver of that strength would."""
    return [
        Game(e, level, round(count * float(pass_rate(ability, CELLS.prior_EL[e, level]))), count)
        for e, level in np.argwhere(CELLS.there_EL).tolist()
    ]


@pytest.mark.parametrize("system", SYSTEMS)
def test_anchors_place_the_solver(system):
    manager = made(system=system)
    after = manager.look_at_anchors(manager.initial(), 0, look(1800.0, count=400))
    assert after.anchored_E == pytest.approx([1800.0] * 3, abs=15)
    assert manager.beliefs(after).solver_E[0] == pytest.approx(1800.0, abs=60)
    assert after.groups_EL.sum() == 0  # anchors are not trained on
    assert same(after.sampler, manager.initial().sampler)


def test_a_look_at_the_anchors_is_no_learning_progress():
    manager = made(system="elo", elo=EloConfig(anchor_gain=1.0))
    plans = manager.plan(manager.initial(), 24, 1, rng())
    before = manager.observe(manager.initial(), 1, answered(plans))
    after = manager.look_at_anchors(before, 1, look(2000.0, count=100))
    assert after.watch.progress_E.tolist() == before.watch.progress_E.tolist()
    assert after.watch.last_E - before.watch.last_E == pytest.approx(
        after.watch.mark_E - before.watch.mark_E
    )


def test_problem_ratings_by_hand():
    """A cell at the solver's rating whose problems differ by s = 1/2 logit. 8 of 8: the mode x of
    8 log sigma(x) - 2 x^2 solves 8 (1 - sigma(x)) = 4 x, so x = 0.7444."""
    manager = made(system="elo")
    standing = manager.initial()
    plan = Plan(1, 0, "c", 0, 1500.0, 0.5, 0.1, 0.1, Purpose.TARGET, UNNUMBERED)
    outcomes = [(0, 0), (8, 8), (0, 8), (4, 8)]
    (cell, unsure), (easy, sure), (hard, _), (even, _) = manager.problem_ratings(
        standing, [Report(plan, 0, *outcome) for outcome in outcomes]
    )
    assert cell == 1500.0
    x = (1500 - easy) / 173.7178
    assert 8 / (1 + np.exp(x)) == pytest.approx(4 * x, abs=1e-4)
    assert hard - 1500 == pytest.approx(1500 - easy)
    assert even == pytest.approx(1500.0)
    assert sure < unsure
    assert manager.prior_rating(Problem("b", 0, "", "", "")) == CELLS.prior_EL[1, 0]
    assert manager.level_near(standing, "a", 1500.0) == 4


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("sampler", ["target", "sfl", "greso", "dump"])
def test_the_log_gives_the_standing_again_to_the_last_bit(system, sampler):
    manager = made(system=system, sampler=sampler)
    standing, lines = manager.initial(), []

    def log(line):
        lines.append(json.loads(json.dumps(line)))

    for generation in range(1, 15):
        plans = manager.plan(standing, 24, generation, rng(generation))
        reports = answered(plans, generation, 1300.0 + 30 * generation)
        late, reports = reports[:3], reports[3:]
        standing = manager.observe(standing, generation, reports)
        log(replay.outcomes_line(generation, reports))
        standing = manager.observe(standing, generation + 1, late)
        log(replay.outcomes_line(generation + 1, late))
        if generation % 5 == 1:
            standing = manager.look_at_anchors(standing, generation + 1, look(1400.0))
            log(replay.anchors_line(CELLS, generation + 1, look(1400.0)))
    assert same(replay.replayed(manager, lines), standing)
    assert not same(replay.replayed(manager, lines[:-1]), standing)


def test_a_standing_on_another_scale_is_refused():
    manager, other = (Manager(CELLS, CurriculumConfig(), 9, 9, suite=s) for s in ("0af3", "77bc"))
    manager.check(manager.initial())
    with pytest.raises(ValueError, match="problems '77bc *', and those of now are '0af3 *'"):
        manager.check(other.initial())


def test_ratings_of_another_version_are_refused():
    manager = made()
    standing = manager.initial()
    older = standing.ratings._replace(mean_QEK=standing.ratings.mean_QEK[..., :-1])
    with pytest.raises(ValueError, match="the rating system has changed"):
        manager.check(standing._replace(ratings=older))


def test_a_log_of_another_version_is_told():
    with pytest.raises(ValueError, match="generation 3 is not of this version"):
        replay.replayed(made(), [{"generation": 3, "games": [[0, 1, 2, 8]]}])
    with pytest.raises(ValueError, match="generation 4 is not of this version"):
        replay.replayed(made(), [{"generation": 4, "outcomes": {"solved": [1]}}])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("target", 0.0),
        ("target", 1.0),
        ("probe", 1.5),
        ("width", 0.0),
        ("tilt", 0.5),
        ("tilt", float("nan")),
    ],
)
def test_values_out_of_range(field, value):
    with pytest.raises(ValueError, match=rf"curriculum\.{field}={value}"):
        CurriculumConfig(**{field: value})

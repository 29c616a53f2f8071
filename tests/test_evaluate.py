"""Evaluation: intervals by hand and their coverage, cells, summaries, the same noise every time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay import evaluate
from selfplay.evaluate import EvaluationConfig, Interval, Scores, by_cell, interval
from selfplay.model.sampling import DecodeConfig
from selfplay.problem import Outcome, Problem, Verdict


def problem(environment, level):
    return Problem(environment, level, "", "", "")


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_constant_data_leaves_no_doubt(value):
    assert interval(np.full(20, value)) == Interval(value, value, value)


def test_an_interval_is_about_two_standard_errors_wide():
    value_N = np.repeat([0.0, 1.0], 200)
    found = interval(value_N)
    assert found.mean == 0.5
    error = 0.5 / np.sqrt(400)
    assert (found.low, found.high) == pytest.approx(
        (0.5 - 1.96 * error, 0.5 + 1.96 * error), abs=4e-3
    )
    assert interval(value_N) == found


def test_95_percent_intervals_hold_the_truth_about_95_times_in_100(monkeypatch):
    monkeypatch.setattr(evaluate, "RESAMPLES", 400)
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        rate_N = rng.beta(2, 3, size=40)
        found = interval(rng.binomial(4, rate_N) / 4)
        hits += found.low <= 0.4 <= found.high
    assert 178 <= hits <= 199


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=20))
def test_the_mean_lies_inside(values):
    found = interval(np.array(values))
    assert found.low - 1e-9 <= found.mean <= found.high + 1e-9
    assert min(values) - 1e-9 <= found.low


def test_for_people():
    shown = Interval(0.4167, 0.38, 0.45)
    assert shown.percent() == "41.7% [38.0, 45.0]"
    assert Interval(-0.021, -0.05, 0.01).points() == "-2.1 [-5.0, +1.0] points"


def test_by_cell_by_hand():
    problems = [problem("b", 1), problem("a", 0), problem("b", 0), problem("b", 1)]
    assert by_cell(problems, np.array([1.0, 0.5, 0.25, 0.0])) == {"b": [0.25, 0.5], "a": [0.5]}


def test_a_rate_is_of_graded_attempts():
    scores = Scores(np.array([2, 0, 4]), np.array([4, 0, 4]), np.array([9, 8, 4]), 4)
    assert scores.length_N.tolist() == [2.25, 2.0, 1.0]
    assert scores.rate_N.tolist() == pytest.approx([0.5, np.nan, 1.0], nan_ok=True)
    # A problem that was never graded says nothing about the solver.
    assert evaluate.interval(scores.rate_N).mean == 0.75


def test_summary_by_hand():
    problems = [problem("a", 0), problem("a", 1), problem("b", 0)]
    sampled = Scores(np.array([3, 0, 1]), np.array([3, 3, 2]), np.array([40, 20, 12]), 4, cut=3)
    greedy = Scores(np.array([1, 0, 0]), np.array([1, 1, 1]), np.array([9, 9, 10]), 1)
    found = evaluate.summary(problems, sampled, greedy)
    assert found["problems"] == 3
    assert found["pass@1"]["mean"] == pytest.approx(0.5)
    assert found["greedy"]["mean"] == pytest.approx(1 / 3)
    assert found["by_environment"]["a"]["mean"] == 0.5
    assert found["by_environment"]["b"] == {"mean": 0.5, "low": 0.5, "high": 0.5}
    assert found["by_level"] == {"a": [1.0, 0.0], "b": [0.5]}
    assert found["grader_errors"] == 1 + 1 + 2  # of 4 attempts at each, although none has all
    assert found["tokens_per_attempt"] == 6.0
    assert found["tokens_per_attempt_by_level"] == {"a": [10.0, 5.0], "b": [3.0]}
    assert found["cut_at_limit"] == 0.25
    assert found["generated_tokens"] == 100


class Lenient:
    """Likes every response of even length; fails on every text with an `x`."""

    def grade(self, problem, response):
        if "x" in response:
            raise ValueError("x")
        return Verdict(Outcome.CORRECT if len(response) % 2 == 0 else Outcome.WRONG)


def test_attempts_are_counted_by_problem_and_drawn_alike_every_time(
    network, tokenizer, environments
):
    problems = [environments["arithmetic"].parse(text) for text in ("1+2", "3*4", "9-5")]

    def attempt(temperature, stream="held-out"):
        return evaluate.scored(
            network, tokenizer, {"arithmetic": Lenient()}, problems, samples=2,
            temperature=temperature, decode_config=DecodeConfig(max_tokens=200), stream=stream,
        )  # fmt: skip

    sampled, again, other = attempt(1.0), attempt(1.0), attempt(1.0, "anchors")
    assert np.array_equal(sampled.solved_N, again.solved_N)
    assert np.array_equal(sampled.tokens_N, again.tokens_N)
    assert not np.array_equal(sampled.tokens_N, other.tokens_N)
    assert (sampled.solved_N <= sampled.graded_N).all()
    assert (sampled.graded_N <= 2).all()
    assert sampled.samples == 2
    assert set(attempt(0.0).solved_N.tolist()) <= {0, 2}  # greedy attempts are all the same


@pytest.mark.parametrize("field", ["samples", "live", "live_samples", "anchors"])
def test_values_out_of_range(field):
    with pytest.raises(ValueError, match=rf"evaluation\.{field}=\s*0"):
        EvaluationConfig(**{field: 0})
    with pytest.raises(ValueError, match=r"evaluation\.every=-1"):
        EvaluationConfig(every=-1)


def test_a_survey_prefers_cells_whose_outcome_is_least_certain():
    predicted_C = np.array([0.0] * 30 + [0.3, 0.5, 0.7] + [1.0] * 7)
    counts = [
        evaluate.survey(predicted_C, 1.0, 8, np.random.default_rng(seed)).count_C
        for seed in range(200)
    ]
    mean_C = np.mean(counts, axis=0)
    assert mean_C.sum() == pytest.approx(40.0, rel=0.03)
    assert mean_C[30:33].min() > 5.0
    assert 0.2 < mean_C[:30].min() <= mean_C[:30].max() < 0.7


def test_a_survey_of_all_there_is_takes_all():
    looked = evaluate.survey(np.array([0.0, 0.5, 1.0]), 6, 6, np.random.default_rng(0))
    assert looked.count_C.tolist() == [6, 6, 6]
    assert looked.chance_C.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("predicted", [0.0, 0.5, 0.9])
def test_the_estimate_of_a_survey_is_unbiased_however_wrong_the_predictions(predicted):
    """Truth: a frontier half-way up; what is predicted: the same everywhere."""
    rng, truth_C = np.random.default_rng(0), np.linspace(1.0, 0.0, 20)
    predicted_C, estimates = np.full(20, predicted), []
    for _ in range(4000):
        looked = evaluate.survey(predicted_C, 0.6, 8, rng)
        solved_C = rng.binomial(looked.count_C, truth_C)
        observed_C = np.where(looked.count_C > 0, solved_C / np.maximum(looked.count_C, 1), np.nan)
        estimates.append(looked.estimate(predicted_C, observed_C))
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert np.mean(estimates) == pytest.approx(0.5, abs=4 * error)


def test_good_predictions_make_a_survey_sure():
    """Twelve mastered and twelve hopeless levels, one at the frontier: nearly no noise."""
    truth_C = np.array([1.0] * 12 + [0.5] + [0.0] * 12)
    rng, spread = np.random.default_rng(0), {}
    for name, predicted_C in {"good": truth_C, "bad": np.full(25, 0.5)}.items():
        estimates = []
        for _ in range(500):
            looked = evaluate.survey(predicted_C, 1.0, 8, rng)
            rate_C = rng.binomial(looked.count_C, truth_C) / np.maximum(looked.count_C, 1)
            observed_C = np.where(looked.count_C > 0, rate_C, np.nan)
            estimates.append(looked.estimate(predicted_C, observed_C))
        spread[name] = np.std(estimates)
    assert spread["good"] < 0.3 * spread["bad"] or spread["good"] < 0.01

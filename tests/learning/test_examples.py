"""What an optimiser step learns from: attempts and proposals with an advantage."""

import numpy as np
import pytest

from selfplay.learning import examples
from selfplay.model.network import PROPOSER, SOLVER
from selfplay.model.sampling import Samples
from selfplay.problem import Outcome, Problem, Verdict
from selfplay.rollout.attempts import Attempts
from selfplay.rollout.responses import Responses

RIGHT, WRONG, FAILED = (
    Verdict(outcome) for outcome in (Outcome.CORRECT, Outcome.WRONG, Outcome.ERROR)
)
EVERYTHING = np.ones(3, bool)


def responses(prompts, attempts, role=SOLVER):
    """Response n is n + 1 tokens, each n + 10, of log-probability -n."""
    rows = np.arange(len(prompts) * attempts)
    shape = (rows.size, rows.size + 1)
    samples = Samples(
        np.broadcast_to(rows[:, None] + 10, shape), np.broadcast_to(-1.0 * rows[:, None], shape),
        rows + 1, np.ones(rows.size, bool),
    )  # fmt: skip
    return Responses(prompts, samples, ["text"] * rows.size, role)


def attempts(verdicts):
    """At three problems."""
    problems = [Problem("a", level, str(level), str(level), "1") for level in range(3)]
    prompts = [[1, level] for level in range(3)]
    return Attempts(problems, responses(prompts, len(verdicts) // 3), verdicts, 0.0, 0.0)


def test_responses_with_an_advantage_by_hand():
    drawn = responses([[7, 8]], 2)
    assert examples.of_responses(drawn, np.array([-1.0, 0.25])) == [
        ([7, 8], [10], -1.0, [0.0], SOLVER), ([7, 8], [11, 11], 0.25, [-1.0, -1.0], SOLVER),
    ]  # fmt: skip
    assert examples.of_responses(drawn, np.zeros(2)) == []


def test_groups_that_are_all_alike_teach_nothing():
    made = attempts([RIGHT, RIGHT, RIGHT, WRONG, WRONG, WRONG])
    found = examples.of_attempts("gradient", made, EVERYTHING)
    assert [example.prompt for example in found] == [[1, 1]] * 2
    right, wrong = found
    assert right.weight == -wrong.weight > 0.0


def test_an_attempt_that_was_not_graded_teaches_nothing():
    made = attempts([RIGHT, WRONG, FAILED, RIGHT, FAILED, WRONG, WRONG, WRONG, WRONG])
    found = examples.of_attempts("gradient", made, EVERYTHING)
    assert sorted(len(example.response) for example in found) == [1, 2, 4, 6]


@pytest.mark.parametrize(("rule", "count"), [("gradient", 2), ("positive", 1), ("rehearsal", 0)])
def test_rules(rule, count):
    made = attempts([WRONG, WRONG, RIGHT, WRONG, WRONG, WRONG])
    found = examples.of_attempts(rule, made, EVERYTHING)
    assert len(found) == count
    if rule == "positive":
        assert found[0].response == [12] * 3 and found[0].weight > 0.0


def test_what_is_screened_teaches_nothing_and_is_not_kept():
    made = attempts([RIGHT, WRONG, WRONG, RIGHT, WRONG, WRONG])
    trained = np.array([False, True, True])
    found = examples.of_attempts("gradient", made, trained)
    assert {tuple(example.prompt) for example in found} == {(1, 1)}
    [kept] = examples.to_keep(made, trained, [5, 6, 7])
    assert kept == (6, [1, 1], [13] * 4)


def test_the_first_right_attempt_at_each_solved_problem_is_kept():
    made = attempts([WRONG, RIGHT, WRONG, WRONG, RIGHT, RIGHT])
    kept = examples.to_keep(made, EVERYTHING, [0, 1, 2])
    assert [(one.cell, one.response) for one in kept] == [(0, [11] * 2), (2, [14] * 5)]


def test_proposals_are_compared_within_their_environment():
    drawn = responses([[at] for at in range(4)], 1, PROPOSER)
    found = examples.of_proposals(drawn, ["b", "a", "b", "a"], np.array([1.0, 0.5, 0.0, 0.5]), 2.0)
    assert [example.prompt for example in found] == [[0], [2]]
    assert found[0].weight == -found[1].weight > 0.0
    assert {example.role for example in found} == {PROPOSER}
    halved = examples.of_proposals(drawn, ["b"] * 4, np.array([1.0, 0.5, 0.0, 0.5]), 1.0)
    double = examples.of_proposals(drawn, ["b"] * 4, np.array([1.0, 0.5, 0.0, 0.5]), 2.0)
    assert double[0].weight == pytest.approx(2.0 * halved[0].weight)

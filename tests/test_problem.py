"""Problems as data: JSON round trip, keys, verdicts; levels of an environment."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.problem import Outcome, Problem, Verdict

TEXTS = st.text()


@given(
    problem=st.builds(
        Problem, environment=TEXTS, level=st.integers(), text=TEXTS, signature=TEXTS, gold=TEXTS
    )
)
def test_json_round_trip_on_one_line(problem):
    line = problem.to_json()
    assert Problem.from_json(line) == problem
    assert len(line.splitlines()) == 1


def test_the_key_is_the_signature_qualified_by_the_environment():
    problem = Problem("modular", 0, "1,+2 mod 5", "1,+2 mod 5", "3")
    assert problem.key == "modular:1,+2 mod 5"


@pytest.mark.parametrize("line", ['{"level": 1}', "[1, 2]", "7", '{"nope": 1}'])
def test_what_is_no_problem_is_named(line):
    with pytest.raises(ValueError, match="not a problem"):
        Problem.from_json(line)


def test_what_is_not_json_is_refused():
    with pytest.raises(ValueError, match="Expecting"):
        Problem.from_json("{")


@pytest.mark.parametrize(
    ("outcome", "correct", "graded"),
    [("correct", True, True), ("wrong", False, True), ("unparsable", False, True),
     ("ambiguous", False, True), ("timeout", False, True),
     ("error", False, False)],
)  # fmt: skip
def test_only_a_grader_error_is_ungraded(outcome, correct, graded):
    verdict = Verdict(Outcome(outcome))
    assert (verdict.correct, verdict.graded) == (correct, graded)


def test_levels(environments):
    modular = environments["modular"]
    assert modular.level_count == 9
    assert modular.at(2) == {"steps": 3, "modulus": 7, "factor": 3}
    for level in (-1, 9):
        with pytest.raises(ValueError, match=f"modular has no level {level}: its levels are 0 to"):
            modular.at(level)
        with pytest.raises(ValueError, match="levels are 0 to 8"):
            modular.generate(level, random.Random(0))

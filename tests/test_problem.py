"""Problems as data: JSON round trip, keys, verdicts; levels of an environment."""

import random
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selfplay_envs.walk import Walk
from tiny import Last

from selfplay.problem import InvalidProblem, Outcome, Problem, Verdict

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


def test_an_origin_survives_and_none_leaves_no_trace():
    problem = Problem("modular", 0, "1,+2 mod 5", "1,+2 mod 5", "3")
    assert "origin" not in problem.to_json()
    made = replace(problem, origin="seed 7")
    assert Problem.from_json(made.to_json()) == made
    assert made.key == problem.key


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


def test_knobs_may_be_given_one_by_one(environments):
    modular = environments["modular"]
    knobs = {"steps": 3, "modulus": 8, "factor": 3}
    assert modular.at(knobs) == knobs
    problem = modular.generate(knobs, random.Random(0))
    assert problem.text.count(",") == 3
    with pytest.raises(ValueError, match="modular has the knobs steps, modulus, factor; give a"):
        modular.at({"steps": 3})
    with pytest.raises(ValueError, match="modular: steps=9 is beyond the top level, which has 8"):
        modular.at({**knobs, "steps": 9})


def test_a_height_is_in_the_unit_of_the_only_knob_or_in_levels(environments):
    assert [Walk().height(levels) for levels in (0, 1, 59)] == [
        (0, "steps"), (4, "steps"), (120, "steps"),
    ]  # fmt: skip
    assert environments["modular"].height(3) == (3, "levels")


def test_the_easiest_level_allows_every_demand(environments):
    modular = environments["modular"]
    assert modular.easiest(steps=2, modulus=8, factor=2) == 1
    with pytest.raises(InvalidProblem, match="beyond the top level: steps 2, modulus 99, factor 2"):
        modular.easiest(steps=2, modulus=99, factor=2)


def test_a_generator_that_never_hits_its_level_says_what_to_do():
    class Off(Last):
        def draft(self, knobs, rng):
            return "abc"

    with pytest.raises(ValueError, match="last: none of 10000 drafts is a problem of 1"):
        Off().generate(1, random.Random(0))


def test_a_mutation_changes_one_number(environments):
    modular = environments["modular"]
    problem = modular.parse("3,+2,*2 mod 7")
    numbers = [3, 2, 2, 7]
    for seed in range(20):
        other = modular.mutate(problem, random.Random(seed))
        assert other.signature != problem.signature
        changed = list(map(int, re.findall("[0-9]+", other.text)))
        assert sum(a != b for a, b in zip(numbers, changed, strict=True)) == 1


def test_a_text_without_numbers_is_mutated_by_a_new_draw():
    problem = Last().parse("abc")
    assert Last().mutate(problem, random.Random(0)).level == problem.level


def test_the_estimate_is_the_length_of_the_working(environments):
    modular = environments["modular"]
    assert modular.estimate(modular.parse("3,+2,*2 mod 7")) == len("3+2=5;5*2=10=3<answer>3")


def test_a_question_in_full(environments):
    modular = environments["modular"]
    asked = modular.ask(modular.parse("3,+2,*2 mod 7"))
    assert asked.startswith("Start with the first number")
    assert "\n\n3,+2,*2 mod 7\n\n" in asked
    assert asked.endswith("between <answer> and </answer>.")

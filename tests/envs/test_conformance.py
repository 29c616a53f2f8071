"""Every installed environment keeps the contract: the suite of `envs check`.

At every level; of ladders of more than ten levels at those of `conformance.spread`.
"""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from selfplay import conformance, environments
from selfplay.conformance import Size
from selfplay.grading.programs.environment import Interpreter, ProgramEnvironment
from selfplay.grading.programs.sandbox import SandboxConfig
from selfplay.problem import ANSWER_OPEN, InvalidProblem, Outcome

INTERPRETER = Interpreter(SandboxConfig())
ENVIRONMENTS = [environments.load(name, INTERPRETER) for name in environments.names()]
CELLS = [
    pytest.param(environment, level, id=f"{environment.name}-{level}")
    for environment in ENVIRONMENTS
    for level in conformance.spread(environment)
]
BY_NAME = [pytest.param(environment, id=environment.name) for environment in ENVIRONMENTS]


def size(environment):
    """A run of a program takes a hundred times as long as the grading of a number."""
    if isinstance(environment, ProgramEnvironment):
        return Size(problems=12, graded=6, fuzzed=50)
    return Size(problems=600, graded=30, fuzzed=1000)


@pytest.mark.parametrize(("environment", "level"), CELLS)
def test_a_level_keeps_the_contract(environment, level):
    faults = list(conformance.check_level(environment, level, size(environment)))
    assert not faults, "\n".join(map(str, faults))


@pytest.mark.parametrize("environment", BY_NAME)
def test_the_levels_together_keep_the_contract(environment):
    faults = list(conformance.check_whole(environment, size(environment)))
    assert not faults, "\n".join(map(str, faults))


@pytest.mark.parametrize("environment", BY_NAME)
def test_ours_have_at_least_nine_levels_and_worked_solutions(environment):
    assert environment.level_count >= 9
    for level in range(environment.level_count):
        problem = environment.generate(level, random.Random(0))
        assert environment.demonstrate(problem, random.Random(0)) is not None


@pytest.mark.parametrize("environment", BY_NAME)
def test_what_is_easy_is_short(environment):
    """A small model from scratch has to be able to begin: prompt and working at the bottom."""
    rng = random.Random(0)
    limit = 330 if isinstance(environment, ProgramEnvironment) else 96
    for level in (0, 1):
        for problem in conformance.draw(environment, level, 20):
            shown = environment.demonstrate(problem, rng) or ""
            length = len(problem.text) + len(shown.replace(ANSWER_OPEN, "@"))
            assert length <= limit, (problem.text, shown)


@pytest.mark.parametrize("environment", BY_NAME)
@given(text=st.text() | st.text(alphabet="0123456789+-*/()=,x make mod^|&~:.", max_size=40))
@example(text="1=1")
def test_a_proposal_is_a_problem_or_invalid(environment, text):
    try:
        problem = environment.parse(text)
    except InvalidProblem as error:
        assert str(error).split(":")[0] in {
            "malformed", "not canonical", "trivial", "no solution", "not unique",
            "beyond the top level",
        }  # fmt: skip
        return
    assert environment.parse(environment.pose(problem)) == problem
    assert environment.grade(problem, f"<answer>{problem.gold}").correct


PROBLEMS = {one.name: one.generate(3, random.Random(0)) for one in ENVIRONMENTS}


@pytest.mark.parametrize("environment", BY_NAME)
@given(response=st.text() | st.text(alphabet="0123456789+-*/(){}\\boxed<answer>", max_size=40))
def test_grading_never_raises(environment, response):
    problem = PROBLEMS[environment.name]
    for text in (response, f"<answer>{response}"):
        assert environment.grade(problem, text).outcome is not Outcome.ERROR

"""What every environment promises, at every level: one suite for all of them."""

import random
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from selfplay_envs.arithmetic import Arithmetic
from selfplay_envs.countdown import Countdown
from selfplay_envs.linear_equations import LinearEquations
from selfplay_envs.modular import Modular

from selfplay.problem import ANSWER_OPEN, Outcome, Problem, ProposalError

ENVIRONMENTS = (Arithmetic(), Countdown(), LinearEquations(), Modular())
CELLS = [
    pytest.param(environment, level, id=f"{environment.name}-{level}")
    for environment in ENVIRONMENTS
    for level in range(environment.level_count)
]
BY_NAME = [pytest.param(environment, id=environment.name) for environment in ENVIRONMENTS]

HOSTILE = [
    "", " ", "\n", "\x00", "\ud800", "answer", "<answer>", "</answer>", "<answer></answer>",
    "<answer>" * 9000, "<answer>(" * 3000, "x" * 100_000, "<answer>" + "9" * 60_000,
    "<answer>" + "(" * 60_000, "<answer>" + "-" * 60_000, "<answer>" + "1+" * 300 + "1",
    "<answer>9**9**9**9", "<answer>__import__('os').system('true')", "<answer>{0.__class__}",
    "<answer>%s%s%s", "<answer>correct", "<answer>None", "<answer>nan", "<answer>inf", "<answer>*",
    "<answer>.*", "<answer>gold", "<answer>1/0", "<answer>0/0", "\\boxed{" * 9000, "\\boxed{}",
    "<answer>1/(1-1)", "<answer>x", "<answer>()",
]  # fmt: skip
LINEAR = r"-?[0-9]{0,2}(x|\(x[+-][0-9]\))([+-][0-9]{1,2})?=-?[0-9]{0,2}x?"


def problems(environment, level, count, seed=0):
    rng = random.Random(f"{environment.name} {level} {seed}")
    return [environment.generate(level, rng) for _ in range(count)]


def tokens(response):
    """Length as the character-level model counts it: the opening tag is one token."""
    return len(response.replace(ANSWER_OPEN, "@"))


@pytest.mark.parametrize(("environment", "level"), CELLS)
class TestEveryLevel:
    def test_generation_depends_on_its_arguments_only(self, environment, level):
        first = problems(environment, level, 20)
        assert first == problems(type(environment)(), level, 20)
        assert first != problems(environment, level, 20, seed=1)

    def test_problems_survive_json_and_parse(self, environment, level):
        for problem in problems(environment, level, 100):
            assert problem.level == level
            assert problem.environment == environment.name
            assert Problem.from_json(problem.to_json()) == problem
            assert environment.parse(problem.text) == problem
            assert environment.parse(environment.pose(problem)) == problem

    def test_gold_and_demonstrations_are_right(self, environment, level):
        rng = random.Random(level)
        for problem in problems(environment, level, 200):
            assert environment.grade(problem, f"<answer>{problem.gold}").correct
            for _ in range(3):
                shown = environment.demonstrate(problem, rng)
                assert environment.grade(problem, shown).correct, (problem, shown)
                assert shown.count(ANSWER_OPEN) == 1

    def test_demonstrations_are_deterministic(self, environment, level):
        for problem in problems(environment, level, 10):
            shown = {environment.demonstrate(problem, random.Random(5)) for _ in range(3)}
            assert len(shown) == 1

    def test_demonstrations_are_short_ascii(self, environment, level):
        limit = 40 if level <= 1 else 160
        rng = random.Random(level)
        for problem in problems(environment, level, 500):
            shown = environment.demonstrate(problem, rng)
            assert tokens(shown) < limit
            assert problem.text.isascii()
            assert shown.isascii()

    def test_nothing_hostile_is_correct_or_raises(self, environment, level):
        for problem in problems(environment, level, 5):
            disguised = problem.gold.translate({ord("0") + i: 0x0660 + i for i in range(10)})
            gold = f"<answer>{problem.gold}"
            for response in [
                *HOSTILE, problem.gold, f"<answer>{disguised}", f"{gold} or 99", f"{gold}=99",
                f"{gold}<answer>99", f"<answer>99{gold}", f"{gold}</answer>.",
                f"<answer>x={problem.gold}", f"<answer>[{problem.gold}]",
                f"<answer>{problem.text}=", f"{gold}</answer>{'x' * 70_000}",
            ]:  # fmt: skip
                verdict = environment.grade(problem, response)
                assert verdict.outcome not in (Outcome.CORRECT, Outcome.ERROR), response[:80]
                assert 0 < len(verdict.reason) <= 30

    def test_no_constant_answer_pays(self, environment, level):
        drawn = problems(environment, level, 300)
        golds = {problem.gold for problem in drawn}
        common = sorted(golds, key=lambda gold: -sum(p.gold == gold for p in drawn))[:3]
        for answer in [*map(str, range(-3, 13)), *common]:
            right = sum(environment.grade(p, f"<answer>{answer}").correct for p in drawn)
            assert right < 0.25 * len(drawn), answer

    def test_there_are_many_problems(self, environment, level):
        assert len({p.signature for p in problems(environment, level, 3000)}) >= 400


@pytest.mark.parametrize("environment", BY_NAME)
class TestEveryEnvironment:
    def test_knobs_are_consistent(self, environment):
        assert {len(knob.values) for knob in environment.knobs.values()} == {9}
        settings = [environment.at(level) for level in range(environment.level_count)]
        assert len({tuple(setting.values()) for setting in settings}) == 9
        for knob in environment.knobs.values():
            assert max(knob.values) == knob.values[-1]

    def test_levels_outside_are_refused(self, environment):
        for level in (-1, 9):
            with pytest.raises(ValueError, match=rf"has no level {level}: its levels are 0 to 8"):
                environment.generate(level, random.Random(0))

    def test_worked_solutions_get_longer(self, environment):
        def mean_length(level):
            rng = random.Random(1)
            drawn = problems(environment, level, 200)
            return sum(tokens(environment.demonstrate(p, rng)) for p in drawn) / len(drawn)

        lengths = [mean_length(level) for level in range(environment.level_count)]
        assert all(later > 0.9 * earlier for earlier, later in pairwise(lengths))

    @pytest.mark.parametrize("text", [*HOSTILE, "1" * 10_000, "1+" * 10_000, "x=" * 10_000])
    def test_hostile_proposals_are_refused(self, environment, text):
        with pytest.raises(ProposalError):
            environment.parse(text)

    @given(
        text=st.text()
        | st.text(alphabet="0123456789+-*/()=,x make mod", max_size=40)
        | st.from_regex(r"[0-9]{1,3}(,[0-9]{1,3}){0,6} make [0-9]{1,4}", fullmatch=True)
        | st.from_regex(r"[0-9]{1,2}([-+*/][0-9]{1,2}){1,5}", fullmatch=True)
        | st.from_regex(r"[0-9]{1,3}(,[-+*][0-9]{1,3}){1,8} mod [0-9]{1,3}", fullmatch=True)
        | st.from_regex(LINEAR, fullmatch=True)
    )  # fmt: skip
    @example(text="1=1")
    def test_a_proposal_is_a_problem_or_a_proposal_error(self, environment, text):
        try:
            problem = environment.parse(text)
        except ProposalError as error:
            assert str(error).split(":")[0] in {
                "malformed", "not canonical", "trivial", "no solution", "not unique",
                "beyond the top level",
            }  # fmt: skip
            return
        assert environment.parse(problem.text) == problem
        assert environment.grade(problem, f"<answer>{problem.gold}").correct
        assert environment.grade(
            problem, environment.demonstrate(problem, random.Random(0))
        ).correct

    @given(response=st.text() | st.text(alphabet="0123456789+-*/(){}\\boxed<answer>", max_size=40))
    def test_grading_never_raises(self, environment, response):
        problem = environment.generate(3, random.Random(0))
        for text in (response, f"<answer>{response}"):
            assert environment.grade(problem, text) == environment.grade(problem, text)
            assert environment.grade(problem, text).outcome is not Outcome.ERROR

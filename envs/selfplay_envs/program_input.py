r"""Abduction: find arguments for which a short program f returns a given value.

The solver sees the program and `f(?)==7`. A proposer writes the program with a call, f(3,4), and
what that returns becomes the value to reach, so every problem has a solution. Any arguments of the
same kinds that reach it are right; a problem that a few usual guesses solve is refused.
"""

import random
from collections.abc import Mapping, Sequence

from selfplay.grading import AnswerError, final_answer, unreadable
from selfplay.grading.programs import ProgramProblem, Test, grade_program
from selfplay.problem import ANSWER_OPEN, InvalidProblem, Outcome, Problem, Verdict
from selfplay_envs import calls, drafts, subset
from selfplay_envs.calls import CallsEnvironment, Posed, Understood
from selfplay_envs.subset import Program, Value

OTHER_CALLS = 3
"""Calls with other arguments that a program has to get through as well."""
TRIES = 3
"""Failed tries that a worked solution begins with, at most."""


class ProgramInput(CallsEnvironment):
    """Find an input that gives an output."""

    name = "program_input"
    summary = "arguments for which a short Python function f returns 7"
    instruction = (
        "Find arguments for which the function returns the value in the last line. Write them with "
        "commas between them: numbers such as 3,-4, lists such as [1,2], strings such as 'ab'."
    )
    verifier = "program run"
    crowded = 2
    unique = False

    def write(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A random program and a call of it."""
        program, values = drafts.program(knobs, rng)
        return f"{program}\n{calls.call(values)}"

    def understand(self, text: str) -> Understood:
        """A program and a call; what the call returns is to be reached, the call is hidden."""
        posed = calls.read(text)
        (values,) = posed.calls
        shown = subset.run(posed.program, values)
        level = self.easiest(**calls.demands(posed, [shown]))
        others = calls.others(values, posed.program.text, OTHER_CALLS)
        tried, runs = [values, *others], [shown, *calls.run_each(posed.program, others)]
        calls.check_sensitive(posed.program, tried, runs)
        _refuse_guessable(posed.program, values, runs[0].value)
        question = f"f(?)=={subset.shown(runs[0].value)}"
        problem = Problem(
            self.name, level, f"{posed.program.text}\n{question}",
            signature=f"{posed.program.renamed()}\n{question}", gold=calls.call(values)[2:-1],
        )  # fmt: skip
        return Understood(problem, Posed(posed.program, tried), runs)

    def pose(self, problem: Problem) -> str:
        """The program with the call that gives the value."""
        return f"{_program(problem).text}\nf({problem.gold})"

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the program returns the value for these arguments, in the sandbox."""
        program, expected = _program(problem), calls.arguments(problem.gold)
        try:
            given = calls.arguments(final_answer(response))
        except AnswerError as error:
            return unreadable(error)
        except InvalidProblem:
            return Verdict(Outcome.UNPARSABLE, "no list of values")
        if list(map(drafts.kind_of, given)) != list(map(drafts.kind_of, expected)):
            return Verdict(Outcome.UNPARSABLE, "values of other kinds")
        test = Test(tuple(given), {}, subset.run(program, expected).value)
        asked = ProgramProblem(calls.FUNCTION, (test,))
        return grade_program(self.interpreter.pool, asked, program.text, calls.SECONDS).verdict

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """Some tries and what they give, then the arguments that give the value."""
        program, values = _program(problem), calls.arguments(problem.gold)
        tries = [_near(values, rng) for _ in range(rng.randint(0, TRIES))]
        lines = []
        for one in [*tries, values]:
            try:
                value = subset.shown(subset.run(program, one).value)
            except InvalidProblem:
                continue
            lines.append(f"{calls.call(one)}=={value}")
        return f"{';'.join(lines)}{ANSWER_OPEN}{problem.gold}"

    def estimate(self, problem: Problem) -> float:
        """How many statements the hidden run executes."""
        return float(subset.run(_program(problem), calls.arguments(problem.gold)).steps)


def _program(problem: Problem) -> Program:
    return subset.read(problem.text.rpartition("\n")[0])


def _near(values: Sequence[Value], rng: random.Random) -> list[Value]:
    """Numbers a little off, other values of the same kind."""
    return [
        value + rng.randint(-2, 2) if isinstance(value, int) else drafts.like(value, rng)
        for value in values
    ]


def _refuse_guessable(program: Program, values: Sequence[Value], target: Value) -> None:
    """Refuse a problem that a usual guess solves: constants, or the value itself."""
    for number, numbers, letters in (
        (0, [], ""), (1, [1], "a"), (2, [1, 2], "ab"), (3, [1, 2, 3], "abc"), (-1, [0], "b"),
        (5, [0, 0, 0], "aaa"), (10, [2, 1], "ba"),
    ):  # fmt: skip
        guess: list[Value] = [(number, numbers, letters)[drafts.kind_of(v) - 1] for v in values]
        copied: list[Value] = [
            target if drafts.kind_of(target) == drafts.kind_of(v) else g
            for v, g in zip(values, guess, strict=True)
        ]
        for one in (guess, copied):
            if subset.returns(program, one, target):
                raise InvalidProblem(f"trivial: {calls.call(one)} is a usual guess")

r"""Induction: write a function from examples such as f(3)==7, judged by tests that are not shown.

A proposer writes the program and the calls that become the examples. The hidden tests are calls
with other arguments of the same kinds, drawn from the program's text, beside the examples. Any
function that passes them is right, in whatever Python the sandbox runs.
"""

import random
from collections.abc import Mapping

from selfplay.problem import ANSWER_OPEN, InvalidProblem, Knob, Problem, Verdict
from selfplay_envs import calls, drafts, subset
from selfplay_envs.calls import CallsEnvironment, Posed, Understood

EXAMPLES = 5
"""Most examples that are shown; the fewest is 3."""


class ProgramWrite(CallsEnvironment):
    """Write a function from examples."""

    name = "program_write"
    summary = "write the Python function f for which f(3)==7, f(5)==11, f(2)==5"
    instruction = (
        "Write a Python function f that returns the values of the examples, and the right values "
        "for other arguments too. The answer is the source of the function alone."
    )
    verifier = "hidden tests"
    unique = False
    guess_bound = 0.1
    knobs = {**calls.KNOBS, "statements": Knob((1, 2, 2, 3, 4, 5, 6, 7, 9), "statements", "longer")}

    def write(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A random program and calls of it."""
        program, values = drafts.program(knobs, rng)
        return "\n".join([program, *map(calls.call, calls.distinct(values, EXAMPLES, rng))])

    def understand(self, text: str) -> Understood:
        """A program and calls; the solver is shown what the calls return."""
        posed = calls.read(text, EXAMPLES)
        calls.refuse_repeated(posed.calls, fewest=3)
        shown = calls.run_each(posed.program, posed.calls)
        level = self.easiest(**calls.demands(posed, shown))
        hidden, unseen = calls.hidden(posed.program, posed.calls[0])
        tried, runs = [*posed.calls, *hidden], [*shown, *unseen]
        calls.check_sensitive(posed.program, tried, runs)
        examples = calls.examples(posed.calls, shown)
        if posed.program.statements == 1 and posed.program.text[-8:-1] == "return ":
            raise InvalidProblem("trivial: it returns its argument")
        problem = Problem(
            self.name, level, examples,
            signature=f"{posed.program.renamed()}\n{examples}", gold=posed.program.text,
        )  # fmt: skip
        return Understood(problem, Posed(posed.program, tried), runs)

    def pose(self, problem: Problem) -> str:
        """The program and the calls."""
        shown = [line.partition("==")[0] for line in problem.text.split("\n")]
        return "\n".join([problem.gold, *shown])

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the function passes the examples and the hidden tests in the sandbox."""
        posed = calls.read(self.pose(problem), EXAMPLES)
        return calls.grade_source(self.interpreter.pool, posed, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """How the function gets to the value of an example, then the function."""
        posed = calls.read(self.pose(problem), EXAMPLES)
        values = rng.choice(posed.calls)
        steps = subset.trace(posed.program, values)
        worked = ";".join([calls.call(values), *(calls.step(*one) for one in steps)])
        return f"{rng.choice((worked, ''))}{ANSWER_OPEN}{problem.gold}"

    def estimate(self, problem: Problem) -> float:
        """The length of the function in characters."""
        return float(len(problem.gold))

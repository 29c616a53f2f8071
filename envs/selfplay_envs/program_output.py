r"""Deduction: what does f(3,4) return, for a short program f in a subset of Python.

The text is the program, then the call. The subset is described in subset.py. A program whose value
does not change with its arguments, or whose runs disagree, is refused.
"""

import random
from collections.abc import Mapping

from selfplay.grading import declare, grade_response
from selfplay.problem import ANSWER_OPEN, InvalidProblem, Problem, Verdict
from selfplay_envs import calls, drafts, subset
from selfplay_envs.calls import CallsEnvironment, Posed, Understood
from selfplay_envs.pace import Pace

OTHER_CALLS = 3
"""Calls with other arguments that a program has to get through as well."""

_NUMBER = declare({"kind": "integer"})
_LIST = declare({"kind": "json"})
_TEXT = declare({"kind": "text"})


class ProgramOutput(CallsEnvironment):
    """Predict what a program returns."""

    name = "program_output"
    summary = "what f(3,4) returns, for a short Python function f"
    instruction = (
        "Give the value that the call in the last line returns. The answer is the value alone: a "
        "number such as -3, a list such as [1,2], or the letters of a string without quotes."
    )
    verifier = "value"
    crowded = 2

    def write(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A random program and a call of it."""
        program, values = drafts.program(knobs, rng)
        return f"{program}\n{calls.call(values)}"

    def understand(self, text: str) -> Understood:
        """A program and a call; the gold is what it returns."""
        posed = calls.read(text)
        (values,) = posed.calls
        shown = subset.run(posed.program, values)
        level = self.easiest(**calls.demands(posed, [shown]))
        others = calls.others(values, posed.program.text, OTHER_CALLS)
        tried, runs = [values, *others], [shown, *calls.run_each(posed.program, others)]
        calls.check_sensitive(posed.program, tried, runs)
        value = runs[0].value
        if value == "":
            raise InvalidProblem("trivial: an empty string cannot be given as an answer")
        problem = Problem(
            self.name, level, f"{posed.program.text}\n{calls.call(values)}",
            signature=f"{posed.program.renamed()}\n{calls.call(values)}",
            gold=value if isinstance(value, str) else subset.shown(value),
        )  # fmt: skip
        return Understood(problem, Posed(posed.program, tried), runs)

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the answer is that value; nothing is run."""
        first = problem.gold[0]
        kind = _LIST if first == "[" else _TEXT if first.isalpha() else _NUMBER
        return grade_response(kind, problem.gold, response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """The run, one statement after the other, with values in the place of names."""
        posed = calls.read(problem.text)
        steps = subset.trace(posed.program, posed.calls[0])
        lines = [calls.step(*one) for one in steps]
        return f"{';'.join(Pace.draw(rng).skim(lines))}{ANSWER_OPEN}{problem.gold}"

    def estimate(self, problem: Problem) -> float:
        """How many statements the run executes."""
        posed = calls.read(problem.text)
        return float(subset.run(posed.program, posed.calls[0]).steps)

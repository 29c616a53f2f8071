r"""Repair: fix the mistake in a short program, judged by tests that are not shown.

The solver sees the wrong program and examples of what the right one returns. A proposer writes the
right program, the wrong one and the calls that become the examples; at least one of them has to
show the mistake. Any function that passes the examples and the hidden tests is right.
"""

import random
from collections.abc import Mapping

from selfplay.problem import ANSWER_OPEN, InvalidProblem, Problem, Verdict
from selfplay_envs import calls, drafts, subset
from selfplay_envs.calls import CallsEnvironment, Posed, Understood

EXAMPLES = 3
"""Most examples that are shown; the fewest is 2."""

_WRONG = "\n---\n"


class ProgramRepair(CallsEnvironment):
    """Fix a program."""

    name = "program_repair"
    summary = "fix the mistake in a short Python function, given what it should return"
    instruction = (
        "The function has a mistake: it should return the values of the examples. Write it without "
        "the mistake. The answer is the source of the function alone."
    )
    verifier = "hidden tests"
    unique = False
    guess_bound = 0.1

    def write(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A random program, the same with a mistake, and calls."""
        program, values = drafts.program(knobs, rng)
        wrong = drafts.with_a_mistake(subset.read(program), rng)
        examples = calls.distinct(values, EXAMPLES, rng)
        return "\n".join([f"{program}{_WRONG}{wrong}", *map(calls.call, examples)])

    def understand(self, text: str) -> Understood:
        """The right program, the wrong one and calls; the solver sees no right program."""
        right, found, rest = text.partition(_WRONG)
        if not found:
            raise InvalidProblem("malformed: a right and a wrong program are wanted")
        wrong = calls.read(rest, EXAMPLES)
        posed = Posed(subset.read(right), wrong.calls)
        calls.refuse_repeated(posed.calls, fewest=2)
        shown = calls.run_each(posed.program, posed.calls)
        level = self.easiest(**calls.demands(posed, shown))
        if wrong.program.statements > posed.program.statements + 1:
            raise InvalidProblem("not canonical: the wrong program is longer than the right one")
        if all(
            subset.returns(wrong.program, values, result.value)
            for values, result in zip(posed.calls, shown, strict=True)
        ):
            raise InvalidProblem("trivial: no example shows a mistake")
        hidden, unseen = calls.hidden(posed.program, posed.calls[0])
        tried, runs = [*posed.calls, *hidden], [*shown, *unseen]
        calls.check_sensitive(posed.program, tried, runs)
        examples = calls.examples(posed.calls, shown)
        problem = Problem(
            self.name, level, f"{wrong.program.text}\n{examples}",
            signature=f"{posed.program.renamed()}{_WRONG}{wrong.program.renamed()}\n{examples}",
            gold=posed.program.text,
        )  # fmt: skip
        return Understood(problem, Posed(posed.program, tried), runs)

    def pose(self, problem: Problem) -> str:
        """The right program, the wrong one, and the calls."""
        lines = [
            line.partition("==")[0] if line.startswith("f(") else line
            for line in problem.text.split("\n")
        ]
        return "\n".join([f"{problem.gold}{_WRONG}{lines[0]}", *lines[1:]])

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the function passes the examples and the hidden tests in the sandbox."""
        return calls.grade_source(self.interpreter.pool, self._posed(problem), response)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """The line with the mistake and what it should be, then the whole function."""
        wrong = problem.text.split("\n")
        fixes = [
            f"{bad.strip()} -> {good.strip()}"
            for bad, good in zip(wrong, problem.gold.split("\n"), strict=False)
            if bad != good
        ]
        return f"{rng.choice((';'.join(fixes), ''))}{ANSWER_OPEN}{problem.gold}"

    def estimate(self, problem: Problem) -> float:
        """The length of the function in characters."""
        return float(len(problem.gold))

    def _posed(self, problem: Problem) -> Posed:
        right, _, rest = self.pose(problem).partition(_WRONG)
        return Posed(subset.read(right), calls.read(rest, EXAMPLES).calls)

"""What the grading of a level promises: the gold is right, and nothing pays that is no answer."""

import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from selfplay.conformance.fault import HOSTILE, SLOWEST, Complaint, Sample, marked
from selfplay.problem import ANSWER_OPEN, Environment, Outcome, Problem

MAX_VERDICT = 300
"""Longest reason of a verdict, in characters."""

_NUMBER = re.compile("-?[0-9]+")
_WORD = re.compile("[A-Za-z0-9]+")


def accepts_the_gold(sample: Sample) -> Iterator[Complaint]:
    """The gold is right, however its place is marked."""
    for problem in sample.graded:
        gold = problem.gold
        for response in (
            f"<answer>{gold}", f"<answer>{gold}</answer>", f"So it is <answer> {gold} </answer>\n",
            f"<answer>{gold}</answer> \n",
        ):  # fmt: skip
            verdict = sample.environment.grade(problem, response)
            if not verdict.correct:
                yield (problem.text, response, verdict), "grade must accept the gold however marked"


def rejects_hostile_answers(sample: Sample) -> Iterator[Complaint]:
    """Neither hostile texts nor golds among other answers are right, and none breaks grading."""
    golds = list(dict.fromkeys(problem.gold for problem in sample.graded))
    for problem in sample.graded[: max(1, min(5, len(sample.graded) // 10))]:
        other = next((gold for gold in golds if gold != problem.gold), "no")
        listing = " ".join(golds[:20]) if len(golds) > 1 else f"{problem.gold} {other}"
        gold = marked(problem.gold)
        for response in [
            *HOSTILE, problem.gold, f"{gold} or {other}", f"{gold} or not", f"{gold}; {other}",
            f"<answer>{other} or {problem.gold}", f"{gold}<answer>{other}",
            f"<answer>{other}{gold}", f"{gold}</answer>.", f"<answer>{listing}",
            f"{gold}</answer>{'x' * 70_000}", f"<answer>{' ' * 70_000}{problem.gold}",
            f"<answer>{problem.gold}" * 5000 + f"<answer>{other}", f"{gold}</answer><b>",
        ]:  # fmt: skip
            yield from _unless_refused(sample.environment, problem, response)


def _unless_refused(
    environment: Environment, problem: Problem, response: str
) -> Iterator[Complaint]:
    began = time.perf_counter()
    verdict = environment.grade(problem, response)
    seconds = time.perf_counter() - began
    if verdict.outcome in (Outcome.CORRECT, Outcome.ERROR):
        yield (
            (problem.text, problem.gold, response[:200], verdict),
            (
                "grade must neither accept this nor fail: read the answer by a declared kind of "
                "selfplay.grading, which has one strict place for it"
            ),
        )
    if not 0 < len(verdict.reason) <= MAX_VERDICT:
        yield verdict, f"a verdict has a reason of 1 to {MAX_VERDICT} characters"
    if seconds > SLOWEST:
        yield (problem.text, response[:200]), f"grading took {seconds:.1f} seconds"


def rejects_near_misses(sample: Sample) -> Iterator[Complaint]:
    """Where only one answer is right, a number changed by one is wrong."""
    if not sample.environment.unique:
        return
    for problem in sample.graded[:50]:
        for number in list(_NUMBER.finditer(problem.gold))[:6]:
            changed = str(int(number[0]) + 1)
            near = problem.gold[: number.start()] + changed + problem.gold[number.end() :]
            verdict = sample.environment.grade(problem, marked(near))
            if verdict.correct:
                yield (
                    (problem.text, problem.gold, near),
                    (
                        "a near miss is accepted although the answer is said to be unique: tighten "
                        "grade, or set unique = False"
                    ),
                )


def no_constant_answer_pays(sample: Sample) -> Iterator[Complaint]:
    """No answer is right more often than guessing is said to be."""
    common = [gold for gold, _ in Counter(p.gold for p in sample.graded).most_common(3)]
    for answer in dict.fromkeys([*common, "0", "1", "2", "-1", "x", "yes", "no", "true"]):
        yield from _unless_rare(sample, [answer] * len(sample.graded), f"always {answer[:60]!r}")


def copying_does_not_pay(sample: Sample) -> Iterator[Complaint]:
    """Nothing read off the statement by a simple rule is right too often."""
    texts = [problem.text for problem in sample.graded]
    yield from _unless_rare(sample, texts, "the statement itself")
    for name, pattern in (("number", _NUMBER), ("word", _WORD)):
        found = [pattern.findall(text) for text in texts]
        for place in (0, 1, 2, 3, -1, -2, -3):
            copied = [own[place] if -len(own) <= place < len(own) else "" for own in found]
            yield from _unless_rare(sample, copied, f"{name} {place} of the statement")
    numbers = [list(map(int, _NUMBER.findall(text[:2000]))) for text in texts]
    for rule in (max, min, len):
        copied = [str(rule(own)) if own else "" for own in numbers]
        yield from _unless_rare(sample, copied, f"the {rule.__name__} of the numbers in it")


def _unless_rare(sample: Sample, answers: Sequence[str], rule: str) -> Iterator[Complaint]:
    """Complain about a rule that gets more than the stated share right, beyond chance."""
    bound, count = sample.environment.guess_bound, len(sample.graded)
    right = [
        problem
        for problem, answer in zip(sample.graded, answers, strict=True)
        if answer and sample.environment.grade(problem, marked(answer)).correct
    ]
    if len(right) > bound * count + 3.0 * (count * bound * (1.0 - bound)) ** 0.5:
        yield (
            (rule, right[0].text, right[0].gold),
            (
                f"this rule is right for {len(right)} of {count} problems, more than the stated "
                f"guess_bound of {bound}: vary the answers, or state a higher bound"
            ),
        )


def worked_solutions_are_right(sample: Sample) -> Iterator[Complaint]:
    """Worked solutions are reproducible, legible and graded right."""
    environment = sample.environment
    for index, problem in enumerate(sample.graded):
        shown = environment.demonstrate(problem, random.Random(index))
        if shown is None:
            return
        if environment.demonstrate(problem, random.Random(index)) != shown:
            yield (problem.text, shown), "the same rng gave two worked solutions"
        verdict = environment.grade(problem, shown)
        if not verdict.correct or shown.count(ANSWER_OPEN) != 1:
            yield (problem.text, shown, verdict), "a worked solution must be graded correct"
        if not shown.isascii() or ("\n" in shown and not environment.multiline):
            yield shown, "worked solutions are printable ASCII, like the texts"


def grading_is_pure(sample: Sample) -> Iterator[Complaint]:
    """The verdict depends on the problem and the response only."""
    for problem in sample.graded[:20]:
        for response in (marked(problem.gold), marked("1"), "nothing"):
            first, again = (
                sample.environment.grade(one, response)
                for one in (problem, Problem.from_json(problem.to_json()))
            )
            if first != again:
                yield (problem.text, response, first, again), "grade must depend on nothing else"


ALL = (
    accepts_the_gold,
    rejects_hostile_answers,
    rejects_near_misses,
    no_constant_answer_pays,
    copying_does_not_pay,
    worked_solutions_are_right,
    grading_is_pure,
)
"""The checks, in their order."""

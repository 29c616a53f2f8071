"""Conformance: does an environment keep its promises, at every level, on what it really generates?

One suite for every environment, ours and yours: run by the tests and by `selfplay envs check`. A
check that fails yields a fault with the offending example and what to change. Fed by the
environments, feeds people.

What this does not see: whether the gold is right. It is what `grade` and the worked solutions
agree with; whether it is also true only a second route of computing it can tell, which belongs in
the environment's own tests.
"""

import math
import random
import re
import string
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, stdev
from typing import NamedTuple

from selfplay import streams
from selfplay.problem import ANSWER_OPEN, Environment, InvalidProblem, Outcome, Problem

SLOWEST = 2.0
"""Longest time that one call of generate, parse or grade may take, in seconds."""
MAX_REPEATS = 0.01
"""Share of repeated problems among random draws, at levels that are not crowded."""
FEWEST_PROBLEMS = 200
"""Different problems that even a crowded level has to have."""
EASING = 0.95
"""Mean estimate of difficulty of a level relative to the level below it that is still no fall."""
RISE = 1.2
"""Mean estimate of the top level relative to level 0, at least."""
MAX_REASON = 60
"""Longest countable part of a refusal, in characters."""
MAX_VERDICT = 300
"""Longest reason of a verdict, in characters."""

HOSTILE = (
    "", " ", "\n", "\x00", "\ud800", "answer", "<answer>", "</answer>", "<answer></answer>",
    "<answer>" * 9000, "<answer>(" * 3000, "x" * 100_000, "<answer>" + "9" * 60_000,
    "<answer>" + "(" * 60_000, "<answer>" + "-" * 60_000, "<answer>" + "1+" * 300 + "1",
    "<answer>9**9**9**9", "<answer>__import__('os').system('true')", "<answer>{0.__class__}",
    "<answer>%s%s%s", "<answer>correct", "<answer>nan", "<answer>inf", "<answer>*",
    "<answer>.*", "<answer>gold", "<answer>1/0", "<answer>0/0", "\\boxed{" * 9000, "\\boxed{}",
    "<answer>1/(1-1)", "<answer>()",
)  # fmt: skip
"""Responses that are right for no problem, and texts that are none."""

_NUMBER = re.compile("-?[0-9]+")
_WORD = re.compile("[A-Za-z0-9]+")


class Fault(NamedTuple):
    """A promise that was broken."""

    check: str
    """Name of the check."""
    where: str
    """Level, or "all levels"."""
    example: str
    """What broke it, shortened."""
    advice: str
    """What is wrong and what to change."""

    def __str__(self) -> str:
        """A line for people."""
        return f"{self.where}: {self.check}: {self.example}: {self.advice}"


@dataclass(frozen=True)
class Size:
    """How much is drawn."""

    problems: int = 2_000
    """Problems of a level that are generated and compared with each other."""
    graded: int = 200
    """Problems of a level on which answers are graded."""
    fuzzed: int = 10_000
    """Broken texts that `parse` is given."""


class Sample(NamedTuple):
    """Problems of one level."""

    environment: Environment
    level: int
    problems: Sequence[Problem]
    """As many as `Size.problems`."""
    graded: Sequence[Problem]
    """The first of them."""


Complaint = tuple[object, str]
"""An example and an advice."""


def check(environment: Environment, size: Size, levels: Sequence[int] = ()) -> Iterator[Fault]:
    """Check an environment.

    Args:
        environment: to be checked.
        size: of the samples; the time grows in proportion to each of its fields.
        levels: only these; by default all, and what concerns all of them together.
    Yields:
        What is wrong, at most one fault for each check and level.
    """
    for level in levels or range(environment.level_count):
        yield from check_level(environment, level, size)
    if not levels:
        yield from check_whole(environment, size)


def check_level(environment: Environment, level: int, size: Size) -> Iterator[Fault]:
    """Check one level; yields at most one fault for each check."""
    where = f"level {level}"
    try:
        problems = draw(environment, level, size.problems)
    except Exception as error:
        yield Fault("generates", where, _shown(error), "generate must not raise at any level")
        return
    sample = Sample(environment, level, problems, problems[: size.graded])
    for check_one in _OF_LEVELS:
        yield from _first_fault(check_one, where, lambda run=check_one: run(sample))


def check_whole(environment: Environment, size: Size) -> Iterator[Fault]:
    """Check what concerns all levels together; yields at most one fault for each check."""
    for check_one in _OF_WHOLES:
        yield from _first_fault(
            check_one, "all levels", lambda run=check_one: run(environment, size)
        )


def draw(environment: Environment, level: int, count: int, seed: int = 0) -> list[Problem]:
    """Problems of a level from a stream of their own."""
    rng = streams.python_rng(seed, 0, f"conformance/{environment.name}", level)
    return [environment.generate(level, rng) for _ in range(count)]


def _first_fault(
    named: Callable[..., Iterator[Complaint]], where: str, run: Callable[[], Iterator[Complaint]]
) -> Iterator[Fault]:
    name = named.__name__.strip("_").replace("_", " ")
    try:
        for example, advice in run():
            yield Fault(name, where, _shown(example), advice)
            return
    except Exception as error:
        yield Fault(name, where, _shown(error), "an exception where none may be")


def _shown(example: object) -> str:
    text = repr(example)
    return text if len(text) <= 300 else f"{text[:300]}..."


def _answer(text: str) -> str:
    return f"{ANSWER_OPEN}{text}"


# What a level promises.


def _is_reproducible(sample: Sample) -> Iterator[Complaint]:
    again = draw(sample.environment, sample.level, min(50, len(sample.problems)))
    for problem, other in zip(sample.problems, again, strict=False):
        if problem != other:
            yield (
                (problem.text, other.text),
                (
                    "the same seed gave two problems: take every random choice from the rng that "
                    "generate is given, and iterate over no set"
                ),
            )


def _seeds_are_apart(sample: Sample) -> Iterator[Complaint]:
    if sample.level < sample.environment.crowded:
        return
    mine = [problem.signature for problem in sample.problems[:200]]
    other = draw(sample.environment, sample.level, len(mine), seed=1)
    theirs = [problem.signature for problem in other]
    runs = {tuple(theirs[i : i + 3]) for i in range(len(theirs) - 2)}
    for i in range(len(mine) - 2):
        if tuple(mine[i : i + 3]) in runs:
            yield mine[i], "neighbouring seeds share a stretch of their streams: use only the rng"


def _is_of_its_level(sample: Sample) -> Iterator[Complaint]:
    for problem in sample.problems:
        if (problem.environment, problem.level) != (sample.environment.name, sample.level):
            yield problem, f"a problem of level {sample.level} was asked for"


def _rarely_repeats(sample: Sample) -> Iterator[Complaint]:
    environment, count = sample.environment, len(sample.problems)
    signatures = Counter(problem.signature for problem in sample.problems)
    if sample.level < environment.crowded:
        needed = min(FEWEST_PROBLEMS, count // 2)
        if len(signatures) < needed:
            yield (
                f"{len(signatures)} different of {count}",
                (f"even a crowded level needs {needed}: widen its knobs"),
            )
    elif (repeated := count - len(signatures)) > max(2, MAX_REPEATS * count):
        yield (
            (signatures.most_common(1)[0], f"{repeated} of {count} repeated"),
            ("widen the knobs of this level, or say with `crowded` that it holds few problems"),
        )


def _survives_json(sample: Sample) -> Iterator[Complaint]:
    for problem in sample.graded:
        if Problem.from_json(problem.to_json()) != problem:
            yield problem, "the fields of a problem are str and int only"


def _parse_inverts_pose(sample: Sample) -> Iterator[Complaint]:
    environment = sample.environment
    for problem in sample.graded:
        posed = environment.pose(problem)
        try:
            read = environment.parse(posed)
        except InvalidProblem as error:
            yield (posed, str(error)), "parse refuses what pose wrote"
            continue
        if read != problem:
            yield (posed, problem, read), "parse reads another problem from what pose wrote"


def _is_printable(sample: Sample) -> Iterator[Complaint]:
    allowed = set(map(chr, range(32, 127))) | ({"\n"} if sample.environment.multiline else set())
    for problem in sample.graded:
        posed = sample.environment.pose(problem)
        for text in (problem.text, problem.gold, posed):
            if not text or not allowed.issuperset(text):
                yield (
                    text,
                    (
                        "texts and golds are not empty, and printable ASCII; line breaks only "
                        "where `multiline` says so"
                    ),
                )


def _accepts_the_gold(sample: Sample) -> Iterator[Complaint]:
    for problem in sample.graded:
        gold = problem.gold
        for response in (
            f"<answer>{gold}", f"<answer>{gold}</answer>", f"So it is <answer> {gold} </answer>\n",
            f"<answer>{gold}</answer> \n",
        ):  # fmt: skip
            verdict = sample.environment.grade(problem, response)
            if not verdict.correct:
                yield (problem.text, response, verdict), "grade must accept the gold however marked"


def _rejects_hostile_answers(sample: Sample) -> Iterator[Complaint]:
    golds = list(dict.fromkeys(problem.gold for problem in sample.graded))
    for problem in sample.graded[: max(1, min(5, len(sample.graded) // 10))]:
        other = next((gold for gold in golds if gold != problem.gold), "no")
        listing = " ".join(golds[:20]) if len(golds) > 1 else f"{problem.gold} {other}"
        gold = _answer(problem.gold)
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


def _rejects_near_misses(sample: Sample) -> Iterator[Complaint]:
    if not sample.environment.unique:
        return
    for problem in sample.graded[:50]:
        for number in list(_NUMBER.finditer(problem.gold))[:6]:
            changed = str(int(number[0]) + 1)
            near = problem.gold[: number.start()] + changed + problem.gold[number.end() :]
            verdict = sample.environment.grade(problem, _answer(near))
            if verdict.correct:
                yield (
                    (problem.text, problem.gold, near),
                    (
                        "a near miss is accepted although the answer is said to be unique: tighten "
                        "grade, or set unique = False"
                    ),
                )


def _no_constant_answer_pays(sample: Sample) -> Iterator[Complaint]:
    common = [gold for gold, _ in Counter(p.gold for p in sample.graded).most_common(3)]
    for answer in dict.fromkeys([*common, "0", "1", "2", "-1", "x", "yes", "no", "true"]):
        yield from _unless_rare(sample, [answer] * len(sample.graded), f"always {answer[:60]!r}")


def _copying_does_not_pay(sample: Sample) -> Iterator[Complaint]:
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
        if answer and sample.environment.grade(problem, _answer(answer)).correct
    ]
    if len(right) > bound * count + 3.0 * (count * bound * (1.0 - bound)) ** 0.5:
        yield (
            (rule, right[0].text, right[0].gold),
            (
                f"this rule is right for {len(right)} of {count} problems, more than the stated "
                f"guess_bound of {bound}: vary the answers, or state a higher bound"
            ),
        )


def _does_not_leak(sample: Sample) -> Iterator[Complaint]:
    """A long gold that stands in the question word for word."""
    bound, count = sample.environment.guess_bound, len(sample.graded)
    long = [problem for problem in sample.graded if len(problem.gold) >= 6]
    leaks = [problem for problem in long if problem.gold in sample.environment.ask(problem)]
    if len(leaks) > bound * count:
        yield (leaks[0].text, leaks[0].gold), "the answer stands in the question"


def _worked_solutions_are_right(sample: Sample) -> Iterator[Complaint]:
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


def _grading_is_pure(sample: Sample) -> Iterator[Complaint]:
    for problem in sample.graded[:20]:
        for response in (_answer(problem.gold), _answer("1"), "nothing"):
            first, again = (
                sample.environment.grade(one, response)
                for one in (problem, Problem.from_json(problem.to_json()))
            )
            if first != again:
                yield (problem.text, response, first, again), "grade must depend on nothing else"


def _mutations_are_problems(sample: Sample) -> Iterator[Complaint]:
    environment = sample.environment
    for index, problem in enumerate(sample.graded[:20]):
        other = environment.mutate(problem, random.Random(index))
        if other != environment.mutate(problem, random.Random(index)):
            yield problem.text, "the same rng gave two mutations"
        if environment.parse(environment.pose(other)) != other:
            yield (problem.text, other), "a mutation must be a problem like any other"


def _is_quick(sample: Sample) -> Iterator[Complaint]:
    environment = sample.environment
    rng = streams.python_rng(2, 0, f"conformance/{environment.name}", sample.level)
    for _ in range(min(100, len(sample.graded))):
        began = time.perf_counter()
        problem = environment.generate(sample.level, rng)
        generated = time.perf_counter()
        environment.parse(environment.pose(problem))
        parsed = time.perf_counter()
        for what, seconds in (("generate", generated - began), ("parse", parsed - generated)):
            if seconds > SLOWEST:
                yield problem.text, f"{what} took {seconds:.1f} seconds; the bound is {SLOWEST}"


_OF_LEVELS = (
    _is_reproducible, _seeds_are_apart, _is_of_its_level, _rarely_repeats, _survives_json,
    _parse_inverts_pose, _is_printable, _accepts_the_gold, _rejects_hostile_answers,
    _rejects_near_misses, _no_constant_answer_pays, _copying_does_not_pay, _does_not_leak,
    _worked_solutions_are_right, _grading_is_pure, _mutations_are_problems, _is_quick,
)  # fmt: skip


# What the levels promise together.


def _describes_itself(environment: Environment, size: Size) -> Iterator[Complaint]:
    del size
    if not re.fullmatch("([a-z][a-z0-9_]*:)?[a-z][a-z0-9_]*", environment.name):
        yield (
            environment.name,
            "a name has lower-case letters, digits and _ only, after `bridge:` if it is bridged",
        )
    for field in ("summary", "instruction", "verifier"):
        text = getattr(environment, field, "")
        if not text or not text.isascii():
            yield (field, text), "say it in plain ASCII"
    if not 0.0 < environment.guess_bound < 1.0:
        yield environment.guess_bound, "guess_bound is a share between 0 and 1"


def _knobs_are_consistent(environment: Environment, size: Size) -> Iterator[Complaint]:
    del size
    if {len(knob.values) for knob in environment.knobs.values()} != {environment.level_count}:
        yield dict(environment.knobs), "every knob has one value a level"
    for name, knob in environment.knobs.items():
        if max(knob.values) != knob.values[-1]:
            yield (name, knob.values), "the top level has the highest value of every knob"
    settings = [tuple(environment.at(n).values()) for n in range(environment.level_count)]
    if len(set(settings)) < len(settings):
        yield settings, "two levels have the same setting of the knobs"
    for level in (-1, environment.level_count):
        try:
            environment.generate(level, random.Random(0))
        except ValueError:
            continue
        yield level, "a level that does not exist must raise ValueError"


def _knobs_may_be_set(environment: Environment, size: Size) -> Iterator[Complaint]:
    del size
    for level in range(environment.level_count):
        knobs = environment.at(level)
        problem = environment.generate(knobs, random.Random(level))
        if environment.parse(environment.pose(problem)) != problem:
            yield (knobs, problem), "generate must take a value for each knob too"


def _gets_harder(environment: Environment, size: Size) -> Iterator[Complaint]:
    """Mean estimate of each level, in order; what chance may have done is not held against it."""
    drawn = [
        [environment.estimate(p) for p in draw(environment, level, min(200, size.problems))]
        for level in range(environment.level_count)
    ]
    estimates = [mean(values) for values in drawn]
    errors = [stdev(values) / len(values) ** 0.5 for values in drawn]
    shown = [round(estimate, 2) for estimate in estimates]
    for (lower, higher), error in zip(pairwise(estimates), pairwise(errors), strict=True):
        if higher < EASING * lower - 3.0 * math.hypot(*error):
            yield shown, "the estimate falls from one level to the next: order the levels"
    lack = RISE * estimates[0] - estimates[-1]
    if len(estimates) > 1 and lack > 3.0 * math.hypot(errors[0], errors[-1]):
        yield shown, f"the estimate at the top is not {RISE} times that at the bottom"


def _refuses_broken_texts(environment: Environment, size: Size) -> Iterator[Complaint]:
    for text in _broken_texts(environment, size.fuzzed):
        began = time.perf_counter()
        try:
            problem = environment.parse(text)
        except InvalidProblem as error:
            reason = str(error).partition(":")[0]
            if not 0 < len(reason) <= MAX_REASON:
                yield (text, str(error)), "begin with a short countable reason, then a colon"
            continue
        except Exception as error:
            yield (text, error), "parse may raise InvalidProblem and nothing else, on any text"
            continue
        finally:
            if time.perf_counter() - began > SLOWEST:
                yield text, f"parse took more than {SLOWEST} seconds"
        again = environment.parse(environment.pose(problem))
        if again != problem:
            yield (text, problem, again), "what parse accepted it must read back from pose"
        verdict = environment.grade(problem, _answer(problem.gold))
        if not verdict.correct:
            yield (text, problem, verdict), "the gold of a problem that parse accepted is rejected"


def _broken_texts(environment: Environment, count: int) -> Iterator[str]:
    """Hostile texts, then canonical ones with a few characters changed."""
    yield from HOSTILE
    yield from ("1" * 10_000, "1+" * 10_000, "x=" * 10_000, "(" * 10_000, "\u0661+\u0662")
    rng = streams.python_rng(0, 0, f"conformance/{environment.name}/broken", 0)
    good: list[str] = []
    for level in range(environment.level_count):
        good += [environment.pose(problem) for problem in draw(environment, level, 20, seed=3)]
    for _ in range(count):
        text = rng.choice(good)
        for _ in range(rng.randint(1, 3)):
            text = _break(text, rng, good)
        yield text


def _break(text: str, rng: random.Random, good: Sequence[str]) -> str:
    at = rng.randrange(len(text) + 1)
    letter = rng.choice(rng.choice((text or "0", string.digits, string.printable, "-+*/=,:; ")))
    match rng.randrange(6):
        case 0:
            return text[:at] + text[at + 1 :]
        case 1:
            return text[:at] + letter + text[at:]
        case 2:
            return text[:at] + letter + text[at + 1 :]
        case 3:
            return text[:at]
        case 4:
            other = rng.choice(good)
            return text[:at] + other[rng.randrange(len(other) + 1) :]
    return text[:at] + text[at : at + 5] * rng.choice((2, 2, 40)) + text[at:]


_OF_WHOLES = (
    _describes_itself, _knobs_are_consistent, _knobs_may_be_set, _gets_harder,
    _refuses_broken_texts,
)  # fmt: skip

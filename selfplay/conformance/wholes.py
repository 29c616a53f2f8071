"""What the levels of an environment promise together, and what it does with broken texts."""

import math
import random
import re
import string
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import mean, stdev

from selfplay import streams
from selfplay.conformance.fault import HOSTILE, SLOWEST, Complaint, Size, draw, marked
from selfplay.problem import Environment, InvalidProblem

EASING = 0.95
"""Mean estimate of difficulty of a level relative to the level below it that is still no fall."""
RISE = 1.2
"""Mean estimate of the top level relative to level 0, at least."""
TO_ESTIMATE = 1_800
"""Most problems of all levels together whose difficulty is estimated."""
TO_BREAK = 180
"""Most problems of all levels together that broken texts are made from."""
MAX_REASON = 60
"""Longest countable part of a refusal, in characters."""


def describes_itself(environment: Environment, size: Size) -> Iterator[Complaint]:
    """Name, texts and bounds are of the required form."""
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


def knobs_are_consistent(environment: Environment, size: Size) -> Iterator[Complaint]:
    """Every level sets every knob, no two levels alike, and there are no others."""
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


def knobs_may_be_set(environment: Environment, size: Size) -> Iterator[Complaint]:
    """A setting of the knobs is taken in place of a level."""
    del size
    for level in range(environment.level_count):
        knobs = environment.at(level)
        problem = environment.generate(knobs, random.Random(level))
        if environment.parse(environment.pose(problem)) != problem:
            yield (knobs, problem), "generate must take a value for each knob too"


def gets_harder(environment: Environment, size: Size) -> Iterator[Complaint]:
    """Mean estimate of each level, in order; what chance may have done is not held against it."""
    count = min(200, max(2, TO_ESTIMATE // environment.level_count), size.problems)
    drawn = [
        [environment.estimate(p) for p in draw(environment, level, count)]
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


def refuses_broken_texts(environment: Environment, size: Size) -> Iterator[Complaint]:
    """Any text is read as a problem that keeps the promises, or refused with a short reason."""
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
        verdict = environment.grade(problem, marked(problem.gold))
        if not verdict.correct:
            yield (text, problem, verdict), "the gold of a problem that parse accepted is rejected"


def _broken_texts(environment: Environment, count: int) -> Iterator[str]:
    """Hostile texts, then canonical ones with a few characters changed."""
    yield from HOSTILE
    yield from ("1" * 10_000, "1+" * 10_000, "x=" * 10_000, "(" * 10_000, "\u0661+\u0662")
    rng = streams.python_rng(0, 0, f"conformance/{environment.name}/broken", 0)
    good: list[str] = []
    each = min(20, max(1, TO_BREAK // environment.level_count))
    for level in range(environment.level_count):
        good += [environment.pose(problem) for problem in draw(environment, level, each, seed=3)]
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


ALL = (
    describes_itself,
    knobs_are_consistent,
    knobs_may_be_set,
    gets_harder,
    refuses_broken_texts,
)
"""The checks, in their order."""

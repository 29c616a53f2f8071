"""What the problems of a level promise: new ones, of that level, readable, printable, quick."""

import random
import time
from collections import Counter
from collections.abc import Iterator

from selfplay import streams
from selfplay.conformance.fault import SLOWEST, Complaint, Sample, draw
from selfplay.problem import InvalidProblem, Problem

MAX_REPEATS = 0.01
"""Share of repeated problems among random draws, at levels that are not crowded."""
FEWEST_PROBLEMS = 200
"""Different problems that even a crowded level has to have."""


def is_reproducible(sample: Sample) -> Iterator[Complaint]:
    """The same stream gives the same problems."""
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


def seeds_are_apart(sample: Sample) -> Iterator[Complaint]:
    """Another seed gives other problems."""
    if sample.level < sample.environment.crowded:
        return
    mine = [problem.signature for problem in sample.problems[:200]]
    other = draw(sample.environment, sample.level, len(mine), seed=1)
    theirs = [problem.signature for problem in other]
    runs = {tuple(theirs[i : i + 3]) for i in range(len(theirs) - 2)}
    for i in range(len(mine) - 2):
        if tuple(mine[i : i + 3]) in runs:
            yield mine[i], "neighbouring seeds share a stretch of their streams: use only the rng"


def is_of_its_level(sample: Sample) -> Iterator[Complaint]:
    """A level gives problems of that level."""
    for problem in sample.problems:
        if (problem.environment, problem.level) != (sample.environment.name, sample.level):
            yield problem, f"a problem of level {sample.level} was asked for"


def rarely_repeats(sample: Sample) -> Iterator[Complaint]:
    """Problems differ, or the level is declared crowded."""
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


def survives_json(sample: Sample) -> Iterator[Complaint]:
    """A problem is the same after a round trip through JSON."""
    for problem in sample.graded:
        if Problem.from_json(problem.to_json()) != problem:
            yield problem, "the fields of a problem are str and int only"


def parse_inverts_pose(sample: Sample) -> Iterator[Complaint]:
    """What pose writes parse reads back."""
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


def is_printable(sample: Sample) -> Iterator[Complaint]:
    """Texts are printable ASCII."""
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


def does_not_leak(sample: Sample) -> Iterator[Complaint]:
    """A long gold that stands in the question word for word."""
    bound, count = sample.environment.guess_bound, len(sample.graded)
    long = [problem for problem in sample.graded if len(problem.gold) >= 6]
    leaks = [problem for problem in long if problem.gold in sample.environment.ask(problem)]
    if len(leaks) > bound * count:
        yield (leaks[0].text, leaks[0].gold), "the answer stands in the question"


def mutations_are_problems(sample: Sample) -> Iterator[Complaint]:
    """Mutations are reproducible problems."""
    environment = sample.environment
    for index, problem in enumerate(sample.graded[:20]):
        other = environment.mutate(problem, random.Random(index))
        if other != environment.mutate(problem, random.Random(index)):
            yield problem.text, "the same rng gave two mutations"
        if environment.parse(environment.pose(other)) != other:
            yield (problem.text, other), "a mutation must be a problem like any other"


def is_quick(sample: Sample) -> Iterator[Complaint]:
    """Generating and parsing take no longer than the bound."""
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


ALL = (
    is_reproducible,
    seeds_are_apart,
    is_of_its_level,
    rarely_repeats,
    survives_json,
    parse_inverts_pose,
    is_printable,
    does_not_leak,
    mutations_are_problems,
    is_quick,
)
"""The checks, in their order."""

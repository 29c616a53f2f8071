"""Conformance: does an environment keep its promises, at every level, on what it really generates?

One suite for every environment, ours and yours: run by the tests and by `selfplay envs check`. A
check that fails yields a fault with the offending example and what to change. Fed by the
environments, feeds people.

What this does not see: whether the gold is right. It is what `grade` and the worked solutions
agree with; whether it is also true only a second route of computing it can tell, which belongs in
the environment's own tests.
"""

from collections.abc import Callable, Iterator, Sequence

from selfplay.conformance import grading, problems, wholes
from selfplay.conformance.fault import Complaint, Fault, Sample, Size, draw, shown
from selfplay.problem import Environment

__all__ = ["Fault", "Size", "check", "check_level", "check_whole", "draw", "spread"]

MOST_LEVELS = 10
"""Most levels of an environment that are checked one by one by default."""


def check(environment: Environment, size: Size, levels: Sequence[int] = ()) -> Iterator[Fault]:
    """Check an environment.

    Args:
        environment: to be checked.
        size: of the samples; the time grows in proportion to each of its fields.
        levels: only these; by default those of `spread`, and what concerns all together.
    Yields:
        What is wrong, at most one fault for each check and level.
    """
    for level in levels or spread(environment):
        yield from check_level(environment, level, size)
    if not levels:
        yield from check_whole(environment, size)


def spread(environment: Environment) -> list[int]:
    """The levels to check one by one where time is short: all of them, up to MOST_LEVELS.

    A long ladder of levels has the same notation and grader at each. Of more than MOST_LEVELS these
    are the two lowest and the two highest, the first that is not crowded (whose problems are most
    likely to repeat), and five between them at even distances.
    """
    top = environment.level_count - 1
    if top < MOST_LEVELS:
        return list(range(top + 1))
    between = {1 + round(part * (top - 2) / 6) for part in range(1, 6)}
    return sorted({0, 1, min(environment.crowded, top), top - 1, top} | between)


def check_level(environment: Environment, level: int, size: Size) -> Iterator[Fault]:
    """Check one level; yields at most one fault for each check."""
    where = f"level {level}"
    try:
        drawn = draw(environment, level, size.problems)
    except Exception as error:
        yield Fault("generates", where, shown(error), "generate must not raise at any level")
        return
    sample = Sample(environment, level, drawn, drawn[: size.graded])
    for check_one in (*problems.ALL, *grading.ALL):
        yield from _first_fault(check_one, where, lambda run=check_one: run(sample))


def check_whole(environment: Environment, size: Size) -> Iterator[Fault]:
    """Check what concerns all levels together; yields at most one fault for each check."""
    for check_one in wholes.ALL:
        yield from _first_fault(
            check_one, "all levels", lambda run=check_one: run(environment, size)
        )


def _first_fault(
    named: Callable[..., Iterator[Complaint]], where: str, run: Callable[[], Iterator[Complaint]]
) -> Iterator[Fault]:
    name = named.__name__.replace("_", " ")
    try:
        for example, advice in run():
            yield Fault(name, where, shown(example), advice)
            return
    except Exception as error:
        yield Fault(name, where, shown(error), "an exception where none may be")

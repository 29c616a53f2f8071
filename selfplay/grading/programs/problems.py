"""A function to write and its unit tests, as data; and whether one reply passes one test.

Made by rows.py from data sets, or by an environment; the package grades submissions with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from selfplay.grading.programs.comparison import Comparison, Tolerance, Type, equal
from selfplay.grading.programs.jail import values
from selfplay.grading.programs.jobs import Kind, Reply

MAX_TESTS = 10_000
"""Most tests of one problem."""


@dataclass(frozen=True)
class Param:
    """One parameter of a function."""

    name: str = ""
    """Empty if only the type is declared."""
    type: Type = field(default_factory=Type)
    """What the arguments in the tests must be."""


@dataclass(frozen=True)
class Function:
    """What a submission must define."""

    name: str
    """An identifier."""
    params: tuple[Param, ...] | None = None
    """None: not declared."""
    returns: Type = field(default_factory=Type)
    """Type of what it returns; without options, whatever kind the expected value has."""

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(
                f"function name {self.name[:40]!r} is no Python identifier; give the bare name, "
                'for example "solve".'
            )


@dataclass(frozen=True)
class Test:
    """One call and what it must return."""

    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    expected: object

    __test__ = False  # a name that pytest would collect

    def frame(self) -> bytes:
        """What is sent into the jail: the arguments and nothing else."""
        return values.to_frame([list(self.args), dict(self.kwargs)])


@dataclass(frozen=True)
class ProgramProblem:
    """A function to write, as its tests see it."""

    function: Function
    tests: tuple[Test, ...]
    """At least one."""
    tolerance: Tolerance | None = None
    """For numbers; None: exact."""
    compare: Comparison = "exact"
    """What makes a returned value the expected one, see `comparison.equal`."""
    prelude: bool = False
    """Whether programs may use the usual names without importing them."""
    script: bool = False
    """Whether programs read standard input and print, instead of defining the function."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.tests) <= MAX_TESTS:
            raise ValueError(
                f"{len(self.tests)} tests; give 1 to {MAX_TESTS}: without any, every program that "
                "runs would be right."
            )

    def passes(self, test: Test, reply: Reply) -> bool:
        """Whether a reply is the value that a test expects, of the declared kind."""
        if reply.kind is not Kind.VALUE:
            return False
        try:
            given = self.function.returns.fit(reply.value)
        except ValueError:
            return False
        return equal(test.expected, given, self.tolerance, self.compare)

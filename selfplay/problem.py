"""What the author of an environment needs: Problem, Verdict, Environment. Standard library only.

A problem is data (frozen, survives a JSON round trip); an environment is behaviour (it generates,
parses, grades and demonstrates). Environments feed the proposers and the grader; verdicts feed the
advantages. Nothing here knows about models or training.
"""

import json
import random
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import ClassVar, Self

ANSWER_OPEN = "<answer>"
"""Opens the one strict place for the final answer in a response."""
ANSWER_CLOSE = "</answer>"
"""Closes the answer; may be left out at the end of a response."""


@dataclass(frozen=True)
class Problem:
    """One question with everything that grading needs."""

    environment: str
    """Name of the environment that poses and grades it."""
    level: int
    """The easiest standard level whose knobs allow it; 0 is the easiest."""
    text: str
    """The question in the environment's canonical notation."""
    signature: str
    """Equal for problems that are the same up to renaming; within one environment."""
    gold: str
    """One right answer, computed (never taken from a model), in canonical notation."""

    @property
    def key(self) -> str:
        """The signature qualified by the environment: identifies the problem everywhere."""
        return f"{self.environment}:{self.signature}"

    def to_json(self) -> str:
        """The problem as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, line: str) -> Self:
        """The inverse of `to_json`.

        Raises:
            ValueError: the line is not JSON or its fields are not those of a problem.
        """
        try:
            return cls(**json.loads(line))
        except TypeError as error:
            raise ValueError(f"not a problem: {line[:200]!r} ({error})") from error


class Outcome(StrEnum):
    """What became of one attempt."""

    CORRECT = "correct"
    WRONG = "wrong"
    UNPARSABLE = "unparsable"
    """No readable answer of the declared kind in the one place where it is looked for."""
    AMBIGUOUS = "ambiguous"
    """More than one answer: two different ones, a hedge, a chain, a list of options."""
    TIMEOUT = "timeout"
    """The response made the grader work longer than its budget, and was cut off."""
    ERROR = "error"
    """The grader itself failed: masked from training, never counted against the solver."""


@dataclass(frozen=True)
class Verdict:
    """The outcome of grading one response, with the reason in words."""

    outcome: Outcome
    reason: str = ""

    @property
    def correct(self) -> bool:
        """Whether the answer is right."""
        return self.outcome is Outcome.CORRECT

    @property
    def graded(self) -> bool:
        """Whether the grader reached a verdict at all (False: mask it from training)."""
        return self.outcome is not Outcome.ERROR


class ProposalError(ValueError):
    """A proposed text is no problem of its environment; the message says why."""


@dataclass(frozen=True)
class Knob:
    """One difficulty parameter of an environment."""

    values: tuple[int, ...]
    """The value at each level, easiest first."""
    unit: str
    """Unit of the values, for example "operations"."""
    meaning: str
    """What turning it up does, in one phrase."""


class Environment(ABC):
    """A family of problems with one notation and one grader.

    A subclass sets the class attributes and the four methods; it may import only the standard
    library, sympy, `selfplay.problem` and `selfplay.grading`.
    """

    name: ClassVar[str]
    """Lower-case identifier, unique among the installed environments."""
    summary: ClassVar[str]
    """One line for `selfplay envs list`."""
    knobs: ClassVar[Mapping[str, Knob]]
    """Difficulty parameters by name; all have the same number of values, one a level."""

    @property
    def level_count(self) -> int:
        """Number of standard levels."""
        return len(next(iter(self.knobs.values())).values)

    def at(self, level: int) -> dict[str, int]:
        """The value of every knob at a level.

        Raises:
            ValueError: no such level.
        """
        if not 0 <= level < self.level_count:
            raise ValueError(
                f"{self.name} has no level {level}: its levels are 0 to {self.level_count - 1}."
            )
        return {name: knob.values[level] for name, knob in self.knobs.items()}

    @abstractmethod
    def generate(self, level: int, rng: random.Random) -> Problem:
        """A random problem whose `level` is the given one; depends on nothing but the arguments."""

    @abstractmethod
    def parse(self, text: str) -> Problem:
        """Read a proposed text and compute its gold; `parse(p.text) == p` for generated problems.

        Raises:
            ProposalError: malformed, trivial, ambiguous, without answer, or beyond the top level.
        """

    def pose(self, problem: Problem) -> str:
        """How a proposer writes the problem: a text that `parse` reads as that very problem.

        The problem's own text, unless there is a notation that it is harder to go wrong in.
        """
        return problem.text

    @abstractmethod
    def grade(self, problem: Problem, response: str) -> Verdict:
        """Judge a response; a pure function of its arguments that never raises on any text."""

    @abstractmethod
    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        """A worked solution: a short chain of thought, then `<answer>` and a right answer."""


@dataclass(frozen=True)
class Request:
    """What the curriculum asks a proposer for, and why."""

    environment: str
    """Name of the environment."""
    level: int
    """The level that a procedural problem is drawn from."""
    rating: float
    """Wanted rating of the problem, in points on the anchored scale."""
    predicted: float
    """Predicted pass rate of the solver at that rating."""
    propensity: float
    """Probability with which the sampler drew this (environment, level) for this slot."""
    purpose: str
    """Either `target` (the sampler's law) or `probe` (kept up everywhere)."""

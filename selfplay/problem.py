"""What the author of an environment needs: Problem, Verdict, Environment. Standard library only.

A problem is data (frozen, survives a JSON round trip); an environment is behaviour (it generates,
parses, grades and demonstrates). Environments feed the proposers and the grader; verdicts feed the
advantages. Nothing here knows about models or training.
"""

import json
import random
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import ClassVar, Self

ANSWER_OPEN = "<answer>"
"""Opens the one strict place for the final answer in a response."""
ANSWER_CLOSE = "</answer>"
"""Closes the answer; may be left out at the end of a response."""

MAX_DRAFTS = 10_000
"""Rejected drafts after which a generator is taken to be wrong; usual are 0 to 5."""
MUTATIONS = 16
"""Changes that are tried before a mutation is a new problem."""
STYLES = 4
"""Worked solutions that are looked at for an estimate of difficulty."""

_NUMBER = re.compile("[0-9]{1,9}")

Setting = int | Mapping[str, int]
"""A standard level, or a value for each knob."""


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
    origin: str = ""
    """What its environment made it from, where neither `pose` nor `grade` can do without; not shown
    to the solver, and no part of what the problem is."""

    @property
    def key(self) -> str:
        """The signature qualified by the environment: identifies the problem everywhere."""
        return f"{self.environment}:{self.signature}"

    def to_json(self) -> str:
        """The problem as one line of JSON."""
        fields = asdict(self)
        if not self.origin:  # most have none: what was written before there was the field is equal
            del fields["origin"]
        return json.dumps(fields, sort_keys=True)

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


class InvalidProblem(ValueError):
    """A proposed text is no problem of its environment; the message says why."""


@dataclass(frozen=True)
class Knob:
    """One difficulty parameter of an environment."""

    values: tuple[int, ...]
    """The value at each level, easiest first; the last is the highest."""
    unit: str
    """Unit of the values, for example "operations"."""
    meaning: str
    """What turning it up does, in one phrase."""


class Environment(ABC):
    """A family of problems with one notation and one grader.

    A subclass sets the class attributes and defines `draft`, `parse` and `grade`; the other methods
    have a default that a subclass may improve on. It may import the standard library, sympy,
    `selfplay.problem` and `selfplay.grading`.
    """

    name: ClassVar[str]
    """Lower-case identifier, unique among the installed environments."""
    summary: ClassVar[str]
    """One line for `selfplay envs list`."""
    instruction: ClassVar[str]
    """Tells a reader who has never seen the notation what is asked, and the form of the answer."""
    verifier: ClassVar[str]
    """How answers are judged, in a few words: "integer", "certificate", "hidden tests"."""
    knobs: ClassVar[Mapping[str, Knob]]
    """Difficulty parameters by name, each an upper bound; all have one value a level."""
    unique: ClassVar[bool] = True
    """Whether there is one right answer, up to its spelling; False: a certificate is checked."""
    guess_bound: ClassVar[float] = 0.25
    """Highest share of a level's problems that one constant answer, or one rule for copying the
    answer from the statement, may get right."""
    crowded: ClassVar[int] = 0
    """Levels below this one hold so few problems that random draws repeat."""
    multiline: ClassVar[bool] = False
    """Whether texts and responses need line breaks."""
    frozen: ClassVar[bool] = False
    """Whether its problems only measure: those of a published set, which nothing is trained on."""

    @property
    def level_count(self) -> int:
        """Number of standard levels."""
        return len(next(iter(self.knobs.values())).values)

    def at(self, setting: Setting) -> dict[str, int]:
        """The value of every knob at a level, or the given values, checked.

        Raises:
            ValueError: no such level, a knob that is missing or unknown, or a value that is higher
                than that of the top level.
        """
        if isinstance(setting, int):
            if not 0 <= setting < self.level_count:
                raise ValueError(
                    f"{self.name} has no level {setting}: its levels are 0 to "
                    f"{self.level_count - 1}."
                )
            return {name: knob.values[setting] for name, knob in self.knobs.items()}
        if setting.keys() != self.knobs.keys():
            raise ValueError(
                f"{self.name} has the knobs {', '.join(self.knobs)}; give a value for each, not "
                f"for {', '.join(setting) or 'none'}."
            )
        for name, value in setting.items():
            if value > max(self.knobs[name].values):
                raise ValueError(
                    f"{self.name}: {name}={value} is beyond the top level, which has "
                    f"{max(self.knobs[name].values)} {self.knobs[name].unit}."
                )
        return dict(setting)

    def height(self, levels: int) -> tuple[int, str]:
        """So many levels from the lowest on: up to which value, and of what.

        In the unit of the knob, if there is only one; else the number of levels. No levels are 0.
        """
        if len(self.knobs) > 1:
            return levels, "levels"
        (knob,) = self.knobs.values()
        return (knob.values[levels - 1] if levels else 0), knob.unit

    def easiest(self, **demands: int) -> int:
        """The first level whose knobs all allow what a problem demands.

        Args:
            demands: for each knob, the least value that the problem needs.
        Returns:
            The level.
        Raises:
            InvalidProblem: no level allows it.
        """
        for level in range(self.level_count):
            if all(demands[name] <= knob.values[level] for name, knob in self.knobs.items()):
                return level
        needed = ", ".join(f"{name} {demands[name]}" for name in self.knobs)
        raise InvalidProblem(f"beyond the top level: {needed}")

    def generate(self, setting: Setting, rng: random.Random) -> Problem:
        """The first draft that `parse` accepts; depends on nothing but the arguments.

        Args:
            setting: a level, and the problem is of exactly that level; or a value for each knob,
                and it demands no more than these.
            rng: drawn from.
        Raises:
            ValueError: no such setting, or none of MAX_DRAFTS drafts is a problem of it.
        """
        knobs = self.at(setting)
        for _ in range(MAX_DRAFTS):
            try:
                problem = self.parse(self.draft(knobs, rng))
            except InvalidProblem:
                continue
            if problem.level == setting or not isinstance(setting, int):
                return problem
        raise ValueError(
            f"{self.name}: none of {MAX_DRAFTS} drafts is a problem of {setting}. `draft` has to "
            "write texts that `parse` mostly reads as of that level; see which reasons it gives."
        )

    @abstractmethod
    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """A random text that is likely to be a problem of that setting of the knobs."""

    @abstractmethod
    def parse(self, text: str) -> Problem:
        """Read a proposed text and compute its gold; `parse(pose(p)) == p` for every problem.

        Raises:
            InvalidProblem: malformed, trivial, ambiguous, without answer, or beyond the top level;
                a short stable reason, more after a colon. Nothing else is raised on any text.
        """

    def pose(self, problem: Problem) -> str:
        """How a proposer writes the problem: a text that `parse` reads as that very problem.

        The problem's own text, unless that leaves out what the solver must not see, or there is a
        notation that it is harder to go wrong in.
        """
        return problem.text

    def ask(self, problem: Problem) -> str:
        """The question in full, for a reader who knows neither the notation nor the answer tags."""
        return (
            f"{self.instruction}\n\n{problem.text}\n\n"
            f"End with the final answer between {ANSWER_OPEN} and {ANSWER_CLOSE}."
        )

    @abstractmethod
    def grade(self, problem: Problem, response: str) -> Verdict:
        """Judge a response; a pure function of its arguments that never raises on any text."""

    def demonstrate(self, problem: Problem, rng: random.Random) -> str | None:
        """A worked solution: a short chain of thought, then `<answer>` and a right answer.

        In one of several styles where there are several ways. None, the default: there are none.
        """
        del problem, rng
        return None

    def mutate(self, problem: Problem, rng: random.Random) -> Problem:
        """Another problem near this one, of any level.

        The default changes one number of the text as a proposer writes it, and draws a new problem
        of the same level where nothing of that kind can be changed.
        """
        text = self.pose(problem)
        for _ in range(MUTATIONS if (numbers := list(_NUMBER.finditer(text))) else 0):
            number = rng.choice(numbers)
            changed = str(int(number[0]) + rng.choice((-2, -1, 1, 2)))
            try:
                other = self.parse(text[: number.start()] + changed + text[number.end() :])
            except InvalidProblem:
                continue
            if other.signature != problem.signature:
                return other
        return self.generate(problem.level, rng)

    def estimate(self, problem: Problem) -> float:
        """A prior for the problem's difficulty; rises with it, its unit is the environment's own.

        The default is the length of the longest of a few worked solutions, in characters, or that
        of the text where there are none.
        """
        worked = (self.demonstrate(problem, random.Random(style)) for style in range(STYLES))
        return float(max(len(shown or problem.text) for shown in worked))

"""What a check is given and what it says: a sample of problems, a complaint, a fault."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from selfplay import streams
from selfplay.problem import ANSWER_OPEN, Environment, Problem

SLOWEST = 2.0
"""Longest time that one call of generate, parse or grade may take, in seconds."""

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


def draw(environment: Environment, level: int, count: int, seed: int = 0) -> list[Problem]:
    """Problems of a level from a stream of their own."""
    rng = streams.python_rng(seed, 0, f"conformance/{environment.name}", level)
    return [environment.generate(level, rng) for _ in range(count)]


def shown(example: object) -> str:
    """An example for people, shortened."""
    text = repr(example)
    return text if len(text) <= 300 else f"{text[:300]}..."


def marked(text: str) -> str:
    """An answer in its place."""
    return f"{ANSWER_OPEN}{text}"

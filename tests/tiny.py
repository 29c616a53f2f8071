"""A tiny environment and configuration: a whole run in seconds."""

import random
import string

from selfplay.config import RunConfig
from selfplay.curriculum.config import CurriculumConfig
from selfplay.evaluate import EvaluationConfig
from selfplay.grading import AnswerError, final_answer
from selfplay.learning.update import UpdateConfig
from selfplay.learning.warmup import WarmupConfig
from selfplay.model.sampling import DecodeConfig
from selfplay.model.transformer import ModelConfig
from selfplay.problem import (
    ANSWER_OPEN,
    Environment,
    InvalidProblem,
    Knob,
    Outcome,
    Problem,
    Verdict,
)
from selfplay.rollout.attempts import RolloutConfig
from selfplay.suites import SuiteConfig


class Last(Environment):
    """The last letter of a word."""

    name = "last"
    summary = "the last letter of a word"
    instruction = "Give the last letter of the word."
    verifier = "text"
    knobs = {"letters": Knob((3, 4, 5), "letters", "longer words")}

    def draft(self, knobs, rng: random.Random) -> str:
        return "".join(rng.choices(string.ascii_lowercase, k=knobs["letters"]))

    def parse(self, text: str) -> Problem:
        lengths = self.knobs["letters"].values
        if len(text) not in lengths or not set(text) <= set(string.ascii_lowercase):
            raise InvalidProblem("malformed")
        return Problem(self.name, lengths.index(len(text)), text, text, text[-1])

    def grade(self, problem: Problem, response: str) -> Verdict:
        try:
            right = final_answer(response) == problem.gold
        except AnswerError:
            return Verdict(Outcome.UNPARSABLE)
        return Verdict(Outcome.CORRECT if right else Outcome.WRONG)

    def demonstrate(self, problem: Problem, rng: random.Random) -> str:
        return f"{ANSWER_OPEN}{problem.gold}"


CONFIG = RunConfig(
    experiment="tiny",
    environments=("last",),
    generations=30,
    checkpoint_every=10,
    model=ModelConfig(width=64, layers=2, heads=2, kv_heads=1, hidden=128),
    warmup=WarmupConfig(steps=60, proposer_share=0.3, rows=8, row_length=64),
    rollout=RolloutConfig(problems=16, attempts=8),
    decode=DecodeConfig(max_tokens=16, rows=128),
    update=UpdateConfig(learning_rate=2e-3, row_lengths=(64, 96), tokens=1024),
    curriculum=CurriculumConfig(sampler="uniform"),
    suites=SuiteConfig(held_out=20, anchors=4),
    evaluation=EvaluationConfig(samples=2, every=10, live=4, live_samples=1),
)

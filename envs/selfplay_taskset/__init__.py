"""Our environments as a taskset of verifiers, for its evaluations and for the trainers that use it.

    vf-eval selfplay-taskset --env.taskset.environment countdown --select.limit 100

Needs the extra `verifiers`. Its loader finds a taskset by the name of its package; hence a package
beside `selfplay`. The stream of tasks has no end; each task depends on the environment, the seed,
the levels and its position only. The one reward is 1.0 for a right answer and 0.0 for any other; a
grader that failed is an error of the task, not a wrong answer.

Source: verifiers 0.4, `verifiers.v1`: `Taskset`, `Task`, `TaskData`.
"""

import asyncio
import itertools
import sys
from collections.abc import Iterator
from functools import lru_cache

import verifiers.v1 as vf
from pydantic import Field

from selfplay import environments
from selfplay.bridges.dataset import Dataset
from selfplay.grading.judge import judge
from selfplay.problem import ANSWER_CLOSE, ANSWER_OPEN, Environment, Outcome, Problem, Verdict

__all__ = ["SelfplayTaskset"]


class SelfplayData(vf.TaskData):
    """A problem, and all that is needed to grade an answer to it."""

    environment: str
    """Name of the environment."""
    level: int
    """Level of the problem."""
    answer: str
    """A right answer; where a certificate is checked, one of many."""
    problem: str
    """The problem as a line of JSON; `Problem.from_json` reads it."""


class SelfplayTask(vf.Task[SelfplayData]):
    """One problem, answered in one reply."""

    @vf.stop
    async def single_turn(self, trace: vf.Trace) -> bool:
        """Whether there is a reply."""
        return trace.num_turns >= 1

    @vf.reward
    async def correct(self, trace: vf.Trace) -> float:
        """1.0 for a right answer in a reply that was not cut off, else 0.0.

        Raises:
            RuntimeError: the grader failed.
        """
        verdict = await self._judged(trace.last_reply, ended=not trace.is_truncated)
        if verdict.outcome is Outcome.ERROR:
            raise RuntimeError(f"the grader failed: {verdict.reason}")
        return float(verdict.correct)

    async def validate(self, runtime: vf.Runtime) -> bool:
        """Whether the grader takes the answer that goes with the problem."""
        del runtime
        reply = ANSWER_OPEN + self.data.answer + ANSWER_CLOSE
        return (await self._judged(reply, ended=True)).correct

    async def _judged(self, reply: str, ended: bool) -> Verdict:
        environment = _environment(self.data.environment)
        problem = Problem.from_json(self.data.problem)
        # In a thread: a program that is tested takes seconds, and other rollouts go on meanwhile.
        return await asyncio.to_thread(judge, environment, problem, reply, ended=ended)


class SelfplayConfig(vf.TasksetConfig):
    """Which problems."""

    environment: str = "arithmetic"
    """Name of an environment; `selfplay envs list` shows them."""
    levels: list[int] = Field(default_factory=list)
    """Drawn from evenly; by default all."""
    seed: int = 0
    """Of all problems."""


class SelfplayTaskset(vf.Taskset[SelfplayTask, SelfplayConfig]):
    """Problems of an environment of Selfplay, without end."""

    INFINITE = True

    def load(self) -> Iterator[SelfplayTask]:
        """The tasks.

        Raises:
            ValueError: there is no such environment or level.
        """
        config = self.config
        environment = _environment(config.environment)
        dataset = Dataset(environment, sys.maxsize, config.seed, config.levels)
        for position in itertools.count():
            entry = dataset[position]
            fields = {"prompt": entry["question"], "answer": entry["answer"], **entry["metadata"]}
            yield SelfplayTask(SelfplayData.model_validate(fields), config.task)


@lru_cache
def _environment(name: str) -> Environment:
    """One instance a process: program environments hold a sandbox."""
    return environments.load(name)

"""Every task of reasoning-gym as an environment: `reasoning_gym:leg_counting`.

Needs the extra `reasoning-gym`.

A task's curriculum attributes are the knobs, counted in its own steps; the levels turn all of them
up together. A problem's text is the question and cannot be read back: what a proposer writes, and
the problem's origin, is the setting of the knobs and a seed, `2,0,1#417`.

An answer counts if it stands in our one strict place and the task's own scorer gives it the whole
reward, never a part of it; where the task has no scorer but the library's, which pays for merely
containing the gold, the answer must be the gold itself. Items are made and scored in a helper
process, with a deadline and apart from our random numbers. Ten scorers evaluate the answer as
Python: to these, only answers are shown whose characters cannot call anything (`SHOWN`), and where
there is no such set the answer is compared by our own kind of the gold instead.

What this does not do: make a task sound. `selfplay envs check` says which are not.

Source: reasoning-gym 0.1, its factory, curricula and `ProceduralDataset.score_answer`.
"""

import difflib
import hashlib
import importlib
import inspect
import os
import random
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

from selfplay.grading import AnswerError, final_answer, grade_answer, infer, unreadable
from selfplay.grading.worker import Helper, HelperError, serve
from selfplay.problem import Environment, InvalidProblem, Knob, Outcome, Problem, Setting, Verdict

PREFIX = "reasoning_gym"
SECONDS = 1.5
"""Deadline of a scorer."""
ITEM_SECONDS = 5.0
"""Deadline of the making of an item."""
DRAFTS = 20
"""Attempts at an item before a setting is taken to have none; usual is 1."""
MAX_ANSWER = 4_000
"""Longest answer that a scorer is shown, in characters."""
MAX_SEED = 2**31 - 1
MAX_LEVELS = 9
"""Standard levels of a task at most: steps of a longer curriculum are spread over so many."""
SHOWN = {
    **dict.fromkeys(
        ("binary_matrix", "n_queens", "number_sorting", "spiral_matrix", "string_insertion"),
        re.compile(r"[0-9A-Za-z_\[\], '\"\n-]*"),
    ),
    **dict.fromkeys(("countdown", "puzzle24"), re.compile(r"(?:[0-9+/() -]|\*(?! *\*))*")),
}
"""Tasks whose scorer evaluates the answer -> the answers that it may see: lists without calls and
attributes; arithmetic without powers (sympy takes `9* *9` for one)."""

_EVALUATES = re.compile(r"\b(?:eval|exec|parse_expr|sympify)\(")
_POSED = re.compile(r"([0-9]{1,2}(?:,[0-9]{1,2})*)#([0-9]{1,10})")


def names() -> list[str]:
    """The names of all tasks, with the prefix.

    Raises:
        ValueError: reasoning-gym is not installed.
    """
    return [f"{PREFIX}:{task}" for task in sorted(_library().factory.DATASETS)]


def load(task: str) -> Environment:
    """The environment of a task.

    Raises:
        ValueError: there is no such task, or reasoning-gym is not installed.
    """
    return _kind(task)(_Worker.shared())


class Task(Environment):
    """A task of reasoning-gym; `load` fills in which."""

    task: ClassVar[str]
    scored: ClassVar[str]
    """See `scoring`."""
    instruction = "Answer the question."
    unique = False
    multiline = True

    def __init__(self, worker: "_Worker") -> None:
        self._worker = worker

    def generate(self, setting: Setting, rng: random.Random) -> Problem:
        """The first item that can be made; gives up early, as each may cost its whole deadline."""
        knobs, why = self.at(setting), ""
        for _ in range(DRAFTS):
            try:
                return self.parse(self.draft(knobs, rng))
            except InvalidProblem as error:
                why = str(error)
        raise ValueError(f"{self.name}: no item of {setting} in {DRAFTS} attempts: {why}")

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """The setting and a random seed."""
        return f"{','.join(map(str, knobs.values()))}#{rng.randint(0, MAX_SEED)}"

    def parse(self, text: str) -> Problem:
        """Have the task make the item of a setting and a seed."""
        found = _POSED.fullmatch(text) if len(text) <= 100 else None
        if found is None or int(found[2]) > MAX_SEED:
            raise InvalidProblem(f"malformed: {text[:40]!r} is not like 2,0,1#417")
        steps = list(map(int, found[1].split(",")))
        if len(steps) != len(self.knobs):
            raise InvalidProblem(f"malformed: {self.task} has the knobs {', '.join(self.knobs)}")
        level = self.easiest(**dict(zip(self.knobs, steps, strict=True)))
        posed = f"{','.join(map(str, steps))}#{int(found[2])}"
        question, gold = self._worker.item(self.task, posed)
        if self.scored == "kind" and not grade_answer(infer(gold), gold, gold).correct:
            raise InvalidProblem("no solution: the gold is beyond our kinds of answers")
        signature = hashlib.blake2b(question.encode(), digest_size=16).hexdigest()
        return Problem(self.name, level, question, signature, gold, origin=posed)

    def pose(self, problem: Problem) -> str:
        """The setting and the seed."""
        return problem.origin

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the scorer gives the whole reward; see the head of the file."""
        try:
            answer = final_answer(response)
        except AnswerError as error:
            return unreadable(error)
        if answer == problem.gold:
            return Verdict(Outcome.CORRECT, "the gold")
        match self.scored:
            case "text":
                return Verdict(Outcome.WRONG, "not the gold")
            case "kind":
                return grade_answer(infer(problem.gold), problem.gold, answer)
        shown = SHOWN.get(self.task)
        if len(answer) > MAX_ANSWER or (shown is not None and not shown.fullmatch(answer)):
            return Verdict(Outcome.UNPARSABLE, "not shown to the scorer")
        return self._worker.verdict(self.task, problem.origin, answer)

    def estimate(self, problem: Problem) -> float:
        """The level: the library has no other measure of all tasks."""
        return 1.0 + problem.level


def scoring(task: str) -> str:
    """How answers to a task are judged: `text` (the gold itself), `scorer`, or `kind` (ours)."""
    library = _library()
    score = library.factory.DATASETS[task][0].score_answer
    if score is library.dataset.ProceduralDataset.score_answer:
        return "text"
    return "kind" if _EVALUATES.search(inspect.getsource(score)) and task not in SHOWN else "scorer"


class _Worker:
    """The helper process that makes the items and runs the scorers; one for all tasks."""

    def __init__(self) -> None:
        self._helper = Helper(__name__)

    @classmethod
    @lru_cache(maxsize=1)
    def shared(cls) -> "_Worker":
        """That of this process; starts nothing before it is asked."""
        return cls()

    def item(self, task: str, posed: str) -> tuple[str, str]:
        """Question and answer of the item of a setting and a seed.

        Raises:
            InvalidProblem: the task makes none.
        """
        try:
            question, answer = self._helper.ask([task, posed], ITEM_SECONDS)
        except TimeoutError as error:
            raise InvalidProblem(f"no item: it takes more than {ITEM_SECONDS:g} seconds") from error
        except HelperError as error:
            raise InvalidProblem(f"no item: {error}"[:200]) from error
        if not isinstance(question, str) or not isinstance(answer, str) or not answer.strip():
            raise InvalidProblem("no solution: the task gives none as text")
        return question, answer.strip()

    def verdict(self, task: str, posed: str, answer: str) -> Verdict:
        """What the scorer says. One that raises could not read the answer: it reads the gold."""
        try:
            score = self._helper.ask([task, posed, answer], SECONDS)
        except TimeoutError:
            return Verdict(Outcome.TIMEOUT, "the scorer took too long")
        except HelperError as error:
            return Verdict(Outcome.UNPARSABLE, f"the scorer failed: {error}"[:200])
        if score >= 1.0:
            return Verdict(Outcome.CORRECT, "the whole reward")
        return Verdict(Outcome.WRONG, f"scored {score:.2f}")


def _answered(asked: list[str]) -> list[Any] | float:
    """The helper's side: the item of [task, posed], or the reward of [task, posed, answer]."""
    task, posed, *answers = asked
    item = _item(task, posed)
    if not answers:
        return [item["question"], item["answer"]]
    return float(_scorer(task, posed.partition("#")[0]).score_answer(*answers, item))


@lru_cache(maxsize=256)
def _item(task: str, posed: str) -> dict[str, Any]:
    """An item; its data set, which may hold whole dictionaries, is not kept."""
    random.seed(posed)  # a task that draws from here and not from its own generator
    return _dataset(task, posed)[0]


@lru_cache(maxsize=1)
def _scorer(task: str, setting: str) -> Any:
    """A data set of a setting, to score items of that setting: they bring what it takes."""
    return _dataset(task, f"{setting}#0")


def _fill(asked: list[str]) -> None:
    """What the scoring of an answer needs and no model wrote."""
    task, posed, *_ = asked
    _item(task, posed)
    _scorer(task, posed.partition("#")[0])


def _kind(task: str) -> type[Task]:
    """The class of a task, with its knobs."""
    tasks = _library().factory.DATASETS
    if task not in tasks:
        near = difflib.get_close_matches(task, tasks)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"Its tasks: {', '.join(tasks)}."
        raise ValueError(f"reasoning-gym has no task {task!r}. {hint}")
    said = (inspect.getdoc(tasks[task][0]) or task.replace("_", " ")).strip().splitlines()[0]
    ways = {"text": "exact text", "scorer": "reasoning-gym's scorer", "kind": "kind of the gold"}
    scored = scoring(task)
    fields = {
        "task": task, "name": f"{PREFIX}:{task}", "knobs": _knobs(task), "scored": scored,
        "summary": said.encode("ascii", "replace").decode(), "verifier": ways[scored],
        "unique": scored != "scorer",
    }  # fmt: skip
    return type(f"Task_{task}", (Task,), fields)


def _knobs(task: str) -> dict[str, Knob]:
    """One knob for each attribute of the curriculum; a task without has a single level."""
    curriculum = _library().factory.CURRICULA.get(task)
    attributes = curriculum().attributes if curriculum is not None else {}
    if not attributes:
        return {"standard": Knob((0,), "step", "the task has no curriculum")}
    top = max(len(attribute.levels) for attribute in attributes.values()) - 1
    levels = min(top + 1, MAX_LEVELS)
    steps = [round(level * top / max(levels - 1, 1)) for level in range(levels)]
    return {
        re.sub(r"\W", "_", name): Knob(
            tuple(min(step, len(attribute.levels) - 1) for step in steps),
            "step",
            f"{attribute.description or name}: {attribute.levels}",
        )
        for name, attribute in attributes.items()
    }


def _dataset(task: str, posed: str) -> Any:
    """The task's data set of one item, at a setting and a seed."""
    library = _library()
    setting, _, seed = posed.partition("#")
    fixed = {"seed": int(seed), "size": 1}
    kind, config = library.factory.DATASETS[task]
    if task not in library.factory.CURRICULA:
        return kind(config(**fixed))
    curriculum = library.factory.CURRICULA[task]()
    for name, step in zip(curriculum.attributes, setting.split(","), strict=True):
        curriculum.set_attr_level(name, int(step))
    base = library.coaching.base_curriculum
    highest = base.DefaultCurriculumContext(mode=base.RangeAttributeMode.UPPER_BOUND)
    return kind(curriculum.generate_configuration(fixed, highest))


def _library() -> Any:
    try:
        return importlib.import_module("reasoning_gym")
    except ImportError as error:
        raise ValueError(
            "reasoning-gym is not installed: pip install 'selfplay-curriculum[reasoning-gym]'"
        ) from error


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # some tasks go through sets: always in one order
        again = [sys.executable, "-m", "selfplay.bridges.reasoning_gym"]
        os.execve(sys.executable, again, os.environ | {"PYTHONHASHSEED": "0"})
    _library()  # once, before the forks
    serve(
        _answered,
        lasting=lambda asked: len(asked) == 2,  # an item; an answer is a model's text
        before=_fill,
    )

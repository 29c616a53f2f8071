"""Single-turn tasksets of verifiers as environments: `verifiers:reverse_text`.

Needs the extra `verifiers` and the taskset: an importable package that exports it in the way that
verifiers prescribes. It is taken with its default configuration.

Each of the first `MAX_TASKS` tasks is a problem, and all are of one level. A problem's text is the
prompt and cannot be read back: what a proposer writes, and the problem's origin, is the task's
position, `17`. The gold is the field `answer` of the task's data.

An answer counts if it stands in our one strict place and the task's own rewards sum to no less for
it than for the gold. Rewards read whole replies, and often want a form of their own, so they are
shown the answer in the form in which they pay for the gold: bare, in a box, behind `####`, or in a
tag that the prompt names. Tasks are loaded and scored in a helper process, with a deadline.

What this does not do: fence the rewards. They are the taskset's code, see what a model wrote and
run with our rights; one that evaluates it is not caught. Nor does it play: a taskset is refused if
scoring it needs a runtime, a judge, or more than one agent, or if its tasks have tools; one that
reads more turns than one is refused if it does not pay for the gold in a single one.

Source: verifiers 0.4, `verifiers.v1`: `Taskset`, `Task.score`, `Trace`.
"""

import asyncio
import hashlib
import importlib
import inspect
import random
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, ClassVar

from selfplay.grading import AnswerError, final_answer, unreadable
from selfplay.grading.worker import Helper, HelperError, serve
from selfplay.problem import Environment, InvalidProblem, Knob, Outcome, Problem, Verdict

PREFIX = "verifiers"
SECONDS = 5.0
"""Deadline of the rewards for an answer, and for the gold beside it."""
MAX_TASKS = 10_000
"""Tasks of a set that are used, from its start; a set may be endless."""
MAX_ANSWER = 4_000
"""Longest answer that is shown to a reward, in characters."""
PROBED = 5
"""Tasks that are scored to find the form of an answer."""

_FORMS = (("", ""), ("\\boxed{", "}"), ("#### ", ""))
_TAG = re.compile(r"<([A-Za-z_]+)>")


def names() -> list[str]:
    """Never any: tasksets are not registered.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"verifiers keeps no list of tasksets: name an installed one, {PREFIX}:NAME.")


def load(taskset: str) -> Environment:
    """The environment of a taskset.

    Raises:
        ValueError: there is none of that name, it cannot be bridged, or verifiers is not installed.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", taskset):
        raise ValueError(f"{taskset!r} names no taskset: letters, digits, _ and - only.")
    helper = _helper(taskset)
    try:
        about = helper.ask(["about"], SECONDS * PROBED)
    except (HelperError, TimeoutError) as error:
        raise ValueError(f"the taskset {taskset!r} cannot be an environment: {error}") from error
    if isinstance(about, str):
        raise ValueError(f"the taskset {taskset!r} cannot be an environment: {about}.")
    size, form, summary = about
    fields = {"name": f"{PREFIX}:{taskset}", "summary": summary, "size": size, "form": form}
    return type(f"Tasks_of_{taskset}", (Tasks,), fields)(helper)


class Tasks(Environment):
    """The tasks of a taskset; `load` fills in which."""

    size: ClassVar[int]
    """Number of tasks."""
    form: ClassVar[list[str]]
    """What is put before and after an answer that the rewards are shown."""
    instruction = "Do the task."
    verifier = "the taskset's rewards"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "standard": Knob((0,), "step", "the tasks are in no order of difficulty")
    }
    unique = False
    crowded = 1
    multiline = True

    def __init__(self, helper: Helper) -> None:
        self._helper = helper

    def draft(self, knobs: Mapping[str, int], rng: random.Random) -> str:
        """The position of a task."""
        del knobs
        return str(rng.randrange(self.size))

    def parse(self, text: str) -> Problem:
        """Have the taskset show the task at a position."""
        if not re.fullmatch("[0-9]{1,9}", text) or int(text) >= self.size:
            raise InvalidProblem(f"malformed: {text[:40]!r} is not from 0 to {self.size - 1}")
        try:
            prompt, gold = self._helper.ask(["task", int(text)], SECONDS)
        except (HelperError, TimeoutError) as error:
            raise InvalidProblem(f"no task: {error}"[:200]) from error
        signature = hashlib.blake2b(prompt.encode(), digest_size=16).hexdigest()
        return Problem(self.name, 0, prompt, signature, gold, origin=str(int(text)))

    def pose(self, problem: Problem) -> str:
        """The position."""
        return problem.origin

    def grade(self, problem: Problem, response: str) -> Verdict:
        """Right if the rewards sum to what the gold gets, or more."""
        try:
            answer = final_answer(response)
        except AnswerError as error:
            return unreadable(error)
        if len(answer) > MAX_ANSWER:
            return Verdict(Outcome.UNPARSABLE, f"longer than {MAX_ANSWER} characters: not shown")
        try:
            asked = ["score", int(problem.origin), answer, self.form]
            reward, full = self._helper.ask(asked, SECONDS)
        except TimeoutError:
            return Verdict(Outcome.TIMEOUT, "the rewards took too long")
        except HelperError as error:
            return Verdict(Outcome.ERROR, f"the rewards failed: {error}"[:200])
        if reward is None:
            return Verdict(Outcome.UNPARSABLE, "the rewards failed at the answer")
        if reward >= full:
            return Verdict(Outcome.CORRECT, "the whole reward")
        return Verdict(Outcome.WRONG, f"rewarded {reward:.2f} of {full:.2f}")


@lru_cache(maxsize=8)
def _helper(taskset: str) -> Helper:
    """The helper process of a taskset; starts nothing before it is asked."""
    return Helper(__name__, taskset)


# The helper's side.


class _Refused(ValueError):
    """A taskset that cannot be bridged, and why."""


class _Taskset:
    """A loaded taskset that answers the questions of `Tasks`."""

    def __init__(self, name: str) -> None:
        """Load the tasks.

        Raises:
            _Refused: they need more than a reply to be scored, or there are none.
        """
        vf = _library()
        if not issubclass(vf.environment_class(name), vf.SingleAgentEnv):
            raise _Refused("it brings an environment of its own, for more than one agent")
        taskset = vf.load_taskset(vf.taskset_config_type(name)(id=name))
        if type(taskset).toolsets(taskset.config):
            raise _Refused("its tasks share tools")
        self._tasks = list(islice(taskset, MAX_TASKS))
        if not self._tasks:
            raise _Refused("it has no tasks")
        _check(self._tasks[0])
        self._about = [len(self._tasks), self._form(), _first_line(type(taskset)) or name]

    def answered(self, asked: list[Any]) -> Any:
        """The answer to a question of `Tasks`."""
        match asked:
            case ["task", position]:
                task = self._tasks[position]
                return [_question(task), _gold(task)]
            case ["score", position, answer, form]:
                task = self._tasks[position]
                full = _reward(task, _gold(task), form)
                try:
                    return [_reward(task, answer, form), full]
                except Exception:  # anybody's code, which could read the gold just now
                    return [None, full]
            case _:
                return self._about

    def _form(self) -> tuple[str, str]:
        """The form of an answer in which the gold is paid best.

        Raises:
            _Refused: in none is it paid more than an empty reply.
        """
        probed = self._tasks[:PROBED]
        tags = dict.fromkeys(tag for task in probed for tag in _TAG.findall(_question(task)))
        paid = {
            form: min(_reward(task, _gold(task), form) for task in probed)
            for form in [*_FORMS, *((f"<{tag}>", f"</{tag}>") for tag in tags)]
        }
        best = max(paid, key=paid.__getitem__)
        if paid[best] <= max(_reward(task, "", _FORMS[0]) for task in probed):
            raise _Refused("its rewards pay no more for the field `answer` than for an empty reply")
        return best


def _check(task: Any) -> None:
    """Raise _Refused if a task needs more than a reply to be scored."""
    vf, kind = _library(), type(task)
    rewards = task.hooks("reward")
    prepared = kind.setup is not vf.Task.setup or kind.finalize is not vf.Task.finalize
    if task.NEEDS_CONTAINER or prepared:
        raise _Refused("its tasks are prepared in a runtime")
    if any("runtime" in inspect.signature(reward).parameters for reward in rewards):
        raise _Refused("its rewards need a runtime")
    if kind.toolsets(task.config):
        raise _Refused("its tasks have tools")
    if task.config.judges:
        raise _Refused("another model judges the replies")
    if not rewards:
        raise _Refused("it has no rewards")


def _prompt(task: Any) -> list[Any]:
    """The messages that a solver is sent.

    Raises:
        _Refused: there are none, or they are not texts from the system and the user.
    """
    vf, data = _library(), task.data
    if data.prompt is None:
        raise _Refused("a user opens the conversation, not a prompt")
    sent = [vf.UserMessage(content=data.prompt)] if isinstance(data.prompt, str) else data.prompt
    if any(
        message.role not in ("system", "user") or not isinstance(message.content, str)
        for message in sent
    ):
        raise _Refused("its prompts hold images or a part of a conversation")
    return [*([vf.SystemMessage(content=data.system_prompt)] if data.system_prompt else []), *sent]


def _question(task: Any) -> str:
    """All that a solver is told, as one text."""
    return "\n\n".join(message.content for message in _prompt(task)).strip()


def _gold(task: Any) -> str:
    """The right answer.

    Raises:
        _Refused: the task has none under the name `answer`.
    """
    gold = getattr(task.data, "answer", None)
    if not isinstance(gold, str | int | float) or not str(gold).strip():
        raise _Refused("the data of its tasks have no field `answer` with a text or a number")
    return str(gold).strip()


def _reward(task: Any, answer: str, form: Sequence[str]) -> float:
    """What a task's rewards sum to for an answer in a form; not twice, if a solver put it there."""
    vf = _library()
    before, after = form
    formed = answer.startswith(before.strip()) and answer.endswith(after)
    reply = vf.AssistantMessage(content=answer if formed else before + answer + after)
    nodes = [vf.MessageNode(message=message) for message in [*_prompt(task), reply]]
    for parent, node in enumerate(nodes[1:]):
        node.parent = parent
    nodes[-1].sampled = True
    trace = vf.Trace(
        task=vf.TraceTask(type=type(task).__name__, data=task.data),
        agent=vf.AgentInfo(config=vf.AgentConfig()),
        nodes=nodes,
    )
    trace.stop("agent_completed")
    asyncio.run(task.score(trace))
    return trace.reward


def _first_line(kind: type) -> str:
    """Of a class's own docstring, in ASCII."""
    lines = (vars(kind).get("__doc__") or "").strip().splitlines()
    return lines[0].encode("ascii", "replace").decode() if lines else ""


def _library() -> Any:
    try:
        return importlib.import_module("verifiers.v1")
    except ImportError as error:
        raise _Refused(
            "verifiers is not installed: pip install 'selfplay-curriculum[verifiers]'"
        ) from error


def _answers(name: str) -> Callable[[Any], Any]:
    """What answers questions on a taskset; where it cannot be used, the reason, to each."""
    try:
        return _Taskset(name).answered
    except _Refused as refusal:
        reason = str(refusal)
    except Exception as error:  # loading a taskset runs anybody's code
        reason = f"{type(error).__name__}: {error}"[:400]
    return lambda asked: reason


if __name__ == "__main__":
    serve(_answers(sys.argv[1]))

"""The bridge to verifiers: its tasksets as environments, and our environments as a taskset.

The tasksets here are small and written for the purpose; all that reads them is the library itself.
"""

import asyncio
import importlib
import itertools
import random

import pytest
import verifiers.v1 as vf

from selfplay import conformance, environments
from selfplay.bridges import verifiers as bridge
from selfplay.conformance import Size
from selfplay.grading import judge
from selfplay.grading.worker import HelperError
from selfplay.problem import InvalidProblem, Outcome, Problem, Verdict

HEAD = """
import re
import time
import verifiers.v1 as vf

class Data(vf.TaskData):
    answer: str
"""
TAIL = """
class Words(vf.Taskset[Task, vf.TasksetConfig]):
    '''Words to be turned round.'''

    def load(self):
        for n in range(300):
            word = f"w{n:03d}"
            yield Task(Data(prompt=f"Reverse {word}.", system_prompt=SYSTEM, answer=word[::-1]))

__all__ = ["Words"]
"""
REVERSE = """
SYSTEM = "Put your answer into <reversed> tags."

class Task(vf.Task[Data]):
    @vf.reward
    async def close(self, trace: vf.Trace) -> float:
        found = re.search("<reversed>(.*)</reversed>", trace.last_reply)
        given = found[1] if found else ""
        match given:
            case "raise":
                raise RuntimeError("odd")
            case "sleep":
                time.sleep(60)
        return sum(a == b for a, b in zip(given, self.data.answer)) / 4

    @vf.reward(weight=0.5)
    async def length(self, trace: vf.Trace) -> float:
        return float(len(trace.last_reply) == 4 + len("<reversed></reversed>"))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where verifiers finds tasksets."""
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("tasksets")
        patch.setenv("PYTHONPATH", str(path))
        patch.syspath_prepend(path)
        yield path


@pytest.fixture(scope="module")
def write(folder):
    """Writes a taskset, under a name that was not used before; its name."""
    numbers = itertools.count()

    def written(source):
        name = f"words_{next(numbers)}"
        (folder / f"{name}.py").write_text(source)
        importlib.invalidate_caches()
        return name

    return written


@pytest.fixture(scope="module")
def reverse(write):
    return environments.load(f"verifiers:{write(HEAD + REVERSE + TAIL)}")


def graded(environment, problem, answer):
    return environment.grade(problem, f"<answer>{answer}</answer>").outcome


# Their tasksets here.


def test_a_task_is_a_problem(reverse):
    assert reverse.name.startswith("verifiers:words_")
    assert reverse.summary == "Words to be turned round."
    assert reverse.size == 300
    problem = reverse.parse("17")
    assert problem.text == "Put your answer into <reversed> tags.\n\nReverse w017."
    assert problem.gold == "710w"
    assert reverse.pose(problem) == problem.origin == "17"
    assert Problem.from_json(problem.to_json()) == problem
    assert reverse.parse("017") == problem  # one way of writing it is kept
    assert reverse.generate(0, random.Random(3)).environment == reverse.name


@pytest.mark.parametrize("text", ["", "-1", "300", "9999999999", "1.0", "x", "1\n", "²"])
def test_other_positions_are_refused(reverse, text):
    with pytest.raises(InvalidProblem, match="malformed"):
        reverse.parse(text)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("710w", Outcome.CORRECT),
        ("<reversed>710w</reversed>", Outcome.CORRECT),  # in the form already
        ("710x", Outcome.WRONG),  # three quarters of one reward, and all of the other
        ("710w ", Outcome.CORRECT),  # our strict place trims
        ("710w or 711w", Outcome.WRONG),
        ("{0}", Outcome.WRONG),
        ("<reversed>1</reversed><reversed>710w</reversed>", Outcome.WRONG),
        ("raise", Outcome.UNPARSABLE),
        ("x" * 5000, Outcome.UNPARSABLE),
        ("", Outcome.UNPARSABLE),
    ],
)
def test_only_the_whole_reward_is_right(reverse, answer, outcome):
    assert graded(reverse, reverse.parse("17"), answer) == outcome


def test_the_rewards_may_hang(reverse, monkeypatch):
    monkeypatch.setattr(bridge, "SECONDS", 1.0)
    assert graded(reverse, reverse.parse("17"), "sleep") == Outcome.TIMEOUT


def test_a_helper_that_fails_is_an_error_not_a_wrong_answer(reverse, monkeypatch):
    problem = reverse.parse("17")

    def died(asked, seconds):
        raise HelperError("died")

    monkeypatch.setattr(reverse._helper, "ask", died)
    assert graded(reverse, problem, "710w") == Outcome.ERROR
    with pytest.raises(InvalidProblem, match="no task: died"):
        reverse.parse("17")


def test_a_good_taskset_keeps_the_contract(reverse):
    assert list(conformance.check(reverse, Size(problems=400, graded=5, fuzzed=50))) == []


@pytest.mark.parametrize(
    ("system", "shown"),
    [
        ("", "trace.last_reply == self.data.answer"),
        ("In a box.", "vf.extract_boxed_answer(trace.last_reply, strict=True) == self.data.answer"),
        ("Last.", "trace.last_reply.rpartition('#### ')[1:] == ('#### ', self.data.answer)"),
    ],
)
def test_the_form_of_an_answer_is_found(write, system, shown):
    task = f"""
SYSTEM = {system or None!r}

class Task(vf.Task[Data]):
    @vf.reward
    async def right(self, trace: vf.Trace) -> float:
        return float({shown})
"""
    answered = bridge._answers(write(HEAD + task + TAIL))
    _, form, _ = answered(["about"])
    assert answered(["score", 5, "500w", form]) == [1.0, 1.0]
    assert answered(["score", 5, "w00", form]) == [0.0, 1.0]


PAYS = """
    @vf.reward
    async def right(self, trace: vf.Trace) -> float:
        return float(trace.last_reply == self.data.answer)
"""
PLAIN = "SYSTEM = None\nclass Task(vf.Task[Data]):"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (
            HEAD + PLAIN + PAYS.replace("trace: vf.Trace", "trace, runtime") + TAIL,
            "its rewards need a runtime",
        ),
        (
            HEAD + PLAIN + PAYS + "    async def setup(self, trace, runtime): pass\n" + TAIL,
            "its tasks are prepared in a runtime",
        ),
        (HEAD + PLAIN + PAYS + "    NEEDS_CONTAINER = True\n" + TAIL, "prepared in a runtime"),
        (
            HEAD + PLAIN + PAYS
            + "    @classmethod\n    def toolsets(cls, config): return [object()]\n" + TAIL,
            "its tasks have tools",
        ),
        (
            HEAD + PLAIN + PAYS
            + TAIL.replace(
                "    def load",
                "    @classmethod\n    def toolsets(cls, config): return [1]\n\n    def load",
            ),
            "its tasks share tools",
        ),
        (HEAD + PLAIN + " pass\n" + TAIL, "it has no rewards"),
        (HEAD + PLAIN + PAYS.replace("==", "!=") + TAIL, "pay no more for the field `answer`"),
        (HEAD + PLAIN + PAYS + TAIL.replace("range(300)", "()"), "it has no tasks"),
        (
            (HEAD + PLAIN + PAYS + TAIL).replace("answer", "gold"),
            "have no field `answer` with a text or a number",
        ),
        (HEAD + PLAIN + PAYS + TAIL.replace("prompt=f", "name=f"), "a user opens"),
        (
            HEAD + PLAIN + PAYS
            + TAIL.replace(
                'prompt=f"Reverse {word}."',
                'prompt=[vf.UserMessage(content="?"), vf.AssistantMessage(content="!")]',
            ),
            "images or a part of a conversation",
        ),
        (HEAD + PLAIN + PAYS + TAIL + "\nclass Mine(vf.Env): pass\n__all__ += ['Mine']", "agent"),
        ("x = 1\n", "defines no `__all__`"),
        ("1/0\n", "ZeroDivisionError"),
    ],
)  # fmt: skip
def test_what_needs_more_than_a_reply_is_refused(write, source, why):
    assert why in bridge._answers(write(source))(["about"])


def test_an_endless_taskset_is_cut(write):
    endless = TAIL.replace("range(300)", "__import__('itertools').count()")
    assert bridge._answers(write(HEAD + REVERSE + endless))(["about"])[0] == 10_000


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("verifiers:no_such_taskset", "taskset 'no_such_taskset' not found"),
        ("verifiers:", "'' names no taskset"),
        ("verifiers:a.b", "'a.b' names no taskset"),
        ("verifiers", "is a bridge to another library"),
    ],
)
def test_a_name_that_leads_nowhere_is_told(name, told):
    with pytest.raises(ValueError, match=told):
        environments.load(name)


def test_there_is_no_list_of_tasksets():
    with pytest.raises(ValueError, match="keeps no list of tasksets: name an installed one"):
        environments.names_of_bridge("verifiers")


def test_the_library_may_be_missing(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ValueError, match=r"not installed: pip install '.*\[verifiers\]'"):
        bridge._library()


# Our environments there.


def taskset(**config):
    kind = vf.taskset_config_type("selfplay-taskset")
    return vf.load_taskset(kind(id="selfplay-taskset", **config))


def scored(task, reply, finish_reason="stop"):
    nodes = [
        vf.MessageNode(message=vf.UserMessage(content=task.data.prompt)),
        vf.MessageNode(message=vf.AssistantMessage(content=reply), sampled=True, parent=0),
    ]
    trace = vf.Trace(
        task=vf.TraceTask(type=type(task).__name__, data=task.data),
        agent=vf.AgentInfo(config=vf.AgentConfig()),
        nodes=nodes,
        calls=[vf.ModelCall(node=1, finish_reason=finish_reason)],
    )
    asyncio.run(task.score(trace))
    return trace.reward


def test_verifiers_finds_our_taskset():
    tasks = list(taskset(environment="countdown", levels=[2, 3], seed=7).take(20))
    assert [task.data.idx for task in tasks] == list(range(20))
    assert {task.data.level for task in tasks} == {2, 3}
    assert all(task.data.environment == "countdown" for task in tasks)
    assert all("<answer>" in task.data.prompt for task in tasks)
    again = list(taskset(environment="countdown", levels=[2, 3], seed=7).take(20))
    assert [task.key for task in again] == [task.key for task in tasks]
    other = taskset(environment="countdown", levels=[2, 3], seed=8).take(20)
    assert {task.data.problem for task in other}.isdisjoint(task.data.problem for task in tasks)


def test_the_stream_has_no_end():
    assert not taskset().bounded
    assert next(itertools.islice(taskset(), 2_000, None)).data.idx == 2_000


@pytest.mark.parametrize("name", ["arithmetic", "linear_systems", "satisfiability"])
def test_right_answers_are_paid(name):
    for task in taskset(environment=name).take(5):
        assert asyncio.run(task.validate(None))
        right = f"So <answer>{task.data.answer}</answer>"
        assert scored(task, right) == 1.0
        assert scored(task, right, finish_reason="length") == 0.0  # cut off
        assert scored(task, task.data.answer) == 0.0  # not in the place for it
        assert scored(task, "<answer>qwx</answer>") == 0.0
        assert scored(task, "") == 0.0


def test_a_grader_that_fails_is_an_error_of_the_task(monkeypatch):
    task = next(iter(taskset()))
    environment = environments.load("arithmetic")

    def fails(problem, response):
        return Verdict(Outcome.ERROR, "no sandbox")

    monkeypatch.setattr(environment, "grade", fails)
    monkeypatch.setattr("selfplay_taskset._environment", lambda name: environment)
    with pytest.raises(vf.TaskError, match="the grader failed: no sandbox"):
        scored(task, "<answer>1</answer>")


@pytest.mark.parametrize(
    ("config", "told"),
    [({"environment": "arithmetics"}, "no environment 'arithmetics'"), ({"levels": [9]}, "level")],
)
def test_what_there_is_not_is_told(config, told):
    with pytest.raises(ValueError, match=told):
        next(iter(taskset(**config)))


def test_there_and_back_again():
    environment = environments.load("verifiers:selfplay_taskset")
    problem = environment.parse("3")
    assert problem.text == next(itertools.islice(taskset(), 3, None)).data.prompt
    assert graded(environment, problem, problem.gold) == Outcome.CORRECT
    assert graded(environment, problem, "0.5") == Outcome.WRONG
    assert judge.judge(environment, problem, problem.gold, ended=True).outcome != Outcome.CORRECT

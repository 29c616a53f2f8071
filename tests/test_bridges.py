"""Bridges: tasks of reasoning-gym as environments, and environments as data sets.

The head of `selfplay/bridges/reasoning_gym.py` says what the rules are.
"""

import importlib
import inspect
import random
import re
import time
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from selfplay import conformance, environments
from selfplay.bridges import reasoning_gym as bridge
from selfplay.bridges.dataset import Dataset
from selfplay.cli import main
from selfplay.conformance import Size
from selfplay.problem import InvalidProblem, Outcome, Problem

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "bridges.md").read_text()
SIZE = Size(problems=30, graded=5, fuzzed=20)


def load(task):
    return environments.load(f"reasoning_gym:{task}")


def graded(environment, problem, answer):
    return environment.grade(problem, f"<answer>{answer}</answer>").outcome


# By name.


def test_a_task_is_loaded_by_its_name():
    environment = load("leg_counting")
    assert environment.name == "reasoning_gym:leg_counting"
    problem = environment.generate(1, random.Random(0))
    assert problem.environment == environment.name
    assert problem.level == 1
    assert "legs" in problem.text


def test_every_task_has_an_environment():
    names = environments.names_of_bridge("reasoning_gym")
    assert len(names) > 100
    assert {environments.load(name).name for name in names} == set(names)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("reasoning_gym", "is a bridge to another library: name one of its tasks"),
        ("reasoning_gym:leg_countin", "no task 'leg_countin'. Did you mean leg_counting or "),
        ("reasoning_gym:zzzz", "no task 'zzzz'. Its tasks: "),
        ("other_gym:x", "no bridge 'other_gym' to another library. Installed: reasoning_gym, "),
        ("nothing", "or reasoning_gym:TASK, or verifiers:TASK."),
    ],
)
def test_a_name_that_leads_nowhere_is_told_what_there_is(name, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        environments.load(name)


def test_a_bridge_must_load_what_was_asked_for(monkeypatch):
    found = EntryPoints([EntryPoint("odd", "test_bridges_odd", environments.BRIDGES)])
    monkeypatch.setattr(environments, "entry_points", lambda group: found.select(group=group))
    monkeypatch.setattr(EntryPoint, "load", lambda entry: bridge)
    with pytest.raises(ValueError, match="bridge 'odd' loaded .* for 'odd:ab': it must be an Env"):
        environments.load("odd:ab")


def test_the_library_may_be_missing(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ValueError, match=r"not installed: pip install '.*\[reasoning-gym\]'"):
        bridge.load("leg_counting")


# Problems.


def test_the_attributes_of_the_curriculum_are_the_knobs():
    knobs = load("leg_counting").knobs
    assert list(knobs) == ["num_animals", "num_instances"]
    assert knobs["num_instances"].values == (
        0,
        4,
        9,
        9,
        9,
        9,
        9,
        9,
        9,
    )  # 10 steps; the other has 36
    assert knobs["num_animals"].values == (0, 4, 9, 13, 18, 22, 26, 31, 35)
    assert "[2, 4, 8, 16, " in knobs["num_instances"].meaning


def test_a_proposer_writes_a_setting_and_a_seed():
    environment = load("leg_counting")
    problem = environment.parse("1,0#417")
    assert environment.pose(problem) == problem.origin == "1,0#417"
    assert environment.parse("01,0#0417") == problem  # one way of writing it is kept
    assert environment.parse("1,0#418").signature != problem.signature
    assert Problem.from_json(problem.to_json()) == problem


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "malformed"),
        ("1,0", "malformed"),
        ("1#5", "malformed: leg_counting has the knobs num_animals, num_instances"),
        ("1,0#99999999999", "malformed"),
        ("1,0#2147483648", "malformed"),
        ("36,0#5", "beyond the top level"),
    ],
)
def test_other_texts_are_refused(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        load("leg_counting").parse(text)


def test_an_item_is_the_same_whatever_the_order_of_sets_and_the_state_of_the_global_generator():
    environment = load("list_functions")  # draws from the global generator
    first = environment.parse("0#5")
    random.seed(time.time())
    other = type(environment)(bridge._Worker())  # another process, with other hashes
    assert other.parse("0#5") == first


def test_a_setting_without_items_is_given_up_early(monkeypatch):
    environment = load("leg_counting")

    def none(task, posed):
        raise InvalidProblem("no item: none")

    monkeypatch.setattr(environment, "_worker", type("None", (), {"item": staticmethod(none)}))
    with pytest.raises(ValueError, match="no item of 2 in 20 attempts: no item: none"):
        environment.generate(2, random.Random(0))


# Answers.


def test_no_part_of_a_reward_is_paid_for_containing_the_gold():
    environment = load("leg_counting")
    problem = environment.generate(0, random.Random(0))
    gold = problem.gold
    assert graded(environment, problem, gold) is Outcome.CORRECT
    for answer in (f"It is {gold}.", f"{gold} legs", f"{gold} {gold}", f"0{gold}", f"{gold}0"):
        assert graded(environment, problem, answer) is Outcome.WRONG
    assert environment.grade(problem, gold).outcome is Outcome.UNPARSABLE


def test_a_certificate_is_checked_by_the_scorer():
    environment = load("countdown")
    problem = environment.generate(0, random.Random(0))
    assert graded(environment, problem, problem.gold) is Outcome.CORRECT
    assert graded(environment, problem, f"({problem.gold})") is Outcome.CORRECT
    assert graded(environment, problem, f"{problem.gold}+1") is Outcome.WRONG


def test_what_the_scorer_would_evaluate_does_not_reach_it(tmp_path):
    canary = tmp_path / "canary"
    call = f"__import__('os').system('touch {canary}')"
    for task in sorted({*bridge.SHOWN, "simple_integration"}):
        environment = load(task)
        problem = environment.generate(0, random.Random(0))
        for answer in (call, f"[{call}]", f"[0 for x in [{call}]]"):
            assert graded(environment, problem, answer) in (Outcome.UNPARSABLE, Outcome.WRONG)
    assert not canary.exists()
    # The test can fail: the scorer does evaluate what it is shown.
    worker = bridge._Worker.shared()
    worker.verdict(
        "binary_matrix", load("binary_matrix").generate(0, random.Random(0)).origin, call
    )
    assert canary.exists()


@pytest.mark.parametrize("answer", ["9**9**9", "9* *9* *9", "9* *99999999"])
def test_a_power_does_not_reach_the_scorer(answer):
    environment = load("countdown")
    verdict = environment.grade(environment.generate(0, random.Random(0)), f"<answer>{answer}")
    assert (verdict.outcome, verdict.reason) == (Outcome.UNPARSABLE, "not shown to the scorer")


def test_every_scorer_that_evaluates_answers_is_guarded():
    tasks = bridge._library().factory.DATASETS
    sources = {name: inspect.getsource(kind.score_answer) for name, (kind, _) in tasks.items()}
    evaluating = {name for name, source in sources.items() if bridge._EVALUATES.search(source)}
    compared = {name for name in evaluating if load(name).scored == "kind"}
    assert len(evaluating) == 10
    assert evaluating == {*bridge.SHOWN, *compared}


def test_a_scorer_that_hangs_is_cut_off():
    posed = load("countdown").generate(0, random.Random(0)).origin
    verdict = bridge._Worker.shared().verdict("countdown", posed, "9**9**9**9")
    assert verdict.outcome is Outcome.TIMEOUT


def test_a_scorer_that_fails_could_not_read_the_answer():
    verdict = bridge._Worker.shared().verdict("no_such_task", "0#1", "1")
    assert verdict.outcome is Outcome.UNPARSABLE
    assert "the scorer failed" in verdict.reason


# The contract.


@pytest.mark.parametrize("task", ["base_conversion", "count_bits", "decimal_chain_sum"])
def test_a_sound_task_keeps_the_contract(task):
    environment = load(task)
    faults = [
        *conformance.check_level(environment, 0, SIZE),
        *conformance.check_whole(environment, SIZE),
    ]
    assert not faults, "\n".join(map(str, faults))


def test_an_unsound_task_is_found_out():
    environment = load("complex_arithmetic")
    faults = {fault.check for fault in conformance.check_level(environment, 0, SIZE)}
    assert faults == {"is printable", "rejects hostile answers"}  # a \u00d7; nan is right


# The way out.


def test_a_data_set_has_entries_like_those_of_reasoning_gym():
    environment = environments.load("countdown")
    dataset = Dataset(environment, size=5, seed=3, levels=(1, 2))
    entries = list(dataset)
    assert len(dataset) == len(entries) == 5
    for entry in entries:
        assert entry.keys() == {"question", "answer", "metadata"}
        problem = Problem.from_json(entry["metadata"]["problem"])
        assert entry["question"] == environment.ask(problem)
        assert (entry["metadata"]["environment"], problem.level) == (
            "countdown", entry["metadata"]["level"]
        )  # fmt: skip
        assert problem.level in (1, 2)
        assert dataset.score_answer(entry["answer"], entry) == 1.0
        assert dataset.score_answer(f"so it is <answer>{entry['answer']}</answer>", entry) == 1.0
        for wrong in (None, "", "1", f"{entry['answer']} or 1", f"It is {entry['answer']}."):
            assert dataset.score_answer(wrong, entry) == 0.0


def test_an_entry_depends_on_the_seed_and_its_index_only():
    environment = environments.load("arithmetic")
    few = Dataset(environment, size=3, seed=1, levels=(8,))
    many = Dataset(environment, size=30, seed=1, levels=(8,))
    assert many[2] == few[2] == list(few)[2]
    neighbour = Dataset(environment, size=30, seed=2, levels=(8,))
    assert not {entry["question"] for entry in many} & {entry["question"] for entry in neighbour}


def test_a_data_set_says_what_it_cannot_do():
    arithmetic, modular = map(environments.load, ("arithmetic", "modular"))
    dataset = Dataset(arithmetic, size=2)
    with pytest.raises(IndexError, match="entry 2 of 2"):
        dataset[2]
    with pytest.raises(ValueError, match="has no level 77"):
        Dataset(arithmetic, levels=(77,))
    with pytest.raises(ValueError, match="size=0"):
        Dataset(arithmetic, size=0)
    with pytest.raises(ValueError, match="entry of arithmetic cannot be scored by modular"):
        Dataset(modular).score_answer("1", dataset[0])


# The guide.


def test_the_example_of_the_guide(capsys):
    (code,) = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    (said,) = re.findall(r"^```text\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    exec(compile(code, "docs/bridges.md", "exec"), {})
    assert capsys.readouterr().out == said


def test_the_guide_names_every_task():
    named = set(re.findall("`([a-z0-9_]+)`", GUIDE.split("### Which tasks")[1]))
    assert {name.partition(":")[2] for name in bridge.names()} <= named


def test_the_command_checks_all_tasks_of_a_bridge(monkeypatch, capsys):
    names = ["reasoning_gym:count_bits", "reasoning_gym:complex_arithmetic"]
    monkeypatch.setattr(bridge, "names", lambda: names)
    with pytest.raises(SystemExit):
        main(["envs", "check", "reasoning_gym", "--level", "0", "-n", "30"])
    captured = capsys.readouterr()
    said = captured.out.splitlines()
    assert sum(line.startswith("reasoning_gym:count_bits: level 0 keeps") for line in said) == 1
    assert sum(line.startswith("reasoning_gym:complex_arithmetic level 0: ") for line in said) == 1
    assert "1 of 2 break the contract" in captured.out + captured.err

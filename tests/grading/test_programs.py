"""Unit tests of programs: rows, verdicts, the order of calls, and the corpus of submissions."""

import json
import socket
from pathlib import Path

import pytest

from selfplay.grading import programs
from selfplay.grading.programs import sandbox
from selfplay.grading.programs.jobs import Kind, Level, Reply, Transcript, WorkerDied
from selfplay.grading.programs.pool import Pool
from selfplay.problem import Outcome

CORPUS = Path(__file__).with_name("corpus") / "programs.jsonl"
CANARIES = [
    Path(folder) / f"selfplay-canary{name}"
    for folder in ("/tmp", "/var/tmp", "/dev/shm", "/", ".", "/root", "/home")
    for name in ("", "-run", "-system", "-popen", "-exec", "-spawn", "-pickle")
]
CANARY_PORT = 49731
"""Where the submissions of the corpus try to connect to."""

ADD = {
    "id": "add",
    "function": {"name": "add", "params": ["a: int", "b: int"], "returns": "int"},
    "tests": [
        {"args": [1, 2], "expected": 3},
        {"args": [10, -4], "expected": 6},
        {"args": [0], "kwargs": {"b": 7}, "expected": 7},
    ],
}
RIGHT = "def add(a, b):\n    return a + b"


def corpus():
    return [json.loads(line) for line in CORPUS.read_text().splitlines()]


def judged(jailed, rows):
    """Rows with their verdicts; the hostile ones get little time, since some take all of it."""
    for honest, seconds in ((True, 5.0), (False, 1.0)):
        some = [row for row in rows if (row["expected"] == ["correct"]) is honest]
        attempts = [(programs.from_row(row), row["submission"]) for row in some]
        yield from zip(some, programs.grade_all(jailed, attempts, seconds), strict=True)


def level_that_holds(level):
    """A pool of exactly this level, or the reason why there is none here."""
    try:
        return Pool(sandbox.Jail(level), workers=2)
    except WorkerDied as death:
        return pytest.skip(f"{level} cannot be built here: {death}")


@pytest.fixture(scope="module")
def pool():
    """The strongest level that this machine holds."""
    config = sandbox.SandboxConfig(require=Level.WEAK, allow_weak=True, workers=2)
    with sandbox.open_pool(config) as opened:
        yield opened


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", CANARY_PORT)) as server:
        server.setblocking(False)
        yield server


@pytest.mark.timeout(300)
@pytest.mark.parametrize("level", [Level.STRONG, Level.DEGRADED])
def test_the_corpus_of_submissions(level, listener):
    """No false accept, no false reject, nothing written, nothing reached, within its time."""
    rows = [row for row in corpus() if row.get("needs", level) == level]
    kept = Path("/tmp/selfplay-canary-keep")
    kept.write_text("")
    with level_that_holds(level) as jailed:
        wrong = [
            f"{row['id']}: {graded.verdict} instead of {row['expected']} ({row['why']})"
            for row, graded in judged(jailed, rows)
            if graded.verdict.outcome not in row["expected"]
        ]
        assert wrong == []
        assert programs.grade_program(jailed, programs.from_row(ADD), RIGHT).verdict.correct
    assert [path for path in CANARIES if path.exists()] == []
    assert kept.exists()
    kept.unlink()
    with pytest.raises(BlockingIOError):  # nobody has connected
        listener.accept()


def test_the_corpus_is_large_and_says_why():
    rows = corpus()
    assert sum(row["expected"] == ["correct"] for row in rows) >= 35
    assert sum("correct" not in row["expected"] for row in rows) >= 110
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(row["why"] for row in rows)


@pytest.mark.parametrize(
    ("submission", "outcome", "reason"),
    [
        (RIGHT, Outcome.CORRECT, "passed 3 tests"),
        ("def add(a, b):\n    return 3", Outcome.WRONG, "returned 3"),
        ("def add(a, b):\n    return a + b + 0.0", Outcome.WRONG, "a float where int is declared"),
        ("def add(a, b):\n    raise KeyError(a)", Outcome.WRONG, "raised: KeyError"),
        ("def add(a, b", Outcome.UNPARSABLE, "does not compile: SyntaxError"),
        ("sub = 1", Outcome.UNPARSABLE, "does not define the function"),
        ("#" * (programs.MAX_SUBMISSION + 1), Outcome.UNPARSABLE, "too long"),
        ("import os\nos._exit(0)", Outcome.WRONG, "exited before the answer"),
        ("class I(int): pass\ndef add(a, b): return I(a)", Outcome.WRONG, "subclass of int"),
        ("def add(a, b):\n    return bytearray(1 << 40)", Outcome.WRONG, "out of memory"),
    ],
)
def test_verdicts_and_their_reasons(pool, submission, outcome, reason):
    verdict = programs.grade_program(pool, programs.from_row(ADD), submission).verdict
    assert verdict.outcome is outcome
    assert reason in verdict.reason


def test_a_submission_that_takes_too_long_is_cut_off(pool):
    problem = programs.from_row(ADD)
    (graded,) = programs.grade_all(pool, [(problem, "while True: pass")], seconds=0.2)
    assert graded.verdict.outcome is Outcome.TIMEOUT


def test_verdicts_come_in_order_and_long_submissions_take_their_place(pool):
    problem = programs.from_row(ADD)
    long = "#" * (programs.MAX_SUBMISSION + 1)
    submissions = [long, RIGHT, long, long, "def add(a, b): return 0", RIGHT, long]
    verdicts = [
        graded.verdict.outcome.value
        for graded in programs.grade_all(pool, [(problem, text) for text in submissions])
    ]
    u, c, w = "unparsable", "correct", "wrong"
    assert verdicts == [u, c, u, u, w, c, u]


def test_a_verdict_does_not_depend_on_luck_or_on_the_order_of_a_set(pool):
    guess = "import random\ndef add(a, b): return random.choice([3, 6, 7, list({'a', 'b'})])"
    problem = programs.from_row(ADD)
    reasons = {programs.grade_program(pool, problem, guess).verdict.reason for _ in range(6)}
    assert len(reasons) == 1


def test_the_sandbox_s_failure_is_not_the_submission_s():
    failed = Transcript((), failure="no worker")
    verdict = programs._verdict(programs.from_row(ADD), RIGHT, failed)
    assert verdict.outcome is Outcome.ERROR
    assert not verdict.graded


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.VALUE])
def test_whatever_an_untrusted_process_does_it_is_neither_right_nor_an_error(kind):
    verdict = programs._verdict(programs.from_row(ADD), RIGHT, Transcript((Reply(kind, 3, "x"),)))
    assert verdict.graded
    assert not verdict.correct
    assert kind.value in verdict.reason


@pytest.mark.parametrize("text", [RIGHT, *(f"{RIGHT}  # {n}" for n in range(30))])
def test_the_first_call_is_never_of_the_first_expected_value(text):
    problem = programs.from_row(ADD)
    order = programs._order(problem, text)
    assert sorted(order) == [0, 1, 2]
    assert order[0] != 0
    assert order == programs._order(problem, text)


def test_arguments_alone_are_sent():
    (frame, *_) = [test.frame() for test in programs.from_row(ADD).tests]
    assert frame == b"[[1,2],{}]"


def test_a_list_stands_for_a_declared_tuple_in_a_row():
    row = {
        "function": {"name": "f", "params": [["p", "tuple[int, int]"]], "returns": "set[int]"},
        "tests": [{"args": [[1, 2]], "expected": [2]}],
    }
    (test,) = programs.from_row(row).tests
    assert test.args == ((1, 2),)
    assert test.expected == {2}


@pytest.mark.parametrize(
    "params",
    [
        ["n: int"],
        ["n"],
        ["int"],
        [["n", "int"]],
        [{"name": "n", "type": "int"}],
        [{"name": "n"}],
        {"n": "int"},
        ["*n"],
        None,
    ],
)
def test_parameters_may_be_written_in_several_ways(params):
    function = {"name": "f", "params": params}
    programs.from_row({"function": function, "tests": [{"args": [1], "expected": 1}]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"function": None}, "function=None is no object"),
        ({"function": {}}, '"name" is missing; give the string'),
        ({"function": {"name": "a b"}}, "no Python identifier"),
        ({"function": {"name": "add", "returns": "Path"}}, "not a type of plain values"),
        ({"function": {"name": "add", "returns": 3}}, 'must be a string such as "list\\[int\\]"'),
        ({"function": {"name": "add", "params": 3}}, "must be a list such as"),
        ({"function": {"name": "add", "params": [3]}}, 'written like "n: int"'),
        ({"function": {"name": "add", "params": ["a: int"]}}, "2 arguments for a function of 1"),
        ({"function": {"name": "add", "params": ["a: str", "b"]}}, "test 1: an int where str"),
        ({"tests": []}, "0 tests"),
        ({"tests": [3]}, 'test 1: 3 must be an object with "args" and "expected"'),
        ({"tests": [{"args": [1, 2]}]}, 'test 1: "expected" is missing'),
        ({"tests": [{"args": 1, "expected": 3}]}, "args=1 is no list"),
        ({"tests": [{"args": [1, 2], "expected": "3"}]}, "expected: a str where int is declared"),
        ({"tests": [{"args": [{"$x": 1}], "expected": 3}]}, "unknown tag"),
        ({"tests": [{"args": [], "kwargs": 3, "expected": 3}]}, "kwargs=3 must be an object"),
        ({"float_tol": "1e-6"}, "float_tol='1e-6' must be a number"),
        ({"float_tol": -1}, "is no bound"),
        ({"float_tol": {"abs": 1, "eps": 2}}, "must be a number"),
    ],
)
def test_an_unreadable_row_says_what_was_given_and_what_to_do(change, message):
    with pytest.raises(ValueError, match=message):
        programs.from_row({**ADD, **change})


def test_values_in_reasons_are_short():
    for value in (1 << 100_000, [1 << 100_000], "x" * 1000, list(range(1000)), {1: {2}}):
        assert len(programs.shorten(value)) < 80

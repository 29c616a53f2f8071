"""The four program environments: problems by hand, golds that Python itself confirms, cheats."""

import random

import pytest
from selfplay_envs import subset
from selfplay_envs.program_input import ProgramInput
from selfplay_envs.program_output import ProgramOutput
from selfplay_envs.program_repair import ProgramRepair
from selfplay_envs.program_write import ProgramWrite

from selfplay.grading.programs.environment import Interpreter
from selfplay.grading.programs.sandbox import SandboxConfig
from selfplay.problem import InvalidProblem

INTERPRETER = Interpreter(SandboxConfig())
OUTPUT, INPUT, WRITE, REPAIR = (
    kind(INTERPRETER) for kind in (ProgramOutput, ProgramInput, ProgramWrite, ProgramRepair)
)
DOUBLE = "def f(a):\n b=a*2\n return b+1"


def grade(environment, problem, answer):
    return environment.grade(problem, f"<answer>{answer}").outcome.value


def test_an_output_by_hand():
    problem = OUTPUT.parse("def f(n):\n    b = n * 2\n    return b + 1\nf(4)")
    assert problem.text == "def f(n):\n b=n*2\n return b+1\nf(4)"
    assert (problem.gold, problem.level) == ("9", 0)
    assert problem.signature == OUTPUT.parse(DOUBLE + "\nf(4)").signature
    assert grade(OUTPUT, problem, "9") == "correct"
    assert grade(OUTPUT, problem, "8") == "wrong"
    assert grade(OUTPUT, problem, "f(4)") == "unparsable"


@pytest.mark.parametrize(
    ("program", "gold", "wrong"),
    [
        ("def f(x):\n x=x[::-1]\n return x+[x[0]]\nf([1,2,3])", "[3,2,1,3]", "[1,2,3,3]"),
        ("def f(s):\n s=s[::-1]\n return s+s[0]\nf('abc')", "cbac", "cba"),
        ("def f(a):\n a-=9\n return a*2\nf(3)", "-12", "12"),
    ],
)
def test_outputs_of_other_kinds(program, gold, wrong):
    problem = OUTPUT.parse(program)
    assert problem.gold == gold
    assert grade(OUTPUT, problem, gold) == "correct"
    assert grade(OUTPUT, problem, wrong) == "wrong"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (DOUBLE, "malformed: a program and then calls"),
        (f"{DOUBLE}\nf(1)\nf(2)", "malformed: a program and then calls"),
        (f"{DOUBLE}\nf(1,2)", "malformed: 2 arguments"),
        (f"{DOUBLE}\nf(b)", "malformed: 'b' is no list of values"),
        (f"{DOUBLE}\nf(100)", "beyond the top level: .*number 100"),
        ("def f(a):\n b=a\n return 7\nf(1)", "trivial: always 7"),
        ("def f(a):\n b=a*2\n c=a+3\n return b\nf(4)", "trivial: a statement makes no difference"),
        ("def f(s):\n s=s[1:]\n return s[2:]\nf('abc')", "trivial"),
        # An alias: what Python does with it is not what the interpreter of the subset does.
        ("def f(x):\n y=x\n y+=[1]\n return x\nf([1,2])", "trivial|not unique"),
    ],
)
def test_outputs_that_are_refused(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        OUTPUT.parse(text)


def test_an_input_by_hand():
    problem = INPUT.parse("def f(a):\n b=a*a\n return b-3\nf(4)")
    assert problem.text == "def f(a):\n b=a*a\n return b-3\nf(?)==13"
    assert [grade(INPUT, problem, answer) for answer in ("4", "-4", "3", "'a'", "4,4", "x")] == [
        "correct", "correct", "wrong", "unparsable", "unparsable", "unparsable",
    ]  # fmt: skip
    with pytest.raises(InvalidProblem, match=r"trivial: f\(2\) is a usual guess"):
        INPUT.parse("def f(a):\n b=a*a\n return b-3\nf(2)")


def test_a_function_from_examples():
    problem = WRITE.parse(f"{DOUBLE}\nf(3)\nf(5)\nf(2)")
    assert problem.text == "f(3)==7\nf(5)==11\nf(2)==5"
    assert problem.gold == DOUBLE
    assert grade(WRITE, problem, DOUBLE) == "correct"
    assert grade(WRITE, problem, "def f(n):\n    return 2 * n + 1") == "correct"
    assert grade(WRITE, problem, "f = lambda n: n + n + 1") == "correct"
    table = "def f(n):\n return {3: 7, 5: 11, 2: 5}.get(n, 0)"
    assert grade(WRITE, problem, table) == "wrong"  # the hidden tests
    assert grade(WRITE, problem, "def f(n):\n import os\n os._exit(0)") == "wrong"
    assert grade(WRITE, problem, "def g(n):\n return 2") == "unparsable"


def test_the_hidden_tests_are_not_in_the_problem_that_is_shown():
    problem = WRITE.parse(f"{DOUBLE}\nf(3)\nf(5)\nf(2)")
    assert "b=a*2" not in WRITE.ask(problem)
    assert WRITE.parse(WRITE.pose(problem)) == problem
    assert REPAIR.ask(REPAIR.generate(2, random.Random(0))).count("def f") == 1


def test_too_few_examples_and_an_identity_are_refused():
    with pytest.raises(InvalidProblem, match="not unique: fewer than 3 examples"):
        WRITE.parse(f"{DOUBLE}\nf(3)\nf(5)")
    with pytest.raises(InvalidProblem, match="not canonical: an example is given twice"):
        WRITE.parse(f"{DOUBLE}\nf(3)\nf(5)\nf(2)\nf(3)")
    with pytest.raises(InvalidProblem, match="trivial: it returns its argument"):
        WRITE.parse("def f(a):\n return a\nf(3)\nf(5)\nf(2)")


def test_a_repair_by_hand():
    wrong = DOUBLE.replace("*", "+")
    problem = REPAIR.parse(f"{DOUBLE}\n---\n{wrong}\nf(3)\nf(5)")
    assert problem.text == f"{wrong}\nf(3)==7\nf(5)==11"
    assert problem.gold == DOUBLE
    assert grade(REPAIR, problem, DOUBLE) == "correct"
    assert grade(REPAIR, problem, wrong) == "wrong"
    for text, reason in (
        (f"{DOUBLE}\nf(3)\nf(5)", "malformed: a right and a wrong"),
        (f"{DOUBLE}\n---\n{DOUBLE}\nf(3)\nf(5)", "trivial: no example shows a mistake"),
        (f"{DOUBLE}\n---\n{wrong}\nf(3)", "not unique: fewer than 2"),
    ):
        with pytest.raises(InvalidProblem, match=reason):
            REPAIR.parse(text)


def test_golds_are_what_python_says():
    """Generated programs are our own, so this process may run them."""
    rng = random.Random(0)
    for level in range(9):
        problem = OUTPUT.generate(level, rng)
        source, _, call = problem.text.rpartition("\n")
        names = {}
        exec(source, names)
        value = eval(call, names)
        assert problem.gold == (value if isinstance(value, str) else subset.shown(value))


def test_a_sandbox_that_fails_is_no_fault_of_the_proposal():
    broken = ProgramOutput(Interpreter(SandboxConfig()))
    broken.interpreter.oracle.close()
    with pytest.raises(ValueError, match="the pool is closed"):
        broken.parse(f"{DOUBLE}\nf(4)")

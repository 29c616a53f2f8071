"""The subset of Python: what is refused, and its interpreter against Python itself."""

import random

import pytest
from selfplay_envs import drafts, subset
from selfplay_envs.calls import KNOBS

from selfplay.problem import InvalidProblem

PROGRAM = """def f(a, b):
    c = a * 2
    for i in range(3):
        if c > b:
            c -= b
        else:
            c += i
    return c + b"""


def test_the_canonical_text_is_tight_and_reads_as_itself():
    program = subset.read(PROGRAM)
    assert program.text == (
        "def f(a,b):\n c=a*2\n for i in range(3):\n"
        "  if c>b:\n   c-=b\n  else:\n   c+=i\n return c+b"
    )
    assert subset.read(program.text).text == program.text
    assert (program.statements, program.loops, program.parameters) == (6, 1, ["a", "b"])


def test_programs_that_differ_in_names_only_are_the_same():
    one, other = subset.read(PROGRAM), subset.read(PROGRAM.replace("c", "z").replace("b", "y"))
    assert one.text != other.text
    assert one.renamed() == other.renamed()


def test_a_trace_by_hand():
    program = subset.read("def f(a):\n x=[a,2]\n x.append(a+1)\n if a>2:\n  a-=1\n return a+x[2]")
    assert subset.run(program, [3]) == (6, 5)
    assert subset.trace(program, [3]) == [
        ("x=[3,2]", "[3,2]"), ("x=[3,2,4]", "[3,2,4]"), ("3>2", "True"), ("a=3-1", "2"),
        ("return 2+[3,2,4][2]", "6"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x=1", "malformed: one function f"),
        ("def g(a):\n return a", "malformed: one function f"),
        ("def f(a):\n return a\nf(1)", "malformed: one function f"),
        ("def f(a):\n a+=1", "malformed: the last statement"),
        ("def f(a):\n return", "no solution: TypeError"),
        ("def f():\n return 1", "malformed: f takes one to three"),
        ("def f(a=1):\n return a", "malformed: f takes one to three"),
        ("def f(*a):\n return 1", "malformed: f takes one to three"),
        ("def f(a:int):\n return a", "malformed: an annotation"),
        ("def f(a):\n import os\n return a", "malformed: Import is not in the subset"),
        ("def f(a):\n return a.__class__", "malformed: the method __class__"),
        ("def f(a):\n return open(a)", "malformed: a call of open"),
        ("def f(a):\n return eval(a)", "malformed: a call of eval"),
        ("def f(a):\n return f(a)", "malformed: a call of f"),
        ("def f(a):\n return a(1)", "malformed: a call of a"),
        ("def f(a):\n return (lambda b:b)(a)", "malformed: Lambda"),
        ("def f(a):\n return a**9", "malformed: Pow"),
        ("def f(a):\n return a/2", "malformed: Div"),
        ("def f(a):\n return 1.5", "malformed: the constant '1.5'"),
        ("def f(a):\n return 'A'", "malformed: the constant 'A'"),
        ("def f(a):\n return sorted(a,key=a)", "malformed: a named argument"),
        ("def f(a):\n return '\\x41'", "malformed: .*odd characters"),
        ("def f(total):\n return total", "not canonical: the name total"),
        ("def f(a):\n return " + "(" * 300 + "a" + ")" * 300, "malformed"),
        ("def f(a):\n return " + "-" * 580 + "1", "malformed: RecursionError"),
        ("def f(a):\n return a" + "+1" * 400, "malformed: .*too long"),
        ("@a\ndef f(a):\n return a", "malformed: one function f"),
        ("def f(a):\n while a>0:\n  a+=0\n return a", "beyond the top level: more than 200 steps"),
        ("def f(a):\n for i in range(1000000000):\n  a+=i\n return a", "beyond .*: a long range"),
        ("def f(a):\n for i in range(9):\n  a=a*a\n return a", "beyond the top level: a large num"),
        ("def f(a):\n return a[0]", "no solution: TypeError"),
        ("def f(a):\n return a//0", "no solution: ZeroDivisionError"),
        ("def f(a):\n return [1,2][a]", "no solution: IndexError"),
        ("def f(a):\n return a>1", "no solution: TypeError: a truth value"),
        ("def f(a):\n return ['b']", "no solution: TypeError: a number is wanted"),
        ("def f(a):\n return 'b'*a", "no solution: TypeError: operands of two kinds"),
        ("def f(a):\n a.append(1)\n return a", "no solution: AttributeError"),
        ("def f(a):\n return sum([sum([sum([sum([1 for l in range(40)]) for k in range(40)]) "
         "for j in range(40)]) for i in range(40)])", "beyond the top level: more than 5000"),
    ],
)  # fmt: skip
def test_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidProblem, match=reason):
        subset.run(subset.read(text), [5])


@pytest.mark.parametrize("text", ["-0", "01", "[1,]", "[1, 2]", "'A'", "(1)", "1.0", "[[1]]", ""])
def test_a_literal_has_one_spelling(text):
    with pytest.raises(InvalidProblem, match="malformed"):
        subset.literal(text)


def test_literals():
    values = [-3, 0, [1, -2], [], "ab", ""]
    assert [subset.literal(subset.shown(value)) for value in values] == values


def test_every_shorter_program_leaves_out_one_statement():
    program = subset.read(PROGRAM)
    shorter = [subset.written(one.tree) for one in subset.shortened(program)]
    # The loop's only statement and the branches of one statement stay: without them no program.
    assert len(shorter) == 3
    assert all(len(text) < len(program.text) for text in shorter)
    assert subset.written(program.tree) == program.text


def test_the_interpreter_agrees_with_python():
    """Our own drafts, which are harmless, run by Python itself."""
    rng, agreed, failed = random.Random(0), 0, 0
    for number in range(1500):
        knobs = {name: knob.values[number % 9] for name, knob in KNOBS.items()}
        text, values = drafts.program(knobs, rng)
        names = {}
        exec(text, names)
        copies = [list(value) if isinstance(value, list) else value for value in values]
        try:
            ours = subset.run(subset.read(text), values).value
        except InvalidProblem as error:
            failed += 1
            if str(error).startswith("no solution"):
                with pytest.raises((IndexError, ValueError, ZeroDivisionError)):
                    names["f"](*copies)
            continue
        theirs = names["f"](*copies)
        assert (type(ours), ours) == (type(theirs), theirs), text
        agreed += 1
    assert agreed > 5 * failed

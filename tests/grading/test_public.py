"""Rows of public data sets: read as published, refused where their tests are no data."""

import io
import json

import pytest

from selfplay.cli.grading import Grader
from selfplay.grading import public
from selfplay.grading.programs import asserts
from selfplay.grading.programs.sandbox import SandboxConfig

HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'def double(x: int) -> int:\n    """Twice the number."""\n',
    "entry_point": "double",
    "test": "METADATA = {'author': 'x'}\n\ndef check(candidate):\n    assert candidate(2) == 4\n"
    "    assert candidate(-1) == -2, 'negative'\n    big = 10**9\n"
    "    assert candidate(big) == 2 * 10**9\n"
    "    for i in range(3, 6):\n        assert candidate(i) == i + i\n    print\n    assert True\n",
}
MBPP = {
    "task_id": 2, "text": "Write a function to double.", "code": "def twice(x):\n  return 2*x",
    "test_list": ["assert twice(2) == 4", "assert twice(x=3) == 6"], "test_setup_code": "",
}  # fmt: skip
CODE = {
    "question_id": "1873_A",
    "public_test_cases": json.dumps(
        [
            {"input": "1 2\n", "output": "3\n", "testtype": "stdin"},
            {"input": "5 5\n", "output": "10", "testtype": "stdin"},
        ]
    ),
}
LARGE = {"question_id": "1", "public_test_cases": [{"input": "", "output": "1000000006"}]}
METHOD = {
    "question_id": "2777",
    "metadata": json.dumps({"func_name": "total"}),
    "public_test_cases": [{"input": '[1, 2]\n"a"', "output": "3", "testtype": "functional"}],
}
ROWS = [
    ("gsm8k", {"answer": "9*4=<<9*4=36>>36.\n#### 36"}, "<answer>36</answer>", "correct"),
    ("gsm8k", {"question": "?", "answer": "9*4=36.\n#### 1,036"}, "so \\boxed{1036}", "correct"),
    ("gsm8k", {"question": "?", "answer": "#### 36"}, "<answer>63</answer>", "wrong"),
    ("math", {"solution": "Thus $x=\\boxed{\\frac{1}{2}}$."}, "\\boxed{0.5}", "correct"),
    ("math", {"solution": "See.", "answer": "(3, 4)"}, "\\boxed{(4,3)}", "wrong"),
    ("humaneval", HUMANEVAL, "    return 2 * x\n", "correct"),
    ("humaneval", HUMANEVAL, "```python\ndef double(x):\n    return x + x\n```", "correct"),
    ("humaneval", HUMANEVAL, "    return x * x\n", "wrong"),
    ("mbpp", MBPP, "Here:\n```python\ndef twice(x):\n    return x * 2\n```\nDone.", "correct"),
    ("mbpp", MBPP, "def twice(x):\n    return 4", "wrong"),
    ("mbpp", {**MBPP, "test_list": ["assert gcd(12, 8) == 4"]}, "pass", "unparsable"),
    ("mbpp", MBPP, "```\ndef twice(x):\n    return x * 2\n```\nSo:\n```\ntwice(2)\n```", "correct"),
    ("livecodebench", LARGE, "print(1000000007)", "wrong"),
    ("livecodebench", LARGE, "print(1000000006)\nsys.stdout.close()\nexit(0)", "correct"),
    ("livecodebench", CODE, "a, b = map(int, input().split())\nprint(a + b)", "correct"),
    ("livecodebench", CODE, "print(sum(map(int, open(0).read().split())))", "correct"),
    ("livecodebench", CODE, "print(sum(map(int, open(0, 'rb').readline().split())))", "correct"),
    ("livecodebench", CODE, "print(3)", "wrong"),
    ("livecodebench", METHOD, "class Solution:\n    def total(self, xs: List[int], name: str):\n"
     "        return sum(xs)", "correct"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "row", "response", "expected"), ROWS, ids=range(len(ROWS)))
def test_a_row_of_a_public_set(name, row, response, expected):
    line = io.BytesIO(json.dumps({**row, "response": response}).encode())
    with Grader(SandboxConfig(), name) as grader:
        (graded,) = grader.graded(line)
    assert graded.verdict.outcome == expected, graded.verdict.reason
    if "task_id" in row:
        assert graded.id == row["task_id"]


def test_what_is_no_row_of_the_set_is_an_error_that_says_so():
    for name in public.FORMS:
        with pytest.raises(ValueError, match=f"no row of {name}|nothing to grade"):
            public.row_of(name, {"something": 1})
    with pytest.raises(ValueError, match="no row of math"):
        public.row_of("math", {"solution": "no box", "response": "3"})
    with pytest.raises(ValueError, match="put what the model wrote under 'response'"):
        public.row_of("gsm8k", {"answer": "#### 3"})


@pytest.mark.parametrize(
    "source",
    [
        "assert f(random.randint(0, 9)) == 3", "assert set(f(1)) == set([1])", "import os",
        "x = open('/etc/passwd')", "assert f(1) == g(2)", "assert f(9**9**9) == 1", "def f(:",
        "for x in range(10**6): assert f(x) == x", "while True: assert f(1) == 1",
        "assert f(1) > 2", "assert f(1) == 5\nassert abs(f(2) - 3.1) < 0.1",
        "assert math.isclose(g(1), 2)", "assert f('", "assert " + "(" * 500 + "f(1)",
        "assert f(-" + "-" * 9000 + "1)", "assert f(1) == 10**300 * 10.0 * 10**900",
        "for i in range(40):\n  for j in range(40):\n    pass", "for i in range(10**30): pass",
        "a = [0] \n" + f"a = [{', '.join('a' * 50)}]\n" * 9 + "assert f(a)",
        "assert abs(f(1) - 2) < 0.1\nassert abs(f(1) - 2) < 0.2", "assert f(*[1]) == 1",
    ],
)  # fmt: skip
def test_what_is_no_data_is_refused_with_its_source(source):
    with pytest.raises(ValueError, match="no data|no Python|no assert|different ways"):
        asserts.fields(source, "f", "f")


def test_ways_to_compare_become_fields():
    near = asserts.fields("assert abs(f(1.5) - 3) < 1e-6", "f", "f")
    assert near["float_tol"] == {"abs": 1e-6}
    close = asserts.fields("assert math.isclose(f(2), 4.0, rel_tol=0.01)", "f", "f")
    assert close["float_tol"] == {"rel": 0.01}
    bag = asserts.fields("assert sorted(f(1)) == sorted([2, 1])", "f", "f")
    assert bag["compare"] == "unordered"
    truth = asserts.fields("assert f(1)\nassert not f(0)", "f", "f")
    assert [test["expected"] for test in truth["tests"]] == [True, False]
    assert asserts.called("assert sorted(pick(3)) == [1]") == "pick"

"""Programs as problems: what becomes a problem, and why the others do not."""

import pytest

from selfplay.grading.programs import Function
from selfplay.grading.programs.comparison import parse_type
from selfplay.grading.programs.gold import Oracle, Refusal
from selfplay.grading.programs.jobs import Level
from selfplay.grading.programs.sandbox import SandboxConfig

CONFIG = SandboxConfig(require=Level.WEAK, allow_weak=True, seconds=0.5, workers=2)
INPUTS = [(0,), (1,), (2,)]


@pytest.fixture(scope="module")
def oracle():
    with Oracle(CONFIG) as opened:
        yield opened


def test_outputs_become_the_gold(oracle):
    gold = oracle.gold(Function("f"), "def f(n):\n    return {'n': (n, n * n)}", INPUTS)
    assert gold.refusal is None
    assert [(test.args, test.expected) for test in gold.tests] == [
        ((0,), {"n": (0, 0)}),
        ((1,), {"n": (1, 1)}),
        ((2,), {"n": (2, 4)}),
    ]


@pytest.mark.parametrize(
    ("source", "refusal", "detail"),
    [
        ("def f(n): return 7", Refusal.INSENSITIVE, "always 7"),
        ("import random\ndef f(n): return random.random()", Refusal.UNSTABLE, "for (0,)"),
        ("def f(n): return list({'a', 'b', 'c', 'd', str(n)})", Refusal.UNSTABLE, ""),
        ("def f(n): return hash('x') + n", Refusal.UNSTABLE, ""),
        ("import time\ndef f(n): return int(time.time()) // 86_400 + n", Refusal.UNSTABLE, ""),
        ("import time\ndef f(n): return time.localtime().tm_year + n", Refusal.UNSTABLE, ""),
        ("import time\ndef f(n): return time.strftime('%Y') + str(n)", Refusal.UNSTABLE, ""),
        (
            "from datetime import date\ndef f(n): return date.today().year + n",
            Refusal.UNSTABLE,
            "",
        ),
        (
            "import datetime\ndef f(n): return datetime.datetime.now().isoformat() + str(n)",
            Refusal.UNSTABLE,
            "",
        ),
        ("import os\ndef f(n): return os.urandom(4)", Refusal.UNSTABLE, ""),
        ("def f(n): return id(object()) + n", Refusal.UNSTABLE, ""),
        (
            "import math\ndef f(n):\n    math.k = getattr(math, 'k', 0) + 1\n    return math.k",
            Refusal.UNSTABLE,
            "1 and 3",
        ),
        ("def f(n): return 1 // n", Refusal.FAILS, "ZeroDivisionError"),
        ("def f(n): return lambda: n", Refusal.FAILS, "function returned"),
        ("def f(n): return n if n else '0'", Refusal.FAILS, "a str where int is declared"),
        ("import sys\ndef f(n): sys.exit(0)", Refusal.FAILS, "exited"),
        ("def f(n):\n    while n: pass", Refusal.SLOW, ""),
        ("def f(n): return 10 ** (9000 * n)", Refusal.LARGE, "bytes for (1,)"),
        ("def f(n", Refusal.UNREADABLE, "SyntaxError"),
        ("def g(n): return n", Refusal.UNREADABLE, ""),
        ("#" * 300_000, Refusal.UNREADABLE, "300000 characters"),
    ],
)
def test_programs_that_are_no_problems(oracle, source, refusal, detail):
    returns = parse_type("int") if "else '0'" in source else Function("f").returns
    gold = oracle.gold(Function("f", returns=returns), source, INPUTS)
    assert gold.refusal is refusal, gold
    assert detail in gold.detail
    assert gold.tests == ()


def test_inputs_that_do_not_differ_show_nothing(oracle):
    with pytest.raises(ValueError, match="none differ.*at least two different"):
        oracle.gold(Function("f"), "def f(n): return n", [(1,), (1,)])


def test_one_run_shows_nothing():
    with pytest.raises(ValueError, match="give 2 or more"):
        Oracle(CONFIG, runs=1)

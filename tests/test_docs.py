"""The guides say what is: examples of docs/grading.md are run, names in security.md exist.

In docs/grading.md a table with the header of `EXAMPLES` holds answers with their verdicts, a block
of JSON rows is followed by what `selfplay grade` prints about them, and blocks of Python run one
after the other and print what the block behind them says. Times of day and of grading are not
compared.
"""

import contextlib
import io
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from selfplay import conformance, environments
from selfplay.cli.grading import Graded, Grader
from selfplay.conformance import Size
from selfplay.grading import kinds
from selfplay.grading.kinds import declarations
from selfplay.grading.kinds import spellings as other_words
from selfplay.grading.programs.jobs import Kind, Level
from selfplay.grading.programs.sandbox import SandboxConfig, probe
from selfplay.problem import Outcome

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "grading.md").read_text()
SECURITY = (ROOT / "docs" / "security.md").read_text()
CORPUS = ROOT / "tests" / "grading" / "corpus"
EXAMPLES = "| declaration | gold | correct | not correct |"
ROW = re.compile(r"^(\S+) +([a-z]+) +[0-9.]+ ms  (.*)$")
"""A line that `selfplay grade` prints: id, verdict, time, reason."""


def examples():
    """(declaration, gold, answer, verdict) of every table of examples."""
    for table in GUIDE.split(EXAMPLES)[1:]:
        for line in table.lstrip("\n").splitlines()[1:]:
            if not line.startswith("|"):
                break
            declaration, gold, right, other = line.strip("|").split(" | ")
            fields = json.loads(declaration.strip(" `"))
            for answer in re.findall("`([^`]+)`", right):
                yield fields, gold.strip(" `"), answer, "correct"
            for answer, verdict in re.findall("`([^`]+)` ([a-z]+)", other):
                yield fields, gold.strip(" `"), answer, verdict


def blocks():
    """(language, text) of every fenced block, in order."""
    return re.findall(r"^```([a-z]*)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)


def rows_and_output():
    return [(rows, said) for (kind, rows), (_, said) in pairwise(blocks()) if kind == "json"]


@pytest.mark.parametrize(("fields", "gold", "answer", "verdict"), list(examples()))
def test_the_tables_of_the_guide(fields, gold, answer, verdict):
    found = kinds.grade_answer(kinds.declare(fields), gold, answer)
    assert found.outcome == verdict, found.reason


@pytest.mark.parametrize(("rows", "said"), rows_and_output())
def test_the_rows_of_the_guide(rows, said):
    config = SandboxConfig(require=Level.WEAK, allow_weak=True, seconds=2.0, workers=2)
    with Grader(config) as grader:
        graded = list(grader.graded(io.BytesIO(rows.encode())))
    expected = [match.groups() for line in said.splitlines() if (match := ROW.match(line))]
    assert [_as_printed(found) for found in graded] == expected


def test_the_python_of_the_guide():
    if probe().level is not Level.STRONG:
        pytest.skip("the guide's examples run programs on strong")
    scope: dict[str, object] = {}
    for (language, code), (after, said) in pairwise([*blocks(), ("", "")]):
        if language != "python":
            continue
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(code, "docs/grading.md", "exec"), scope)
        assert printed.getvalue() == (said if after == "text" else "")


def test_the_guide_names_every_kind_field_and_verdict():
    fields = {field for fields in declarations._FIELDS.values() for field in fields}
    names = {*declarations._MAKERS, *fields, *Outcome}
    assert sorted(name for name in names if f"`{name}`" not in GUIDE) == []
    assert [kind.value for kind in Kind if kind is not Kind.VALUE and kind.value not in GUIDE] == []


def test_the_other_words_of_the_guide_are_understood():
    kinds_of_guide = re.findall(r"^\| `(\w+)` \| ([^|]*)\|[^|]*\|[^|]*\|$", GUIDE, re.MULTILINE)
    words = {word: kind for kind, cell in kinds_of_guide for word in re.findall(r"`(\w+)`", cell)}
    assert len(words) > 30
    assert {word: other_words.ALIASES.get(word) for word in words} == words
    (table,) = re.findall(r"\| field \| other spellings \|\n(.*?)\n\n", GUIDE, re.DOTALL)
    spellings = re.findall(r"`(\w+)`", "".join(re.findall(r"\|[^|]*\|$", table, re.MULTILINE)))
    assert len(spellings) > 20
    assert set(spellings) <= other_words.SAME_FIELDS.keys()


def test_the_examples_show_every_kind_accepted_and_not_accepted():
    found = {(fields["kind"], verdict == "correct") for fields, _, _, verdict in examples()}
    assert found == {(kind, right) for kind in declarations._MAKERS for right in (True, False)}


def test_what_the_security_page_points_to_exists():
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    names = set(re.findall(r"`(test_\w+)`", SECURITY))
    assert names
    assert sorted(name for name in names if f"def {name}(" not in tests) == []
    rows = "".join(path.read_text() for path in CORPUS.glob("*.jsonl"))
    groups = set(re.findall(r"`((?:hostile|honest|answers)-[a-z]+)(?:-\d+)?`", SECURITY))
    missing = {name for name in groups if f'"id": "{name.removeprefix("answers-")}-' not in rows}
    assert len(groups) > 10
    assert missing == set()


def test_the_corpora_are_as_large_as_the_security_page_says():
    answers = (CORPUS / "answers.jsonl").read_text().splitlines()
    programs = [json.loads(line) for line in (CORPUS / "programs.jsonl").read_text().splitlines()]
    hostile = [row for row in programs if row["id"].startswith("hostile-")]
    said = re.search(r"(\d+) answers, (\d+) hostile and (\d+) honest submissions", SECURITY)
    assert said is not None
    counts = (len(answers), len(hostile), len(programs) - len(hostile))
    assert all(int(few) <= count for few, count in zip(said.groups(), counts, strict=True)), counts


def test_links_of_the_guides_lead_somewhere():
    pages = ("bridges", "curriculum", "grading", "ladder", "performance", "security", "tutorial")
    for page in (*(f"docs/{name}.md" for name in pages), "README.md"):
        text = (ROOT / page).read_text()
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
            if "://" not in target:
                assert (ROOT / page).parent.joinpath(target).exists(), f"{page}: {target}"


def _as_printed(graded: Graded) -> tuple[str, ...]:
    """Id, verdict and reason as the screen shows them."""
    return (str(graded.id), graded.verdict.outcome.value, graded.said)


def test_the_guide_to_new_environments_builds_one_that_keeps_the_contract(tmp_path):
    guide = (ROOT / "docs" / "new_environment.md").read_text()
    code = guide.split("```python\n")[1].split("```")[0]
    assert len([line for line in code.splitlines() if line.strip()]) < 40
    file = tmp_path / "roman.py"
    file.write_text(code)
    roman = environments.load(str(file))
    assert roman.parse("MCM+IX".replace("MCM", "CM")).gold == "909"
    size = Size(problems=1000, graded=100, fuzzed=1000)
    assert list(map(str, conformance.check(roman, size))) == []

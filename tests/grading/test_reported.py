"""Rows that people reported to other graders, each with the verdicts that are right for it."""

import io
import json
from pathlib import Path

import pytest

from selfplay.cli.grading import Grader
from selfplay.grading.programs.sandbox import SandboxConfig

CORPUS = Path(__file__).parent / "corpus" / "reported.jsonl"
CASES = [json.loads(line) for line in CORPUS.read_text().splitlines()]


@pytest.fixture(scope="module")
def graded():
    """Verdicts of the command line's grader on all rows, by their names."""
    rows = [{**case["row"], "id": case["id"]} for case in CASES]
    lines = io.BytesIO(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    with Grader(SandboxConfig()) as grader:
        return {verdict.id: verdict for verdict in grader.graded(lines)}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_reported(case, graded):
    found = graded[case["id"]].verdict
    assert found.outcome in case["expected"], (found.reason, case.get("why"))


def test_what_is_held_against_a_report_says_why():
    assert len(CASES) == 266
    assert sum("why" in case for case in CASES) == 6
    assert all(len(case["why"]) > 20 for case in CASES if "why" in case)

"""Answers in free text: where they are looked for, in which order, and that it says so."""

import io
import json

import pytest

from selfplay.cli.grading import Grader
from selfplay.grading import free_text
from selfplay.grading.answers import AnswerError
from selfplay.grading.programs.sandbox import SandboxConfig


@pytest.mark.parametrize(
    ("response", "answer", "how"),
    [
        ("First 3. <answer>4</answer> So 5.", "4", "tag"),
        ("\\boxed{3}, no, \\boxed{\\frac{1}{2}}. That is 7.", "\\frac{1}{2}", "box"),
        ("It is 3, so the answer is 12.5. Check: 25/2.", "12.5", "phrase"),
        ("**Final Answer:** $x=3$\n\nGood luck with 4!", "$x=3$", "phrase"),
        ("The answer is: **42**", "42", "phrase"),
        ("We get $x^2$ and then $x = 5$, as 1 < 2.", "x = 5", "formula"),
        ("She has 12 eggs and sells 4, so 1,008 are left", "1,008", "number"),
        ("<think>the answer is 3</think> I say 4", "4", "number"),
        ("An answer to this is hard: 17", "17", "number"),
    ],
)
def test_where_an_answer_is_found(response, answer, how):
    assert free_text.find(response) == (answer, how)


@pytest.mark.parametrize("response", ["no idea", "", "<think>12", "x" * 70_000 + "12"])
def test_where_there_is_none(response):
    with pytest.raises(AnswerError):
        free_text.find(response)


def test_it_is_off_unless_asked_for_and_every_row_says_where():
    row = json.dumps({"kind": "integer", "gold": 4, "response": "so there are 4 of them"}).encode()
    for anywhere, outcome, found in ((False, "unparsable", None), (True, "correct", "number")):
        with Grader(SandboxConfig(), anywhere=anywhere) as grader:
            (graded,) = grader.graded(io.BytesIO(row))
        assert (graded.verdict.outcome, graded.found) == (outcome, found)
        assert json.loads(graded.to_json()).get("found") == found

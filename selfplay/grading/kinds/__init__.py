r"""Declared kinds of answers, and grading with them: (declaration, gold, response) -> Verdict.

The door to answer checking for environments and for `selfplay grade`. A declaration is a JSON
object such as {"kind": "decimal", "absolute": "0.01"}; `declare` turns it into a frozen Kind, and
`grade_response` judges with it. Grading is a pure function of its arguments: the same in a fresh
process, under another hash seed, in another order; it never raises, whatever the response says. A
gold that cannot be read, and any exception of ours, give the outcome `error`.

What this does not do: decide what was meant. Two different marked answers, `5 or 6`, `7 = 5` and
`(A)/(B)` are ambiguous, and units or percent signs count only as declared.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from selfplay.grading.answers import AnswerError, final_answers, unboxed, unreadable
from selfplay.grading.kinds import inference
from selfplay.grading.kinds.declarations import declare
from selfplay.grading.kinds.inference import Auto, infer
from selfplay.grading.kinds.kind import Kind, Reader
from selfplay.grading.mathematics.trial import Trial, seed_of
from selfplay.problem import Outcome, Verdict

__all__ = ["Auto", "Checker", "Kind", "declare", "grade_answer", "grade_response", "infer"]

MAX_SPELLINGS = 4
"""Most different texts that may be marked as the answer, all of them right."""

_CORRECT = Verdict(Outcome.CORRECT, "equal")
_WRONG = Verdict(Outcome.WRONG, "not equal")


@dataclass(frozen=True)
class Checker(Reader):
    """Answers that are right if a function of the environment's own says so.

    Python only, as code is no data. The function gets the gold and the value that `form` read, must
    be pure and bounded, and may raise AnswerError; any other exception is the grader's failure.
    """

    name: ClassVar[str] = "checker"

    form: Kind
    """The kind of value that is handed to the function."""
    accepts: Callable[[str, Any], bool]
    """accepts(gold, value): whether the value is a right answer."""

    def __post_init__(self) -> None:
        if not isinstance(self.form, Reader):
            raise ValueError(
                f"a checker gets no gold to tell a kind from, so {self.form.name!r} reads nothing "
                "for it; declare the kind of value that the function takes."
            )

    def read(self, text: str) -> Any:
        """The value of the answer."""
        assert isinstance(self.form, Reader)
        return self.form.read(text)

    def prepare(self, gold: str) -> tuple[Reader, str]:
        """This kind, and the gold as it is: only the function knows what it means."""
        return self, gold

    def same(self, expected: str, given: Any, trial: Trial) -> bool:
        """What the function says."""
        del trial
        return self.accepts(expected, given)


def grade_response(kind: Kind, gold: object, response: str) -> Verdict:
    r"""Judge the final answer of a response: what `<answer>` or `\boxed{}` marks.

    Args:
        kind: the declared kind.
        gold: a right answer: a text, or a number, truth value, list or object of JSON.
        response: what the solver wrote, of any length and content.
    Returns:
        The verdict. Where several different texts are marked, `correct` only if all of them are
        right (1/2 and 0.5), otherwise `ambiguous`.
    """
    try:
        answers = final_answers(response)
    except AnswerError as error:
        return _after_gold(kind, gold, unreadable(error))
    except Exception as error:
        return _failure(error)
    verdict = grade_answer(kind, gold, answers[0])
    for answer in answers[1:]:
        if not verdict.correct or len(answers) > MAX_SPELLINGS:
            break
        verdict = grade_answer(kind, gold, answer)
    if len(answers) == 1 or verdict.correct or not verdict.graded:
        return verdict
    return Verdict(Outcome.AMBIGUOUS, "two answers")


def grade_answer(kind: Kind, gold: object, answer: str) -> Verdict:
    r"""Judge a text that is already the final answer; one `\boxed{}` or $ around it is fine.

    Args:
        kind: the declared kind.
        gold: a right answer: a text, or a number, truth value, list or object of JSON.
        answer: the answer, of any length and content.
    Returns:
        The verdict; never raises.
    """
    try:
        if not isinstance(gold, str) and isinstance(kind, Auto):
            kind = kind.of(gold)
        text = gold if isinstance(gold, str) else inference.gold_text(kind, gold)
        prepared, expected = _expected(kind, text)
    except Exception as error:
        reason = error.reason if isinstance(error, AnswerError) else type(error).__name__
        return Verdict(Outcome.ERROR, f"unreadable gold: {reason}")
    try:
        given = prepared.read(unboxed(answer.strip()))
        same = prepared.same(expected, given, Trial(seed_of(text, answer)))
    except AnswerError as error:
        return unreadable(error)
    except Exception as error:
        return _failure(error)
    return _CORRECT if same else _WRONG


@lru_cache(maxsize=4096)
def _expected(kind: Kind, gold: str) -> tuple[Reader, Any]:
    """The kind with what the gold tells filled in, and the value of the gold."""
    return kind.prepare(unboxed(gold.strip()))


def _after_gold(kind: Kind, gold: object, verdict: Verdict) -> Verdict:
    """The verdict, unless the gold is unreadable: that is ours, whatever the response was."""
    probe = grade_answer(kind, gold, "")
    return verdict if probe.graded else probe


def _failure(error: Exception) -> Verdict:
    return Verdict(Outcome.ERROR, f"{type(error).__name__} in the grader")

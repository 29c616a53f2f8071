"""Grading of answers that have to be worked out; shared by the environments about algebra.

Kinds that know expressions compute what they read: they take x<11-3 for x<8 and x^2-3x+2x for
x^2-x. Where the computation is what is asked for, an answer must not leave it to the grader.
"""

import re
from collections.abc import Callable

from selfplay.grading import AnswerError, Kind, final_answer, grade_response
from selfplay.problem import Outcome, Verdict

# Two numbers joined by an operator, the second one not the factor of a root; or a power.
_SUM_LEFT = re.compile(
    r"[0-9]\s*(?:[-+*]|\\cdot|\\times)\s*[-+]?\s*[0-9]++(?!(?:/[0-9]+)?\s*\*?\s*\\?sqrt)|\^|\*\*"
)
_OR = re.compile(r"\bor\b|\bU\b|[)\]]\s*U|\\cup|\\lor")
# A number times a number, with a sign or parentheses between them or not.
_PRODUCT_LEFT = re.compile(r"[0-9]\s*\)?\s*(?:\*|\\cdot|\\times)\s*\(?\s*[-+]?[0-9]|[0-9]\s*\(")

_TIMES = re.compile(r"(?:\*|\\cdot|\\times)(?=[(x])")
_POWER = re.compile(r"\*\*|\^\{([0-9])\}")

_Fault = Callable[[str, str], Verdict | None]
"""The verdict on an answer, given the gold, that is right but not worked out; or None."""


def plain(text: str) -> str:
    """A product as polynomials.read_product takes it: 2*x**2*(x+1) is written 2x^2(x+1)."""
    return _TIMES.sub("", _POWER.sub(lambda found: f"^{found[1] or ''}", text))


def grade_ends(kind: Kind, gold: str, response: str) -> Verdict:
    """Judge numbers or ends of intervals, which may hold roots.

    Args:
        kind: how the answer is read.
        gold: a right answer, worked out.
        response: what the solver wrote.
    Returns:
        Not correct for x<11-3 and (5+sqrt(25-24))/2, nor for a union of more parts than the gold
        has: x<4 or x<2 hedges, though it is the same set as x<4.
    """
    return _unless(kind, gold, response, _ends_left)


def grade_collected(kind: Kind, gold: str, response: str) -> Verdict:
    """Judge polynomials.

    Args:
        kind: how the answer is read.
        gold: a right answer with its terms collected.
        response: what the solver wrote.
    Returns:
        Not correct for an answer with more terms than the gold, or with a product of numbers.
    """
    return _unless(kind, gold, response, _terms_left)


def _unless(kind: Kind, gold: str, response: str, fault: _Fault) -> Verdict:
    verdict = grade_response(kind, gold, response)
    if not verdict.correct:
        return verdict
    try:
        answer = final_answer(response)
    except AnswerError:  # several right spellings: one would have been enough
        return Verdict(Outcome.AMBIGUOUS, "two answers")
    return fault(gold, answer) or verdict


def _ends_left(gold: str, answer: str) -> Verdict | None:
    if _SUM_LEFT.search(answer):
        return Verdict(Outcome.UNPARSABLE, "not worked out")
    if len(_OR.findall(answer)) > gold.count(" or ") + gold.count(","):
        return Verdict(Outcome.AMBIGUOUS, "more parts than needed")
    return None


def _terms_left(gold: str, answer: str) -> Verdict | None:
    if _PRODUCT_LEFT.search(answer) or _signs(answer) > _signs(gold):
        return Verdict(Outcome.UNPARSABLE, "terms not collected")
    return None


def _signs(text: str) -> int:
    """The + and - between terms, not those before a first one."""
    return len(re.findall(r"(?<=[0-9a-z})])\s*[-+]", text))

r"""The answer in free text of other people's models, for measuring: a guess, and how it was made.

Fed by cli/grading.py alone, where somebody asked for it. What a run trains on is read by answers.py
in one strict place: a reward for whatever looks like an answer would teach to write many. The
places, in this order: the last `<answer>`, the last \boxed{}, what follows the last "answer is" or
"answer:", the last formula between $, the last number.
"""

import re
from typing import NamedTuple

from selfplay.grading.answers import MAX_RESPONSE, AnswerError, concluded, unboxed_last
from selfplay.problem import ANSWER_CLOSE, ANSWER_OPEN

_SAID = re.compile(r"\banswer(?: is\b| would be\b| *[:=])", re.IGNORECASE)
_SENTENCE_END = re.compile(r"\n|\.(?=\s|\Z)")
_FORMULA = re.compile(r"(?<!\\)\$\$?([^$]{1,2000}?)(?<!\\)\$")
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3}){1,9}|[0-9]{1,40})(?:\.[0-9]{1,40})?(?:/[0-9]{1,40})?%?"
)


class Found(NamedTuple):
    """What is taken for the answer."""

    answer: str
    how: str
    """tag, box, phrase, formula or number."""


def find(response: str) -> Found:
    """The answer that a response most probably gives.

    Raises:
        AnswerError: too long, an unfinished thought, or nothing that looks like an answer.
    """
    if len(response) > MAX_RESPONSE:
        raise AnswerError(
            "too long", f"{len(response)} characters; at most {MAX_RESPONSE} are read"
        )
    text = concluded(response)
    if ANSWER_OPEN in text:
        return Found(text.rpartition(ANSWER_OPEN)[2].partition(ANSWER_CLOSE)[0].strip(), "tag")
    if "\\boxed" in text:
        try:
            return Found(unboxed_last(text), "box")
        except AnswerError:  # not closed
            pass
    said = list(_SAID.finditer(text))
    if said and (phrase := _sentence(text[said[-1].end() :])):
        return Found(phrase, "phrase")
    if formulas := _FORMULA.findall(text):
        return Found(formulas[-1].strip(), "formula")
    if numbers := _NUMBER.findall(text):
        return Found(numbers[-1], "number")
    raise AnswerError("no answer", f"nothing in {text[-40:]!r} looks like one")


def _sentence(text: str) -> str:
    """The first sentence, without what surrounds an answer in it."""
    text = text.lstrip(" :=*\n")
    end = _SENTENCE_END.search(text)
    return text[: end.start() if end else None].strip(" *`").removesuffix(".").strip()

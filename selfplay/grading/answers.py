"""The final answer inside a response, and exact numbers read from it.

Responses come from a model and are hostile: every reader checks a length and a strict pattern
before it converts anything. Feeds the graders of the environments. Pure; nothing is cached.
What this does not do: search a response for anything that looks like an answer. There is one
place, and two different answers are no answer.
"""

import re
from collections.abc import Callable
from fractions import Fraction

from selfplay.problem import ANSWER_CLOSE, ANSWER_OPEN, Outcome, Verdict

MAX_RESPONSE = 64 * 1024
"""Longest response that is looked at, in characters."""
MAX_DIGITS = 30
"""Most digits in one number (numerator, denominator, or a decimal in all)."""

THOUGHTS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
)
"""Tags between which models think: DeepSeek-R1, Qwen3 and QwQ; others; Sky-T1 and its kin."""

_ENDS = (
    "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end|>", "<|end_of_text|>", "</s>", "<eos>",
    "<end_of_turn>", "<\uff5cend\u2581of\u2581sentence\uff5c>",
)  # fmt: skip
"""What the tokenizers of other models end a sequence with, where it was not taken off."""
_BOX = "\\boxed"
_BOXES_AROUND = re.compile(r"\A(?:\\boxed\s*\{\s*)+")
_BARE_BOX = re.compile(r"\\boxed\s*([^\s{$.,;]+)")
_BRACE = re.compile(r"\\boxed\s*\{|\\.|[{}]", re.DOTALL)
_SPACE = " \t\r\n"
# [0-9], not \d: \d also matches the digits of every other script. \Z, not $: $ allows a newline.
_NATURAL = rf"(?:0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}})"
_INTEGER = re.compile(rf"(?!-0)-?{_NATURAL}\Z")
_RATIONAL = re.compile(rf"(?!-0/)(-?{_NATURAL})/([1-9][0-9]{{0,{MAX_DIGITS - 1}}})\Z")
_DECIMAL = re.compile(rf"(?=[-0-9.]{{3,{MAX_DIGITS + 2}}}\Z)(-?{_NATURAL})\.([0-9]+)\Z")


class AnswerError(ValueError):
    """A response or an answer that cannot be read; `reason` is the short word for counting."""

    def __init__(self, reason: str, detail: str, outcome: Outcome = Outcome.UNPARSABLE) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.outcome = outcome


def unreadable(error: AnswerError) -> Verdict:
    """The verdict on a response that could not be read."""
    return Verdict(error.outcome, error.reason)


def final_answer(response: str) -> str:
    r"""The answer in the one strict place of a response, without surrounding white space.

    That place follows `<answer>` and ends at `</answer>` or with the response; after `</answer>`
    only white space may come. `\boxed{...}` is another way to mark it: all marked answers must be
    the same text.

    Args:
        response: what the solver wrote, of any length and content.
    Returns:
        The answer, not empty, not yet checked to be a number or an expression.
    Raises:
        AnswerError: too long, no answer, two different answers, text after the answer, empty.
    """
    answers = final_answers(response)
    if len(answers) > 1:
        raise AnswerError(
            "two answers", f"{len(answers)} different texts are marked", Outcome.AMBIGUOUS
        )
    return answers[0]


def final_answers(response: str) -> list[str]:
    r"""The different texts that a response marks as its answer, in order; at least one.

    Raises:
        AnswerError: too long, an unfinished thought, no answer, text after the answer, empty, an
            unclosed box.
    """
    if len(response) > MAX_RESPONSE:
        raise AnswerError(
            "too long", f"{len(response)} characters; at most {MAX_RESPONSE} are read"
        )
    reasoning, *opened = concluded(response).split(ANSWER_OPEN)
    boxes = _boxed(reasoning) if _BOX in reasoning else []
    if not opened and not boxes:
        raise AnswerError("no answer", f"no {ANSWER_OPEN} in {response[:40]!r}")
    answers = [unboxed(_enclosed(part)) for part in opened]
    found = dict.fromkeys(filter(None, boxes)) | dict.fromkeys(answers)
    if not found or "" in found:
        raise AnswerError("empty", f"nothing follows {ANSWER_OPEN}")
    return list(found)


def concluded(response: str) -> str:
    """What a response says after it has thought, without the mark that ends a sequence.

    A thought ends at the last closing tag; the opening one may be missing, since the prompts of
    some models end with it. Nothing inside a thought is an answer, finished or not.

    Raises:
        AnswerError: a thought is begun and not ended.
    """
    response = response.rstrip()
    while response.endswith(_ENDS):
        response = response[: response.rindex("<")].rstrip()
    if "<" not in response:
        return response
    for opening, closing in THOUGHTS:
        _, _, response = response.rpartition(closing)
        if opening in response:
            raise AnswerError("unfinished thought", f"{opening} without {closing}", Outcome.WRONG)
    return response


def unboxed(text: str) -> str:
    r"""The content of a text that is one `\boxed{...}` and no more, else the text itself.

    Raises:
        AnswerError: it holds two different boxes, or a box that is not closed.
    """
    if _BOX not in text:
        return text
    boxes = set(_boxed(text))
    if len(boxes) > 1:
        raise AnswerError("two answers", f"{len(boxes)} different boxes", Outcome.AMBIGUOUS)
    if not boxes:  # the word without braces
        return text
    bare = text.strip(_SPACE + "$")
    (inside,) = boxes
    return inside if _BOXES_AROUND.sub("", bare).rstrip("} ") == inside.rstrip("} ") else text


def unboxed_last(solution: str) -> str:
    r"""What the last `\boxed{...}` of a worked solution holds.

    Raises:
        AnswerError: there is none, or it is not closed.
    """
    boxes = _boxed(solution.replace("\\fbox", _BOX))
    if not boxes and (bare := _BARE_BOX.findall(solution)):
        return bare[-1]
    if not boxes:
        raise AnswerError("no answer", f"no {_BOX} in {solution[-40:]!r}")
    return boxes[-1]


def integer(text: str) -> int:
    """An integer in canonical form: `0`, `7`, `-7`; no `+7`, `-0`, `007` or `1_000`.

    Raises:
        AnswerError: anything else, or more than `MAX_DIGITS` digits.
    """
    if not _INTEGER.match(text):
        raise _not_a_number(text, "an integer such as -7")
    return int(text)


def rational(text: str) -> Fraction:
    """An integer, a fraction `-15/4` (reduced or not) or a decimal `3.75`, exactly.

    A decimal is read as the fraction that it is, never rounded: `0.33` is not a third.

    Raises:
        AnswerError: anything else, or more than `MAX_DIGITS` digits.
    """
    if _INTEGER.match(text):
        return Fraction(int(text))
    if fraction := _RATIONAL.match(text):
        return Fraction(int(fraction[1]), int(fraction[2]))
    if (decimal := _DECIMAL.match(text)) and len(text) - text.count("-") - 1 <= MAX_DIGITS:
        return Fraction(
            int(f"{decimal[1]}{decimal[2]}"),
            10 ** len(decimal[2]),
        )
    raise _not_a_number(text, "a number such as -7, 15/4 or 3.75")


def grade_integer(gold: str, response: str) -> Verdict:
    """Judge a response whose answer must be the integer `gold`, in canonical form."""
    return _grade_number(gold, response, integer)


def grade_rational(gold: str, response: str) -> Verdict:
    """Judge a response whose answer must equal the rational `gold`; 30/8 equals 15/4."""
    return _grade_number(gold, response, rational)


def _grade_number(gold: str, response: str, read: Callable[[str], int | Fraction]) -> Verdict:
    try:
        answer = final_answer(response)
        given = read(answer)
    except AnswerError as error:
        return unreadable(error)
    try:
        expected = read(gold)
    except AnswerError:
        return Verdict(Outcome.ERROR, "unreadable gold")
    if given == expected:
        return Verdict(Outcome.CORRECT, "equal")
    return Verdict(Outcome.WRONG, "not equal")


def _enclosed(part: str) -> str:
    """The text between one `<answer>` and the end of its answer; `part` starts after the tag."""
    answer, _, rest = part.partition(ANSWER_CLOSE)
    if rest.strip(_SPACE):
        raise AnswerError("text after answer", f"{rest[:40]!r} follows {ANSWER_CLOSE}")
    return answer.strip(_SPACE)


def _boxed(text: str) -> list[str]:
    r"""The contents of the innermost `\boxed{...}`, in one pass whatever the text."""
    boxes: list[str] = []
    open_braces: list[int] = []  # where the content of a box starts; 0 for any other brace
    newest = 0  # the box that was opened last: only that one can be an innermost one
    for mark in _BRACE.finditer(text):
        if mark[0] == "}":
            start = open_braces.pop() if open_braces else 0
            if start and start == newest:
                boxes.append(text[start : mark.start()].strip(_SPACE))
        elif mark[0] == "{":
            open_braces.append(0)
        elif mark[0].endswith("{") and mark[0].startswith(_BOX):
            newest = mark.end()
            open_braces.append(newest)
    if any(open_braces):
        raise AnswerError("unclosed box", f"no matching brace in {text[-40:]!r}")
    return boxes


def _not_a_number(text: str, wanted: str) -> AnswerError:
    return AnswerError("not a number", f"{text[:40]!r} is not {wanted} of {MAX_DIGITS} digits")

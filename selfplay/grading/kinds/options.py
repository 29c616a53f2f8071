"""The options of a choice, in the ways in which data sets write them -> labels with texts.

Fed by declarations.py: labels, how many letters, an object from labels to texts, a list of texts.
"""

import re
from collections.abc import Mapping

from selfplay.grading.kinds.fields import Fields, texts
from selfplay.grading.kinds.inference import LETTERS
from selfplay.grading.kinds.words import Choice

_MARKED_OPTION = re.compile(r"\(?([A-Za-z])(?:\)[.:]?|[.:])\s*(.*)", re.DOTALL)


def choice(given: Fields) -> Choice:
    """The choice that `options` declares; A to J without it."""
    options = given.pop("options", None)
    if options is None:
        return LETTERS
    if isinstance(options, int) and 2 <= options <= 26:
        options = [chr(ord("A") + index) for index in range(options)]
    if isinstance(options, Mapping):
        pairs = [(str(label), str(words)) for label, words in options.items()]
    else:
        pairs = _pairs(options)
    labels = {label.casefold() for label, _ in pairs}
    known = {words.casefold() for _, words in pairs if words}
    doubled = len(labels) < len(pairs) or (known and len(known) < len(pairs))
    if doubled or len(pairs) < 2 or "" in labels:
        raise ValueError(
            f'"options" are two or more different labels, upper and lower case being the same, or '
            f"an object from labels to texts; got {options!r}."
        )
    return Choice(tuple((label, " ".join(words.casefold().split())) for label, words in pairs))


def _pairs(options: object) -> list[tuple[str, str]]:
    """Labels with texts, of a list: `(A) 5`, `A`, or words, which are also known as A, B, C."""
    if isinstance(options, str):
        options = options.replace(",", " ").split()
        options = list(options[0]) if len(options) == 1 else options
    if isinstance(options, list):
        objects = [one for one in options if isinstance(one, Mapping)]
        if len(objects) == len(options):
            return [(str(one.get("label", "")), str(one.get("text", ""))) for one in objects]
        options = [str(one) if type(one) in (int, float) else one for one in options]
    words = texts("options", options)
    marked = [_MARKED_OPTION.fullmatch(word) for word in words]
    if all(marked):
        return [(mark[1], mark[2]) for mark in marked if mark is not None]
    if len(words) > 26 or any(len(word) == 1 and not word.isdigit() for word in words):
        return [(word, "") for word in words]
    return [(chr(ord("A") + index), word) for index, word in enumerate(words)]

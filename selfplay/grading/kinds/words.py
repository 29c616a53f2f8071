r"""Kinds that are words: a truth value, one of given options, text.

Fed by declare. What this does not do: look for the word inside a sentence. `\text{...}`, `\(...\)`
and one final full stop are not part of the word.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import ClassVar, Literal

from selfplay.grading.answers import AnswerError
from selfplay.grading.kinds.kind import Reader, without_markdown
from selfplay.grading.mathematics.symbols import MAX_ANSWER, normalise, refuse_controls
from selfplay.grading.mathematics.trial import Trial
from selfplay.problem import Outcome

MAX_WORDS = 200
"""Longest text after the label of an option, in characters."""

_TRUTH = {
    "true": True, "yes": True, "t": True, "y": True,
    "false": False, "no": False, "f": False, "n": False,
}  # fmt: skip
_SEPARATOR = re.compile(r"\s*(?:\bor\b|\band\b|[,;/|&+]|\s-\s)\s*")
_AROUND = (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"))
_WRAPPER = re.compile(
    r"\\(?:text|mathrm|textrm|textbf|textit|mathbf|mathit|mbox|boldsymbol)\s*\{([^{}]*)\}"
)
_SYMBOL = re.compile(r"\\[A-Za-z]+|\\.|[0-9]+(?:\.[0-9]+)?|[^\W\d_]+|\S")
_WORD = re.compile(
    r"(?<![^\W\d_])(?<!\\)(?:[^\W\d_]{3,}|(?:an|as|at|be|by|if|in|is|it|no|of|on|or|to)\b)",
    re.IGNORECASE,
)
"""Words whose case may be ignored in LaTeX, where Gm and gm, \\Delta and \\delta are different."""
_LABEL = re.compile(r"[(\[]?\s*([A-Za-z0-9]{1,8})\s*[)\]]?\s*[.:]?")
_OTHER_LABEL = re.compile(r"[(\[]\s*([A-Za-z0-9])\s*[)\]]|\b([A-Z])\b(?!\s+[a-z])")
_LABELLED = re.compile(r"[(\[]?\s*([A-Za-z0-9]{1,8})\s*(?:[)\]]\s*[.:]?|[.:])\s+(.+)", re.DOTALL)


def unwrapped(text: str) -> str:
    r"""The text without $, `\(`, `\text{...}`, markdown and with single spaces.

    Raises:
        AnswerError: too long, an invisible character, or nothing left.
    """
    if len(text) > MAX_ANSWER:
        raise AnswerError("too long", f"{len(text)} characters; {MAX_ANSWER} are read")
    text = without_markdown(refuse_controls(text).strip())
    for opening, closing in _AROUND:
        if len(text) > 2 * len(opening) and text.startswith(opening) and text.endswith(closing):
            text = text[len(opening) : -len(closing)].strip()
    text = " ".join(_WRAPPER.sub(r" \1 ", text).replace("\\ ", " ").split())
    if not text:
        raise AnswerError("empty", "nothing is left of the answer")
    return text


@dataclass(frozen=True)
class Truth(Reader):
    """True or false: also yes, no, t, f, y, n in any case; not 1 and 0."""

    name: ClassVar[str] = "truth"

    def read(self, text: str) -> bool:
        """The truth value."""
        word = unwrapped(text).rstrip(".").lower()
        if word in _TRUTH:
            return _TRUTH[word]
        parts = _SEPARATOR.split(word)
        if len(parts) > 1 and all(part in _TRUTH for part in parts):
            raise AnswerError("several values", f"{text[:40]!r}", Outcome.AMBIGUOUS)
        raise AnswerError("not a truth value", f"{text[:40]!r} is neither true nor false")

    def same(self, expected: bool, given: bool, trial: Trial) -> bool:
        """Whether both are true or both false."""
        del trial
        return expected is given


@dataclass(frozen=True)
class Choice(Reader):
    """One of given options, by its label (B, (B), b., Option B) or by its text."""

    name: ClassVar[str] = "choice"

    options: tuple[tuple[str, str], ...]
    """Labels with their texts; the text is empty where only labels were declared."""

    def read(self, text: str) -> str:
        """The label of the chosen option."""
        bare = unwrapped(text)
        found = self._labels(bare)
        if not found:
            parts = [self._labels(part) for part in _SEPARATOR.split(bare)]
            found = set().union(*parts) if all(parts) else set()
        if len(found) > 1:
            raise AnswerError("several values", f"{bare[:40]!r}", Outcome.AMBIGUOUS)
        if not found:
            raise AnswerError("not an option", f"{bare[:40]!r} is none of the options")
        return found.pop()

    def same(self, expected: str, given: str, trial: Trial) -> bool:
        """Whether it is the same option."""
        del trial
        return expected == given

    def _labels(self, text: str) -> set[str]:
        """The labels that a text stands for; two where its label and its words disagree."""
        folded = text.casefold().rstrip(".")
        exact = {label for label, words in self.options if folded in (label.casefold(), words)}
        if exact:
            return exact
        text = re.sub(r"\A(?:option|choice|answer)\s+", "", text, flags=re.IGNORECASE)
        if (label := _LABEL.fullmatch(text)) is not None:
            return self._named(label[1])
        if (both := _LABELLED.fullmatch(text)) is not None and (named := self._named(both[1])):
            words = both[2].casefold().rstrip(".")
            meant = {label for label, known in self.options if words == known}
            if meant or any(known for _, known in self.options):
                return named | (meant or {"?"})
            others = {mark[1] or mark[2] for mark in _OTHER_LABEL.finditer(both[2])}
            return named.union(*map(self._named, others)) if len(words) <= MAX_WORDS else set()
        return set()

    def _named(self, label: str) -> set[str]:
        return {
            known for known, words in self.options if label.casefold() in (known.casefold(), words)
        }


@dataclass(frozen=True)
class Text(Reader):
    """Text, equal after a stated normalisation and not otherwise."""

    name: ClassVar[str] = "text"

    case: Literal["exact", "ignore"] = "exact"
    """Whether Saturday and saturday differ."""
    whitespace: Literal["collapse", "exact", "remove"] = "collapse"
    """Whether runs of spaces count as one, as they are, or not at all."""
    punctuation: Literal["exact", "ignore_final", "ignore"] = "exact"
    """Whether all of it counts, all but one final full stop, or none."""
    latex: bool = False
    r"""Whether it is LaTeX: `\text{...}`, $ and braces around one symbol are taken off, and it is
    compared symbol by symbol, whatever the spaces between them."""

    def read(self, text: str) -> tuple[str, ...]:
        """The normalised text and, if it is a list, the normalised parts of it."""
        if len(text) > MAX_ANSWER:
            raise AnswerError("too long", f"{len(text)} characters; {MAX_ANSWER} are read")
        refuse_controls(text)
        text = self._without_latex(text) if self.latex else text
        if not text.strip():
            raise AnswerError("empty", "nothing is left of the answer")
        parts = _SEPARATOR.split(text)
        return tuple(self._normalised(part) for part in [text, *(parts if len(parts) > 1 else [])])

    def same(self, expected: tuple[str, ...], given: tuple[str, ...], trial: Trial) -> bool:
        """Whether the normalised texts are equal.

        Raises:
            AnswerError: ambiguous, for a list of texts of which the expected one is one.
        """
        del trial
        if expected[0] == given[0]:
            return True
        if len(expected) == 1 and expected[0] in given[1:]:
            raise AnswerError("several values", f"{given[0][:40]!r}", Outcome.AMBIGUOUS)
        return False

    def _normalised(self, text: str) -> str:
        text = unicodedata.normalize("NFC", text)
        if self.case == "ignore":
            text = (
                _WORD.sub(lambda word: word[0].casefold(), text) if self.latex else text.casefold()
            )
        if self.punctuation == "ignore":
            text = "".join(c for c in text if unicodedata.category(c)[0] != "P")
        if self.whitespace != "exact":
            text = (" " if self.whitespace == "collapse" else "").join(text.split())
        if self.punctuation == "ignore_final" and len(text) > 1:
            text = text.removesuffix(".").rstrip()
        return text

    def _without_latex(self, text: str) -> str:
        text = unwrapped(text)
        if "\\" in text:
            text = normalise(text)
        return " ".join(symbols(text.replace("$", " ")))


def symbols(text: str) -> list[str]:
    """Words, numbers, commands and single characters, without braces around one of them."""
    found: list[str] = []
    for symbol in _SYMBOL.findall(text):
        found.append(symbol)
        if symbol == "}" and len(found) > 2 and found[-3] == "{" and found[-2] != "}":
            found[-3:] = [found[-2]]
    return found

"""Text <-> token ids: what every tokenizer does, and the one of models that start from scratch.

That one has a token for each character. Its prompt is a role, an environment, what is asked, and
`<respond>`; a response ends with `<end>`. Feeds decode.py and the batches of `learning`. Axes: N
sequences, T tokens.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

PAD, END, RESPOND, SOLVE, PROPOSE, ANSWER = (
    "<pad>", "<end>", "<respond>", "<solve>", "<propose>", "<answer>",
)  # fmt: skip
PRINTABLE = tuple(chr(code) for code in range(32, 127))
SPOKEN = (END, ANSWER, *PRINTABLE)
"""What a response can consist of; beside these a line break, where an environment needs it."""
SHORTEST = 32
"""Lengths are padded to multiples of this, in tokens: few shapes, few compilations."""


class Question(Protocol):
    """A problem, as far as a prompt may show it."""

    @property
    def environment(self) -> str:
        """Name of its environment."""
        ...

    @property
    def text(self) -> str:
        """What it says, in its environment's notation."""
        ...


class Tokenizer(Protocol):
    """Prompts and responses of one model, in tokens."""

    end_ids: tuple[int, ...]
    """Ids that end a response; the first one ends those that are taught."""

    @property
    def vocabulary(self) -> int:
        """Number of token ids."""
        ...

    def solver_prompt(self, problem: Question) -> list[int]:
        """Asks for a solution of a problem."""
        ...

    def proposer_prompt(self, environment: str, rating: float) -> list[int]:
        """Asks for a problem of an environment at a rating, in points."""
        ...

    def encode(self, text: str) -> list[int]:
        """Ids of a text, none of them special but those of answer tags."""
        ...

    def response(self, text: str) -> list[int]:
        """Ids of a whole response, with its end."""
        ...

    def decode(self, ids: Iterable[int]) -> str:
        """Text of ids, without its end."""
        ...


class CharacterTokenizer:
    """Characters of printable ASCII, the special tokens, and one token for each environment.

    The tokens of responses come first, so that a model's output can leave out the others.
    """

    def __init__(self, environments: Sequence[str], multiline: bool = False) -> None:
        """Number the tokens.

        Args:
            environments: their names.
            multiline: whether texts have line breaks; a model that needs none is not given any.
        """
        self.environments = tuple(environments)
        spoken = (*SPOKEN, "\n") if multiline else SPOKEN
        self.spoken = len(spoken)
        """Number of token ids that a response can consist of: the first ones."""
        names = tuple(f"<{name}>" for name in self.environments)
        self._text = (*spoken, PAD, RESPOND, SOLVE, PROPOSE, *names)
        self._id = {text: index for index, text in enumerate(self._text)}
        self._pad_id, self._end_id = self._id[PAD], self._id[END]
        self.end_ids = (self._end_id,)
        """Ids that end a response."""

    @property
    def vocabulary(self) -> int:
        """Number of token ids."""
        return len(self._text)

    def encode(self, text: str) -> list[int]:
        """Ids of a text; `<answer>` is one token.

        Raises:
            ValueError: the text holds a character outside of printable ASCII.
        """
        ids: list[int] = []
        for piece_index, piece in enumerate(text.split(ANSWER)):
            if piece_index:
                ids.append(self._id[ANSWER])
            try:
                ids.extend(self._id[character] for character in piece)
            except KeyError as error:
                raise ValueError(
                    f"{text[:80]!r} has the character {error.args[0]!r}; models that start from "
                    "scratch read printable ASCII, and line breaks where an environment is "
                    "`multiline`. Rewrite the environment's notation."
                ) from None
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Text of ids; padding and `<end>` give nothing, other special tokens their names."""
        hidden = (self._pad_id, self._end_id)
        return "".join(self._text[index] for index in ids if index not in hidden)

    def solver_prompt(self, problem: Question) -> list[int]:
        """Asks for a solution of a problem."""
        return [self._id[SOLVE], *self._address(problem.environment), *self.encode(problem.text),
                self._id[RESPOND]]  # fmt: skip

    def proposer_prompt(self, environment: str, rating: float) -> list[int]:
        """Asks for a problem of an environment at a rating (in points, told to the nearest 50)."""
        wish = str(round(rating / 50) * 50)
        return [self._id[PROPOSE], *self._address(environment), *self.encode(wish),
                self._id[RESPOND]]  # fmt: skip

    def response(self, text: str) -> list[int]:
        """Ids of a whole response, with `<end>`."""
        return [*self.encode(text), self._end_id]

    def _address(self, environment: str) -> list[int]:
        try:
            return [self._id[f"<{environment}>"]]
        except KeyError:
            raise ValueError(
                f"this model has no token for the environment {environment!r}; it was made for "
                f"{', '.join(self.environments)}. Start a run that names it in `environments`."
            ) from None


def padded_length(longest: int) -> int:
    """The bucket, in tokens, that holds a sequence of this many tokens."""
    return max(SHORTEST, -(-longest // SHORTEST) * SHORTEST)


def pad(sequences: Sequence[Sequence[int]], length: int, pad_id: int) -> np.ndarray:
    """Right-pad to int32 [N, T]; T = length, which no sequence may exceed."""
    token_NT = np.full((len(sequences), length), pad_id, np.int32)
    for row, sequence in enumerate(sequences):
        token_NT[row, : len(sequence)] = sequence
    return token_NT

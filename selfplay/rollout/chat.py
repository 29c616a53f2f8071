"""Prompts for pretrained models: roles and wishes in words, in the checkpoint's chat format.

The counterpart of the character tokenizer, whose roles are tokens. Fed by a checkpoint's tokenizer
and the environments, feeds the rollouts.
"""

import random
from collections.abc import Iterable, Mapping, Sequence

from selfplay.model.pretrained_tokens import PretrainedTokenizer
from selfplay.model.tokens import Question
from selfplay.problem import ANSWER_CLOSE, ANSWER_OPEN, Environment, Problem

THINK = f"Think step by step. End with the final answer between {ANSWER_OPEN} and {ANSWER_CLOSE}."
"""What a solver is told beside the question."""
EXAMPLES = 3
"""Problems that a proposer is shown, of levels spread over all."""
LEVEL_SPACING = 130.0
"""Rating points between neighbouring levels, as a proposer is told."""


class ChatTokenizer:
    """A checkpoint's tokenizer that knows how to ask for solutions and problems."""

    def __init__(
        self,
        tokenizer: PretrainedTokenizer,
        environments: Mapping[str, Environment],
        longest: int,
        vocabulary: int,
    ) -> None:
        """Prepare; the proposer's examples are the same in every run.

        Args:
            tokenizer: of the checkpoint.
            environments: by name.
            longest: tokens of a prompt; one that is longer is an error.
            vocabulary: token ids that the model has embeddings for.
        Raises:
            ValueError: a response would end with a token that the model does not know.
        """
        self._longest, self._vocabulary = longest, vocabulary
        self._tokenizer = tokenizer
        self._environments = environments
        self._examples = {name: _examples(one) for name, one in environments.items()}
        self.end_ids = tuple(self._known(tokenizer.end_ids))
        """Ids that end a response."""

    def solver_prompt(self, problem: Question) -> list[int]:
        """Asks for a solution of a problem, with the environment's instruction."""
        environment = self._environments[problem.environment]
        return self._chat(f"{environment.instruction}\n\n{problem.text}\n\n{THINK}")

    def proposer_prompt(self, environment: str, rating: float) -> list[int]:
        """Asks for a problem of an environment at a rating, in points, by examples with theirs."""
        asked, examples = self._environments[environment], self._examples[environment]
        shown = "\n".join(f"Level {level}: {text}" for level, text in examples)
        middle = (asked.level_count - 1) / 2
        return self._chat(
            f"Write one new problem of this kind: {asked.summary}.\n\n"
            f"Examples, from easy to hard:\n{shown}\n\n"
            f"Its difficulty should be {round(rating / 50) * 50} on a scale where level {middle:g} "
            f"has 1500 and a level more is {LEVEL_SPACING:.0f} more. Reply with the problem only, "
            "in the notation of the examples."
        )

    def encode(self, text: str) -> list[int]:
        """Ids of a text, none of them special."""
        return self._known(self._tokenizer.encode(text))

    def response(self, text: str) -> list[int]:
        """Ids of a whole response, with its end."""
        return self._known(self._tokenizer.response(text))

    @property
    def vocabulary(self) -> int:
        """Number of token ids that the tokenizer knows; a model may have room for more."""
        return self._tokenizer.vocabulary

    def decode(self, ids: Iterable[int]) -> str:
        """Text of ids; special tokens give nothing."""
        return self._tokenizer.decode(ids)

    def _chat(self, said: str) -> list[int]:
        ids = self._tokenizer.chat([{"role": "user", "content": self._tokenizer.plain(said)}])
        if len(ids) > self._longest:
            raise ValueError(
                f"a prompt has {len(ids)} tokens, more than pretrained.prompt_tokens="
                f"{self._longest}; raise it, with the last of update.row_lengths: {said[:80]!r}"
            )
        return self._known(ids)

    def _known(self, ids: Sequence[int]) -> list[int]:
        """These ids, if the model has embeddings for all of them."""
        if ids and not 0 <= min(ids) <= max(ids) < self._vocabulary:
            raise ValueError(
                f"the checkpoint's tokenizer or generation_config.json uses the token {max(ids)}, "
                f"and the model knows those below {self._vocabulary}: they are of two models."
            )
        return list(ids)


def _examples(environment: Environment) -> list[tuple[int, str]]:
    """Problems as a proposer would write them, with their levels."""
    top, rng = environment.level_count - 1, random.Random(0)
    levels = sorted({round(top * share / (EXAMPLES - 1)) for share in range(EXAMPLES)})
    problems: list[Problem] = [environment.generate(level, rng) for level in levels]
    return [(problem.level, environment.pose(problem)) for problem in problems]

"""The gate: a proposed text becomes a problem, or a reason why not.

It has the environment parse the text and compute the gold, and turns away what is held out or has
been posed before. Fed by the proposers; the reasons are counted on the board.
"""

from collections.abc import Collection, Container, Mapping

from selfplay.problem import Environment, InvalidProblem, Problem

HELD_OUT = "held out"
DUPLICATE = "duplicate"
PARSER_FAILED = "parser failed"


class Gate:
    """Admits each problem once."""

    def __init__(
        self,
        environments: Mapping[str, Environment],
        frozen: Container[str],
        posed: Container[str],
    ) -> None:
        """Prepare.

        Args:
            environments: by name.
            frozen: keys of the held-out and anchor problems.
            posed: keys of the problems that were posed in earlier generations.
        """
        self._environments = environments
        self._frozen = frozen
        self._posed = posed

    def admit(self, environment: str, text: str, in_batch: Collection[str]) -> Problem:
        """The problem that a text poses.

        Args:
            environment: name of the environment it was asked for.
            text: the proposal; untrusted.
            in_batch: keys already admitted to this generation.
        Raises:
            InvalidProblem: with a short stable reason, more after a colon.
        """
        problem = self._parse(environment, text)
        if problem.key in self._frozen:
            raise InvalidProblem(HELD_OUT)
        if problem.key in in_batch or problem.key in self._posed:
            raise InvalidProblem(DUPLICATE)
        return problem

    def _parse(self, environment: str, text: str) -> Problem:
        try:
            return self._environments[environment].parse(text)
        except InvalidProblem:
            raise
        except Exception as error:  # the parser's failure on hostile text must not end the run
            raise InvalidProblem(f"{PARSER_FAILED}: {type(error).__name__}: {error}") from error


def short_reason(error: InvalidProblem) -> str:
    """The countable part of a reason."""
    return str(error).partition(":")[0]

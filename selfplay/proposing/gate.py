"""The gate: a proposed text becomes a problem, or a reason why not.

It has the environment parse the text and compute the gold, and turns away what is held out or has
been posed before. Fed by the proposers; the reasons are counted on the board.
"""

from collections.abc import Collection, Container, Mapping

from selfplay.problem import Environment, Problem, ProposalError

HELD_OUT = "held out"
DUPLICATE = "duplicate"


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
            ProposalError: with a short stable reason, more after a colon.
        """
        problem = self._environments[environment].parse(text)
        if problem.key in self._frozen:
            raise ProposalError(HELD_OUT)
        if problem.key in in_batch or problem.key in self._posed:
            raise ProposalError(DUPLICATE)
        return problem


def short_reason(error: ProposalError) -> str:
    """The countable part of a reason."""
    return str(error).partition(":")[0]

"""What all proposers share: a proposal, and the interface that they stand behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from selfplay.curriculum.plans import Plan
from selfplay.model.network import Network
from selfplay.problem import Problem
from selfplay.rollout.responses import Responses


@dataclass(frozen=True)
class ProposingConfig:
    """Who writes the problems."""

    proposer: Literal["learned", "procedural"] = "learned"
    """`learned`: the network itself, beside a share of procedural problems; `procedural`: the
    environments' generators alone, the control arm."""
    procedural_share: float = 1 / 3
    """Share of each batch that the generators write even so: it keeps the curriculum grounded."""
    max_tokens: int = 64
    """Longest proposal, in tokens; a longer one is cut and mostly malformed."""
    loss_weight: float = 1.0
    """Weight of the proposer's advantages beside the solver's, which have weight 1."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.procedural_share <= 1.0:
            raise ValueError(
                f"proposing.procedural_share={self.procedural_share} is outside [0, 1]; "
                "the default is 1/3."
            )
        if self.max_tokens < 2 or self.loss_weight < 0.0:
            raise ValueError(
                f"proposing.max_tokens={self.max_tokens} must be at least 2 and "
                f"proposing.loss_weight={self.loss_weight} at least 0."
            )


@dataclass(frozen=True)
class Proposal:
    """An answer to a plan: a problem, or a text that the gate turned away."""

    plan: Plan
    proposer: str
    """Name of the proposer."""
    text: str
    """What it wrote; untrusted."""
    problem: Problem | None
    """The problem, if the gate admitted it."""
    reason: str = ""
    """Why the gate turned it away."""


class Proposals(NamedTuple):
    """What a proposer wrote."""

    proposals: list[Proposal]
    """One a plan, in order."""
    responses: Responses | None
    """What the proposals were read from; None if none were drawn from the network."""


class Proposer(Protocol):
    """Writes a problem for each plan."""

    def propose(
        self, plans: Sequence[Plan], network: Network, generation: int, in_batch: set[str]
    ) -> Proposals:
        """One proposal for each plan; admitted keys are added to `in_batch`."""
        ...

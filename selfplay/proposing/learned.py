"""The learned proposer: the solver's own network, in another role, writes problems.

A role token, an environment and the requested rating make the prompt, and a random start of a few
characters, without which it would come back to a few favourites; the gate reads what comes. It
learns from the rewards of its proposals (reward.py).
"""

from collections.abc import Mapping, Sequence

from selfplay import streams
from selfplay.curriculum.plans import Plan
from selfplay.model.network import PROPOSER, Network
from selfplay.model.sampling import DecodeConfig, Sampling
from selfplay.model.tokens import Tokenizer
from selfplay.problem import Environment, InvalidProblem
from selfplay.proposing.gate import Gate
from selfplay.proposing.proposal import Proposal, Proposals
from selfplay.rollout import responses

NAME = "learned"
CUT = "cut at the token limit"
START = 6
"""Characters that a proposal is begun with, at most two thirds of the text they are taken from."""


class Learned:
    """Completes one text for each plan."""

    def __init__(
        self,
        environments: Mapping[str, Environment],
        tokenizer: Tokenizer,
        gate: Gate,
        seed: int,
        *,
        decode_config: DecodeConfig,
        temperature: float,
    ) -> None:
        self._environments = environments
        self._tokenizer = tokenizer
        self._gate = gate
        self._seed = seed
        self._decode = decode_config
        self._temperature = temperature

    def propose(
        self, plans: Sequence[Plan], network: Network, generation: int, in_batch: set[str]
    ) -> Proposals:
        """One proposal for each plan, admitted or turned away with the reason."""
        starts = [self._start(plan, generation, number) for number, plan in enumerate(plans)]
        drawn = responses.respond(
            network.playing(PROPOSER),
            self._tokenizer,
            [
                self._tokenizer.proposer_prompt(plan.environment, plan.rating)
                + self._tokenizer.encode(start)
                for plan, start in zip(plans, starts, strict=True)
            ],
            streams.row_keys(self._seed, generation, "propose", len(plans)),
            attempts=1,
            decode_config=self._decode,
            sampling=Sampling(self._temperature),
            precompile=True,
        )
        proposals = []
        for plan, start, rest, ended in zip(
            plans, starts, drawn.texts, drawn.samples.ended_N, strict=True
        ):
            text = start + rest
            try:
                if not ended:
                    raise InvalidProblem(CUT)
                problem = self._gate.admit(plan.environment, text, in_batch)
            except InvalidProblem as error:
                proposals.append(Proposal(plan, NAME, text, None, str(error)))
            else:
                in_batch.add(problem.key)
                proposals.append(Proposal(plan, NAME, text, problem))
        return Proposals(proposals, drawn)

    def _start(self, plan: Plan, generation: int, number: int) -> str:
        """The first characters of a problem of the requested level, as a proposer would write it.

        Left to itself the proposer narrows down: late in a run a fifth of its arithmetic and more
        than half of its countdown problems had been posed before.
        """
        environment = self._environments[plan.environment]
        rng = streams.python_rng(self._seed, generation, "start", number)
        text = environment.pose(environment.generate(plan.level, rng))
        return text[: min(START, 2 * len(text) // 3)]

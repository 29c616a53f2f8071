"""The learned proposer: the solver's own network, in another role, writes problems.

A role token, an environment and the requested rating make the prompt; the gate reads what comes.
It learns in loop.py from what its proposals were worth (reward.py).
"""

from collections.abc import Sequence

from selfplay import streams
from selfplay.learning import rollout
from selfplay.model.decode import DecodeConfig
from selfplay.model.tokens import Tokenizer
from selfplay.model.transformer import Network
from selfplay.problem import ProposalError, Request
from selfplay.proposing.gate import Gate
from selfplay.proposing.proposal import Proposal, Proposals

NAME = "learned"
CUT = "cut at the token limit"


class Learned:
    """Samples one text for each request."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        gate: Gate,
        seed: int,
        *,
        decode_config: DecodeConfig,
        temperature: float,
    ) -> None:
        self._tokenizer = tokenizer
        self._gate = gate
        self._seed = seed
        self._decode = decode_config
        self._temperature = temperature

    def propose(
        self, requests: Sequence[Request], network: Network, generation: int, in_batch: set[str]
    ) -> Proposals:
        """One proposal for each request, admitted or turned away with the reason."""
        drawn = rollout.respond(
            network,
            self._tokenizer,
            [self._tokenizer.proposer_prompt(r.environment, r.rating) for r in requests],
            streams.row_keys(self._seed, generation, "propose", len(requests)),
            attempts=1,
            decode_config=self._decode,
            temperature=self._temperature,
        )
        proposals = []
        for request, text, ended in zip(requests, drawn.texts, drawn.samples.ended_N, strict=True):
            try:
                if not ended:
                    raise ProposalError(CUT)
                problem = self._gate.admit(request.environment, text, in_batch)
            except ProposalError as error:
                proposals.append(Proposal(request, NAME, text, None, str(error)))
            else:
                in_batch.add(problem.key)
                proposals.append(Proposal(request, NAME, text, problem))
        return Proposals(proposals, drawn)

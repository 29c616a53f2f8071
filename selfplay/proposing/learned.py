"""The learned proposer: the solver's own network, in another role, writes problems.

A role token, an environment and the requested rating make the prompt, and a random start of a few
characters, without which it would come back to a few favourites; the gate reads what comes. It
learns in loop.py from what its proposals were worth (reward.py).
"""

from collections.abc import Mapping, Sequence

from selfplay import streams
from selfplay.learning import rollout
from selfplay.model.network import PROPOSER, Network
from selfplay.model.sampling import DecodeConfig, Sampling
from selfplay.model.tokens import Tokenizer
from selfplay.problem import Environment, InvalidProblem, Request
from selfplay.proposing.gate import Gate
from selfplay.proposing.proposal import Proposal, Proposals

NAME = "learned"
CUT = "cut at the token limit"
START = 6
"""Characters that a proposal is begun with, at most two thirds of the text they are taken from."""


class Learned:
    """Completes one text for each request."""

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
        self, requests: Sequence[Request], network: Network, generation: int, in_batch: set[str]
    ) -> Proposals:
        """One proposal for each request, admitted or turned away with the reason."""
        starts = [self._start(request, generation, slot) for slot, request in enumerate(requests)]
        drawn = rollout.respond(
            network.playing(PROPOSER),
            self._tokenizer,
            [
                self._tokenizer.proposer_prompt(request.environment, request.rating)
                + self._tokenizer.encode(start)
                for request, start in zip(requests, starts, strict=True)
            ],
            streams.row_keys(self._seed, generation, "propose", len(requests)),
            attempts=1,
            decode_config=self._decode,
            sampling=Sampling(self._temperature),
            often=True,
        )
        proposals = []
        for request, start, rest, ended in zip(
            requests, starts, drawn.texts, drawn.samples.ended_N, strict=True
        ):
            text = start + rest
            try:
                if not ended:
                    raise InvalidProblem(CUT)
                problem = self._gate.admit(request.environment, text, in_batch)
            except InvalidProblem as error:
                proposals.append(Proposal(request, NAME, text, None, str(error)))
            else:
                in_batch.add(problem.key)
                proposals.append(Proposal(request, NAME, text, problem))
        return Proposals(proposals, drawn)

    def _start(self, request: Request, generation: int, slot: int) -> str:
        """The first characters of a problem of the requested level, as a proposer would write it.

        Left to itself the proposer narrows down: late in a run a fifth of its arithmetic and more
        than half of its countdown problems had been posed before.
        """
        environment = self._environments[request.environment]
        rng = streams.python_rng(self._seed, generation, "start", slot)
        text = environment.pose(environment.generate(request.level, rng))
        return text[: min(START, 2 * len(text) // 3)]

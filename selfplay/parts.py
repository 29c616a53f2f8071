"""The parts of a run, built once from its configuration: what loop.py, evaluation and people use.

Fed by config.py, feeds train.py and the command line.
"""

from dataclasses import dataclass, replace
from types import ModuleType

from selfplay import environments as installed
from selfplay import streams, suites
from selfplay.config import RunConfig
from selfplay.curriculum.archive import Archive
from selfplay.curriculum.manager import Manager, posed
from selfplay.curriculum.scale import Cells
from selfplay.grading.programs.environment import Interpreter
from selfplay.learning import rehearsal
from selfplay.learning.loss import reinforcement_and_imitation
from selfplay.learning.optimizer import optimizer
from selfplay.learning.rehearsal import Memory
from selfplay.learning.trainer import Trainer
from selfplay.learning.update import Updater, schedule
from selfplay.learning.warmup import Teacher, shown_levels
from selfplay.loop import Counts, Ring, State
from selfplay.model import network as networks
from selfplay.model import sharding
from selfplay.model.network import Network
from selfplay.model.tokens import CharacterTokenizer, Tokenizer
from selfplay.problem import Environment
from selfplay.proposing.gate import Gate
from selfplay.proposing.learned import Learned
from selfplay.proposing.procedural import Procedural
from selfplay.proposing.slots import Slots
from selfplay.suites import Suites


@dataclass(frozen=True)
class Parts:
    """Everything that a configuration determines, built once."""

    config: RunConfig
    environments: dict[str, Environment]
    suites: Suites
    network: Network
    """Untrained."""
    gate: Gate
    ring: Ring

    def state(self) -> State:
        """Before the first generation, untrained."""
        learner = self.ring.trainer.updater.start(self.network.params)
        return State(0, learner, self.ring.manager.initial(), self._memory(), Counts())

    def _memory(self) -> Memory:
        """Empty; where nothing is rehearsed, of the least size that a checkpoint can hold."""
        update, vocabulary = self.config.update, self.ring.tokenizer.vocabulary
        cells = self.ring.manager.cells.there_EL.size
        if not update.rehearses:
            return rehearsal.empty(cells, 1, 1, vocabulary)
        return rehearsal.empty(cells, update.rehearsal.memory, update.row_lengths[-1], vocabulary)

    def trained(self, state: State) -> Network:
        """The network with a state's parameters."""
        return self.network.with_params(state.learner.params)


def pinned(config: RunConfig) -> RunConfig:
    """The configuration of a run that starts now, with the checkpoint as it is.

    Raises:
        ValueError: something is wrong with the checkpoint.
    """
    return _from_checkpoint().pinned(config) if config.pretrained.folder else config


def check(config: RunConfig) -> None:
    """Refuse a configuration whose parts do not fit, before anything is made.

    Raises:
        ValueError: an environment that is not installed or cannot be posed, no level to show, or
            rows that cannot hold a prompt with a response.
    """
    # From scratch the longest prompt is a learned proposal with role, environment and <respond>.
    pretrained = bool(config.pretrained.folder)
    prompt = config.pretrained.prompt_tokens if pretrained else config.proposing.max_tokens + 4
    longest = config.decode.max_tokens + prompt
    if pretrained and config.warmup.steps and config.warmup.row_length < longest:
        raise ValueError(
            f"warmup.row_length={config.warmup.row_length} cannot hold a prompt with a response; "
            f"it must be at least {longest}. A checkpoint may need no warm-up: --warmup.steps 0."
        )
    if config.update.row_lengths[-1] < longest:
        raise ValueError(
            f"the last of update.row_lengths={config.update.row_lengths} cannot hold a prompt "
            "with a response of "
            f"decode.max_tokens={config.decode.max_tokens}; it must be at least {longest}."
        )
    loaded = installed.load_all(config.environments)
    posed(Cells.of(loaded), config.curriculum.withheld)
    if config.warmup.steps:
        for environment in loaded.values():
            if not environment.frozen:
                shown_levels(environment, config.warmup.shown)


def build(config: RunConfig, archive: Archive) -> Parts:
    """Make the parts of a run.

    Raises:
        ValueError: an environment that is not installed, a configuration whose parts do not fit, or
            an environment that runs programs where the sandbox holds less than is required.
    """
    sharding.arrange(config.mesh)
    environments = installed.load_all(config.environments, Interpreter(config.sandbox))
    frozen = suites.build(environments, config.suites)
    tokenizer, network = _model(config, environments)
    gate = Gate(environments, frozen.keys, archive)
    update, proposing = config.update, config.proposing
    manager = Manager(
        Cells.of(environments), config.curriculum, config.generations,
        config.rollout.problems, frozen.digest,
    )  # fmt: skip
    ring = Ring(
        seed=config.seed,
        network=network,
        tokenizer=tokenizer,
        environments=environments,
        manager=manager,
        slots=Slots(
            proposing,
            config.seed,
            archive,
            Learned(
                environments, tokenizer, gate, config.seed,
                decode_config=replace(config.decode, max_tokens=proposing.max_tokens),
                temperature=config.rollout.temperature,
            ),
            Procedural(environments, gate, config.seed),
        ),
        trainer=Trainer(
            update,
            config.seed,
            Updater(
                network,
                optimizer(schedule(update, config.generations), update.max_norm),
                lambda logprob_RT, packed: reinforcement_and_imitation(
                    logprob_RT, packed, update.clip_low, update.clip_high
                ),
                row_lengths=update.row_lengths,
                tokens=update.tokens,
                temperature=config.rollout.temperature,
                max_divergence=update.max_divergence,
            ),
            Teacher(config.warmup, environments, tokenizer, frozen.keys, manager.prior_rating),
        ),
        rollout=config.rollout,
        decode=config.decode,
    )  # fmt: skip
    return Parts(config, environments, frozen, network, gate, ring)


def _model(config: RunConfig, environments: dict[str, Environment]) -> tuple[Tokenizer, Network]:
    """The untrained network and how it is spoken to: from scratch, or from a checkpoint."""
    if config.pretrained.folder:
        return _from_checkpoint().model(config, environments)
    tokenizer = CharacterTokenizer(
        tuple(environments),
        multiline=any(environment.multiline for environment in environments.values()),
    )
    built = config.model.architecture(tokenizer.vocabulary, tokenizer.spoken)
    built = replace(built, precision=config.precision)
    network = networks.create(built, streams.numpy_rng(config.seed, 0, "parameters"))
    return tokenizer, network.with_params(sharding.place(network.params))


def _from_checkpoint() -> ModuleType:
    """The module for runs that start from a checkpoint, whose packages may be missing."""
    try:
        from selfplay import from_checkpoint
    except ImportError as error:
        raise ValueError(
            f"a checkpoint needs {error.name}: pip install 'selfplay-curriculum[pretrained]'"
        ) from error
    return from_checkpoint

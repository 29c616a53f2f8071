"""RunConfig: everything that a run depends on, composed of the parts' own configurations.

Experiments define one, the command line changes fields of it, the run folder keeps it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import dacite
import tyro

from selfplay.curriculum.config import CurriculumConfig
from selfplay.evaluate import EvaluationConfig
from selfplay.grading.programs.jobs import Level
from selfplay.grading.programs.sandbox import SandboxConfig
from selfplay.learning.update import UpdateConfig
from selfplay.learning.warmup import WarmupConfig
from selfplay.model.architecture import Precision
from selfplay.model.sampling import DecodeConfig
from selfplay.model.sharding import MeshConfig
from selfplay.model.transformer import ModelConfig
from selfplay.proposing.proposal import ProposingConfig
from selfplay.rollout.attempts import RolloutConfig
from selfplay.suites import SuiteConfig

WANTED = "<folder>"
"""The folder in an experiment that starts from whatever checkpoint it is given."""


@dataclass(frozen=True)
class PretrainedConfig:
    """Which checkpoint a run starts from."""

    folder: str = ""
    """With config.json, safetensors and tokenizer.json, as Hugging Face lays them out; empty: a
    model of the shape of `model` starts from scratch."""
    prompt_tokens: int = 512
    """Longest prompt; with `decode.max_tokens` it has to fit the last of `update.row_lengths`."""
    adapter_rank: int = 0
    """Rank of low-rank adapters, of which solver and proposer have one each while the checkpoint is
    frozen; 0 trains the whole model. They want about ten times its learning rate."""
    digest: Annotated[str, tyro.conf.Suppress] = ""
    """Of the checkpoint's files when the run was started; it goes on with no others."""
    today: Annotated[str, tyro.conf.Suppress] = ""
    """The date when the run was started, which the prompts of some models hold; empty: the present
    date."""

    @property
    def path(self) -> Path:
        """The folder.

        Raises:
            ValueError: none was given, in an experiment that starts from a checkpoint.
        """
        if self.folder == WANTED:
            raise ValueError(
                "this experiment starts from a checkpoint: `selfplay train` takes the folder that "
                "holds it, with --pretrained.folder FOLDER."
            )
        return Path(self.folder).expanduser()

    def __post_init__(self) -> None:
        if self.adapter_rank < 0:
            raise ValueError(
                f"pretrained.adapter_rank={self.adapter_rank} must be at least 0, which trains the "
                "whole model; 8 to 64 are usual."
            )
        if self.prompt_tokens < 16:
            raise ValueError(
                f"pretrained.prompt_tokens={self.prompt_tokens} must be at least 16; questions in "
                "words take a hundred and more."
            )


@dataclass(frozen=True)
class RunConfig:
    """A run of the ring."""

    experiment: Annotated[str, tyro.conf.Suppress] = "unnamed"
    """Name of the experiment; set by the experiment itself."""
    arm: Annotated[str, tyro.conf.Suppress] = "main"
    """Which of the experiment's variants this is; set by `--arm`."""
    seed: int = 0
    """Of all random streams of the run; the held-out suite does not depend on it."""
    generations: int = 100
    """Turns of the ring."""
    token_budget: int = 0
    """Generated tokens after which a run ends before its last generation, to compare runs at equal
    cost: attempts, proposals, screening and looks at the anchors count; 0 sets no limit."""
    environments: Annotated[tuple[str, ...], tyro.conf.arg(aliases=["--env"])] = (
        "arithmetic", "countdown", "linear_equations", "modular",
    )  # fmt: skip
    """The environments to learn: names of installed ones, or Python files that define one."""
    device: Literal["auto", "cpu", "gpu", "tpu"] = "auto"
    """Where to compute; `auto` takes an accelerator if there is one."""
    precision: Precision = "float32"
    """In what matrices are multiplied. `mixed`: activations are float32, what is multiplied with a
    weight is rounded to bfloat16, for CPUs with AVX512-BF16 or AMX; `bfloat16`: activations are
    rounded too, for accelerators. What is learnt stays float32; a checkpoint that is frozen beside
    adapters is kept in bfloat16 by both."""
    checkpoint_every: int = 25
    """Generations between checkpoints; there is one after the warm-up and one at the end too."""
    attempts_every: int = 10
    """Generations between those whose attempts are kept for `selfplay bench grade --audit`; 0 keeps
    none. One costs problems x attempts x length in bytes."""
    mesh: MeshConfig = field(default_factory=MeshConfig)
    """How several devices are arranged."""
    model: ModelConfig = field(default_factory=ModelConfig)
    """Shape of a network that starts from scratch."""
    pretrained: PretrainedConfig = field(default_factory=PretrainedConfig)
    """A checkpoint to start from instead."""
    warmup: WarmupConfig = field(default_factory=WarmupConfig)
    """Cold start from worked solutions."""
    warmup_of: str = ""
    """A run folder whose warm-up is taken over instead of doing it again: arms that are compared
    then start from the same parameters, to the last bit. Seed, environments, model, suites and
    warm-up of both have to be the same."""
    rollout: RolloutConfig = field(default_factory=RolloutConfig)
    """Attempts at problems."""
    decode: DecodeConfig = field(default_factory=DecodeConfig)
    """Limits of sampling."""
    update: UpdateConfig = field(default_factory=UpdateConfig)
    """Reinforcement."""
    proposing: ProposingConfig = field(default_factory=ProposingConfig)
    """Who writes the problems."""
    curriculum: CurriculumConfig = field(default_factory=CurriculumConfig)
    """Which problems come next."""
    suites: SuiteConfig = field(default_factory=SuiteConfig)
    """Frozen held-out and anchor problems."""
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    """How progress is measured."""
    sandbox: SandboxConfig = field(default_factory=SandboxConfig)
    """Where environments run programs; not used by those that run none."""

    def __post_init__(self) -> None:
        counts = (self.generations, self.token_budget, self.seed, self.attempts_every)
        if min(counts) < 0 or self.checkpoint_every < 1:
            raise ValueError(
                f"generations={self.generations}, token_budget={self.token_budget}, "
                f"seed={self.seed} and attempts_every={self.attempts_every} must be at least 0, "
                f"checkpoint_every={self.checkpoint_every} at least 1."
            )
        if not self.environments or len(set(self.environments)) != len(self.environments):
            raise ValueError(
                f"environments={self.environments} must name at least one environment, each once."
            )

    def to_json(self) -> str:
        """The configuration as readable JSON."""
        return json.dumps(asdict(self), indent=2) + "\n"


def from_json(text: str) -> RunConfig:
    """The inverse of `RunConfig.to_json`; every field is checked.

    Raises:
        ValueError: not JSON, a field that is unknown, missing or of the wrong type, or a value out
            of range.
    """
    try:
        data = json.loads(text)
        if not isinstance(data, Mapping):
            raise ValueError(f"it holds a {type(data).__name__} instead of an object")
        return dacite.from_dict(RunConfig, data, _STRICT)
    except (dacite.DaciteError, json.JSONDecodeError) as error:
        raise ValueError(str(error)) from error


_STRICT: Any = dacite.Config(strict=True, cast=[tuple, Level])

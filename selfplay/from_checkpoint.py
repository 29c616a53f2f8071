"""The checkpoint that a run starts from: pinned when the run starts, opened whenever it goes on.

Needs the packages of the extra `pretrained`, so parts.py imports it when a run asks for it.
"""

import datetime
import random
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace

from selfplay import environments as installed
from selfplay import streams
from selfplay.config import PretrainedConfig, RunConfig
from selfplay.curriculum.scale import MEAN
from selfplay.grading.programs.environment import Interpreter
from selfplay.model import pretrained, pretrained_files
from selfplay.model.network import Network
from selfplay.model.pretrained_tokens import PretrainedTokenizer
from selfplay.problem import Environment
from selfplay.rollout.chat import ChatTokenizer


def pinned(config: RunConfig) -> RunConfig:
    """The configuration of a run that starts now: where its checkpoint is, what it is, and when.

    Raises:
        ValueError: what is wrong with the checkpoint, as far as can be told without reading all of
            its weights: its files, its template, prompts that are too long.
    """
    folder = config.pretrained.path.resolve()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    source = replace(config.pretrained, folder=str(folder), today=today)
    pretrained.check(folder)
    with closing(Interpreter(config.sandbox)) as interpreter:
        environments = installed.load_all(config.environments, interpreter)
        tokenizer = _tokenizer(source, environments)
        for name, environment in environments.items():
            tokenizer.solver_prompt(environment.generate(0, random.Random(0)))
            tokenizer.proposer_prompt(name, MEAN)
    return replace(config, pretrained=replace(source, digest=pretrained_files.fingerprint(folder)))


def model(
    config: RunConfig, environments: Mapping[str, Environment]
) -> tuple[ChatTokenizer, Network]:
    """The untrained network of a run, and how it is spoken to.

    Raises:
        ValueError: something is wrong with the checkpoint, or it is not the one that was pinned.
    """
    source = config.pretrained
    folder, rank = source.path, source.adapter_rank
    if source.digest and not folder.is_dir():
        raise ValueError(
            f"the run started from the checkpoint {folder}, which is not there. Put it back, or "
            "write where it is now as pretrained.folder into config.json in the run's folder."
        )
    if source.digest and pretrained_files.fingerprint(folder) != source.digest:
        raise ValueError(
            f"the checkpoint in {folder} is not the one that the run started from: its files have "
            "changed. Put those back, or write where they are now as pretrained.folder into "
            "config.json in the run's folder. If nothing that matters has changed, make "
            "pretrained.digest empty there."
        )
    tokenizer = _tokenizer(source, environments)
    network = pretrained.load(
        folder, dtype="bfloat16" if rank and config.precision != "float32" else "float32",
        compute=config.precision, spoken=tokenizer.vocabulary, adapter_rank=rank,
        adapter_rng=streams.numpy_rng(config.seed, 0, "adapters"),
    )  # fmt: skip
    return tokenizer, network


def _tokenizer(source: PretrainedConfig, environments: Mapping[str, Environment]) -> ChatTokenizer:
    vocabulary = pretrained.architecture(source.path).vocabulary
    today = datetime.date.fromisoformat(source.today) if source.today else None
    own = PretrainedTokenizer(source.path, today)
    return ChatTokenizer(own, environments, source.prompt_tokens, vocabulary)

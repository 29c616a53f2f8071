"""Decoding and training of the preset `tiny` beside other libraries, on the same machine.

    python tests/bench/peers.py --peers /path/to/peers/bin/python --rounds 3

The peers need an environment of their own, since they pin versions of jax and bring torch. With
Python 3.11, whose torch 2.13.0 is a small build for the CPU (other versions may bring CUDA):

    python3.11 -m venv peers
    peers/bin/pip install torch==2.13.0 transformers trl google-tunix==0.1.7

Each measurement is a process of its own: it compiles in a first call and times the calls after it.
A round runs each of `OURS` and every peer in turn on each shape; printed are medians over the
rounds, and the medians over the rounds of ours / peer in tokens a second. One JSON line for each
library and shape; a peer that cannot be imported gives a line that says so. Run it with nothing
else on the machine.

Who does what:

- Decoding: prompts of 16 tokens, 120 new tokens each at temperature 1, no end token, 64 and 512
  rows. `selfplay` gives log-probabilities too; the peers are not asked for them, which is in their
  favour. `transformers`: LlamaForCausalLM.generate with its dynamic cache; on a CPU its static
  cache took about twice as long, compiled or not. `tunix`: its Sampler on its Llama 3.
- Training: one optimiser step of a clipped policy gradient on 64 sequences of 48 tokens and on 128
  of 64, a third of each the prompt, with 8 responses to each prompt. `tunix`: PeftTrainer's step
  with its GRPO loss and AdamW. `trl`: GRPOTrainer's loss, which also computes entropies, and its
  AdamW. `transformers`: a plain step of torch with the same loss and AdamW, the least that a torch
  library does. `selfplay` takes its usual step: two responses share their prompt in a packed row,
  and its Muon costs more than AdamW.
- `selfplay` makes each core a device. It and the peers run with the memory allocator of the command
  line (`device.allocator`); for the rest peers run as they come, in float32: where it was measured,
  torch's bfloat16 was slower (see `docs/performance.md`). Torch's threads wait in a loop, which is
  fastest on cores that are idle (its decoding takes twice as long with OMP_WAIT_POLICY=passive) and
  slowest on cores that are not.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

WIDTH, LAYERS, HEADS, KV_HEADS, HIDDEN, VOCABULARY = 128, 4, 4, 2, 384, 128
PROMPT, NEW_TOKENS = 16, 120
ATTEMPTS = 8
"""Responses to each prompt in training."""
DECODE_ROWS = (64, 512)
BATCHES = ((64, 48), (128, 64))
CASES = [
    *(f"decode {rows}" for rows in DECODE_ROWS),
    *(f"train {sequences}x{length}" for sequences, length in BATCHES),
]
OURS = ("selfplay-float32", "selfplay-mixed")
"""Each with a precision (`selfplay train --precision`)."""
PEERS = ("transformers", "trl", "tunix")
CALLS, SECONDS = 3, 3.0
"""A process times at least so many calls, and for at least so long."""


def tokens(rows: int, length: int) -> np.ndarray:
    """Random ids int [rows, length]; 0 is the peers' padding."""
    return np.random.default_rng(0).integers(1, VOCABULARY, size=(rows, length))


def attempts(sequences: int, length: int) -> np.ndarray:
    """Random ids int [sequences, length], a third of each the prompt, which `ATTEMPTS` share."""
    token_NT, cut = tokens(sequences, length), length // 3
    token_NT[:, :cut] = np.repeat(token_NT[::ATTEMPTS, :cut], ATTEMPTS, axis=0)[:sequences]
    return token_NT


def selfplay_decode(rows: int, precision: str) -> Callable[[], object]:
    from selfplay.cli import bench_model
    from selfplay.cli.bench_presets import DecodeShape

    shape = DecodeShape(rows, PROMPT, NEW_TOKENS)
    task = bench_model.preset_decoding("tiny", shape, precision)
    return bench_model.decoding_workload(task).run


def selfplay_train(sequences: int, length: int, precision: str) -> Callable[[], object]:
    from selfplay.cli import bench_model
    from selfplay.cli.bench_presets import TrainShape

    shape = TrainShape(sequences, length, ATTEMPTS)
    return bench_model.steps(bench_model.preset_training("tiny", shape, precision))


def llama():
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=HIDDEN,
            num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=KV_HEADS,
            tie_word_embeddings=True, max_position_embeddings=512, bos_token_id=None,
            eos_token_id=None, pad_token_id=0,
        )
    )  # fmt: skip


def transformers_decode(rows: int) -> Callable[[], object]:
    import torch

    model, prompts = llama().eval(), torch.tensor(tokens(rows, PROMPT))

    def run():
        with torch.inference_mode():
            drawn = model.generate(
                prompts, attention_mask=torch.ones_like(prompts), max_new_tokens=NEW_TOKENS,
                do_sample=True, temperature=1.0, top_k=0, top_p=1.0, eos_token_id=None,
            )  # fmt: skip
        assert drawn.shape == (rows, PROMPT + NEW_TOKENS)

    return run


def transformers_train(sequences: int, length: int) -> Callable[[], object]:
    import torch

    model, token_NT = llama().train(), torch.tensor(attempts(sequences, length))
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-4)
    cut = length // 3
    advantage_N1 = torch.tensor(np.random.default_rng(0).choice([-1.0, 1.0], (sequences, 1)))
    old_NT = torch.full((sequences, length - cut), -float(np.log(VOCABULARY)))

    def run():
        logits = model(token_NT).logits[:, cut - 1 : -1]
        chosen = torch.log_softmax(logits, -1).gather(-1, token_NT[:, cut:, None])[..., 0]
        ratio = torch.exp(chosen - old_NT)
        gain = torch.minimum(ratio * advantage_N1, ratio.clamp(0.8, 1.28) * advantage_N1)
        (-gain.mean()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()

    return run


def trl_train(sequences: int, length: int) -> Callable[[], object]:
    import torch
    from datasets import Dataset
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast
    from trl import GRPOConfig, GRPOTrainer

    words = Tokenizer(WordLevel({str(id): id for id in range(VOCABULARY)}, unk_token="0"))
    cut, token_NT = length // 3, torch.tensor(attempts(sequences, length))
    trainer = GRPOTrainer(
        model=llama(),
        reward_funcs=lambda completions, **_: [0.0] * len(completions),  # never asked
        args=GRPOConfig(
            output_dir=tempfile.mkdtemp(), per_device_train_batch_size=sequences, beta=0.0,
            learning_rate=5e-4, max_completion_length=length - cut, epsilon_high=0.28,
            use_cpu=True, bf16=False, gradient_checkpointing=False, report_to=[],
        ),
        train_dataset=Dataset.from_dict({"prompt": ["1"] * sequences}),
        processing_class=PreTrainedTokenizerFast(
            tokenizer_object=words, pad_token="0", eos_token="1"
        ),
    )  # fmt: skip
    model, optimiser = trainer.model.train(), trainer.create_optimizer()
    trainer.current_gradient_accumulation_steps = 1  # its loop sets it so
    mask_NT = torch.ones_like(token_NT)
    batch = {
        "prompt_ids": token_NT[:, :cut], "prompt_mask": mask_NT[:, :cut],
        "completion_ids": token_NT[:, cut:], "completion_mask": mask_NT[:, cut:],
        "advantages": torch.tensor(np.random.default_rng(0).choice([-1.0, 1.0], sequences)),
        "old_per_token_logps": torch.full((sequences, length - cut), -float(np.log(VOCABULARY))),
        "num_items_in_batch": mask_NT[:, cut:].sum(),
    }  # fmt: skip

    def run():
        trainer.compute_loss(model, batch).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()

    return run


def tunix_model():
    from flax import nnx
    from tunix.models.llama3 import model as llama3

    config = llama3.ModelConfig(
        num_layers=LAYERS, vocab_size=VOCABULARY, embed_dim=WIDTH, hidden_dim=HIDDEN,
        num_heads=HEADS, head_dim=WIDTH // HEADS, num_kv_heads=KV_HEADS, rope_theta=10_000,
        norm_eps=1e-6, weight_tying=True,
    )  # fmt: skip
    return llama3.Llama3(config, rngs=nnx.Rngs(0))


class Numbers:
    """A tokenizer whose texts are ids in words; what tunix's sampler asks for."""

    def encode(self, text: str) -> list[int]:
        return [int(word) for word in text.split()]

    def decode(self, ids: list[int]) -> str:
        return ""

    def bos_id(self) -> int:
        return 0  # none

    def eos_id(self) -> int:
        return -1  # never drawn

    def pad_id(self) -> int:
        return 0


def tunix_decode(rows: int) -> Callable[[], object]:
    from tunix.generate.sampler import CacheConfig, Sampler

    cache = CacheConfig(
        cache_size=PROMPT + NEW_TOKENS, num_layers=LAYERS, num_kv_heads=KV_HEADS,
        head_dim=WIDTH // HEADS,
    )  # fmt: skip
    sampler = Sampler(tunix_model(), Numbers(), cache)
    prompts = [" ".join(map(str, row)) for row in tokens(rows, PROMPT)]
    seeds = iter(range(1_000_000))

    def run():
        drawn = sampler(
            prompts, max_generation_steps=NEW_TOKENS, max_prompt_length=PROMPT, temperature=1.0,
            top_p=1.0, seed=next(seeds),
        )  # fmt: skip
        assert {len(row) for row in drawn.tokens} == {NEW_TOKENS}

    return run


def tunix_train(sequences: int, length: int) -> Callable[[], object]:
    import jax
    import jax.numpy as jnp
    import optax
    from tunix.rl import algo_core
    from tunix.rl.common import TrainExample
    from tunix.rl.grpo.grpo_learner import GRPOConfig
    from tunix.sft.peft_trainer import PeftTrainer, TrainingConfig

    cut, token_NT = length // 3, jnp.asarray(attempts(sequences, length), jnp.int32)
    config = GRPOConfig(beta=0.0)
    config.temperature = 1.0  # its learner sets it so
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(5e-4))
    trainer = PeftTrainer(tunix_model(), optimiser, TrainingConfig(eval_every_n_steps=1_000_000))
    trainer.with_loss_fn(
        lambda model, example: algo_core.grpo_loss_fn(model, example, config, 0, -1), has_aux=True
    ).with_gen_model_input_fn(lambda example: {"example": example})
    step, _ = trainer.jit_train_and_eval_step(cache_nnx_graph=True)
    example = TrainExample(
        prompt_ids=token_NT[:, :cut],
        prompt_mask=jnp.ones((sequences, cut), jnp.int32),
        completion_ids=token_NT[:, cut:],
        completion_mask=jnp.ones((sequences, length - cut), jnp.int32),
        advantages=jnp.asarray(np.random.default_rng(0).choice([-1.0, 1.0], sequences)),
        ref_per_token_logps=None,
        old_per_token_logps=jnp.full((sequences, length - cut), -np.log(VOCABULARY)),
    )
    return lambda: jax.block_until_ready(step(example))


def measure(who: str, case: str) -> dict[str, float] | None:
    """Tokens a second and seconds of the first call of one library; None if it is not there."""
    library, *precision = who.split("-")
    if who in OURS:
        from selfplay import device

        device.prepare()
    elif importlib.util.find_spec(library) is None:
        return None
    what, shape = case.split()
    sizes = tuple(map(int, shape.split("x")))
    start = time.perf_counter()
    run = globals()[f"{library}_{what}"](*sizes, *precision)
    run()
    first = time.perf_counter() - start
    seconds = []
    while len(seconds) < CALLS or sum(seconds) < SECONDS:
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    done = sizes[0] * (NEW_TOKENS if what == "decode" else sizes[1])
    return {"tokens_per_second": done / statistics.median(seconds), "first_seconds": first}


def measured_apart(python: str, who: str, case: str) -> dict[str, float] | None:
    """`measure` in a process of its own, its answer on the last line; failures end the script.

    None too for what the library does not do.
    """
    if who in PEERS and f"{who}_{case.split()[0]}" not in globals():
        return None
    from selfplay import device  # not here in a peer's process

    environment = os.environ | device.allocator()
    if who in PEERS:
        environment.pop("PYTHONPATH", None)  # the peers' own packages, not ours
    else:
        environment["JAX_ENABLE_COMPILATION_CACHE"] = "false"  # first calls compile, as the peers'
    done = subprocess.run(
        [python, __file__, "--measure", who, case],
        env=environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def compare(python_of: dict[str, str], cases: list[str], rounds: int) -> None:
    """Print a line for each library and shape."""
    for case in cases:
        found: dict[str, list[dict[str, float]]] = {who: [] for who in python_of}
        for _ in range(rounds):
            for who, python in python_of.items():
                if (one := measured_apart(python, who, case)) is not None:
                    found[who].append(one)
        for who, ones in found.items():
            line: dict[str, object] = {"who": who, "case": case, "rounds": len(ones)}
            if not ones:
                reason = f"cannot import {who}, or it does not do this"
                print(json.dumps(line | {"error": reason}), flush=True)
                continue
            rates = [one["tokens_per_second"] for one in ones]
            line["tokens_per_second"] = statistics.median(rates)
            line["first_seconds"] = statistics.median(one["first_seconds"] for one in ones)
            for ours in OURS if who in PEERS else ():
                pairs = zip(found[ours], rates, strict=True)
                ratio = statistics.median(one["tokens_per_second"] / rate for one, rate in pairs)
                line[f"{ours}_per_theirs"] = ratio
            print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Our speed beside that of other libraries.")
    parser.add_argument("--peers", default=sys.executable, help="Python that has the peers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=CASES)
    parser.add_argument("--measure", nargs=2, metavar=("WHO", "CASE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.rounds < 1:
        parser.error(f"--rounds {asked.rounds} must be at least 1")
    if asked.measure:
        print(json.dumps(measure(*asked.measure)))
    else:
        python_of = dict.fromkeys(OURS, sys.executable) | dict.fromkeys(PEERS, asked.peers)
        compare(python_of, asked.cases, asked.rounds)


if __name__ == "__main__":
    main()

"""Write the golden files: what transformers makes of small checkpoints of every family.

    python tests/model/golden/make.py [NAME ...]

Needs torch and transformers. Each file holds the configuration as transformers writes it, the names
and shapes of the tensors, a prompt, the logits at its last positions, and the greedy continuation.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

VOCABULARY, PROMPT, CONTINUED, POSITIONS = 96, 24, 64, 4
SMALL = {
    "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 4,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": None,
}  # fmt: skip
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500.0, "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 32,
}  # fmt: skip
YARN = {
    "rope_type": "yarn", "rope_theta": 1000.0, "factor": 4.0,
    "original_max_position_embeddings": 16,
}  # fmt: skip
LINEAR = {"rope_type": "linear", "rope_theta": 10000.0, "factor": 3.0}
GEMMA = {"head_dim": 16, "query_pre_attn_scalar": 12, "sliding_window": 7}
CONFIGURATIONS = {
    "llama": ("llama", {"tie_word_embeddings": False}),
    "llama-3": ("llama", {"head_dim": 16, "rope_parameters": LLAMA3, "tie_word_embeddings": True}),
    "llama-biased": (
        "llama", {"attention_bias": True, "mlp_bias": True, "rope_parameters": LINEAR},
    ),
    "smollm3": ("smollm3", {"tie_word_embeddings": True}),
    "qwen2": ("qwen2", {"tie_word_embeddings": True}),
    "qwen2-windowed": (
        "qwen2",
        {"use_sliding_window": True, "sliding_window": 6, "max_window_layers": 2},
    ),
    "qwen2-yarn": ("qwen2", {"rope_parameters": YARN}),
    "qwen3": ("qwen3", {"head_dim": 16, "tie_word_embeddings": True}),
    "gemma2": ("gemma2", GEMMA),
    "gemma3": ("gemma3_text", GEMMA | {"sliding_window_pattern": 3}),
    "gemma3-scaled": (
        "gemma3_text",
        GEMMA | {"rope_parameters": {
            "full_attention": LINEAR,
            "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
        }},
    ),
}  # fmt: skip


def model(name):
    """A model of transformers with the weights of `checkpoints.weight`, and its record so far."""
    import checkpoints
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    family, changes = CONFIGURATIONS[name]
    config = AutoConfig.for_model(family, **SMALL | changes)
    made = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval().float()
    tied = config.tie_word_embeddings
    kept = {
        key: list(tensor.shape)
        for key, tensor in made.state_dict().items()
        if not (tied and key == "lm_head.weight")
    }
    said = json.loads(made.config.to_json_string(use_diff=False))
    said |= {"model_type": family, "dtype": "float32"}
    record = {"config": said, "tensors": kept}
    drawn = {key: torch.tensor(array) for key, array in checkpoints.weights(record).items()}
    made.load_state_dict(drawn, strict=not tied)
    made.tie_weights()
    return made, record


def run(made, prompt):
    """Logits [T, V] of a prompt and its greedy continuation, without a cache: what is meant."""
    import torch

    with torch.no_grad():
        logits = made(torch.tensor([prompt]), use_cache=False).logits[0]
        tokens = list(prompt)
        for _ in range(CONTINUED):
            last = made(torch.tensor([tokens]), use_cache=False).logits[0, -1]
            tokens.append(int(last.argmax()))
    return logits.numpy(), tokens[len(prompt) :]


def prompt_of(name):
    """Token ids."""
    import random

    rng = random.Random(name)
    return [rng.randrange(2, VOCABULARY) for _ in range(PROMPT)]


def main():
    """Write them all."""
    import torch
    import transformers

    torch.set_num_threads(1)
    for name in sys.argv[1:] or CONFIGURATIONS:
        made, record = model(name)
        prompt = prompt_of(name)
        logits, greedy = run(made, prompt)
        record |= {
            "made_with": f"transformers {transformers.__version__}, torch {torch.__version__}",
            "prompt": prompt,
            "logits": [[round(float(x), 6) for x in row] for row in logits[-POSITIONS:]],
            "greedy": greedy,
        }
        (HERE / f"{name}.json").write_text(json.dumps(record) + "\n")
        print(name, len(record["tensors"]), greedy[:8])


if __name__ == "__main__":
    main()

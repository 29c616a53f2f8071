"""The language model: tokens, one forward pass, sampling. Imports nothing of ours outside."""

"""Experiments: each module has a CONFIG, and VARIANTS for its control arms. See README.md."""

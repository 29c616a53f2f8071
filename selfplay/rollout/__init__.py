"""Inference: prompts -> responses, problems -> graded attempts, by the network as it is now."""

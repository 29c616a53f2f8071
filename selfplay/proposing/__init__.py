"""Proposers: whoever writes the next problems, the gate that they must pass, and their reward."""

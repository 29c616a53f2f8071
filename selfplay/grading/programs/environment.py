"""Environments whose problems or answers are programs, and the interpreter that these share.

Authors of such environments subclass ProgramEnvironment; whoever loads environments gives all of
them one Interpreter, which starts no process before the first program is to be run.
"""

from functools import cached_property

from selfplay.grading.programs.gold import Oracle
from selfplay.grading.programs.pool import Pool
from selfplay.grading.programs.sandbox import SandboxConfig, open_pool
from selfplay.problem import Environment


class Interpreter:
    """Runs untrusted programs in the sandbox; opened when first needed, may be shared by threads.

    Raises:
        ValueError: at the first use, where less holds than `config.require`.
    """

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config

    @cached_property
    def pool(self) -> Pool:
        """Where submissions run."""
        return open_pool(self.config)

    @cached_property
    def oracle(self) -> Oracle:
        """Where proposed programs get their golds."""
        return Oracle(self.config)

    def close(self) -> None:
        """End its processes, for whoever is done with it before our own process ends."""
        for name in ("pool", "oracle"):
            if name in self.__dict__:  # where a cached property is kept, if it was ever asked for
                self.__dict__.pop(name).close()


class ProgramEnvironment(Environment):
    """An environment that runs programs; everything else is as in any other."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter

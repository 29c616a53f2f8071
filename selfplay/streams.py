"""Named random streams: every random choice is a pure function of (seed, generation, name, index).

No generator is carried along, so a resumed run draws what the uninterrupted one would have drawn,
and neighbouring seeds share nothing (sums such as seed + index would). Generation 0 is the warm-up.
"""

import random
import zlib

import numpy as np


def row_keys(seed: int, generation: int, name: str, row_count: int) -> np.ndarray:
    """Data of one jax key per row, uint32 [N, 2], for draws on the device.

    What a row draws does not depend on how many rows there are. Made by numpy, which compiles
    nothing.
    """
    return _sequence(seed, generation, name, ()).generate_state(2 * row_count).reshape(-1, 2)


def _sequence(
    seed: int, generation: int, name: str, index: tuple[int, ...]
) -> np.random.SeedSequence:
    entropy = [seed, generation, zlib.crc32(name.encode())]
    return np.random.SeedSequence(
        entropy, spawn_key=index
    )  # entropy is padded with zeros: 0 = none


def numpy_rng(seed: int, generation: int, name: str, *index: int) -> np.random.Generator:
    """A numpy generator, for draws on the host."""
    return np.random.default_rng(_sequence(seed, generation, name, index))


def python_rng(seed: int, generation: int, name: str, *index: int) -> random.Random:
    """A generator of the standard library, which is what environments take."""
    words = _sequence(seed, generation, name, index).generate_state(4)
    return random.Random(int.from_bytes(words.tobytes(), "little"))

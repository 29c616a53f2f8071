"""Values <-> frames: the only thing that crosses the wall, spoken by both ends.

A value is None, bool, int, float, complex, str, bytes, list, tuple, dict, set or frozenset of
exactly that type, and a frame is its JSON with tags for what JSON lacks. The jailed side turns what
untrusted code returned into a frame without calling any of its methods; the trusted side turns a
hostile frame into fresh built-in values, within limits that are checked before the work is done.
"""

import base64
import json
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

MAX_FRAME = 1 << 20
"""Longest frame, in bytes."""
MAX_DEPTH = 60
"""Deepest nesting of containers."""
MAX_INT_BITS = 1 << 17
"""Largest integer, in bits: about 39,000 decimal digits."""
MAX_ITEMS = MAX_FRAME // 2
"""Most elements of one container: each takes two bytes of a frame at least."""
MAX_COLLISIONS = 64
"""Most elements of one set or dict with the same hash: more make building it take for ever."""

_PLAIN_INT_BITS = 64  # larger ones are written in base 16: decimal takes quadratic time
_BUILT_IN = (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset)


class ValueRefused(ValueError):
    """A value that cannot cross, or a frame that is no value; the message says why."""


def to_frame(value: object) -> bytes:
    """The JSON text of a value: ASCII, on one line, no longer than `MAX_FRAME`.

    Returns:
        A frame from which `from_frame` makes an equal value of the same kind; OrderedDict,
        defaultdict and Counter become dict.
    Raises:
        ValueRefused: a type that is not transported, a cycle, or beyond a limit.
    """
    frame = json.dumps(to_json(value), separators=(",", ":"), allow_nan=False).encode()
    if len(frame) > MAX_FRAME:
        raise ValueRefused(f"too large: a frame of {len(frame)} bytes")
    return frame


def from_frame(frame: bytes) -> object:
    """Fresh built-in values from a frame that may be hostile.

    Raises:
        ValueRefused: not a frame, or beyond a limit.
    """
    if len(frame) > MAX_FRAME:
        raise ValueRefused(f"too large: a frame of {len(frame)} bytes")
    try:
        node = json.loads(frame, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ValueRefused(f"not a frame: {type(error).__name__}") from error
    return from_json(node)


def to_json(value: object) -> object:
    """The value as the tree that `json.dumps` writes; the limits are those of `to_frame`."""
    return _Writer().write(value, 0)


def from_json(node: object, depth: int = 0) -> object:
    """The value of a tree that `json.loads` made.

    Raises:
        ValueRefused: an unknown tag, a wrong content of a tag, or beyond a limit.
    """
    if depth > MAX_DEPTH:
        raise ValueRefused(f"nested deeper than {MAX_DEPTH}")
    if type(node) is int and node.bit_length() > MAX_INT_BITS:
        raise ValueRefused("too large an int")
    if type(node) is list:
        return [from_json(item, depth + 1) for item in node]
    if type(node) is not dict:
        return node
    if len(node) == 1:
        ((tag, content),) = node.items()
        if tag.startswith("$"):
            return _from_tag(tag, content, depth)
    for key in node:
        if key.startswith("$"):
            raise ValueRefused(f"{key!r:.40} is kept for tags; write the dict as $dict")
    return {key: from_json(item, depth + 1) for key, item in node.items()}


class _Writer:
    """Counts what one value has taken so far: shared and cyclic values end at the limit."""

    def __init__(self) -> None:
        self.items = 0

    def write(self, value: object, depth: int) -> object:
        if depth > MAX_DEPTH:
            raise ValueRefused(f"nested deeper than {MAX_DEPTH}, or a cycle")
        write = _WRITERS.get(id(type(value)))  # a type compared by == could answer for itself
        if write is None:
            raise ValueRefused(_why_not(value))
        return write(self, value, depth)

    def write_plain(self, value: object, depth: int) -> object:
        return value

    def write_integer(self, value: int, depth: int) -> object:
        bits = value.bit_length()
        if bits > MAX_INT_BITS:
            raise ValueRefused(f"too large: an int of {bits} bits")
        return value if bits <= _PLAIN_INT_BITS else {"$int": hex(value)}

    def write_float(self, value: float, depth: int) -> object:
        finite = float("-inf") < value < float("inf")
        return value if finite else {"$float": repr(value)}

    def write_complex(self, value: complex, depth: int) -> object:
        return {
            "$complex": [self.write_float(value.real, depth), self.write_float(value.imag, depth)]
        }

    def write_text(self, value: str, depth: int) -> object:
        self.count(len(value) // 2)
        return value

    def write_bytes(self, value: bytes, depth: int) -> object:
        self.count(len(value) // 2)
        return {"$bytes": base64.b64encode(value).decode()}

    def write_list(self, value: list[object], depth: int) -> list[object]:
        self.count(len(value))
        return [self.write(item, depth + 1) for item in value]

    def write_tuple(self, value: tuple[object, ...], depth: int) -> object:
        return {"$tuple": self.write_list(list(value), depth)}

    def write_set(self, value: set[object], depth: int) -> object:
        return {"$set": self.write_list(list(value), depth)}

    def write_frozenset(self, value: frozenset[object], depth: int) -> object:
        return {"$frozenset": self.write_list(list(value), depth)}

    def write_dict(self, value: dict[object, object], depth: int) -> object:
        self.count(2 * len(value))
        pairs = list(dict.items(value))  # never the items() of a subclass
        if all(type(key) is str and not key.startswith("$") for key, _ in pairs):
            return {key: self.write(item, depth + 1) for key, item in pairs}
        return {"$dict": [[self.write(part, depth + 1) for part in pair] for pair in pairs]}

    def count(self, items: int) -> None:
        self.items += items
        if self.items > MAX_ITEMS:
            raise ValueRefused(f"too large: more than {MAX_ITEMS} elements")


_WRITERS: dict[int, Callable[[_Writer, Any, int], object]] = {
    id(kind): write
    for kind, write in (
        (type(None), _Writer.write_plain),
        (bool, _Writer.write_plain),
        (int, _Writer.write_integer),
        (float, _Writer.write_float),
        (complex, _Writer.write_complex),
        (str, _Writer.write_text),
        (bytes, _Writer.write_bytes),
        (list, _Writer.write_list),
        (tuple, _Writer.write_tuple),
        (set, _Writer.write_set),
        (frozenset, _Writer.write_frozenset),
        (dict, _Writer.write_dict),
        (OrderedDict, _Writer.write_dict),
        (defaultdict, _Writer.write_dict),
        (Counter, _Writer.write_dict),
    )
}
"""By the identity of the exact type."""


def _why_not(value: object) -> str:
    """What is wrong with a type, without touching the value."""
    kind = type(value)
    for base in type.__dict__["__mro__"].__get__(kind)[1:]:
        if base in _BUILT_IN:
            return f"subclass of {base.__name__} returned"
    return f"{type.__dict__['__name__'].__get__(kind)} returned"


def _from_tag(tag: str, content: object, depth: int) -> object:
    reader = _READERS.get(tag)
    if reader is None:
        raise ValueRefused(f"unknown tag {tag!r:.40}")
    try:
        return reader(content, depth)
    except (TypeError, OverflowError) as error:
        raise ValueRefused(f"wrong content of {tag}: {error}") from error


def _read_items(content: object, depth: int) -> list[object]:
    if type(content) is not list:
        raise TypeError("not a list")
    return [from_json(item, depth + 1) for item in content]


def _read_set(content: object, depth: int) -> set[object]:
    items = _read_items(content, depth)
    _check_hashes(items)
    return set(items)


def _read_dict(content: object, depth: int) -> dict[object, object]:
    pairs = [_pair(pair) for pair in _list_of(content)]
    keys = [from_json(key, depth + 1) for key, _ in pairs]
    _check_hashes(keys)
    return {key: from_json(item, depth + 1) for key, (_, item) in zip(keys, pairs, strict=True)}


def _read_float(content: object, depth: int) -> float:
    if content not in ("nan", "inf", "-inf"):
        raise TypeError('not "nan", "inf" or "-inf"')
    return float(str(content))


def _read_int(content: object, depth: int) -> int:
    if type(content) is not str or len(content) > MAX_INT_BITS // 4 + 3:
        raise TypeError(f"not a string, or more than {MAX_INT_BITS} bits")
    try:
        return int(content, 16 if content.lstrip("-").startswith("0x") else 10)
    except ValueError as error:
        raise TypeError("not a number in base 16 with 0x before it, or in base 10") from error


def _read_complex(content: object, depth: int) -> complex:
    real, imaginary = (from_json(part, depth) for part in _pair(content))
    if type(real) not in (int, float) or type(imaginary) not in (int, float):
        raise TypeError("not two numbers")
    return complex(real, imaginary)  # pyright: ignore[reportArgumentType]  # just checked


def _read_bytes(content: object, depth: int) -> bytes:
    if type(content) is not str:
        raise TypeError("not a string in base 64")
    try:
        return base64.b64decode(content, validate=True)
    except ValueError as error:
        raise TypeError("not in base 64") from error


_READERS = {
    "$list": _read_items,
    "$tuple": lambda content, depth: tuple(_read_items(content, depth)),
    "$set": _read_set,
    "$frozenset": lambda content, depth: frozenset(_read_set(content, depth)),
    "$dict": _read_dict,
    "$float": _read_float,
    "$int": _read_int,
    "$complex": _read_complex,
    "$bytes": _read_bytes,
}


def _check_hashes(items: list[object]) -> None:
    """Refuse keys chosen to collide; hashing itself takes linear time, inserting them would not."""
    hashes = sorted(map(hash, items))
    if any(map(int.__eq__, hashes, hashes[MAX_COLLISIONS:])):
        raise ValueRefused(f"more than {MAX_COLLISIONS} keys with one hash")


def _list_of(content: object) -> list[object]:
    if type(content) is not list:
        raise TypeError("not a list")
    return content


def _pair(content: object) -> tuple[object, object]:
    if type(content) is not list or len(content) != 2:
        raise TypeError("not a pair")
    return content[0], content[1]


def _no_constant(word: str) -> None:
    raise ValueRefused(f"{word} is not JSON; write it as $float")

"""Undirected graphs over the first letters of the alphabet; shared by the environments.

An edge is two different letters in alphabetical order: ab joins a and b.
"""

from collections.abc import Iterable
from string import ascii_lowercase


def neighbours(edges: Iterable[str]) -> dict[str, list[str]]:
    """For each letter that an edge has, the letters it is joined to, both in alphabetical order."""
    found: dict[str, list[str]] = {}
    for first, second in sorted(edges):
        found.setdefault(first, []).append(second)
        found.setdefault(second, []).append(first)
    return {letter: sorted(found[letter]) for letter in sorted(found)}


def edge(first: str, second: str) -> str:
    """The edge between two letters."""
    return first + second if first < second else second + first


def named_in_order(letters: Iterable[str]) -> bool:
    """Whether these are the first letters of the alphabet, none left out."""
    found = sorted(set(letters))
    return found == list(ascii_lowercase[: len(found)])

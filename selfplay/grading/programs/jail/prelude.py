"""Names that people's data sets take for granted: what their programs use without importing it.

Fed by the standard library, feeds runner.py, which takes them before the first job is forked.
LeetCode, LiveCodeBench and MBPP run programs behind a prelude like this one.
"""

import sys
from importlib import import_module

_MODULES = (
    "bisect", "collections", "copy", "datetime", "decimal", "fractions", "functools", "heapq",
    "itertools", "math", "operator", "random", "re", "statistics", "string", "sys", "time",
    "typing",
)  # fmt: skip
_NAMES = {
    "bisect": "bisect_left bisect_right insort",
    "collections": "Counter OrderedDict defaultdict deque namedtuple",
    "copy": "deepcopy",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "functools": "cache cmp_to_key lru_cache reduce",
    "heapq": "heapify heappop heappush heappushpop heapreplace nlargest nsmallest",
    "itertools": "accumulate chain combinations combinations_with_replacement count cycle "
    "groupby islice pairwise permutations product repeat zip_longest",
    "math": "ceil comb factorial floor gcd inf isqrt lcm log log2 log10 pi sqrt",
    "typing": "Any Callable Deque Dict FrozenSet Generator Iterable Iterator List Optional "
    "Sequence Set Tuple Type Union",
}  # fmt: skip


def names() -> dict[str, object]:
    """The modules and what is taken from them, by the names that programs use."""
    found: dict[str, object] = {name: import_module(name) for name in _MODULES}
    found |= {"exit": sys.exit, "quit": sys.exit}
    for module, wanted in _NAMES.items():
        found |= {name: getattr(found[module], name) for name in wanted.split()}
    return found

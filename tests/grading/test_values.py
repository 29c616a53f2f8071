"""Values and frames: what crosses the wall, what does not, and what hostile frames come to."""

import json
import math
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_values import VALUES

from selfplay.grading.programs.comparison import canonical
from selfplay.grading.programs.jail import values
from selfplay.grading.programs.jail.values import ValueRefused, from_frame, to_frame

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(st.sampled_from(["$set", "$dict", "$int", "$tuple", "$x", "a"]), inside)
    ),
    max_leaves=10,
)


class Whole(int):
    pass


class Metaclass(type):
    def __eq__(cls, other):
        return True

    __hash__ = type.__hash__


class Anything(metaclass=Metaclass):
    pass


def test_a_frame_by_hand():
    value = {"a": [1, 2.5, None], "b": (True, {3}), "c": b"\0"}
    assert json.loads(to_frame(value)) == {
        "a": [1, 2.5, None],
        "b": {"$tuple": [True, {"$set": [3]}]},
        "c": {"$bytes": "AA=="},
    }


@given(VALUES)
def test_values_cross_unchanged_with_their_kinds(value):
    assert canonical(from_frame(to_frame(value))) == canonical(value)


@given(JSON)
def test_any_json_becomes_a_value_or_is_refused(node):
    try:
        value = values.from_json(node)
    except ValueRefused:
        return
    assert canonical(from_frame(to_frame(value))) == canonical(value)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (OrderedDict(b=1, a=2), {"a": 2, "b": 1}),
        (defaultdict(list, {1: [2]}), {1: [2]}),
        (Counter("aab"), {"a": 2, "b": 1}),
        ({"$set": [1]}, {"$set": [1]}),
    ],
)
def test_dictionaries_of_the_library_arrive_as_dict(value, plain):
    arrived = from_frame(to_frame(value))
    assert type(arrived) is dict
    assert arrived == plain


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (Whole(3), "subclass of int returned"),
        (namedtuple("P", "x")(1), "subclass of tuple returned"),
        ([{"a": Whole(3)}], "subclass of int"),
        (Anything(), "Anything returned"),
        (deque([1]), "deque returned"),
        (range(3), "range returned"),
        (iter([]), "list_iterator returned"),
        ([0] * (values.MAX_ITEMS + 1), "too large"),
        ("x" * (values.MAX_FRAME + 1), "too large"),
        ("\x00" * (values.MAX_FRAME // 2), "too large"),
        pytest.param(1 << values.MAX_INT_BITS, "an int of 131073 bits", id="large int"),
    ],
)
def test_what_cannot_cross_says_why(value, why):
    with pytest.raises(ValueRefused, match=why):
        to_frame(value)


def test_cycles_and_shared_values_end_at_a_limit():
    cycle: list[object] = []
    cycle.append(cycle)
    wide: list[object] = [0]
    for _ in range(40):
        wide = [wide, wide]
    for value, why in ((cycle, "a cycle"), (wide, "too large")):
        with pytest.raises(ValueRefused, match=why):
            to_frame(value)


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (b"", "not a frame"),
        (b"NaN", "not a frame"),
        (b"[" * 200_000, "RecursionError"),
        (b"[" * 62 + b"]" * 62, "nested deeper than 60"),
        (b"\xff\xfe", "not a frame"),
        (b"9" * 5_000, "not a frame"),
        (b'{"$pickle": "gASV"}', "unknown tag '\\$pickle'"),
        (b'{"$set": [[1]]}', "wrong content of \\$set"),
        (b'{"$tuple": 3}', "wrong content of \\$tuple: not a list"),
        (b'{"$dict": [[1]]}', "not a pair"),
        (b'{"$float": "1.5"}', "wrong content of \\$float"),
        (b'{"$bytes": "*"}', "base 64"),
        (b'{"$int": "xyz"}', "base 16"),
        (b'{"$complex": [1, "2"]}', "two numbers"),
        (b'{"a": 1, "$b": 2}', "kept for tags"),
        (b" " * (values.MAX_FRAME + 1), "too large"),
    ],
)
def test_hostile_frames_are_refused(frame, why):
    with pytest.raises(ValueRefused, match=why):
        from_frame(frame)


@pytest.mark.parametrize("tag", ["$set", "$frozenset", "$dict"])
def test_keys_that_collide_are_refused_before_they_are_inserted(tag):
    keys: list[object] = [n * (2**61 - 1) for n in range(20_000)]
    content = [[key, 0] for key in keys] if tag == "$dict" else keys
    with pytest.raises(ValueRefused, match="keys with one hash"):
        from_frame(json.dumps({tag: content}).encode())
    assert len(set(map(hash, keys))) == 1


def test_floats_that_json_lacks():
    assert math.isnan(from_frame(to_frame(math.nan)))  # pyright: ignore[reportArgumentType]
    assert from_frame(to_frame([math.inf, -math.inf, -0.0])) == [math.inf, -math.inf, 0.0]

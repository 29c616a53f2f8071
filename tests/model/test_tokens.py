"""Characters to ids and back; prompts; padding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.model.tokens import ANSWER, PRINTABLE, CharacterTokenizer, pad, padded_length
from selfplay.problem import Problem

TOKENIZER = CharacterTokenizer(("arithmetic", "modular"))
TEXTS = st.lists(st.sampled_from([*PRINTABLE, ANSWER]), max_size=40).map("".join)


def asked(environment, text):
    return Problem(environment, 0, text, "", "")


def test_vocabulary_is_special_printable_environments():
    assert TOKENIZER.vocabulary == 6 + 95 + 2


@given(TEXTS)
def test_what_a_response_can_consist_of_comes_first(text):
    assert TOKENIZER.spoken == 2 + 95
    assert all(index < TOKENIZER.spoken for index in TOKENIZER.response(text))
    assert min(TOKENIZER.solver_prompt(asked("modular", ""))) >= TOKENIZER.spoken


@given(TEXTS)
def test_every_printable_text_survives(text):
    ids = TOKENIZER.encode(text)
    assert TOKENIZER.decode(ids) == text
    assert len(ids) == len(text.replace(ANSWER, "@"))
    assert all(0 <= index < TOKENIZER.vocabulary for index in ids)


def test_typed_special_tokens_stay_characters():
    """A problem's text cannot forge the end of a response or another role."""
    for forged in ("<end>", "<respond>", "<propose>", "<modular>", "<pad>"):
        assert len(TOKENIZER.encode(forged)) == len(forged)


def test_prompts_and_responses():
    solve = TOKENIZER.solver_prompt(asked("modular", "1,+2 mod 5"))
    assert TOKENIZER.decode(solve) == "<solve><modular>1,+2 mod 5<respond>"
    assert len(solve) == 13
    assert TOKENIZER.decode(TOKENIZER.proposer_prompt("modular", 1524.9)) == (
        "<propose><modular>1500<respond>"
    )
    response = TOKENIZER.response("3<answer>3")
    assert response[-1] in TOKENIZER.end_ids
    assert TOKENIZER.decode(response) == "3<answer>3"


@pytest.mark.parametrize("character", ["\n", "\x00", "ä", "\ud800", "漢"])
def test_other_characters_are_named(character):
    with pytest.raises(ValueError, match="read printable ASCII") as caught:
        TOKENIZER.encode(f"1+{character}")
    assert repr(character) in str(caught.value)


def test_an_unknown_environment_is_named():
    with pytest.raises(ValueError, match="no token for the environment 'chess'; it was made for"):
        TOKENIZER.solver_prompt(asked("chess", "e4"))


@given(st.integers(0, 10_000))
def test_padded_length_is_the_next_multiple_of_32(longest):
    length = padded_length(longest)
    assert length % 32 == 0
    assert longest <= length < max(33, longest + 32)


def test_pad():
    assert np.array_equal(pad([[1, 2], [], [3]], 3, 9), [[1, 2, 9], [9, 9, 9], [3, 9, 9]])
    with pytest.raises(ValueError, match="broadcast"):
        pad([[1, 2, 3]], 2, 0)


def test_line_breaks_only_where_they_are_needed():
    with pytest.raises(ValueError, match=r"has the character '\\n'"):
        TOKENIZER.encode("a\nb")
    lines = CharacterTokenizer(("arithmetic", "modular"), multiline=True)
    assert lines.decode(lines.encode("a\nb")) == "a\nb"
    assert lines.vocabulary == TOKENIZER.vocabulary + 1
    assert max(lines.response("a\nb")) < lines.spoken

"""The learned proposer: what the network writes is read by the gate, whatever it is."""

from types import SimpleNamespace

import pytest

from selfplay.curriculum.plans import Plan, Purpose
from selfplay.model.sampling import DecodeConfig
from selfplay.proposing.gate import Gate
from selfplay.proposing.learned import START, Learned
from selfplay.proposing.proposal import ProposingConfig
from selfplay.rollout import responses


def request(environment="arithmetic", rating=1500.0):
    return Plan(1, 0, environment, 3, rating, 0.5, 0.1, 0.1, Purpose.TARGET, 0)


@pytest.fixture
def learned(tokenizer, environments):
    gate = Gate(environments, frozenset(), frozenset())
    return Learned(
        environments,
        tokenizer,
        gate,
        seed=0,
        decode_config=DecodeConfig(max_tokens=24),
        temperature=1.0,
    )


def test_an_untrained_network_is_turned_away_without_raising(learned, environments, network):
    asked = [request(name) for name in environments]
    batch = set()
    proposals, drawn = learned.propose(asked, network, 1, batch)
    assert [proposal.plan for proposal in proposals] == asked
    assert all(proposal.problem is None and proposal.reason for proposal in proposals)
    assert all(p.text.endswith(rest) for p, rest in zip(proposals, drawn.texts, strict=True))
    assert len(drawn.samples.length_N) == 4
    assert batch == set()
    again, _ = learned.propose(asked, network, 1, batch)
    later, _ = learned.propose(asked, network, 2, batch)
    assert [p.text for p in again] == [p.text for p in proposals] != [p.text for p in later]


def test_proposals_are_begun_for_the_proposer(learned, environments, network, tokenizer):
    asked = [request(name) for name in environments] * 10
    proposals, drawn = learned.propose(asked, network, 1, set())
    starts = []
    for proposal, prompt, rest in zip(proposals, drawn.prompts, drawn.texts, strict=True):
        start = tokenizer.decode(prompt).partition("<respond>")[2]
        assert proposal.text == start + rest
        assert 1 <= len(start) <= START
        starts.append(start)
    assert len(set(starts)) > 20
    later = learned.propose(asked, network, 2, set()).responses.prompts
    assert later != drawn.prompts


def test_good_texts_are_admitted_once(learned, network, environments, monkeypatch):
    monkeypatch.setattr(learned, "_start", lambda *_: "")
    texts = ["3+4", "3+4", "oops", "1,+2 mod 5", "4+3", "5+6"]
    ended_N = [True, True, True, True, True, False]

    def respond(network, tokenizer, prompts, key_N2, **options):
        assert [tokenizer.decode(prompt) for prompt in prompts][0] == (
            "<propose><arithmetic>1250<respond>"
        )
        assert options["attempts"] == 1
        return SimpleNamespace(texts=texts, samples=SimpleNamespace(ended_N=ended_N))

    monkeypatch.setattr(responses, "respond", respond)
    batch = set()
    asked = [request(rating=1240.0)] * 6
    proposals = learned.propose(asked, network, 1, batch).proposals
    expected = environments["arithmetic"].parse("3+4")
    assert [p.problem for p in proposals] == [expected, None, None, None, None, None]
    assert [p.reason.partition(":")[0] for p in proposals] == [
        "", "duplicate", "malformed", "malformed", "duplicate", "cut at the token limit",
    ]  # fmt: skip
    assert [p.text for p in proposals] == texts
    assert batch == {expected.key}


@pytest.mark.parametrize(
    ("field", "value"),
    [("procedural_share", 1.5), ("max_tokens", 1), ("loss_weight", -1.0)],
)
def test_values_out_of_range(field, value):
    with pytest.raises(ValueError, match=rf"proposing\.{field}={value}".replace("=", "=\\s*")):
        ProposingConfig(**{field: value})

"""Whole runs with a tiny configuration: reward rises, stopping and resuming lose nothing."""

import json
import signal
from dataclasses import replace

import jax
import numpy as np
import pytest
from tiny import CONFIG, Last

from selfplay import checkpoints, environments, machine, report, train
from selfplay.cli import runs
from selfplay.curriculum import replay
from selfplay.curriculum.archive import Archive
from selfplay.curriculum.pool import REST
from selfplay.grading.programs import sandbox
from selfplay.learning.rehearsal import RehearsalConfig
from selfplay.learning.update import NotFiniteError, Updater
from selfplay.listener import Listener
from selfplay.model import decode
from selfplay.run import RunFolder


class Silent(Listener):
    """A listener that remembers, and may act at a generation."""

    def __init__(self, at=None, act=None):
        self.notes, self.snapshots, self._at, self._act = [], [], at, act

    def on_note(self, text):
        self.notes.append(text)

    def on_warmup_step(self, step, steps, loss, seconds_left):
        assert 0 < step <= steps
        assert loss > 0

    def on_progress(self, progress):
        self.snapshots.append(progress.snapshot)
        if progress.snapshot.generation == self._at:
            self._act()


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    monkeypatch.setattr(environments, "load", lambda name, interpreter=None: {"last": Last()}[name])


def interrupt():
    signal.raise_signal(signal.SIGTERM)


def solved_rate(lines):
    """Share of the attempts in these generations that were right."""
    reports = [report for line in lines for report in replay.reports(line)]
    return sum(report.solved for report in reports) / sum(report.graded for report in reports)


def test_a_budget_of_tokens_ends_a_run(tmp_path):
    free = train.train(RunFolder.create(tmp_path / "free", CONFIG), Silent())
    budget = free.state.counts.generated_tokens // 2
    folder = RunFolder.create(tmp_path / "run", replace(CONFIG, token_budget=budget))
    listener = Silent()
    result = train.train(folder, listener)
    last = listener.snapshots[-1]
    assert result.finished
    assert result.state.generation < CONFIG.generations
    assert result.state.counts.generated_tokens >= budget
    assert last.generation == last.generations == result.state.generation
    spent = sum(line["generated_tokens"] for line in folder.outcomes() if "outcomes" in line)
    assert spent - last_cost(folder) < budget
    looks = [line["generation"] for line in folder.outcomes() if "anchors" in line]
    assert looks == sorted(set(looks))


def last_cost(folder):
    """Generated tokens of the last generation."""
    return [line for line in folder.outcomes() if "outcomes" in line][-1]["generated_tokens"]


def test_reward_rises_and_the_run_is_kept(tmp_path):
    folder = RunFolder.create(tmp_path / "run", CONFIG)
    listener = Silent()
    result = train.train(folder, listener)
    assert result.finished
    lines = [line for line in folder.outcomes() if "outcomes" in line]
    assert [line["generation"] for line in lines] == list(range(1, CONFIG.generations + 1))
    # The sampler is uniform, so the problems do not get easier; the solver gets better.
    assert solved_rate(lines[-5:]) > solved_rate(lines[:3]) + 0.2
    assert result.gain is not None
    assert result.gain.low > 0.1
    assert result.before is not None
    assert result.after is not None
    before, after = result.before["pass@1"]["mean"], result.after["pass@1"]["mean"]
    assert after - before == pytest.approx(result.gain.mean, abs=1e-3)
    assert folder.generations()[0] == 0  # after the warm-up
    assert folder.generations()[-1] == CONFIG.generations
    last = listener.snapshots[-1]
    assert 0.0 < last.held_out < 1.0  # of so few problems that it need not have risen
    assert sum(last.time_shares.values()) == pytest.approx(1.0)
    assert any(path.name.startswith("events.") for path in folder.path.iterdir())


def same_bits(one, other):
    """Whether two trees of arrays are equal to the last bit."""
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all((a.dtype, a.tobytes()) == (b.dtype, b.tobytes()) for a, b in pairs)


def test_the_outcome_log_gives_the_standing_of_the_checkpoint_to_the_last_bit(tmp_path):
    config = replace(
        CONFIG, generations=3, warmup=replace(CONFIG.warmup, steps=20),
        evaluation=replace(CONFIG.evaluation, every=2),
        curriculum=replace(CONFIG.curriculum, revisit=0.5, pool=8),
    )  # fmt: skip
    folder = RunFolder.create(tmp_path / "run", config)
    train.train(folder, Silent())
    with runs.opened(folder.path) as (opened, parts, _):
        kept = checkpoints.restored(opened, parts).standing
        lines = opened.outcomes()
        again = replay.replayed(parts.ring.manager, lines)
    kinds = [
        (line["generation"], kind)
        for line in lines
        for kind in ("outcomes", "requests", "anchors")
        if kind in line
    ]
    assert kinds == [
        (0, "anchors"), (1, "outcomes"), (1, "requests"), (2, "outcomes"), (2, "requests"),
        (2, "anchors"), (3, "outcomes"), (3, "requests"), (3, "anchors"),
    ]  # fmt: skip
    assert same_bits(kept, again)


def test_problems_come_again_after_their_rest(tmp_path):
    config = replace(
        CONFIG, generations=14, curriculum=replace(CONFIG.curriculum, revisit=0.5, width=0.5)
    )
    folder = RunFolder.create(tmp_path / "run", config)
    train.train(folder, Silent())
    archive = Archive(folder.archive_path)
    visits = archive.query(
        "SELECT problem, text, generation, purpose FROM posed WHERE problem IN "
        "(SELECT problem FROM posed GROUP BY problem HAVING COUNT(*) > 1) ORDER BY generation"
    )
    archive.close()
    seen = {}
    for number, text, generation, purpose in visits:
        if number in seen:
            first_text, last = seen[number]
            assert (text, purpose) == (first_text, "revisit")
            assert generation >= last + REST
        else:
            assert purpose != "revisit"
        seen[number] = text, generation
    # 3 or 4 generations of 16 problems, of which half are earlier ones.
    assert len(visits) / 2 > 8
    with runs.opened(folder.path) as (opened, parts, _):
        kept = checkpoints.restored(opened, parts).standing
        assert same_bits(kept, replay.replayed(parts.ring.manager, opened.outcomes()))


def test_a_finished_run_is_measured_again_and_stays_as_it_is(tmp_path):
    config = replace(CONFIG, generations=1, warmup=replace(CONFIG.warmup, steps=20))
    folder = RunFolder.create(tmp_path / "run", config)
    first = train.train(folder, Silent())
    log = (folder.path / "outcomes.jsonl").read_text()
    again = train.train(RunFolder.open(folder.path), Silent())
    assert again.finished
    assert again.after == first.after
    assert (folder.path / "outcomes.jsonl").read_text() == log


def test_sampling_and_training_agree_at_the_first_step_of_every_batch(tmp_path):
    gaps = []

    class Watching(Silent):
        def on_generation(self, done):
            gaps.append((done.mixed_groups, done.learning.first_ratio_gap))

    train.train(RunFolder.create(tmp_path / "run", replace(CONFIG, generations=3)), Watching())
    assert len(gaps) == 3
    assert all(mixed > 0 for mixed, _ in gaps)
    assert max(gap for _, gap in gaps) < 1e-4


def test_nothing_is_compiled_after_the_first_generations(tmp_path, monkeypatch):
    """Though tiles grow and rows move to other tiles, sometimes early and sometimes late."""
    counts, rooms, moves = [], set(), []
    take_from, decoded = decode._Tile.take_from, decode._Kind.decoded

    def spy_take(self, other):
        moves.append(self.drawn)
        return take_from(self, other)

    def spy_decoded(self, cache, places, drawn):
        if not np.all(places.done_N):  # else it is compiled beforehand
            rooms.add(self.room(drawn))
        return decoded(self, cache, places, drawn)

    monkeypatch.setattr(decode._Tile, "take_from", spy_take)
    monkeypatch.setattr(decode._Kind, "decoded", spy_decoded)

    class Counting(Silent):
        def on_progress(self, progress):
            counts.append(machine.compilations())

    config = replace(
        CONFIG,
        generations=12,
        model=replace(CONFIG.model, positions="rotary"),
        seed=3,  # its lengths differ enough
        evaluation=replace(CONFIG.evaluation, every=0),
        decode=replace(CONFIG.decode, max_tokens=136, rows=16),
        update=replace(CONFIG.update, row_lengths=(64, 192)),
        warmup=replace(CONFIG.warmup, steps=20),
    )
    jax.clear_caches()
    decode._precompiled.clear()
    train.train(RunFolder.create(tmp_path / "run", config), Counting())
    assert counts[0] > 10
    assert counts[2] == counts[-1]
    assert rooms >= {64, 160} and len(set(moves)) > 2, (rooms, moves)


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    config = replace(CONFIG, generations=8, checkpoint_every=3)
    whole = RunFolder.create(tmp_path / "whole", config)
    train.train(whole, Silent())

    parts = RunFolder.create(tmp_path / "parts", config)
    stopped = train.train(parts, Silent(at=4, act=interrupt))
    assert not stopped.finished
    assert stopped.state.generation == 4
    parts = RunFolder.open(tmp_path / "parts")
    assert parts.generations()[-1] == 4
    resumed = train.train(parts, Silent())
    assert resumed.finished
    assert resumed.state.generation == 8
    assert parts.outcomes() == whole.outcomes()
    assert resumed.gain is not None
    sittings = [
        json.loads(line)
        for line in (tmp_path / "parts" / "sittings.jsonl").read_text().splitlines()
    ]
    assert len(sittings) == 2
    assert sittings[1]["sandbox"]["level"] == sandbox.probe().level
    assert {layer["name"] for layer in sittings[1]["sandbox"]["layers"]} >= {"seccomp", "landlock"}
    assert "jax" in sittings[1]["versions"]


REHEARSING = replace(
    CONFIG, generations=5, checkpoint_every=2, warmup=replace(CONFIG.warmup, steps=30),
    update=replace(
        CONFIG.update, rule="mixture", learning_rate=1e-3, max_divergence=0.01,
        rehearsal=RehearsalConfig(steps=2, tokens=300, memory=8),
    ),
)  # fmt: skip


def test_an_interrupted_run_resumes_with_its_memory_of_attempts(tmp_path):
    whole = train.train(RunFolder.create(tmp_path / "whole", REHEARSING), Silent())
    folder = RunFolder.create(tmp_path / "parts", REHEARSING)
    assert not train.train(folder, Silent(at=3, act=interrupt)).finished
    resumed = train.train(RunFolder.open(folder.path), Silent())
    assert resumed.state.memory.held_C.sum() > 8
    assert same_bits(whole.state.memory, resumed.state.memory)
    assert same_bits(whole.state.learner, resumed.state.learner)
    lines = [RunFolder.open(tmp_path / name).progress() for name in ("whole", "parts")]
    told = [[{**line, "seconds": 0, "seconds_looking": 0} for line in own] for own in lines]
    assert told[0] == told[1]


def test_rehearsal_remembers_right_attempts_at_the_level_of_their_problem(tmp_path):
    folder = RunFolder.create(tmp_path / "run", REHEARSING)
    result = train.train(folder, Silent())
    with runs.opened(folder.path) as (_, parts, _):
        tokenizer = parts.ring.tokenizer
    memory, environment = result.state.memory, Last()
    solved = 0
    for cell, place in np.argwhere(memory.length_CM > 0):
        prompt, length = memory.prompt_CM[cell, place], memory.length_CM[cell, place]
        # A prompt is <solve>, the environment, the text and <respond>.
        text = tokenizer.decode(memory.token_CMT[cell, place, 2 : prompt - 1].tolist())
        problem = environment.parse(text)
        response = tokenizer.decode(memory.token_CMT[cell, place, prompt:length].tolist())
        assert problem.level == cell
        assert environment.grade(problem, response).correct
        solved += 1
    assert solved == memory.held_C.sum() > 0


def test_a_warm_up_is_taken_over_to_the_last_bit(tmp_path):
    config = replace(CONFIG, generations=1, warmup=replace(CONFIG.warmup, steps=20))
    first = train.train(
        RunFolder.create(tmp_path / "first", replace(config, generations=0)), Silent()
    )
    listener = Silent()
    listener.on_warmup_step = None  # no step is taken
    arm = replace(config, warmup_of=str(tmp_path / "first"), update=replace(config.update))
    second = train.train(RunFolder.create(tmp_path / "second", arm), listener)
    assert second.before == first.before
    with runs.opened(tmp_path / "second") as (folder, parts, _):
        taken = checkpoints.restored(folder, parts, 0)
    assert same_bits(taken.learner.params, first.state.learner.params)
    assert taken.counts.trained_tokens == first.state.counts.trained_tokens
    assert taken.counts.generated_tokens > 0  # its own look at the anchors

    other = replace(arm, seed=1)
    with pytest.raises(ValueError, match=r"that run has seed=0, this one 1"):
        train.train(RunFolder.create(tmp_path / "third", other), Silent())


def test_the_warm_up_ends_when_the_shown_levels_are_mastered(tmp_path):
    warmup = replace(CONFIG.warmup, steps=200, mastery=0.5, look_every=20, proposer_share=0.0)
    listener = Silent()
    steps = []
    listener.on_warmup_step = lambda step, *_: steps.append(step)
    config = replace(CONFIG, generations=0, warmup=warmup)
    train.train(RunFolder.create(tmp_path / "run", config), listener)
    (note,) = [note for note in listener.notes if "mastered" in note]
    mastered = int(note.split("after ")[1].split()[0])
    assert mastered < steps[-1] <= 1.5 * mastered


def test_a_warm_up_that_masters_nothing_says_so(tmp_path):
    warmup = replace(CONFIG.warmup, steps=10, mastery=1.0, look_every=5)
    listener = Silent()
    config = replace(CONFIG, generations=0, warmup=warmup)
    train.train(RunFolder.create(tmp_path / "run", config), listener)
    (note,) = [note for note in listener.notes if "without mastery" in note]
    assert "last" in note
    assert "--warmup.steps" in note


def test_stopped_in_the_warm_up_it_starts_over(tmp_path, monkeypatch):
    folder = RunFolder.create(tmp_path / "run", replace(CONFIG, generations=1))
    listener = Silent()
    monkeypatch.setattr(listener, "on_warmup_step", lambda *_: interrupt())
    result = train.train(folder, listener)
    assert not result.finished
    assert folder.generations() == []
    result = train.train(RunFolder.open(folder.path), Silent())
    assert result.finished


def broken_after(monkeypatch, steps):
    """Let every optimiser step after so many have a gradient that is no number."""
    taken, step = [0], Updater.step

    def broken(self, learner, examples, pace=1.0):
        taken[0] += 1
        learner, told = step(self, learner, examples, pace)
        lost = taken[0] > steps
        return learner, told._replace(gradient_norm=told.loss + np.nan) if lost else told

    monkeypatch.setattr(Updater, "step", broken)


def test_a_gradient_that_is_no_number_stops_the_run_at_its_step(tmp_path, monkeypatch):
    folder = RunFolder.create(tmp_path / "run", replace(CONFIG, checkpoint_every=1))
    broken_after(monkeypatch, CONFIG.warmup.steps + 3 * CONFIG.update.steps)
    with pytest.raises(NotFiniteError, match="step 1 of generation 4 .* of generation 3 is good"):
        train.train(folder, Silent())
    assert RunFolder.open(folder.path).generations()[-1] == 3
    assert [line["generation"] for line in folder.progress()] == [1, 2, 3]


def test_a_warm_up_that_comes_to_no_number_is_no_start(tmp_path, monkeypatch):
    folder = RunFolder.create(tmp_path / "run", replace(CONFIG, generations=1))
    broken_after(monkeypatch, CONFIG.warmup.steps - 1)
    with pytest.raises(NotFiniteError, match="warm-up has the loss .* a gradient of length nan"):
        train.train(folder, Silent())
    assert RunFolder.open(folder.path).generations() == []


def test_attempts_of_some_generations_are_kept_with_their_verdicts(tmp_path):
    config = replace(CONFIG, generations=4, attempts_every=2)
    train.train(folder := RunFolder.create(tmp_path / "run", config), Silent())
    archive = Archive(folder.archive_path)
    rows = archive.query(
        "SELECT text, response, outcome, graded, solved, generation, slot FROM posed "
        "JOIN attempts USING (generation, slot) ORDER BY generation, slot, attempt"
    )
    archive.close()
    assert {row[5] for row in rows} == {2, 4}
    assert len(rows) == 2 * config.rollout.problems * config.rollout.attempts
    environment = Last()
    for text, response, outcome, *_ in rows[:50]:
        assert environment.grade(environment.parse(text), response).outcome == outcome
    first = rows[: config.rollout.attempts]
    assert sum(row[2] == "correct" for row in first) == first[0][4]


def test_a_failing_grader_is_told_at_once_and_teaches_nothing(tmp_path, monkeypatch):
    grade = Last.grade

    def fail(self, problem, response):
        if problem.gold < "n":
            raise RuntimeError("no disk")
        return grade(self, problem, response)

    folder = RunFolder.create(tmp_path / "run", replace(CONFIG, generations=1))
    monkeypatch.setattr(Last, "grade", fail)
    listener = Silent()
    train.train(folder, listener)
    (told,) = [note for note in listener.notes if "grader failed" in note]
    lines = [line for line in folder.outcomes() if "outcomes" in line]
    failed = [r for line in lines for r in replay.reports(line) if r.graded == 0]
    asked = CONFIG.rollout.problems * CONFIG.rollout.attempts
    assert 0 < len(failed) < CONFIG.rollout.problems
    assert f"{len(failed) * CONFIG.rollout.attempts} of {asked} attempts" in told
    assert "RuntimeError: no disk" in told


def test_warm_up_alone_is_a_run(tmp_path):
    result = train.train(
        RunFolder.create(tmp_path / "run", replace(CONFIG, generations=0)), Silent()
    )
    assert result.finished
    assert result.before == result.after


def test_evaluations_of_different_suites_are_not_paired():
    one, other = ({"suite": name, "rates": [0.0, 1.0]} for name in ("a", "b"))
    with pytest.raises(ValueError, match="held-out suites differ"):
        report.gain(one, other)

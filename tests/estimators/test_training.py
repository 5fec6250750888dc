"""Training: the fast program against float64, determinism, resuming, rules of stopping and of learning rates."""

import dataclasses
import functools
import json

import jax
import numpy as np
import pytest

from estimators import training
from estimators.network_member import Member, Model, random_member, start
from estimators.network_positions import network_encoding, trainable
from estimators.network_weights import network_of, numbers_of
from estimators.tasks import draw, draw_mixed, find_task
from estimators.training import choose_rates, predict, train
from estimators.training_arrays import batch_arrays, bucket, encoded_arrays, goal_arrays
from estimators.training_checkpoint import load_members
from estimators.training_job import Check, Job, Lessons, Settings, Trained, done, score
from estimators.training_program import Batch, evaluate, losses, start_state
from theory.encodings import ENCODINGS

LENGTH = 8
SMALL = Settings(steps=20, batch=4, chunk=10)


LOSS = jax.jit(functools.partial(losses, low=False))
GRADIENT = jax.jit(jax.grad(functools.partial(losses, low=False)))


def arrays(made):
    return encoded_arrays(made.encoding, made.lessons.model, LENGTH), goal_arrays(made.lessons.model, 8, "symbols")


def lessons(name="shift-1", *, mixed=False, dim=16) -> Lessons:
    task = find_task(name)
    model = Model(symbols=32, outputs=32, dim=dim, layers=1, heads=2, mlp_width=16, causal=task.causal)
    drawn = draw_mixed if mixed else draw
    return Lessons(
        name, model, task.outputs, task.kind, lambda s, n: drawn(task, s, n, LENGTH), drawn(task, 999, 16, LENGTH)
    )


def job(name="shift-1", encoding="sinusoidal", seed=0, rate=0.01, beyond="clip", **options) -> Job:
    made = lessons(name, **options)
    sizes = {"dim": made.model.dim, "heads": made.model.heads, "train_length": LENGTH, "causal": made.model.causal}
    return Job(made, network_encoding(encoding, beyond=beyond, **sizes), seed, rate)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("name", ENCODINGS)
def test_fast_outputs_are_those_of_the_network_in_float64(name, causal):
    model = Model(symbols=5, outputs=3, dim=16, layers=2, heads=2, mlp_width=8, causal=causal)
    member = random_member(name, model, train_length=LENGTH, seed=3, beyond="clip")
    weights = start(model, member.numbers, 3)
    for length, padded in ((LENGTH, None), (12, 32)):
        inputs = np.random.default_rng(0).integers(0, 5, (2, length))
        try:
            wanted = member.outputs(inputs)
        except ValueError:
            assert member.encoding.beyond == "refuse"
            continue
        encoded = encoded_arrays(member.encoding, model, length, padded)
        batch = batch_arrays(inputs, np.zeros((2, length)), np.ones((2, length), bool), np.full(2, length), padded)
        found = evaluate(start_state(weights).weights, encoded, batch.inputs, batch.present)
        np.testing.assert_allclose(np.asarray(found)[:, :length], wanted, atol=2e-4)


def test_padding_changes_no_output_of_a_shorter_sequence():
    """Sequences of a mixed batch see their own tokens only, with every mask."""
    task = find_task("reversal")
    made = job("reversal", mixed=True)
    weights = start_state(training.first_weights(made)).weights
    mixed = draw_mixed(task, 1, 6, LENGTH)
    encoded = encoded_arrays(made.encoding, made.lessons.model, LENGTH)
    batch = batch_arrays(*mixed)
    together = np.asarray(evaluate(weights, encoded, batch.inputs, batch.present))
    for row, length in enumerate(mixed.lengths):
        own = encoded_arrays(made.encoding, made.lessons.model, int(length))
        alone = mixed.inputs[row : row + 1, :length]
        one = batch_arrays(alone, np.zeros(alone.shape), np.ones(alone.shape, bool), np.array([length]))
        found = np.asarray(evaluate(weights, own, one.inputs, one.present))[0]
        np.testing.assert_allclose(together[row, :length], found, atol=1e-5)


@pytest.mark.parametrize("name", ["learned", "relative", "t5", "rotary", "alibi"])
def test_gradient_is_that_of_the_loss(name):
    """Central differences in a random direction of every block; only an encoding's own numbers move with it."""
    made = job(encoding=name)
    weights = start_state(training.first_weights(made)).weights
    encoded, goal = arrays(made)
    batch = batch_arrays(*made.lessons.draw(1, 16))
    slope = GRADIENT(weights, encoded, goal, batch)
    rng = np.random.default_rng(4)
    for block, gradient in zip(weights._fields, slope, strict=True):
        value = getattr(weights, block)
        way = rng.normal(size=value.shape).astype(np.float32)
        step = 3e-3 / np.linalg.norm(way)
        ends = [LOSS(weights._replace(**{block: value + side * step * way}), encoded, goal, batch) for side in (1, -1)]
        change = (float(ends[0]) - float(ends[1])) / (2 * step)
        assert change == pytest.approx(float((np.asarray(gradient) * way).sum()), rel=0.05, abs=2e-3), block
    for encoding, block in {"learned": "table", "relative": "relative", "t5": "bias"}.items():
        moved = float(np.abs(np.asarray(getattr(slope, block))).max())
        assert (moved > 0) == (encoding == name), block


def test_masked_and_padded_positions_do_not_count():
    made = job()
    weights = start_state(training.first_weights(made)).weights
    encoded, goal = arrays(made)
    batch = batch_arrays(*made.lessons.draw(1, 4))
    other = Batch(batch.inputs, batch.targets.at[batch.share == 0].set(5.0), batch.share, batch.present)
    assert float(LOSS(weights, encoded, goal, batch)) == float(LOSS(weights, encoded, goal, other))
    # Unused classes have no probability: the loss of a network that knows nothing is at most ln 8 up to its own noise.
    zero = weights._replace(read=np.zeros_like(weights.read))
    assert float(LOSS(zero, encoded, goal, batch)) == pytest.approx(np.log(8), abs=1e-6)


def test_training_learns_and_stops_when_solved():
    (found,) = train([job(rate=0.01)], Settings(steps=400, batch=32, chunk=10))
    assert found.steps_to_threshold is not None
    assert found.member.steps < 400
    assert found.score >= 0.999
    examples = draw(find_task("shift-1"), 5, 32, LENGTH)
    assert score(lessons(), predict(found, lessons(), examples), examples) > 0.99
    np.testing.assert_allclose(predict(found, lessons(), examples), found.member.outputs(examples.inputs), atol=5e-3)


def same(one: Trained, other: Trained) -> bool:
    return one.checks == other.checks and all(
        np.array_equal(a, b) for a, b in zip(one.record["weights"], other.record["weights"], strict=True)
    )


def test_same_seed_same_network_and_other_seed_another():
    first, again, other = (train([job(seed=seed)], SMALL)[0] for seed in (0, 0, 1))
    assert same(first, again)
    assert not same(first, other)


def test_members_do_not_depend_on_company():
    alone = train([job(encoding="haar")], SMALL)[0]
    among = train([job(), job(encoding="haar"), job(encoding="alibi", seed=3)], SMALL)[1]
    assert same(alone, among)


def test_stacked_training_is_the_same_training():
    jobs = [job(encoding=name, seed=k) for k, name in enumerate(("haar", "relative", "rotary", "t5", "learned"))]
    single, stacked = train(jobs, SMALL, stacked=False), train(jobs, SMALL, stacked=True)
    for one, other in zip(single, stacked, strict=True):
        for a, b in zip(one.record["weights"], other.record["weights"], strict=True):
            np.testing.assert_allclose(a, b, atol=3e-3)


@pytest.mark.parametrize("stacked", [False, True])
def test_interrupted_training_resumes_to_the_identical_result(tmp_path, stacked):
    whole = train([job(), job(encoding="haar")], SMALL, checkpoint=tmp_path / "whole", stacked=stacked)
    calls = []

    def breaks(steps):
        calls.append(steps)
        if len(calls) > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train([job(), job(encoding="haar")], SMALL, checkpoint=tmp_path / "cut", advance=breaks, stacked=stacked)
    resumed = train([job(), job(encoding="haar")], SMALL, checkpoint=tmp_path / "cut", stacked=stacked)
    again = train([job(), job(encoding="haar")], SMALL, checkpoint=tmp_path / "cut", stacked=stacked)
    for one, other, third in zip(whole, resumed, again, strict=True):
        assert same(one, other)
        assert same(one, third)


def test_checkpoint_gives_members_back(tmp_path):
    (found,) = train([job(encoding="learned", seed=2)], SMALL, checkpoint=tmp_path)
    ((task, member),) = load_members(tmp_path)
    assert task == "shift-1"
    assert isinstance(member, Member)
    assert member.seed == 2
    assert trainable(member.encoding)
    inputs = draw(find_task("shift-1"), 5, 3, LENGTH).inputs
    np.testing.assert_array_equal(member.outputs(inputs), found.member.outputs(inputs))
    assert member.specification == found.member.specification


def test_bad_checkpoints_are_refused_in_one_line(tmp_path):
    train([job()], SMALL, checkpoint=tmp_path)
    with pytest.raises(ValueError, match=r"another configuration.*steps 20 there, 40 now"):
        train([job()], dataclasses.replace(SMALL, steps=40), checkpoint=tmp_path)
    (place,) = tmp_path.glob("*.npz")
    whole = place.read_bytes()
    for part in (whole[: len(whole) // 2], b"", b"PK\x03\x04 nothing"):
        place.write_bytes(part)
        with pytest.raises(ValueError, match="truncated or damaged: delete it"):
            train([job()], SMALL, checkpoint=tmp_path)
        with pytest.raises(ValueError, match="truncated or damaged"):
            load_members(tmp_path)
    place.unlink()
    with pytest.raises(ValueError, match="no finished member"):
        load_members(tmp_path)
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(ValueError, match="missing or damaged"):
        train([job()], SMALL, checkpoint=tmp_path)
    (tmp_path / "settings.json").write_text(json.dumps({"format": 99, "settings": {}}))
    with pytest.raises(ValueError, match="format 99"):
        train([job()], SMALL, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="no checkpoint folder"):
        load_members(tmp_path / "absent")
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot make the checkpoint folder"):
        train([job()], SMALL, checkpoint=tmp_path / "file")


def test_the_chosen_rate_is_the_first_to_the_threshold():
    settings = Settings(steps=200, batch=16, chunk=10)
    chosen = choose_rates([job()], settings, steps=100, rates=(1e-5, 0.01))
    assert chosen == [0.01]
    # Both too small to learn anything in ten steps: the larger score decides, and no pilot shares a seed with a job.
    assert choose_rates([job()], settings, steps=10, rates=(1e-9,)) == [1e-9]


def test_diverging_training_is_an_error_not_a_nan():
    with pytest.raises(ValueError, match="diverged at rate"):
        train([job("prefix-sum", rate=1e30)], SMALL)


def test_score_of_numbers_is_the_share_of_variance():
    made, examples = lessons("prefix-sum"), draw(find_task("prefix-sum"), 0, 64, LENGTH)
    perfect = examples.targets[..., None]
    assert score(made, perfect, examples) == 1
    assert score(made, np.full_like(perfect, examples.targets[examples.scored].mean()), examples) == pytest.approx(0)


def test_done_needs_two_checks_in_a_row():
    checks = [Check(10, 1.0, 0.1), Check(20, 0.9, 0.1), Check(30, 1.0, 0.1)]
    assert not done(checks[:1], SMALL, lessons())
    assert not done(checks, SMALL, lessons())
    assert done([*checks, Check(40, 1.0, 0.1)], SMALL, lessons())
    assert not done([*checks, Check(40, 1.0, 0.1)], SMALL, dataclasses.replace(lessons(), threshold=None))


def test_one_compilation_serves_all_encodings_tasks_masks_and_lengths_of_a_bucket():
    jobs = [job(), job("reversal", "alibi"), job("prefix-sum", "relative"), job("majority", "rotary", mixed=True)]
    found = train(jobs, SMALL)
    before = training.train_chunk._cache_size(), evaluate._cache_size()
    more = train([job("copy", "t5", rate=0.002), job("reversal", "haar", seed=5)], SMALL)
    for one, made in zip([*found, *more], [*jobs, job("copy", "t5"), job("reversal", "haar")], strict=True):
        for length in (33, 40, 63, 64):
            predict(one, made.lessons, draw(find_task("shift-1"), 0, 4, length))
    assert training.train_chunk._cache_size() == before[0]
    assert evaluate._cache_size() == before[1] + 1
    assert [bucket(n) for n in (1, 32, 33, 64, 65)] == [32, 32, 64, 64, 128]


def test_codes_beyond_float32_give_the_outputs_of_float64():
    """Norm takes the length of a code away, so rows of length 1e12 stand for those of 1e30."""
    made = job(encoding="legendre", beyond="extend", dim=16)
    (found,) = train([made], SMALL)
    examples = draw(find_task("shift-1"), 0, 3, 20 * LENGTH)
    assert np.abs(found.member.positions(20 * LENGTH).table).max() > 1e24
    wanted = found.member.outputs(examples.inputs)
    np.testing.assert_allclose(predict(found, made.lessons, examples), wanted, atol=5e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"steps": 30}, "multiple of 25.*steps=50"), ({"batch": 0}, "batch must be at least 1")],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        Settings(**settings)


def test_bfloat16_products_train_too_and_positions_stay_exact():
    made = job(rate=0.01)
    plain, low = (train([made], Settings(steps=200, batch=16, chunk=10, low=low))[0] for low in (False, True))
    assert low.steps_to_threshold is not None
    assert plain.checks[0].loss != low.checks[0].loss
    assert plain.checks[0].loss == pytest.approx(low.checks[0].loss, rel=0.02)


def test_nothing_to_train():
    with pytest.raises(ValueError, match="at least one job"):
        train([], SMALL)


def test_weights_and_network_agree_on_shapes():
    made = job(encoding="learned")
    weights = training.first_weights(made)
    assert network_of(weights, 2).queries.shape == (1, 2, 8, 16)
    assert numbers_of(weights).table.shape == (LENGTH, 16)

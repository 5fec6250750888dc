"""Markov sources of known entropy, and predictors that use the last w bytes: losses and context use are known."""

import math

import numpy as np
import pytest

from estimators.text_batches import scored_passages
from estimators.text_context import context_use
from estimators.text_documents import Document
from estimators.text_model import non_overlapping, sliding, smoothed_bits


def last_symbols(inputs, order):
    """Entry (t, k) is input t - k, or 256 before the start."""
    padded = np.pad(inputs, ((0, 0), (order - 1, 0)), constant_values=256)
    return np.lib.stride_tricks.sliding_window_view(padded, order, axis=1)[..., ::-1]


def order_predictor(order, seed=0):
    """Log-probabilities that are a random function of the last `order` inputs, or of those there are."""
    weights = np.random.default_rng(seed).normal(size=(order, 257, 256))

    def predict(inputs):
        seen = last_symbols(inputs, order)
        logits = sum(weights[k][seen[..., k]] for k in range(order))
        return logits - np.log(np.exp(logits).sum(-1, keepdims=True))

    return predict


def chain(order, symbols=4, seed=0):
    """Transition probabilities (symbols^order, symbols) of a Markov source."""
    return np.random.default_rng(seed).dirichlet(np.full(symbols, 0.5), size=symbols**order)


def markov_text(law, order, size, rng):
    symbols = law.shape[1]
    steps = rng.random(size)
    state, found, ends = 0, np.empty(size, dtype=np.uint8), law.cumsum(axis=1)
    for t in range(size):
        found[t] = min(np.searchsorted(ends[state], steps[t]), symbols - 1)
        state = (state * symbols + int(found[t])) % symbols**order
    return found.tobytes()


def markov_predictor(law, order):
    """The true law where `order` symbols are visible, before them uniform over the symbols; other bytes: 0."""
    symbols = law.shape[1]

    def predict(inputs):
        seen = last_symbols(inputs, order).astype(np.int64)
        known = (seen < 256).all(-1)
        state = sum(np.where(seen[..., k] < 256, seen[..., k], 0) * symbols**k for k in range(order))
        with np.errstate(divide="ignore"):
            logs = np.log(np.where(known[..., None], law[state], 1 / symbols))
        beyond = np.full((*inputs.shape, 256 - symbols), -np.inf)
        return np.concatenate([logs, beyond], axis=-1)

    return predict


def entropy_rate(law, order):
    """Of a stationary source, bits: sum over states of the stationary law times the entropy of the row."""
    states, symbols = law.shape
    moves = np.zeros((states, states))
    for state in range(states):
        for symbol in range(symbols):
            moves[state, (state * symbols + symbol) % states] += law[state, symbol]
    values, vectors = np.linalg.eig(moves.T)
    stationary = np.real(vectors[:, np.argmax(np.real(values))])
    stationary /= stationary.sum()
    return -(stationary[:, None] * law * np.log2(law)).sum()


@pytest.fixture(scope="module")
def random_passages():
    rng = np.random.default_rng(1)
    documents = [Document(f"d{i}", rng.bytes(size)) for i, size in enumerate((40, 64, 100, 300, 90))]
    return scored_passages(documents, length=32, per_document=3)


@pytest.fixture(scope="module")
def markov_passages():
    rng = np.random.default_rng(2)
    law = chain(2)
    documents = [Document(f"d{i}", markov_text(law, 2, 1300, rng)) for i in range(12)]
    return law, scored_passages(documents, length=64, per_document=10)


def test_order_two_source_costs_its_entropy_rate(markov_passages):
    law, passages = markov_passages
    predict, rate = markov_predictor(law, 2), entropy_rate(law, 2)
    slid = sliding(predict, passages, 16).row()
    assert slid.lower <= rate <= slid.upper
    assert slid.upper - slid.lower < 0.1
    rows = non_overlapping(predict, passages, 16).rows()
    by_range = {row.position_range: row for row in rows}
    assert by_range[0, 0].mean == pytest.approx(2, rel=1e-12)  # one visible byte: uniform over four symbols
    assert by_range[1, 1].lower <= rate <= by_range[1, 1].upper
    expected = (by_range[0, 0].mean + sum(by_range[ends].mean * (ends[1] - ends[0] + 1)
                                          for ends in ((1, 1), (2, 3), (4, 7), (8, 15)))) / 16  # fmt: skip
    assert rows[0].mean == pytest.approx(expected, rel=1e-12)
    # Falsified twin: another chain's law is not the source's, and costs more than the entropy rate.
    wrong = sliding(markov_predictor(chain(2, seed=9), 2), passages, 16).row()
    assert wrong.lower > rate


def test_losses_against_transition_counts(markov_passages):
    """Non-overlapping blocks of order 1: the mean is -sum of counts log2 P / number, in exact agreement."""
    _, passages = markov_passages
    law = chain(1, seed=3)
    losses = non_overlapping(markov_predictor(law, 1), passages, 16)
    text = passages.text
    for index in range(len(passages.names)):
        rows = text[passages.document == index]
        counts = np.zeros((4, 4))
        np.add.at(counts, (rows[:, 63:-1].ravel(), rows[:, 64:].ravel()), 1)
        expected = -(counts * np.log2(law)).sum() / counts.sum()
        assert losses.row().per_document[index] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("order", [1, 3, 4])
def test_context_use_of_order_w_is_flat_from_w_on(random_passages, order):
    rows = {row.visible: row for row in context_use(order_predictor(order), random_passages, [1, 2, 3, 4, 5, 8, 32])}
    for visible, row in rows.items():
        if visible >= order:
            assert row.excess == 0
            assert row.excess_lower == row.excess_upper == 0
            assert row.mean == rows[32].mean
        else:
            assert row.mean != rows[32].mean
    assert set(rows) == {1, 2, 3, 4, 5, 8, 32}


def test_excess_without_context_is_known(markov_passages):
    """One visible byte of an order-2 source: 2 bits by `markov_predictor`, so the excess is 2 minus the loss."""
    law, passages = markov_passages
    rows = context_use(markov_predictor(law, 2), passages)
    assert [row.visible for row in rows] == [1, 2, 4, 8, 16, 32, 64]
    assert rows[0].mean == pytest.approx(2, rel=1e-12)
    assert rows[0].excess == pytest.approx(2 - rows[-1].mean, rel=1e-12)
    assert 0 < rows[0].excess_lower <= rows[0].excess <= rows[0].excess_upper
    assert rows[1].excess == 0


def test_the_smoothed_lower_end_bounds_the_plain_loss_too(markov_passages):
    law, passages = markov_passages
    losses = sliding(markov_predictor(law, 2), passages, 16)
    assert (smoothed_bits(losses.bits, 256) <= losses.bits - math.log2(1 - 1 / 64) + 1e-12).all()
    assert smoothed_bits(np.array([np.inf]), 256) == pytest.approx(14)

"""Tasks that move tokens over distances that grow with the length: copy, permutation, reversal, sorting, recall.

All symbols are uniform and independent, so a target whose source is outside the window is guessed with accuracy 1/|V|.
"""

from collections.abc import Callable

import numpy as np
from scipy.stats import binom

from estimators.samples import positive
from estimators.tasks_base import Layout, Task, make_task, rearranged_score, seen_share, statement, uniform
from theory.extrapolation_tasks import reversal_accuracy

Sources = Callable[[int], np.ndarray]  # length -> index of the token to output at every position, -1 where none


def rearrangement_task(
    name: str, sources: Sources, description: str, *, symbols: int, least_length: int = 1, learnable: bool = True
) -> Task:
    """y_i = x_{s(i)} from all tokens at once; uniform symbols, no mark of start or end."""

    def layout(raw: np.ndarray, length: int) -> Layout:
        source = sources(length)
        return Layout(raw, raw[:, source], (source >= 0)[None, :])

    def score(length: int, window: int) -> float:
        source = sources(length)
        positions = np.flatnonzero(source >= 0)
        return rearranged_score(seen_share(source[positions], positions, window), symbols)

    return make_task(
        name=name,
        description=description,
        symbols=symbols,
        outputs=symbols,
        sizes=uniform(symbols),
        layout=layout,
        chance=lambda length: 1 / symbols,
        score=score,
        causal=False,
        least_length=least_length,
        learnable=learnable,
    )


def permutation_task(block: int = 32, symbols: int = 8, seed: int = 0) -> Task:
    """y_i = x_{p(i)} with one fixed random permutation p of every block of `block` positions; at the training length
    `block` it is one permutation of all positions. A shorter sequence, or a last block that is cut, scores the
    positions whose source exists. Needs the absolute position, so no single function of a window gives it."""
    order = np.random.default_rng(seed).permutation(positive("block", block))

    def sources(length: int) -> np.ndarray:
        positions = np.arange(length)
        source = positions - positions % block + order[positions % block]
        return np.where(source < length, source, -1)

    words = f"the tokens of every block of {block} in one fixed random order"
    least = int(np.maximum(np.arange(block), order).min()) + 1
    return rearrangement_task("permutation", sources, words, symbols=symbols, least_length=least)


def odds_first_task(symbols: int = 8) -> Task:
    """x_1, x_3, x_5, ... and then x_2, x_4, ...: sources at distances up to half the length."""

    def sources(length: int) -> np.ndarray:
        return np.concatenate([np.arange(0, length, 2), np.arange(1, length, 2)])

    words = "the tokens at odd places, then those at even ones"
    return rearrangement_task("odds-first", sources, words, symbols=symbols)


def reversal_task(symbols: int = 8, *, end_mark: bool = False) -> Task:
    """y_i = x_{L+1-i} from all tokens at once. With `end_mark` the last of T tokens is a mark, is not scored, and
    L = T - 1; else L = T and nothing but the end of the sequence tells where it ends."""
    marks = int(end_mark)

    def layout(raw: np.ndarray, length: int) -> Layout:
        tokens = np.pad(raw, ((0, 0), (0, marks)), constant_values=symbols)
        targets = np.pad(raw[:, ::-1], ((0, 0), (0, marks)))
        return Layout(tokens, targets, (np.arange(length) < length - marks)[None, :])

    def score(length: int, window: int) -> float:
        data = length - marks
        words = {"length": data, "window": window, "vocabulary_size": symbols}
        return float(statement(reversal_accuracy(), **words))

    return make_task(
        name="reversal-end-mark" if end_mark else "reversal",
        description="the tokens in reversed order" + (", before an end mark" if end_mark else ", no mark at the end"),
        symbols=symbols + marks,
        outputs=symbols,
        sizes=lambda length: [symbols] * (length - marks),
        layout=layout,
        chance=lambda length: 1 / symbols,
        score=score,
        causal=False,
        least_length=1 + marks,
    )


def copy_task(symbols: int = 8) -> Task:
    """A block of h = ceil(T/2) symbols, a separator, the block again as far as T tokens go; the next token of the
    second block is asked at every position from the separator on: y_i = x_{i-h}, i > h. Teacher forced."""

    def layout(raw: np.ndarray, length: int) -> Layout:
        half = raw.shape[1]
        mark = np.full((len(raw), 1), symbols)
        tokens = np.concatenate([raw, mark, raw], axis=1)[:, :length]
        return Layout(tokens, np.concatenate([raw, raw], axis=1)[:, :length], (np.arange(length) >= half)[None, :])

    return make_task(
        name="copy",
        description="a block once more after a separator, token by token",
        symbols=symbols + 1,
        outputs=symbols,
        sizes=lambda length: [symbols] * ((length + 1) // 2),
        layout=layout,
        chance=lambda length: 1 / symbols,
        score=lambda length, window: rearranged_score(float(window > (length + 1) // 2), symbols),
        least_length=2,
    )


def sort_task(symbols: int = 8, levels: int = 3) -> Task:
    """y_i = the i-th smallest of all tokens (bucket sort). Every sequence draws `levels` symbols, with replacement, and
    its tokens from these: of tokens from the whole alphabet the position alone would tell most of the sorted order."""

    def chance(length: int) -> float:
        """P(y_i = a) = sum_k P(k-th smallest level = a) P(k-th smallest level is at rank i)."""
        upto = np.arange(symbols + 1) / symbols
        least = [binom.sf(k - 1, levels, upto) for k in range(1, levels + 1)]  # P(k-th smallest level < a)
        rank = np.arange(1, length + 1)
        below = [binom.sf(rank - 1, length, k / levels) for k in range(levels + 1)]  # P(i-th token is of k lowest)
        return float((np.diff(least, axis=1).T @ np.diff(below, axis=0)).max(axis=0).mean())

    def layout(raw: np.ndarray, length: int) -> Layout:
        tokens = np.take_along_axis(raw[:, :levels], raw[:, levels:], axis=1)
        return Layout(tokens, np.sort(tokens, axis=1), np.ones((1, length), dtype=bool))

    return make_task(
        name="sort",
        description=f"the tokens in sorted order, at most {levels} of {symbols} symbols in a sequence",
        symbols=symbols,
        outputs=symbols,
        sizes=lambda length: [symbols] * levels + [levels] * length,
        layout=layout,
        chance=chance,
        causal=False,
    )


def induction_task(keys: int = 8, values: int = 4) -> Task:
    """Associative recall: key, value, key, value, ...; a key has one value per sequence, drawn uniformly. At a key that
    occurred before its value is asked. Keys are uniform; the last key is that of an earlier pair, chosen uniformly, so
    every sequence has a scored position. Keys are symbols 0 .. keys-1, values follow. How far back the last occurrence
    lies is random: about `keys` pairs, any pair for the last key."""

    def layout(raw: np.ndarray, length: int) -> Layout:
        pairs = (length + 1) // 2
        rows = np.arange(len(raw))[:, None]
        key = np.concatenate([raw[:, : pairs - 1], raw[rows[:, 0], raw[:, pairs - 1]][:, None]], axis=1)
        value = raw[:, pairs:][rows, key]
        tokens = np.stack([key, keys + value], axis=2).reshape(len(raw), -1)[:, :length]
        before = np.zeros((len(raw), keys), dtype=bool)
        scored = np.zeros((len(raw), length), dtype=bool)
        for t in range(pairs):
            scored[:, 2 * t] = before[rows[:, 0], key[:, t]]
            before[rows[:, 0], key[:, t]] = True
        return Layout(tokens, np.repeat(value, 2, axis=1)[:, :length], scored)

    def score(length: int, window: int) -> float:
        return _recall(keys, values, (length + 1) // 2, window)

    return make_task(
        name="induction",
        description=f"the value of a key seen before, {keys} keys and {values} values",
        symbols=keys + values,
        outputs=values,
        sizes=lambda length: [keys] * ((length + 1) // 2 - 1) + [(length + 1) // 2 - 1] + [values] * keys,
        layout=layout,
        chance=lambda length: 1 / values,
        score=score,
        least_length=3,
    )


def _recall(keys: int, values: int, pairs: int, window: int) -> float:
    """Best accuracy of associative recall from the last w tokens, m pairs.

    At the key of pair t, the c = floor((w-1)/2) pairs before are seen. If the key is not among them, an even w also
    shows the value of one more pair without its key, which is the best guess; else the guess is blind, 1/|V|.
    """
    other = 1 - 1 / keys
    right = total = 0.0
    for t in range(1, pairs):
        c = min((window - 1) // 2, t)
        half = window % 2 == 0 and t > c
        if t < pairs - 1:  # a uniform key
            mass, seen = 1 - other**t, 1 - other**c
            value = other**c / keys if half else 0.0
        else:  # the key of pair j, uniform on the t pairs before
            mass, seen = 1.0, c / t + (1 - c / t) * (1 - other**c)
            value = other**c * (1 / t + (t - c - 1) / t / keys) if half else 0.0
        right += seen + value + max(mass - seen - value, 0.0) / values
        total += mass
    return right / total

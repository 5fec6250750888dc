"""Tasks from formal languages, after the set of Deletang et al. (2023; recalled, not looked up): pairs, brackets,
stack, missing duplicate, binary addition. Cycle navigation and modular sums are in `tasks_running`, bucket sort in
`tasks_global`. Where the original asks once at the end, the answer is asked at every position where it is defined."""

import numpy as np
from scipy.stats import binom

from estimators.samples import positive
from estimators.tasks_base import Layout, Task, make_task, rearranged_score, uniform


def even_pairs_task() -> Task:
    """y_i = 1 if x_1 .. x_i has an even number of neighbours that differ, i >= 2: if x_i = x_1. Fair bits."""

    def layout(raw: np.ndarray, length: int) -> Layout:
        return Layout(raw, raw == raw[:, :1], (np.arange(length) >= 1)[None, :])

    def score(length: int, window: int) -> float:
        return rearranged_score(max(window - 1, 0) / (length - 1), 2)  # i = 2 .. w see x_1

    return make_task(
        name="even-pairs",
        description="whether the number of changes so far is even, that is the first bit again",
        symbols=2,
        outputs=2,
        sizes=uniform(2),
        layout=layout,
        chance=lambda length: 0.5,
        score=score,
        least_length=2,
    )


def missing_duplicate_task(symbols: int = 4) -> Task:
    """A word w of h = ceil(T/2) symbols twice, as far as T tokens go, one token replaced by a mask and asked there.

    The mask is uniform on the positions whose duplicate exists, at distance h. symbols, then the mask.
    """

    def layout(raw: np.ndarray, length: int) -> Layout:
        half, twice = (length + 1) // 2, length // 2
        tokens = np.concatenate([raw[:, :-1], raw[:, :-1]], axis=1)[:, :length]
        masked = np.where(raw[:, -1] < twice, raw[:, -1], raw[:, -1] - twice + half)
        at = np.arange(length) == masked[:, None]
        return Layout(np.where(at, symbols, tokens), tokens, at)

    return make_task(
        name="missing-duplicate",
        description="the masked token of a word that is written twice",
        symbols=symbols + 1,
        outputs=symbols,
        sizes=lambda length: [symbols] * ((length + 1) // 2) + [2 * (length // 2)],
        layout=layout,
        chance=lambda length: 1 / symbols,
        score=lambda length, window: rearranged_score(float(window > (length + 1) // 2), symbols),
        causal=False,
        least_length=2,
    )


def dyck_depth_task(deepest: int) -> Task:
    """y_i = opening minus closing brackets among x_1 .. x_i, in 0 .. D: every sequence begins a word of the Dyck
    language of one bracket with depth at most D. 0 opens, 1 closes; each is drawn with probability 1/2 and forced at
    depth 0 and D."""
    positive("deepest", deepest)

    def layout(raw: np.ndarray, length: int) -> Layout:
        closes, depths = np.empty_like(raw), np.empty_like(raw)
        depth = np.zeros(len(raw), dtype=raw.dtype)
        for i in range(length):
            closes[:, i] = np.where(depth == 0, 0, np.where(depth == deepest, 1, raw[:, i]))
            depth = depth + 1 - 2 * closes[:, i]
            depths[:, i] = depth
        return Layout(closes, depths, np.ones((1, length), dtype=bool))

    def chance(length: int) -> float:
        law, total = np.eye(deepest + 1)[0], 0.0
        up = np.r_[1.0, np.full(deepest - 1, 0.5), 0.0]
        for _ in range(length):
            moved = np.zeros_like(law)
            moved[1:] += (law * up)[:-1]
            moved[:-1] += (law * (1 - up))[1:]
            law = moved
            total += float(law.max())
        return total / length

    return make_task(
        name=f"dyck-depth-{deepest}",
        description=f"the number of open brackets, at most {deepest}",
        symbols=2,
        outputs=deepest + 1,
        sizes=uniform(2),
        layout=layout,
        chance=chance,
    )


def stack_top_task() -> Task:
    """y_i = what is on top of a stack after x_1 .. x_i: 0 nothing, 1 or 2 a symbol. 0 pushes symbol 1 and 1 pushes
    symbol 2, each with probability 1/4; 2 pops, with probability 1/2. Popping an empty stack changes nothing."""

    def layout(raw: np.ndarray, length: int) -> Layout:
        tokens = np.minimum(raw, 2)
        rows = np.arange(len(raw))
        stack = np.zeros((len(raw), length + 1), dtype=raw.dtype)  # entry 0 is the empty stack
        height = np.zeros(len(raw), dtype=np.int64)
        tops = np.empty_like(raw)
        for i in range(length):
            push = tokens[:, i] < 2
            height = np.where(push, height + 1, np.maximum(height - 1, 0))
            stack[rows[push], height[push]] = tokens[push, i] + 1
            tops[:, i] = stack[rows, height]
        return Layout(tokens, tops, np.ones((1, length), dtype=bool))

    def score(length: int, window: int) -> float:
        """Backwards through the window: a push that is not popped again shows the top; else u pops act on the stack
        before the window, empty after them with P(height <= u), and either symbol is as likely."""
        pops = np.arange(window + 1)
        middle = (window + pops) // 2  # the walk pops minus pushes ends at u and never falls below 0: reflection
        never = np.where((window + pops) % 2, 0.0, binom.pmf(middle, window, 0.5) - binom.pmf(middle + 1, window, 0.5))
        total = min(window, length) + (1 - never.sum()) * max(length - window, 0)
        for t in range(1, length - window + 1):  # tokens before the window; a height is |S + 1/2| - 1/2, S = sum of +-1
            empty = binom.cdf((t + pops) // 2, t, 0.5) - binom.cdf((t - pops) // 2 - 1, t, 0.5)
            total += float(never @ np.maximum(empty, (1 - empty) / 2))
        return total / length

    return make_task(
        name="stack-top",
        description="the top of a stack of two symbols after pushes and pops",
        symbols=3,
        outputs=3,
        sizes=uniform(4),
        layout=layout,
        chance=lambda length: score(length, 0),
        score=score,
    )


def binary_addition_task() -> Task:
    """Bits of a + b, least significant first, at positions 1 .. |b| + 1 of the tokens a, plus sign, b (least
    significant first, |a| = floor((T-1)/2), |b| = T - 1 - |a|), from all tokens at once."""

    def layout(raw: np.ndarray, length: int) -> Layout:
        first = (length - 1) // 2
        a, b = raw[:, :first], raw[:, first:]
        a = np.pad(a, ((0, 0), (0, b.shape[1] - first)))
        targets = np.zeros((len(raw), length), dtype=raw.dtype)
        carry = np.zeros(len(raw), dtype=raw.dtype)
        for i in range(b.shape[1]):
            carry, targets[:, i] = np.divmod(a[:, i] + b[:, i] + carry, 2)
        targets[:, b.shape[1]] = carry
        tokens = np.concatenate([raw[:, :first], np.full((len(raw), 1), 2), b], axis=1)
        return Layout(tokens, targets, (np.arange(length) <= b.shape[1])[None, :])

    def chance(length: int) -> float:
        """1/2 for all bits but the last, which is 1 with probability (1 - 2^-|a|)/2, half of that if b is longer."""
        first = (length - 1) // 2
        longer = length - 1 - first
        last = (1 - 0.5**first) / 2 / (1 + longer - first)
        return (longer / 2 + 1 - last) / (longer + 1)

    return make_task(
        name="binary-addition",
        description="the sum of two binary numbers, least significant bit first",
        symbols=3,
        outputs=2,
        sizes=lambda length: [2] * (length - 1),
        layout=layout,
        chance=chance,
        causal=False,
        least_length=3,
        learnable=False,
    )

"""Brute-force oracle for the Rademacher complexity of one attention head read at the last position.

Independent of the library on purpose: plain NumPy, formulas written straight from the definition.

    a_i(w) = sum_j softmax_j(<w, k_ij> + b_j) v_ij               keys, values (n, T, d), bias (T,) or (n, T)
    g(eps) = (1/n) max_{|w|_2 <= B_w} B_u |sum_i eps_i a_i(w)|   |.|_2 for 'l2', |.|_inf for 'l1'
    R_hat  = mean of g over the 2^(n-1) sign vectors with eps_1 = +1 (g(-eps) = g(eps))

`oracle_supremum` only evaluates feasible w, so it is a LOWER bound of the true g, expected to be within
1e-9 relative of it (no proof). upper_oracle.py has `oracle_supremum_upper`, a rigorous and coarser UPPER
bound: the truth is in between, both up to double rounding. The l1 read-out is the largest of the
one-coordinate problems, so only |.|_2 is ever maximised. Keys have d = 1 or 2.
Running this file writes tests/data/sample_*.npy (if missing) and tests/data/oracle_values.json.
"""

import itertools
import math

import numpy as np


def oracle_arrays(name, x, *, slope=0.5, base=10000.0, unit_power=True, keys_only=False, r1=1.0, r2=1.0):
    """(keys, values, bias) of an encoding: none, alibi, sinusoidal, rotary, kerple-log or kerple-power."""
    x = np.asarray(x, dtype=np.float64)
    _, T, d = x.shape
    position, distance = np.arange(T, dtype=float), np.arange(T, dtype=float)[::-1]
    zero = np.zeros(T)
    if name == "none":
        return x, x, zero
    if name == "alibi":
        return x, x, -slope * distance
    if name == "kerple-log":
        return x, x, -r1 * np.log1p(r2 * distance)
    if name == "kerple-power":
        return x, x, -r1 * distance**r2
    if name == "sinusoidal":
        p = np.zeros((T, d))
        for c in range(d):
            angle = position / base ** (2 * (c // 2) / d)
            p[:, c] = np.sin(angle) if c % 2 == 0 else np.cos(angle)
        if unit_power:
            p = p / math.sqrt(np.mean(np.sum(p * p, axis=1)))
        return x + p, (x if keys_only else x + p), zero
    if name == "rotary":
        if d % 2:
            raise ValueError("rotary needs an even dimension")
        keys = np.empty_like(x)
        for k in range(d // 2):
            c, s = np.cos(distance * base ** (-2 * k / d)), np.sin(distance * base ** (-2 * k / d))
            keys[:, :, 2 * k] = c * x[:, :, 2 * k] - s * x[:, :, 2 * k + 1]
            keys[:, :, 2 * k + 1] = s * x[:, :, 2 * k] + c * x[:, :, 2 * k + 1]
        return keys, x, zero
    raise ValueError(f"unknown encoding {name!r}")


def sign_classes(n):
    """The 2^(n-1) sign vectors with first entry +1, shape (2^(n-1), n)."""
    return np.array([(1.0, *rest) for rest in itertools.product((1.0, -1.0), repeat=n - 1)])


def attention(keys, values, bias, w):
    """a_i(w) at P query points: w (P, d) -> (n, dv, P)."""
    scores = np.transpose(keys, (1, 0, 2)) @ np.asarray(w).T
    scores += np.broadcast_to(bias, keys.shape[:2]).T[:, :, None]
    weight = np.exp(scores - scores.max(axis=0))
    total = weight.sum(axis=0)
    return np.stack([(weight * values[:, :, c].T[:, :, None]).sum(axis=0) / total
                     for c in range(values.shape[2])], axis=1)  # fmt: skip


def _prepare(keys, values, bias, readout):
    """Float64 arrays with d = 1 keys padded to d = 2 (same supremum), and the |.|_2 problems to maximise."""
    keys, values, bias = (np.asarray(a, dtype=np.float64) for a in (keys, values, bias))
    if keys.shape[2] == 1:
        keys = np.concatenate([keys, np.zeros_like(keys)], axis=2)
    if keys.shape[2] != 2:
        raise ValueError("the oracle handles d = 1 and d = 2 only")
    if readout not in ("l2", "l1"):
        raise ValueError("readout is 'l2' or 'l1'")
    parts = [values] if readout == "l2" else [values[:, :, c : c + 1] for c in range(values.shape[2])]
    return keys, parts, bias


def _value(keys, values, bias, signs, w, chunk=40000):
    """|sum_i eps_i a_i(w)|_2 for matched rows: signs (P, n), w (P, 2) -> (P,)."""
    out = np.empty(len(w))
    for s in range(0, len(w), chunk):
        a = attention(keys, values, bias, w[s : s + chunk])
        total = (signs[s : s + chunk].T[:, None] * a).sum(axis=0)
        out[s : s + chunk] = np.sqrt((total**2).sum(axis=0))
    return out


def _axes(keys, B_w, n_r, n_phi):
    """Polar grid axes; for long keys also small radii and the sectors cut out by <w, k_j - k_l> = 0."""
    diff = (keys[:, :, None] - keys[:, None])[:, *np.triu_indices(keys.shape[1], 1)].reshape(-1, 2)
    reach = np.max(np.hypot(*diff.T), initial=0.0)
    radii, angles = np.linspace(0, B_w, n_r + 1), np.arange(n_phi) * (2 * np.pi / n_phi)
    if reach * B_w > n_r / 4:
        radii = np.union1d(radii, np.geomspace(0.05 / reach, B_w, n_r))
        cut = np.arctan2(diff[:, 1], diff[:, 0]) + np.pi / 2
        cut = np.unique(np.concatenate([cut, cut + np.pi]) % (2 * np.pi))
        angles = np.union1d(angles, (cut + np.diff(cut, append=cut[0] + 2 * np.pi) / 2) % (2 * np.pi))
    return radii, angles


def _starts(field, n_best):
    """Flat indices (signs, n_best) of the highest local maxima of field (signs, radii, angles)."""
    peak = np.ones(field.shape, dtype=bool)
    for dr, dp in itertools.product((-1, 0, 1), (-1, 0, 1)):
        if (dr, dp) != (0, 0):
            here = slice(max(0, -dr), field.shape[1] - max(0, dr))
            there = slice(max(0, dr), field.shape[1] + min(0, dr))
            other = np.roll(field, -dp, axis=2)[:, there]
            # strict on one side only, so a plateau yields one start instead of filling the list
            peak[:, here] &= field[:, here] > other if (dr, dp) > (0, 0) else field[:, here] >= other
    peak[:, 0, 1:] = False  # all angles meet at the origin
    flat = np.where(peak, field, -1.0).reshape(len(field), -1)
    flat[np.arange(len(flat)), field.reshape(len(field), -1).argmax(axis=1)] = np.inf
    return np.argpartition(-flat, min(n_best, flat.shape[1]) - 1, axis=1)[:, :n_best]


def _polish(keys, values, bias, signs, w, step, B_w, shrink_to):
    """Repeated 5 x 5 refinement around every w (P, 2) in its radial frame, projected onto the disc."""
    offsets = np.array(list(itertools.product((0, -1, -0.5, 0.5, 1), repeat=2)))  # the centre comes first
    ring = np.abs(offsets).max(axis=1)
    w, best, smallest = w.copy(), np.empty(len(w)), shrink_to * step
    live = np.arange(len(w))
    for _ in range(400):
        radius = np.hypot(*w[live].T)[:, None]
        radial = np.where(radius > 0, w[live] / np.where(radius > 0, radius, 1), [1.0, 0.0])
        tangent = np.stack([-radial[:, 1], radial[:, 0]], axis=1)
        move = (step[live, None] * offsets)[..., None]
        trial = w[live, None] + move[:, :, 0] * radial[:, None] + move[:, :, 1] * tangent[:, None]
        length = np.hypot(trial[..., 0], trial[..., 1])
        trial *= np.where(length > B_w, B_w / np.where(length > 0, length, 1), 1)[..., None]
        f = _value(keys, values, bias, np.repeat(signs[live], 25, axis=0), trial.reshape(-1, 2))
        f = f.reshape(-1, 25)
        pick = np.where(f.max(axis=1) > f[:, 0] * (1 + 1e-14), f.argmax(axis=1), 0)  # ignore rounding gains
        w[live], best[live] = trial[np.arange(len(live)), pick], f[np.arange(len(live)), pick]
        step[live] *= np.array([0.3, 0.6, 1.0])[(2 * ring[pick]).astype(int)][:, None]
        live = live[np.any(step[live] > smallest[live], axis=1)]
        if not len(live):
            break
    return best, w


def oracle_supremum(keys, values, bias, signs, B_w, B_u=1.0, readout="l2", *, n_r=48, n_phi=192, n_best=5,
                    shrink_to=1e-6, return_w=False):  # fmt: skip
    """g(eps) for every row of signs (S, n): dense polar grid, then the best n_best peaks refined.

    A lower bound of the true supremum (feasible w only), about 1e-9 relative from it. The attention on the
    grid is computed once for all signs. With return_w also the maximising query (S, 2).
    """
    keys, parts, bias = _prepare(keys, values, bias, readout)
    signs = np.atleast_2d(np.asarray(signs, dtype=np.float64))
    n, S = keys.shape[0], len(signs)
    radii, angles = _axes(keys, B_w, n_r, n_phi) if B_w > 0 else (np.zeros(1), np.zeros(1))
    grid = np.stack([np.outer(radii, f(angles)) for f in (np.cos, np.sin)], axis=-1).reshape(-1, 2)
    gap_r, gap_p = np.ones(1), np.ones(1)
    if B_w > 0:
        d = np.diff(radii)
        gap_r = np.maximum(np.append(d, 0), np.append(0, d))
        d = np.diff(angles, append=angles[0] + 2 * np.pi)
        gap_p = np.maximum(d, np.roll(d, 1))
    tangential = np.maximum(radii, gap_r)[:, None] * gap_p
    steps = np.stack(np.broadcast_arrays(gap_r[:, None], tangential), axis=-1).reshape(-1, 2)
    best, best_w = np.full(S, -1.0), np.zeros((S, 2))
    for part in parts:
        a = attention(keys, part, bias, grid)
        for lo in range(0, S, 64):
            eps = signs[lo : lo + 64]
            field = np.sqrt(sum((eps @ a[:, c]) ** 2 for c in range(a.shape[1])))
            k = _starts(field.reshape(len(eps), len(radii), len(angles)), n_best)
            f, w = _polish(keys, part, bias, np.repeat(eps, k.shape[1], axis=0), grid[k.ravel()],
                           steps[k.ravel()], B_w, shrink_to)  # fmt: skip
            f, w = f.reshape(k.shape), w.reshape(*k.shape, 2)
            row, top = np.arange(len(eps)), f.argmax(axis=1)
            better = f[row, top] > best[lo : lo + 64]
            best[lo : lo + 64][better] = f[row, top][better]
            best_w[lo : lo + 64][better] = w[row, top][better]
    return (best * B_u / n, best_w) if return_w else best * B_u / n


def oracle_complexity(keys, values, bias, B_w, B_u=1.0, readout="l2", **options):
    """R_hat: the mean of oracle_supremum over all sign classes (a lower bound, about 1e-9 relative)."""
    signs = sign_classes(len(keys))
    return float(np.mean(oracle_supremum(keys, values, bias, signs, B_w, B_u, readout, **options)))


def frozen_complexity(keys, values, bias, B_u=1.0, readout="l2"):
    """R_hat at B_w = 0 by enumeration: (B_u / n) E|sum_i eps_i a_i(0)|."""
    a = attention(np.asarray(keys), np.asarray(values), bias, np.zeros((1, np.shape(keys)[2])))[:, :, 0]
    s = sign_classes(len(a)) @ a
    return float(B_u / len(a) * np.mean(np.linalg.norm(s, axis=1, ord=2 if readout == "l2" else np.inf)))


def identical_complexity(sup_norm, n, B_u=1.0):
    """R_hat of n identical inputs: B_u sup_w|a(w)| E|sum_i eps_i| / n; frozen: sup_norm = |a(0)|."""
    return B_u * sup_norm * math.comb(n - 1, (n - 1) // 2) / 2 ** (n - 1)


if __name__ == "__main__":
    from record_oracle_values import regenerate

    regenerate()

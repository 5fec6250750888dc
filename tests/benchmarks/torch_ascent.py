"""The ascent in eager PyTorch on the CPU: all members (sign vector, start) as one batch, einsum and autograd, float64.

Run by test_transformer.py in a virtual environment of its own:  python torch_ascent.py JOB.npz RESULT.npz
JOB: tokens (n, T, d), signs (M, n) and starting parameters logits, values (M, L, d, d) of the members, their radii,
iterations, threads, repetitions. RESULT: the values at the starts, the values reached, seconds of every repetition.
"""

import sys
import time

import numpy as np
import torch

INSIDE = 1.0 - 2.0**-36
GROW, SHRINK, FIRST_STEP = 1.5, 0.4, 1.0


def values_at(tokens, signs, logits, values):
    """|sum_i eps_i x^L_T,i| (M,): causal softmax attention with residual connections, the last layer at T only."""
    x, length = tokens.expand(len(signs), *tokens.shape), tokens.shape[1]
    mask = torch.full((length, length), -torch.inf, dtype=torch.float64).triu(1)
    layers = logits.shape[1]
    for layer in range(layers):
        seen = slice(length - 1, length) if layer == layers - 1 else slice(None)
        query = torch.einsum("mnsd,mde->mnse", x[:, :, seen], logits[:, layer])
        scores = torch.einsum("mnse,mnje->mnsj", query, x) + mask[seen]
        mixed = torch.einsum("mnsj,mnjd->mnsd", torch.softmax(scores, -1), x)
        x = x[:, :, seen] + torch.einsum("mnsd,med->mnse", mixed, values[:, layer])
    return torch.einsum("mn,mnd->md", signs, x[:, :, 0]).norm(dim=1)


def with_gradients(tokens, signs, blocks):
    blocks = [block.detach().requires_grad_() for block in blocks]
    found = values_at(tokens, signs, *blocks)
    return found.detach(), torch.autograd.grad(found.sum(), blocks)


def moved(block, slope, radius, reach):
    """A step along the gradient and back into the Frobenius ball, for every member and layer."""
    limit = radius * INSIDE
    unit = slope / slope.norm(dim=(2, 3), keepdim=True).clamp_min(1e-300)
    block = block + reach[:, None, None, None] * limit * unit
    return block * (limit / block.norm(dim=(2, 3), keepdim=True).clamp_min(1e-300)).clamp_max(1.0)


def ascent(tokens, signs, blocks, radii, iterations):
    best, slopes = with_gradients(tokens, signs, blocks)
    reach = torch.full_like(best, FIRST_STEP)
    for _ in range(iterations):
        tried = [moved(*each, reach) for each in zip(blocks, slopes, radii, strict=True)]
        found, new = with_gradients(tokens, signs, tried)
        better = found > best
        wide = better[:, None, None, None]
        blocks = [torch.where(wide, *pair) for pair in zip(tried, blocks, strict=True)]
        slopes = [torch.where(wide, *pair) for pair in zip(new, slopes, strict=True)]
        best = torch.maximum(found, best)
        reach = reach * torch.where(better, GROW, SHRINK)
    return best


def main(job, result):
    given = np.load(job)
    torch.set_num_threads(int(given["threads"]))
    tokens, signs, *blocks = (torch.from_numpy(given[word]) for word in ("tokens", "signs", "logits", "values"))
    at_starts = values_at(tokens, signs, *blocks)
    seconds = []
    for _ in range(int(given["repetitions"]) + 1):  # the first warms up
        started = time.perf_counter()
        reached = ascent(tokens, signs, blocks, given["radii"].tolist(), int(given["iterations"]))
        seconds.append(time.perf_counter() - started)
    np.savez(result, at_starts=at_starts.numpy(), reached=reached.numpy(), seconds=np.array(seconds[1:]))


if __name__ == "__main__":
    main(*sys.argv[1:])

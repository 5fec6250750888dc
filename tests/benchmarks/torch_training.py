"""The same training in PyTorch on the CPU, one member after the other on one thread, eager or compiled; float32.

Run by test_training.py in a virtual environment of its own, one process for each core:
    python torch_training.py JOB.npz RESULT.json
JOB: mode (eager, compile); by seed inputs, targets, share (S, steps, n, T) and first weights; by encoding tables
(E, T, d), biases (E, H, T, T), cosines, sines (E, T, k/2); members (M, 2) = (encoding, seed), rate. RESULT: seconds of
all members with compilation, seconds of one step once compiled, the mean loss of every member over its steps.
"""

import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

EPSILON, CLIP, WARM_UP, FINAL_SHARE = 1e-6, 1.0, 20, 0.1


def norm(x):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPSILON)


def turned(x, cosine, sine):
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


def loss_of(weights, table, bias, cosine, sine, inputs, targets, share):
    """Mean cross entropy over scored positions, as estimators/training_program.py computes it."""
    embedding, qkv, out, mlp_in, mlp_out, read, level = weights
    n, length = inputs.shape
    layers, dim = out.shape[:2]
    heads = bias.shape[0]
    width = dim // heads
    x = embedding[inputs] + table
    for layer in range(layers):
        q, k, v = (norm(x) @ qkv[layer]).view(n, length, 3, heads, width).permute(2, 0, 3, 1, 4)
        q, k = turned(q, cosine, sine), turned(k, cosine, sine)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        x = x + mixed.transpose(1, 2).reshape(n, length, dim) @ out[layer]
        x = x + torch.relu(norm(x) @ mlp_in[layer]) @ mlp_out[layer]
    logits = norm(x) @ read + level
    each = F.cross_entropy(logits.view(n * length, -1), targets.view(-1), reduction="none").view(n, length)
    return (each * share).sum() / share.sum()


def member(job, encoding, seed, loss, mode):
    weights = [torch.tensor(job[f"weight{k}"][seed], requires_grad=True) for k in range(7)]
    arrays = [torch.tensor(job[word][encoding]) for word in ("tables", "biases", "cosines", "sines")]
    data = [torch.tensor(job[word][seed]) for word in ("inputs", "targets", "share")]
    steps = len(data[0])
    optimiser = torch.optim.Adam(weights, lr=1.0, betas=(0.9, 0.98), eps=1e-8, fused=True)
    seconds, values = [], []
    for step in range(steps):
        started = time.perf_counter()
        pace = min((step + 1) / WARM_UP, 1) * (1 - (1 - FINAL_SHARE) * min(step / steps, 1)) * float(job["rate"])
        optimiser.param_groups[0]["lr"] = pace
        optimiser.zero_grad(set_to_none=True)
        value = loss(weights, *arrays, *(block[step] for block in data))
        value.backward()
        torch.nn.utils.clip_grad_norm_(weights, CLIP)
        optimiser.step()
        values.append(float(value.detach()))
        seconds.append(time.perf_counter() - started)
    return float(np.mean(values)), seconds


def main(place, result):
    torch.set_num_threads(1)
    job = np.load(place)
    mode = str(job["mode"])
    loss = torch.compile(loss_of) if mode == "compile" else loss_of
    started, means, steady = time.perf_counter(), [], []
    for encoding, seed in job["members"]:
        value, seconds = member(job, encoding, seed, loss, mode)
        means.append(value)
        steady += seconds[len(seconds) // 2 :]
    found = {"seconds": time.perf_counter() - started, "step": float(np.median(steady)), "losses": means}
    with open(result, "w") as stream:
        json.dump(found, stream)


if __name__ == "__main__":
    main(*sys.argv[1:])

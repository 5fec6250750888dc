"""Speed of training. Run:  pytest -m benchmark tests/benchmarks/test_training.py -s

8 seeds x 4 encodings (none, sinusoidal, rotary, alibi), 2 layers, 4 heads, T = 32, batch 32, the task shift-4, 60
steps, float32. Alternative: `torch_training.py`, the same network, loss, Adam and clipping in PyTorch, eager and
torch.compile, one process for each core with one thread each and half of the members, so that both cores are full there
too; losses agree. Programs are interleaved, three repetitions; ratios are medians of paired ratios. Time to result: all
members until the last loss, compilation included, imports not. Per step: of one core's stream while all are busy, once
compiled (ours includes drawing data and checks). PyTorch is installed by this file in an environment of its own;
TORCH_PYTHON names an interpreter that has it already.

Floating-point operations: matrix products of the forward pass and twice as many backward. Peak: NumPy's 2048 x 2048
float32 product on one thread (tests/conftest.py allows one) in the same run, the fastest of five.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from estimators import training
from estimators.network_member import Model
from estimators.network_positions import network_encoding
from estimators.tasks import draw, find_task
from estimators.training import train
from estimators.training_arrays import encoded_arrays
from estimators.training_job import Job, Lessons, Settings, first_weights

TABLE = Path(__file__).with_name("training.md")
SCRIPT = Path(__file__).with_name("torch_training.py")
INDEX = ["--index-url", "https://download.pytorch.org/whl/cpu", "--retries", "0"]
ENCODINGS, SEEDS = ("none", "sinusoidal", "rotary", "alibi"), 8
LENGTH, BATCH, STEPS, REPETITIONS, RATE = 32, 32, 60, 3, 0.003
SETTINGS = Settings(steps=STEPS, batch=BATCH, chunk=STEPS)
ROWS: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def table():
    yield
    heading = __doc__.strip().split("\n\n", 1)[1] + "\n\n| measured | value | asked |\n|---|---|---|\n"
    TABLE.write_text(heading + "\n".join(ROWS) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    if given := os.environ.get("TORCH_PYTHON"):
        return Path(given)
    place = tmp_path_factory.mktemp("torch")
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    found = place / "bin" / "python"
    for index in (INDEX, []):
        command = [found, "-m", "pip", "install", "-q", *index, "torch", "numpy"]
        if subprocess.run(command, capture_output=True).returncode == 0:
            return found
    pytest.fail("PyTorch cannot be installed here: give pip an index that has it")


def lessons(dim):
    task = find_task("shift-4")
    model = Model(symbols=32, outputs=32, dim=dim, layers=2, heads=4, mlp_width=2 * dim)
    check = draw(task, 9, 16, LENGTH)
    return Lessons(task.name, model, task.outputs, task.kind, lambda s, n: draw(task, s, n, LENGTH), check)


def jobs(dim):
    made = lessons(dim)
    return [
        Job(made, network_encoding(name, dim=dim, heads=4, train_length=LENGTH), seed, RATE)
        for name in ENCODINGS
        for seed in range(SEEDS)
    ]


def ours(dim, workers=None):
    """Seconds of all members with compilation, and the last losses."""
    jax.clear_caches()
    started = time.perf_counter()
    found = train(jobs(dim), SETTINGS, workers=workers)
    return time.perf_counter() - started, [one.checks[-1].loss for one in found]


def our_step(dim):
    """Seconds of one step of one member, all cores busy, nothing left to compile."""
    made = jobs(dim)
    started = time.perf_counter()
    train(made, SETTINGS)
    return (time.perf_counter() - started) * (os.cpu_count() or 1) / (len(made) * STEPS)


def torch_job(dim, mode, members, place):
    made, model = jobs(dim), lessons(dim).model
    encoded = [encoded_arrays(made[SEEDS * e].encoding, model, LENGTH) for e in range(len(ENCODINGS))]
    drawn = [training._material(made[0].lessons, seed, 0, SETTINGS) for seed in range(SEEDS)]
    first = [first_weights(made[seed]) for seed in range(SEEDS)]
    classes = np.where(np.arange(32) < 8, 0.0, -1e9)
    weights = {f"weight{k}": np.stack([np.asarray(one[k], np.float32) for one in first]) for k in range(7)}
    weights["weight6"] = weights["weight6"] + classes.astype(np.float32)
    np.savez(
        place,
        mode=mode,
        members=np.array(members),
        rate=RATE,
        inputs=np.stack([np.asarray(one.inputs, np.int64) for one in drawn]),
        targets=np.stack([np.asarray(one.targets, np.int64) for one in drawn]),
        share=np.stack([np.asarray(one.share) for one in drawn]),
        tables=np.stack([np.asarray(one.table) for one in encoded]),
        biases=np.stack([np.asarray(one.bias) for one in encoded]),
        cosines=np.stack([np.asarray(one.cosine) for one in encoded]),
        sines=np.stack([np.asarray(one.sine) for one in encoded]),
        **weights,
    )


def theirs(python, dim, mode, folder):
    """Seconds of the slower process, of one step, and the losses in our order."""
    cores = os.cpu_count() or 1
    members = [(e, seed) for e in range(len(ENCODINGS)) for seed in range(SEEDS)]
    running = []
    for core in range(cores):
        place, result = folder / f"{mode}{core}.npz", folder / f"{mode}{core}.json"
        torch_job(dim, mode, members[core::cores], place)
        fresh = folder / f"cache{time.time_ns()}"  # nothing compiled before
        environment = os.environ | {"OMP_NUM_THREADS": "1", "TORCHINDUCTOR_CACHE_DIR": str(fresh)}
        process = subprocess.Popen([python, SCRIPT, place, result], env=environment)
        running.append((process, result, members[core::cores]))
    seconds, step, losses = [], [], {}
    for process, result, mine in running:
        assert process.wait() == 0
        found = json.loads(result.read_text())
        seconds.append(found["seconds"])
        step.append(found["step"])
        losses |= dict(zip(mine, found["losses"], strict=True))
    return max(seconds), float(np.median(step)), [losses[member] for member in members]


def row(name, ratios, asked, at_least=True):
    ratio = float(np.median(ratios))
    short = "" if (ratio >= asked) == at_least or ratio == asked else ", falls short"
    ROWS.append(f"| {name} (median; range {min(ratios):.2f} to {max(ratios):.2f}) | {ratio:.2f} x{short} | {asked} x |")
    print(ROWS[-1])


def operations(dim):
    """Of one step: products of the forward pass, three times."""
    tokens, width = BATCH * LENGTH, 2 * dim
    layer = 2 * tokens * (3 * dim * dim + dim * dim + 2 * dim * width) + 2 * 2 * BATCH * LENGTH * LENGTH * dim
    return 3 * (2 * layer + 2 * tokens * dim * 32)


@pytest.mark.benchmark
@pytest.mark.parametrize("dim", [32, 64])
def test_training_against_torch(python, dim, tmp_path):
    results = {"eager": ([], []), "compile": ([], [])}
    cores, rates = [], []
    for _ in range(REPETITIONS):
        whole, losses = ours(dim)
        step = our_step(dim)
        for mode, (whole_ratios, step_ratios) in results.items():
            seconds, their_step, their_losses = theirs(python, dim, mode, tmp_path)
            whole_ratios.append(seconds / whole)
            step_ratios.append(their_step / step)
            np.testing.assert_allclose(their_losses, losses, rtol=2e-3)
        cores.append(ours(dim, workers=1)[0] / whole)
        rates.append(operations(dim) / step)
    matrix = np.random.default_rng(0).normal(size=(2048, 2048)).astype(np.float32)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        _ = matrix @ matrix
        times.append(time.perf_counter() - started)
    peak = 2 * 2048**3 / min(times)
    row(f"d = {dim}, per step: eager PyTorch / ours", results["eager"][1], 1.0)
    row(f"d = {dim}, per step: torch.compile / ours", results["compile"][1], 0.77)
    row(f"d = {dim}, time to result: eager PyTorch / ours", results["eager"][0], 1.0)
    row(f"d = {dim}, time to result: torch.compile / ours", results["compile"][0], 1.0)
    row(f"d = {dim}, time to result: one core / all cores", cores, 1.7)
    ROWS.append(f"| d = {dim}, fraction of one core's peak in a step | {float(np.median(rates)) / peak:.2f} | - |")
    print(ROWS[-1])

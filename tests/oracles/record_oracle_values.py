"""Writes the sample arrays and tests/data/oracle_values.json: run  python tests/oracles/query_oracle.py."""

import itertools
import json
import time
from pathlib import Path

import numpy as np
from query_oracle import frozen_complexity, oracle_arrays, oracle_supremum, sign_classes
from upper_oracle import oracle_supremum_upper

DATA = Path(__file__).resolve().parents[1] / "data"
SAMPLES = {"sample_n6_T5_d2": (6, 5, 60), "sample_n8_T4_d2": (8, 4, 80), "sample_n10_T3_d2": (10, 3, 100)}
UNIT_NORM = "sample_n8_T4_d2"
ENCODINGS = {
    "none": ("none", {}),
    "alibi_0.5": ("alibi", {"slope": 0.5}),
    "sinusoidal_unit_power": ("sinusoidal", {"unit_power": True, "keys_only": False}),
    "sinusoidal_raw_keys_only": ("sinusoidal", {"unit_power": False, "keys_only": True}),
    "rotary": ("rotary", {}),
    "kerple_log_1_1": ("kerple-log", {"r1": 1.0, "r2": 1.0}),
}
RADII, READOUTS = (0.5, 1.0, 4.0), ("l2", "l1")


def sample(name):
    """The seeded Gaussian tokens of a committed array; UNIT_NORM has every token normalised."""
    n, T, seed = SAMPLES[name]
    x = np.random.default_rng(seed).standard_normal((n, T, 2))
    return x / np.linalg.norm(x, axis=2, keepdims=True) if name == UNIT_NORM else x


def record(array, encoding, x, B_w, readout):
    """One entry: value (lower bound, about 1e-9), upper (rigorous), frozen mean, extremes of g."""
    name, parameters = ENCODINGS[encoding]
    keys, values, bias = oracle_arrays(name, x, **parameters)
    signs = sign_classes(len(x))
    g, w = oracle_supremum(keys, values, bias, signs, B_w, 1.0, readout, return_w=True)
    upper = oracle_supremum_upper(keys, values, bias, signs, B_w, 1.0, readout, lower=g)
    return {
        "array": array, "encoding": encoding, "name": name, "parameters": parameters,
        "B_w": B_w, "B_u": 1.0, "readout": readout,
        "value": float(np.mean(g)), "upper": float(np.mean(upper)),
        "frozen": frozen_complexity(keys, values, bias, 1.0, readout),
        "g_all_plus": float(g[0]), "w_all_plus": w[0].tolist(),
        "g_min": float(g.min()), "g_max": float(g.max()),
    }  # fmt: skip


def regenerate():
    """Write the arrays and the values; a committed array that exists is read back, never replaced."""
    start, entries = time.time(), []
    DATA.mkdir(exist_ok=True)
    for array in SAMPLES:
        path = DATA / f"{array}.npy"
        if not path.exists():
            np.save(path, sample(array))
        x = np.load(path)
        for encoding, B_w, readout in itertools.product(ENCODINGS, RADII, READOUTS):
            entries.append(record(array, encoding, x, B_w, readout))
        print(f"{array}: {time.time() - start:.0f} s", flush=True)
    note = (
        "value: mean over the 2^(n-1) sign classes of the best feasible g found (a lower bound, about 1e-9 "
        "relative from the truth); upper: rigorous branch-and-bound upper bound, the truth is in between. "
        "Signs have first entry +1; all_plus is eps = (1, ..., 1). The last token is the read position."
    )
    (DATA / "oracle_values.json").write_text(json.dumps({"note": note, "entries": entries}, indent=1) + "\n")

"""Command: bracket the empirical Rademacher complexity of one attention head under every encoding, on real text."""

import sys
import time
from pathlib import Path
from typing import Literal

import numpy as np

from estimators.bracket import SIGN_BLOCK, Bracket, bracket, paired_difference
from estimators.command_line import console, progress, run
from estimators.estimate import Estimate
from estimators.features import read_out_query, template
from estimators.hypotheses import Constraints, Effort
from estimators.hypotheses_query import head_hypotheses
from estimators.rademacher_report import check_figure, draw_figure, show
from estimators.results import check_writable, versions, write_json
from estimators.samples import Sample, SyntheticKind, array_sample, synthetic_sample, text_sample
from estimators.signs import DEFAULT_ENUMERATED, all_sign_classes, draw_signs
from theory.encodings import ENCODINGS, parse, specification

DEFAULT_DRAWS = 4000
REFERENCE = "none"


def choose_signs(draws: int | str | None, sample_size: int, seed: int) -> tuple[np.ndarray, bool]:
    """Sign vectors and whether they are all 2^(n-1) classes: `exact`, a number of draws, or None for the default
    (exact for n <= 14, else 4000 draws)."""
    if draws == "exact" or (draws is None and sample_size <= DEFAULT_ENUMERATED):
        return all_sign_classes(sample_size), True
    return draw_signs(seed, DEFAULT_DRAWS if draws is None else int(draws), sample_size), False


def choose_sample(
    text: Path | None,
    sample: Path | None,
    synthetic: SyntheticKind | None,
    correlation: float,
    embedding: Path | None,
    samples: int | None,
    length: int | None,
    dim: int | None,
    seed: int,
) -> Sample:
    """The sequences S from one source; sizes that are not given are 64 samples of length 16, dim 2."""
    if sum(source is not None for source in (text, sample, synthetic)) > 1:
        raise ValueError("--text, --sample and --synthetic exclude each other: give one of them")
    if embedding is not None and (sample is not None or synthetic is not None):
        raise ValueError("--embedding turns text into vectors: leave it out with --sample and --synthetic")
    if correlation and synthetic is None:
        raise ValueError("--correlation belongs to --synthetic: add --synthetic gaussian, or leave it out")
    if sample is not None:
        found = array_sample(sample)
        for flag, wanted, has in zip(
            ("samples", "length", "dim"), (samples, length, dim), found.tokens.shape, strict=True
        ):
            if wanted is not None and wanted != has:
                raise ValueError(f"{sample} has {flag} {has}, not {wanted}: leave --{flag} out")
        return found
    samples, length = 64 if samples is None else samples, 16 if length is None else length
    if synthetic is not None:
        dim = 2 if dim is None else dim
        return synthetic_sample(synthetic, samples=samples, length=length, dim=dim, correlation=correlation, seed=seed)
    if dim is None and embedding is None:
        dim = 2
    return text_sample(text, samples=samples, length=length, dim=dim, embedding=embedding, seed=seed)


def rademacher(
    *,
    encoding: list[str] = ["all"],  # noqa: B006  (read only; the default is shown in --help)
    hypotheses: Literal["query", "bilinear", "frozen"] = "query",
    samples: int | None = None,
    length: int | None = None,
    dim: int | None = None,
    readout_norm: float = 1.0,
    readout_ball: Literal["l2", "l1"] = "l2",
    logit_norm: float = 1.0,
    draws: int | Literal["exact"] | None = None,
    gap: float = 0.01,
    budget: int = 200_000,
    confidence: float = 0.99,
    power: float | None = 1.0,
    keys_only: bool = False,
    heads: int = 8,
    head: int = 0,
    text: Path | None = None,
    sample: Path | None = None,
    synthetic: Literal["sphere", "gaussian"] | None = None,
    correlation: float = 0.0,
    embedding: Path | None = None,
    seed: int = 0,
    json: Path | None = None,
    figure: Path | None = None,
) -> int:
    """Bracket the empirical Rademacher complexity of an attention class under each positional encoding.

    R_hat = E_eps sup_f (1/n) sum_i eps_i f(X_i) (1/n, no absolute value) of f(X) = <u, sum_j alpha_j v_j>, alpha =
    softmax(<w, k_j> + b_j) read at the last position, |u| <= readout-norm, |w| <= logit-norm. Both ends are certified;
    the interval covers the sampling error of the signs with the stated confidence.

    Args:
        encoding (NAME[:key=value,...]): encodings to compare, or `all`
        hypotheses: `query` learns w and u; `bilinear` learns W and u, logits x_T^T W k_j; `frozen` learns u only
        samples: number n of sequences (default 64)
        length: tokens T in each sequence (default 16)
        dim: channels d of each token (default 2; up to 4 the supremum is exact to --gap)
        readout_norm: radius B_u of the read-out u
        readout_ball: norm of the read-out ball
        logit_norm: radius B_w of the query w, or of W in the Frobenius norm
        draws (K|exact): sign vectors; `exact` takes all 2^(n-1) (default: exact for n <= 14, else 4000)
        gap: relative optimisation gap at which branch and bound stops
        budget: box evaluations per sign vector after which branch and bound stops, with a wider interval
        confidence: of each interval, for the draw of the signs
        power: mean squared norm that additive and relative tables are scaled to; `none` leaves them as defined
        keys_only: add the encoding to the keys only, not to the values
        heads: number of heads that define per-head biases (ALiBi slopes, T5, FIRE ...)
        head: which of them is used
        text (PATH): UTF-8 file or folder to read instead of Python's standard library sources
        sample (FILE.npy): token array of shape (n, T, d)
        synthetic: random tokens instead of text
        correlation: between neighbouring synthetic tokens
        embedding (FILE.npy): array (256, d), one vector per byte
        seed: of windows, embedding, signs and search
        json (PATH): write the full result as JSON, `-` for standard output
        figure (PATH): draw the intervals and bounds (.png, .pdf or .svg)

    Examples:
        python -m estimators.rademacher
        python -m estimators.rademacher --encoding none alibi:slope=0.5 rotary --text my_corpus/ --length 32
        python -m estimators.rademacher --sample tokens.npy --draws exact --json -
    """
    parameters = dict(locals())
    started = time.perf_counter()
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, got {confidence}: use 0.99")
    constraints = Constraints(readout_norm, logit_norm, readout_ball)
    effort = Effort(gap=gap, budget=budget, seed=seed)
    for path in (json, figure):
        if path is not None:
            check_writable(path)
    if figure is not None:
        check_figure(figure)
    found = choose_sample(text, sample, synthetic, correlation, embedding, samples, length, dim, seed)
    n, tokens, channels = found.tokens.shape
    signs, enumerated = choose_signs(draws, n, seed)
    names = dict.fromkeys(name for given in encoding for name in (ENCODINGS if given == "all" else [given]))
    labels = dict.fromkeys([REFERENCE, *names])
    parsed = {label: parse(label, dim=channels, train_length=tokens, heads=heads) for label in labels}
    # Arrays first: what an encoding refuses is said before the long work starts.
    arrays = {
        label: template(one, found.tokens, head=head, power=power, keys_only=keys_only) for label, one in parsed.items()
    }
    queries = {label: np.asarray(read_out_query(one, found.tokens, power=power)) for label, one in parsed.items()}
    brackets: dict[str, Bracket] = {}
    interrupted = False
    with progress("bracket", len(labels) * -(-len(signs) // SIGN_BLOCK)) as advance:
        try:
            for label, one in arrays.items():
                keys, values, bias = (np.asarray(array) for array in one)
                brackets[label] = bracket(
                    head_hypotheses(hypotheses, keys, values, bias, constraints, queries[label]),
                    signs,
                    enumerated=enumerated,
                    ball=readout_ball,
                    confidence=confidence,
                    effort=effort,
                    advance=lambda label=label: advance(1, description=label),
                )
        except KeyboardInterrupt:
            interrupted = True
    shown = {label: brackets[label] for label in names if label in brackets}
    if not shown:
        raise KeyboardInterrupt
    differences = {
        label: paired_difference(one, brackets[REFERENCE], confidence)
        for label, one in shown.items()
        if label != REFERENCE
    }
    specifications = {label: specification(parsed[label]) for label in shown}
    document = as_document(shown, specifications, differences, hypotheses, found, parameters, len(signs), enumerated)
    document |= {"seconds": time.perf_counter() - started, "interrupted": interrupted}
    if json is not None:
        write_json(json, document)
    if figure is not None:
        draw_figure(shown, found, figure, document["parameters"])
    if json is None or str(json) != "-":
        show(shown, differences, found, len(signs), enumerated, confidence, REFERENCE)
    if interrupted:
        missing = len(names) - len(shown)
        console(error=True).print(f"interrupted: {missing} of {len(names)} encodings are missing from this result")
        return 130
    return 0


def as_document(
    shown: dict[str, Bracket],
    specifications: dict[str, str],
    differences: dict[str, Estimate],
    hypotheses: str,
    sample: Sample,
    parameters: dict,
    draws: int,
    enumerated: bool,
) -> dict:
    """The JSON document of one run: numbers unrounded, an infinite upper end as null."""
    sizes = dict(zip(("samples", "length", "dim"), sample.tokens.shape, strict=True))
    results = [
        {
            "encoding": label,
            "specification": specifications[label],
            "hypotheses": hypotheses,
            "lower": one.estimate.lower,
            "upper": one.estimate.upper,
            "confidence": one.estimate.confidence,
            "method": one.estimate.method,
            "certificate": one.certificate,
            "optimisation_gap": one.optimisation_gap,
            "sampling_halfwidth": one.sampling_halfwidth,
            "finished": one.suprema.finished,
            "certificates": one.certificates,
            "bounds": {name: judged.value for name, judged in one.bounds.items()},
            "slacks": {name: judged.slack for name, judged in one.bounds.items()},
            "verdicts": {name: judged.verdict for name, judged in one.bounds.items()},
        }
        for label, one in shown.items()
    ]
    return {
        "results": results,
        "differences": [
            {
                "encoding": label,
                "reference": REFERENCE,
                "lower": one.lower,
                "upper": one.upper,
                "confidence": one.confidence,
            }
            for label, one in differences.items()
        ],
        "parameters": parameters | sizes | {"signs": draws, "enumerated": enumerated},
        "sample": {"source": sample.source, **sample.details},
        "versions": versions(),
        "seed": parameters["seed"],
    }


if __name__ == "__main__":
    sys.exit(run(rademacher))

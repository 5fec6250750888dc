"""Command: bracket the empirical Rademacher complexity of attention classes under every encoding, on real text."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from estimators.command_line import console, progress, run
from estimators.hypotheses import Constraints, Effort
from estimators.rademacher_blocks import (
    DEFAULT_DIM,
    Block,
    choose_sample,
    choose_signs,
    head_block,
    transformer_block,
)
from estimators.rademacher_document import as_document
from estimators.rademacher_report import draw_figure, show
from estimators.results import check_outputs, write_json
from estimators.transformer import Architecture


def rademacher(
    *,
    encoding: list[str] = ["all"],  # noqa: B006  (read only; the default is shown in --help)
    hypotheses: list[Literal["query", "bilinear", "frozen", "transformer"]] = ["query", "transformer"],  # noqa: B006
    samples: int | None = None,
    length: int | None = None,
    dim: int | None = None,
    readout_norm: float = 1.0,
    readout_ball: Literal["l2", "l1"] = "l2",
    logit_norm: float = 1.0,
    layers: int = 2,
    attention_heads: int = 1,
    value_norm: float = 0.3,
    matrix_ball: Literal["frobenius", "spectral", "rank"] = "frobenius",
    rank: int = 0,
    mlp_width: int = 0,
    mlp_norm: float = 1.0,
    normalise: bool = False,
    residual: bool = True,
    causal: bool = True,
    adversarial: float = 0.0,
    train_encoding: float | None = None,
    draws: int | Literal["exact"] | None = None,
    until_halfwidth: float | None = None,
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
    """Bracket the empirical Rademacher complexity of attention classes under each positional encoding.

    R_hat = E_eps sup_f (1/n) sum_i eps_i f(X_i) (1/n, no absolute value). One head: f(X) = <u, sum_j alpha_j v_j>,
    alpha = softmax(<w, k_j> + b_j) read at the last position, |u| <= readout-norm, |w| <= logit-norm. Transformer:
    f(X) = <u, x_T> after all layers. Both ends are certified; the interval covers the sampling error of the signs with
    the stated confidence.

    Args:
        encoding (NAME[:key=value,...]): encodings to compare, or `all`
        hypotheses: one block each: `query` learns w and u; `bilinear` learns W and u, logits x_T^T W k_j; `frozen`
            learns u only; `transformer` learns u and every matrix of all layers
        samples: number n of sequences (default 64)
        length: tokens T in each sequence (default 16)
        dim: channels d of each token (default 2, up to 4 the supremum of one head is exact to --gap; transformer: 16)
        readout_norm: radius B_u of the read-out u
        readout_ball: norm of the read-out ball
        logit_norm: radius B_w of the query w, or of every query-key matrix W
        layers: of the Transformer
        attention_heads: of every layer of the Transformer
        value_norm: radius of every value matrix V (value times output) of the Transformer
        matrix_ball: norm of W and V: Frobenius, spectral, or Frobenius with rank at most --rank
        rank: of `--matrix-ball rank`; 0 means dim / attention-heads
        mlp_width: hidden units of an MLP after each attention; 0 for none
        mlp_norm: radius of both matrices of the MLP
        normalise: RMSNorm before attention and MLP
        residual: residual connections
        causal: position s sees positions up to s only
        adversarial: also let every token move by this much (Transformer)
        train_encoding (RADIUS): also learn the parameters of each encoding within this radius (query)
        draws (K|exact): sign vectors; `exact` takes all 2^(n-1) (default: exact for n <= 14, else 4000; transformer:
            200)
        until_halfwidth (SHARE): draw until the sampling error is this share of the mean, for example 0.02; at most
            --draws (default then 8 times as many)
        gap: relative optimisation gap at which branch and bound stops
        budget: box evaluations per sign vector after which branch and bound stops, with a wider interval
        confidence: of each interval, for the draw of the signs
        power: mean squared norm that additive and relative tables are scaled to; `none` leaves them as defined
        keys_only: add the encoding to the keys only, not to the values
        heads: number of heads that define per-head biases (ALiBi slopes, T5, FIRE ...)
        head: which of them is used; by a Transformer this one and the next
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
        python -m estimators.rademacher --hypotheses transformer --layers 3 --value-norm 0.1 --encoding none rotary
        python -m estimators.rademacher --hypotheses query --encoding alibi t5 --train-encoding 0.5
        python -m estimators.rademacher --hypotheses query --until-halfwidth 0.01
        python -m estimators.rademacher --hypotheses query --sample tokens.npy --draws exact --json -
    """
    parameters = dict(locals())
    started = time.perf_counter()
    kinds = list(dict.fromkeys(hypotheses))
    check_request(parameters, kinds)
    constraints = Constraints(readout_norm, logit_norm, readout_ball)
    effort = Effort(gap=gap, budget=budget, seed=seed)
    check_outputs(json, figure)
    # Arrays first: what an encoding refuses is said before the long work starts.
    blocks: list[Block] = []
    for kind in kinds:
        wanted = DEFAULT_DIM.get(kind) if dim is None and sample is None and embedding is None else dim
        found = choose_sample(text, sample, synthetic, correlation, embedding, samples, length, wanted, seed)
        signs = choose_signs(kind, draws, len(found.tokens), seed, until_halfwidth)
        common = {"heads": heads, "head": head, "power": power}
        if kind == "transformer":
            architecture = Architecture(
                dim=found.tokens.shape[2],
                layers=layers,
                heads=attention_heads,
                mlp_width=mlp_width,
                normalise=normalise,
                residual=residual,
                causal=causal,
                ball=matrix_ball,
                rank=rank,
                logit_norm=logit_norm,
                value_norm=value_norm,
                mlp_norm=mlp_norm,
            )
            made = transformer_block(
                encoding, found, signs, constraints, architecture, adversarial=adversarial, **common
            )
        else:
            train = train_encoding if kind == "query" else None
            made = head_block(kind, encoding, found, signs, constraints, keys_only=keys_only, train=train, **common)
        blocks.append(made)
    interrupted = False
    with progress("bracket", sum(block.steps for block in blocks)) as advance:
        try:
            for block in blocks:
                block.run(readout_ball, confidence, effort, until_halfwidth, advance)
        except KeyboardInterrupt:
            interrupted = True
    finished = [block for block in blocks if block.shown]
    if not finished:
        raise KeyboardInterrupt
    document = as_document(finished, parameters, confidence)
    document |= {"seconds": time.perf_counter() - started, "interrupted": interrupted}
    if json is not None:
        write_json(json, document)
    if figure is not None:
        draw_figure(finished, figure, document["parameters"])
    if json is None or str(json) != "-":
        for block in finished:
            show(block, confidence, until_halfwidth)
    if interrupted:
        missing, every = (sum(counts) for counts in ([b.missing for b in blocks], [len(b.asked) for b in blocks]))
        console(error=True).print(f"interrupted: {missing} of {every} encodings are missing from this result")
        return 130
    return 0


def check_request(parameters: dict, kinds: Sequence[str]) -> None:
    """ValueError for flags that contradict each other or belong to a class that was not asked for."""
    confidence, until = parameters["confidence"], parameters["until_halfwidth"]
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, got {confidence}: use 0.99")
    if until is not None and not until > 0:
        raise ValueError(f"until-halfwidth is a share of the mean, got {until}: use for example 0.02")
    if parameters["adversarial"] and "transformer" not in kinds:
        raise ValueError("--adversarial belongs to the Transformer: add --hypotheses transformer, or leave it out")
    if parameters["train_encoding"] is not None and "query" not in kinds:
        raise ValueError("--train-encoding belongs to the query class: add --hypotheses query, or leave it out")
    for flag, given in (
        ("--readout-ball l1", parameters["readout_ball"] == "l1"),
        ("--keys-only", parameters["keys_only"]),
    ):
        if given and "transformer" in kinds:
            raise ValueError(f"{flag} is for classes of one head: add --hypotheses query, or another of them")


if __name__ == "__main__":
    sys.exit(run(rademacher))

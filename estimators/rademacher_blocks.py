"""Blocks of `python -m estimators.rademacher`: one hypothesis class, one sample, many encodings, common signs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from estimators.bracket import SIGN_BLOCK, Bracket, bracket, paired_difference
from estimators.estimate import Estimate
from estimators.features import read_out_query, template
from estimators.hypotheses import AbstractHypotheses, Constraints, Effort
from estimators.hypotheses_learned import learned
from estimators.hypotheses_query import head_hypotheses
from estimators.hypotheses_transformer import TransformerHypotheses, transformer_hypotheses
from estimators.samples import Sample, SyntheticKind, array_sample, synthetic_sample, text_sample
from estimators.signs import DEFAULT_ENUMERATED, all_sign_classes, draw_signs
from estimators.transformer import Architecture
from theory.encodings import ENCODINGS, parse, specification
from theory.encodings.base import AbstractEncoding

REFERENCE = "none"
DEFAULT_DRAWS = {"transformer": 200}
OTHER_DRAWS = 4000
MOST_DOUBLINGS = 8  # of the default draws, with --until-halfwidth
DEFAULT_DIM = {"transformer": 16}
OTHER_DIM = 2
# What `all` means where every encoding costs many seconds.
STANDARD = ("none", "sinusoidal", "rotary", "alibi")


@dataclass(frozen=True)
class Entry:
    """One row: a class under one encoding, and the row it is compared with. shown: whether it was asked for."""

    label: str
    specification: str
    hypotheses: AbstractHypotheses
    reference: str | None
    shown: bool


@dataclass
class Block:
    """Rows that share class, sample and signs; `brackets` fills while it runs."""

    kind: str
    title: str
    sample: Sample
    signs: Float64[np.ndarray, "k n"]
    enumerated: bool
    entries: list[Entry]
    notes: list[str] = field(default_factory=list)
    brackets: dict[str, Bracket] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """Progress steps of a whole run."""
        return len(self.entries) * -(-len(self.signs) // SIGN_BLOCK)

    @property
    def shown(self) -> dict[str, Bracket]:
        """Finished rows that were asked for."""
        return {one.label: self.brackets[one.label] for one in self.entries if one.shown and one.label in self.brackets}

    @property
    def asked(self) -> list[Entry]:
        """Rows that were asked for."""
        return [one for one in self.entries if one.shown]

    @property
    def missing(self) -> int:
        """How many of them are not finished."""
        return len(self.asked) - len(self.shown)

    @property
    def failed_restarts(self) -> dict[str, int]:
        """Restarts of the ascent that met NaN or infinity, by rows that have any."""
        classes = {one.label: one.hypotheses for one in self.entries}
        counts = {name: one.failed_restarts for name, one in classes.items() if isinstance(one, TransformerHypotheses)}
        return {name: count for name, count in counts.items() if count}

    def run(
        self, ball: str, confidence: float, effort: Effort, until: float | None, advance: Callable[..., None]
    ) -> None:
        """Bracket every row."""
        for one in self.entries:
            self.brackets[one.label] = bracket(
                one.hypotheses,
                self.signs,
                enumerated=self.enumerated,
                ball=ball,
                confidence=confidence,
                effort=effort,
                advance=lambda label=one.label: advance(1, description=f"{self.kind} {label}"),
                until_halfwidth=None if self.enumerated else until,
            )

    def differences(self, confidence: float) -> Iterator[tuple[Entry, Estimate]]:
        """Every finished row against its reference."""
        for one in self.entries:
            first, second = self.brackets.get(one.label), self.brackets.get(one.reference or "")
            if one.shown and first and second:
                yield one, paired_difference(first, second, confidence)


def choose_signs(
    kind: str, draws: int | str | None, sample_size: int, seed: int, until: float | None
) -> tuple[np.ndarray, bool]:
    """Sign vectors and whether they are all 2^(n-1) classes: `exact`, a number of draws, or None for the default: exact
    for n <= 14, except for the Transformer; else 4000 draws, 200 for the Transformer, 8 times as many at most with
    `until`."""
    enumerable = sample_size <= DEFAULT_ENUMERATED and kind != "transformer"
    if draws == "exact" or (draws is None and enumerable and until is None):
        if until is not None:
            raise ValueError("--draws exact has no sampling error: leave --until-halfwidth out")
        return all_sign_classes(sample_size), True
    if draws is None:
        draws = DEFAULT_DRAWS.get(kind, OTHER_DRAWS) * (MOST_DOUBLINGS if until is not None else 1)
    return draw_signs(seed, int(draws), sample_size), False


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
    """The sequences S from one source; samples and length that are not given are 64 and 16."""
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
        dim = OTHER_DIM if dim is None else dim
        return synthetic_sample(synthetic, samples=samples, length=length, dim=dim, correlation=correlation, seed=seed)
    if dim is None and embedding is None:
        dim = OTHER_DIM
    return text_sample(text, samples=samples, length=length, dim=dim, embedding=embedding, seed=seed)


def _labels(encoding: list[str], everything: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(name for given in encoding for name in (everything if given == "all" else [given])))


def _parsed(names: list[str], sample: Sample, heads: int) -> dict[str, AbstractEncoding]:
    """The reference first, then what was asked for."""
    _, length, dim = sample.tokens.shape
    return {name: parse(name, dim=dim, train_length=length, heads=heads) for name in dict.fromkeys([REFERENCE, *names])}


def head_block(
    kind: str,
    encoding: list[str],
    sample: Sample,
    signs: tuple[np.ndarray, bool],
    constraints: Constraints,
    *,
    heads: int,
    head: int,
    power: float | None,
    keys_only: bool,
    train: float | None,
) -> Block:
    """Rows of one head: the fixed encodings, and with `train` each with its parameters learned within that radius."""
    names = _labels(encoding, tuple(ENCODINGS))
    entries, notes, skipped = [], [], []
    for name, one in _parsed(names, sample, heads).items():
        keys, values, bias = map(np.asarray, template(one, sample.tokens, head=head, power=power, keys_only=keys_only))
        query = np.asarray(read_out_query(one, sample.tokens, power=power))
        fixed = head_hypotheses(kind, keys, values, bias, constraints, query)
        described = specification(one)
        entries.append(Entry(name, described, fixed, None if name == REFERENCE else REFERENCE, name in names))
        if train is None or name == REFERENCE:
            continue
        try:
            made = learned(
                one, sample.tokens, constraints, encoding_radius=train, head=head, power=power, keys_only=keys_only
            )
        except ValueError:
            if name in encoding:
                raise
            skipped.append(name)
        else:
            entries.append(Entry(f"{name}, trained", f"{described}, within {train:g}", made, name, True))
    if skipped:
        notes.append(f"not trainable, fixed only: {', '.join(skipped)}")
    if train is not None:
        notes.append(
            f"`NAME, trained`: parameters of the encoding learned too, within {train:g} of their values; the class "
            "contains the fixed one, so its difference to it cannot be negative in truth"
        )
    c = constraints
    title = {
        "query": f"query: <u, sum_j softmax_j(<w, k_j> + b_j) v_j>, |u| <= {c.readout_norm:g}, |w| <= {c.logit_norm:g}",
        "bilinear": f"bilinear: <u, sum_j softmax_j(x_T^T W k_j + b_j) v_j>, |u| <= {c.readout_norm:g}, |W|_F <= "
        f"{c.logit_norm:g}",
        "frozen": f"frozen: <u, sum_j softmax_j(b_j) v_j>, |u| <= {c.readout_norm:g}",
    }[kind]
    return Block(kind, title, sample, *signs, entries, notes)


def transformer_block(
    encoding: list[str],
    sample: Sample,
    signs: tuple[np.ndarray, bool],
    constraints: Constraints,
    architecture: Architecture,
    *,
    heads: int,
    head: int,
    power: float | None,
    adversarial: float,
) -> Block:
    """Rows of the Transformer class; `all` means the standard encodings."""
    names = _labels(encoding, STANDARD)
    entries = []
    for name, one in _parsed(names, sample, heads).items():
        made = transformer_hypotheses(
            one, sample.tokens, constraints, architecture, power=power, adversarial=adversarial, first_head=head
        )
        entries.append(Entry(name, specification(one), made, None if name == REFERENCE else REFERENCE, name in names))
    notes = [f"`all` means {', '.join(STANDARD)} here: name other encodings to add them"] if "all" in encoding else []
    if adversarial:
        notes.append(
            f"adversarial: every token may move by {adversarial:g}; the lower end is that of the identity, attained"
        )
    return Block("transformer", f"transformer: {architecture.describe()}", sample, *signs, entries, notes)

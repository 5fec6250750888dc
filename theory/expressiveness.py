r"""What a Transformer with a given encoding can and cannot compute: symmetries, obstructions, and how they end.

x_1 .. x_T are the tokens, f any Transformer of layers of attention and of maps of single tokens (residual
connections, norms, MLPs), of any depth and number of heads, real weights. An encoding that acts through the logits
alone adds a bias, turns queries and keys, or adds r_{i-j} to the keys only: none, ALiBi, T5, KERPLE, Sandwich, FIRE,
rotary, relative vectors.

Not a bound, so not below: over a finite vocabulary with pairwise distinct x_a + p_i, unbounded Transformers
approximate every map at fixed length whatever the additive encoding (Yun et al. 2020). A ranking of encodings needs a
budget of norm or size: `theory.lookup`.
"""

from typing import Any

import sympy as sp

from theory.bound import Bound, Proof, Relation
from theory.notation import dim, kernel_terms, length, logit_bound, target_spread, tokens_after_start

OURS = "derived in this project"
SAME_ROWS = r"1-\max_{ij}|f_i-f_j|_\infty/\max_i|f_i|_\infty"
START_WEIGHT = r"\alpha_{t,\mathrm{BOS}}"
NEIGHBOUR = r"\min_{1\leq k\leq 10^6}|p_{t+k}-p_t|"
BRAESS = "after Braess and Hackbusch, IMA Journal of Numerical Analysis 25 (2005) 685-697 (from memory)"


def permutation_equivariance() -> Bound:
    """Exact: without encoding and mask f(P X) = P f(X) for every permutation P of the tokens, at any depth.

    As an agreement of 1. Proof: every layer is a function of one token and of the set of all tokens.
    """
    quantity = r"1-\max|f(PX)-Pf(X)|/\max|f(X)|"
    return Bound(quantity, Relation.EQUAL, sp.Integer(1), OURS)


def equal_rows() -> Bound:
    """Exact: encodings that act through the logits alone keep equal tokens equal: f(x, .., x)_i is one vector for all
    i.

    Any depth, causal or not, no BOS. Proof: a head averages equal vectors with weights that sum to 1.
    """
    return Bound(SAME_ROWS, Relation.EQUAL, sp.Integer(1), OURS)


def equal_rows_after_start() -> Bound:
    """Exact, wrong: that equal tokens stay equal behind a different first token (BOS) under a causal mask.

    Kept to be refuted: BOS is what a Transformer without encoding counts positions with (`start_weight_step`).
    """
    return Bound(SAME_ROWS, Relation.EQUAL, sp.Integer(1), "false: compare equal_rows, which has no BOS")


def equal_rows_with_code() -> Bound:
    """Exact, wrong: that equal tokens stay equal where a code p_i is added to them. Kept to be refuted."""
    return Bound(SAME_ROWS, Relation.EQUAL, sp.Integer(1), "false: compare equal_rows, for logits alone")


def constant_sequence_error() -> Bound:
    """Lower, sharp: max_i |f(x, .., x)_i - g_i| >= D_g/2, D_g = max_ij |g_i - g_j|, where `equal_rows` holds.

    Any norm, for the triangle g_i - f - g_j; equality in the maximum norm (so for one channel), f in the middle.
    """
    return Bound(r"\max_i|f_i-g_i|", Relation.AT_LEAST, target_spread / 2, OURS)


def start_weight_upper() -> Bound:
    """Upper, tight: with t tokens behind BOS visible and |logits| <= B, BOS receives at most 1/(1 + t e^(-2B)).

    `theory.softmax.largest_weight_without_bias` at T = t + 1. Attained: B at BOS, -B at the others.
    """
    bound = 1 / (1 + tokens_after_start * sp.exp(-2 * logit_bound))
    return Bound(START_WEIGHT, Relation.AT_MOST, bound, OURS)


def start_weight_lower() -> Bound:
    """Lower, tight: with t tokens behind BOS visible and |logits| <= B, BOS receives at least 1/(1 + t e^(2B))."""
    bound = 1 / (1 + tokens_after_start * sp.exp(2 * logit_bound))
    return Bound(START_WEIGHT, Relation.AT_LEAST, bound, OURS)


def start_weight_step() -> Bound:
    """Exact: without content BOS receives 1/(t+1), so positions t and t+1 differ by 1/((t+1)(t+2)).

    A causal Transformer without encoding knows its position, but ever less sharply.
    """
    bound = 1 / ((tokens_after_start + 1) * (tokens_after_start + 2))
    return Bound(r"\alpha_{t,\mathrm{BOS}}-\alpha_{t+1,\mathrm{BOS}}", Relation.EQUAL, bound, OURS)


def exponential_kernel_error() -> Bound:
    """Upper: sums of k exponentials a_h e^(-m_h D), k ALiBi heads, reach 1/(1+D) within 16 e^(-k pi^2/ln(8T)), D < T.

    The best slopes and weights; a statement about 1/x on [1, R], x = 1 + D, R = T. Quoted from memory.
    """
    bound = 16 * sp.exp(-kernel_terms * sp.pi**2 / sp.log(8 * length))
    quantity = r"\min_{a,m}\max_D|\frac1{1+D}-\sum_ha_he^{-m_hD}|"
    return Bound(quantity, Relation.AT_MOST, bound, BRAESS, proof=Proof.RECALLED)


def constant_kernel_error() -> Bound:
    """Exact: one head without decay misses the memory kernel 1/(1+D), D < T, by (T-1)/(2T), half its range."""
    return Bound(r"\min_a\max_D|\frac1{1+D}-a|", Relation.EQUAL, (length - 1) / (2 * length), OURS)


def _neighbour() -> sp.Expr:
    i = sp.Dummy("i", integer=True, nonnegative=True)
    half_angle = sp.Integer(10000) ** (-2 * i / dim) / 2
    return 2 * sp.sqrt(sp.Sum(sp.sin(half_angle) ** 2, (i, 0, dim / 2 - 1)))


EVEN: Any = sp.Eq(sp.Mod(dim, 2), 0)


def closest_sinusoidal_neighbour() -> Bound:
    """Exact: no distance up to 10^6 brings sinusoidal codes of d = 18, 20, .. 128 channels closer than the neighbour.

    |p_{t+1} - p_t| = 2 (sum_i sin^2(omega_i/2))^(1/2), omega_i = 10000^(-2i/d). By exhaustion: |p_{t+k} - p_t|
    depends on k only and was compared with k = 1 for every k <= 10^6 and every such d. At d <= 16 some distance is
    closer.
    """
    few = sp.And(EVEN, dim >= 18, dim <= 128)
    return Bound(NEIGHBOUR, Relation.EQUAL, _neighbour(), OURS, few)


def closest_in_few_channels() -> Bound:
    """Exact, wrong: that the neighbour is closest for every even d. Kept to be refuted: at no d up to 16.

    At d = 8 the distance 169646 is 291 times closer than the neighbour; at d = 16 it is 615746.
    """
    return Bound(NEIGHBOUR, Relation.EQUAL, _neighbour(), "false: compare closest_sinusoidal_neighbour", EVEN)


def sinusoidal_repeats() -> Bound:
    """Upper, wrong: that sinusoidal codes come back, at some distance from 2 to 10^6, as close as the neighbour is.

    Kept to be refuted, at d = 32 for example: the code is not periodic on the integers.
    """
    quantity = r"\min_{2\leq k\leq 10^6}|p_{t+k}-p_t|"
    return Bound(quantity, Relation.AT_MOST, _neighbour(), "false: compare closest_sinusoidal_neighbour", EVEN)


EXPRESSIVENESS_BOUNDS = {
    "permutation-equivariance": permutation_equivariance,
    "equal-rows": equal_rows,
    "constant-sequence-error": constant_sequence_error,
    "start-weight-upper": start_weight_upper,
    "start-weight-lower": start_weight_lower,
    "start-weight-step": start_weight_step,
    "exponential-kernel-error": exponential_kernel_error,
    "constant-kernel-error": constant_kernel_error,
    "sinusoidal-closest-neighbour": closest_sinusoidal_neighbour,
}
EXPRESSIVENESS_REFUTED = {
    "equal-rows-after-start": equal_rows_after_start,
    "equal-rows-with-code": equal_rows_with_code,
    "sinusoidal-closest-in-few-channels": closest_in_few_channels,
    "sinusoidal-repeats": sinusoidal_repeats,
}

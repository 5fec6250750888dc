"""Positional information I(P; Z): what one noisy representation tells about the position it was read at.

P is uniform on N positions, Z the observation, all informations in nats. I_sigma = I(P; H + sigma Z), Z standard
normal: without noise the information of distinct codes is ln N, whatever their distances. W_p is the law of Z at
position p, Wbar = mean_p W_p, so that I = mean_p KL(W_p | Wbar). Codes: `theory.information_codes`; content-free heads:
`theory.information_latent`; stress: `theory.information_stress`.
"""

import sympy as sp

from theory.bound import Bound, Proof, Relation
from theory.notation import (
    conditional_information,
    decoder_score,
    mean_total_variation,
    position_count,
    position_information,
    success_probability,
    uniform_share,
)

OURS = "derived in this project"
INFORMATION = r"I(P;Z)"
SEVERAL = sp.Ge(position_count, 2)
PROPER_SHARE = sp.Le(uniform_share, 1)


def information_floor() -> Bound:
    """Lower, sharp: I(P; Z) >= 2 t^2, t = mean_p TV(W_p, Wbar); in particular I >= 0, and I = 0 iff all W_p agree.

    Proof: KL(p|q) >= 2 TV(p, q)^2, then Jensen over p. The first (Pinsker, with its best constant): merging to the set
    where p > q keeps TV and lowers KL, and for two outcomes d/dq [KL(p|q) - 2 (p-q)^2] = (q-p) (1/(q(1-q)) - 4) has the
    sign of q - p. The ratio tends to 1 for two positions over a binary channel of crossover near 1/2.
    """
    return Bound(INFORMATION, Relation.AT_LEAST, 2 * mean_total_variation**2, OURS)


def information_ceiling() -> Bound:
    """Upper, tight: I(P; Z) <= ln N, attained iff Z determines P. I = ln N - H(P|Z), and H(P|Z) >= 0, P discrete."""
    return Bound(INFORMATION, Relation.AT_MOST, sp.log(position_count), OURS)


def data_processing() -> Bound:
    """Upper, tight: I(P; f(Z)) <= I(P; Z) for every map or channel f applied after the noise; equality iff f(Z) is
    sufficient.

    Proof: P - Z - f(Z) is a Markov chain: I(P; Z) = I(P; f(Z)) + I(P; Z | f(Z)). It says nothing about a map before the
    noise, I(P; f(H) + sigma Z): see `token_wise_maps`.
    """
    return Bound(r"I(P;f(Z))", Relation.AT_MOST, position_information, OURS)


def decoder_lower_bound() -> Bound:
    """Lower, tight: I(P; Z) >= ln N + E ln q'(P|Z) for every decoder q', a probability on positions for each z.

    Equality iff q' is the posterior: the difference is E KL(posterior | q'). With q' = (1-e) q + e/N the score of one
    observation lies in [ln(e/N), 0] (`decoder_loss_ceiling`), so the mean of independent observations has a
    finite-sample confidence interval; q must be fixed before they are seen.
    """
    return Bound(INFORMATION, Relation.AT_LEAST, sp.log(position_count) + decoder_score, OURS)


def decoder_loss_ceiling() -> Bound:
    """Upper, tight: ln(1/(N q'(p|z))) <= ln(1/e) for every p and z, q' = (1-e) q + e/N; attained where q(p|z) = 0.

    So ln N + ln q'(p|z) lies in [ln e, ln N], the range that a bound on its mean needs. 0 < e <= 1.
    """
    quantity = r"\max_{p,z}\ln\frac{1}{N\,q'(p\mid z)}"
    return Bound(quantity, Relation.AT_MOST, -sp.log(uniform_share), OURS, assumptions=PROPER_SHARE)


def mixing_loss() -> Bound:
    """Upper: E ln q(P|Z) - E ln q'(P|Z) <= ln(1/(1-e)), the cost of mixing q with uniform, 0 < e < 1.

    q' = (1-e) q + e/N >= (1-e) q. Approached where q is certain and N large.
    """
    quantity = r"\mathbb E\ln q(P\mid Z)-\mathbb E\ln q'(P\mid Z)"
    proper = sp.Lt(uniform_share, 1)
    return Bound(quantity, Relation.AT_MOST, -sp.log(1 - uniform_share), OURS, assumptions=proper)


def group_conditional_upper() -> Bound:
    """Upper, tight: I(P; Z) <= I(P; Z | G), G a group of M contents drawn independently of P, Z from a uniform member.

    Proof: P and G are independent, so I(P; Z | G) = I(P; Z, G) = I(P; Z) + I(P; G | Z). Given G the law of Z at p is
    the finite mixture (1/M) sum_m W_{p, x_m}: the member that produced Z stays in it. Equality if content is
    irrelevant, approached as M grows; M must exceed exp(I(X; Z | P)) to be informative.
    """
    return Bound(INFORMATION, Relation.AT_MOST, conditional_information, OURS)


def fano() -> Bound:
    """Lower, tight: I(P; Z) >= ln N + a ln a + (1-a) ln((1-a)/(N-1)), a the success probability of any decoder, N >= 2.

    0 < a < 1; a = 1 gives ln N in the limit. It increases in a >= 1/N: only there may a lower end of a be put in.
    Proof: guess P^(Z), error indicator E: H(P|Z) <= H(P, E|P^) <= H(E) + (1-a) ln(N-1). Attained by the symmetric
    channel, all errors equally likely. It is `decoder_lower_bound` for q' = a on the guess and (1-a)/(N-1) elsewhere.
    """
    a = success_probability
    expression = sp.log(position_count) + a * sp.log(a) + (1 - a) * sp.log((1 - a) / (position_count - 1))
    proper = sp.And(SEVERAL, sp.Gt(a, 0), sp.Lt(a, 1))
    return Bound(INFORMATION, Relation.AT_LEAST, expression, OURS, assumptions=proper)


def token_wise_maps() -> Bound:
    """Upper, wrong: I(P; f(H) + sigma Z) <= I(P; H + sigma Z) for a token-wise map f before the noise.

    Refuted by f(h) = 10 h at H = +-.3, sigma = 1: .043 becomes .689 nats. Noise must be set relative to the
    root-mean-square of the place where it is added.
    """
    folklore = "misuse of data processing: the map comes before the noise"
    return Bound(r"I_\sigma(f(H))", Relation.AT_MOST, position_information, folklore, proof=Proof.RECALLED)


def depth_never_raises() -> Bound:
    """Upper, wrong: I(P; H_l+1) <= I(P; H_l), position information never increases in depth.

    Refuted by one causal content-free head: i.i.d. inputs carry 0, their running means have variance s^2/i and carry
    more. Data processing fails because position i of layer l+1 reads other positions of layer l.
    """
    folklore = "folklore: a layer processes the one before"
    return Bound(r"I(P;H_{\ell+1})", Relation.AT_MOST, position_information, folklore, proof=Proof.RECALLED)


def depth_never_lowers() -> Bound:
    """Lower, wrong: I_sigma(H_l+1) >= I_sigma(H_l), position information never decreases in depth.

    Refuted by the code +1, -1, +1, -1, ... of 16 positions, sigma = 1/2, and one causal averaging head: the running
    means are 1/i or 0, and .633 becomes .101 nats.
    """
    folklore = "folklore: attention accumulates position information"
    return Bound(r"I_\sigma(H_{\ell+1})", Relation.AT_LEAST, position_information, folklore, proof=Proof.RECALLED)


INFORMATION_BOUNDS = {
    "information-floor": information_floor,
    "information-ceiling": information_ceiling,
    "data-processing": data_processing,
    "decoder-lower-bound": decoder_lower_bound,
    "decoder-loss-ceiling": decoder_loss_ceiling,
    "mixing-loss": mixing_loss,
    "group-conditional-upper": group_conditional_upper,
    "fano": fano,
}
INFORMATION_FALLACIES = {
    "token-wise-maps-cannot-raise-information": token_wise_maps,
    "information-never-rises-with-depth": depth_never_raises,
    "information-never-falls-with-depth": depth_never_lowers,
}

"""Every symbol once: the word used in code, its assumptions, and the letter it has in print.

The word is also the keyword parameter of `Bound.evaluate` and of the estimators, so that a measured quantity
reaches a bound by name. The letters exist only in the LaTeX map. A new symbol is one line:

    tail_mass = _symbol("tail_mass", r"A_w", nonnegative=True)

Sums run over the samples i = 1..n, maxima over the positions j = 1..T of one sample; D_v,i and D_k,i are the
diameters of the values and of the keys of sample i, M_i = B_u max_j |v_ij|, a_i(0) is the attention output
at zero logit parameter and J_i its derivative there. All quantities are dimensionless real numbers.
"""

import difflib
import re

import sympy as sp
from sympy.printing.latex import LatexPrinter

SYMBOLS: dict[str, sp.Symbol] = {}
LETTERS: dict[sp.Symbol, str] = {}
_BARE = re.compile(r"(\\(?:mathbb|mathcal|mathfrak|mathbf|sqrt|overline|frac(?:\{[^{}]*\})?))\s*(\w)")
_SPELLINGS = {r"\le": r"\leq", r"\ge": r"\geq", r"\int\limits": r"\int", r"\square": r"{\mathrm{box}}"}
_SPELLING = re.compile("(?:" + "|".join(map(re.escape, _SPELLINGS)) + r")(?![a-zA-Z])")


def _symbol(word: str, letter: str, **assumptions: bool) -> sp.Symbol:
    made = sp.Symbol(word, **assumptions)
    if word in SYMBOLS:
        raise ValueError(f"symbol {word!r} is defined twice: choose another word")
    SYMBOLS[word] = made
    LETTERS[made] = portable(letter)
    return made


def portable(tex: str) -> str:
    """The same LaTeX in the spelling that matplotlib's mathtext reads too: arguments in braces, leq and geq."""
    braced = _BARE.sub(r"\1{\2}", _BARE.sub(r"\1{\2}", tex))  # twice: both parts of a fraction
    return _SPELLING.sub(lambda found: _SPELLINGS[found[0]], braced)


class _Printer(LatexPrinter):
    def _print_Piecewise(self, expr: sp.Piecewise) -> str:
        """Pieces in one line: mathtext has no environments."""
        *pieces, last = [(self._print(value), condition) for value, condition in expr.args]  # type: ignore[misc]
        shown = [rf"{value}\;\mathrm{{if}}\;{self._print(condition)}" for value, condition in pieces]
        otherwise = last[1] == sp.true
        shown.append(rf"{last[0]}\;\mathrm{{{'otherwise' if otherwise else 'if'}}}")
        if not otherwise:
            shown[-1] += rf"\;{self._print(last[1])}"
        return r"\left\{" + r",\;".join(shown) + r"\right."


# Sizes of the problem
sample_size = _symbol("sample_size", r"n", integer=True, positive=True)
length = _symbol("length", r"T", integer=True, positive=True)
dim = _symbol("dim", r"d", integer=True, positive=True)
logit_dim = _symbol("logit_dim", r"d_w", integer=True, positive=True)
draws = _symbol("draws", r"K", integer=True, positive=True)
failure_probability = _symbol("failure_probability", r"\delta", positive=True)

# Radii of the parameter sets: |u| <= B_u, |w| <= B_w
readout_norm = _symbol("readout_norm", r"B_u", nonnegative=True)
logit_norm = _symbol("logit_norm", r"B_w", nonnegative=True)

# Constants of the sample
value_energy = _symbol("value_energy", r"\sigma_v^2", nonnegative=True)  # sum_i max_j |v_ij|^2
# max_a, l1 ball
value_coordinate_energy = _symbol("value_coordinate_energy", r"\sigma_\infty^2", nonnegative=True)
value_bound_sum = _symbol("value_bound_sum", r"V_1", nonnegative=True)  # sum_i max_j |v_ij| = sum_i M_i / B_u
# root of sum_i (D_v,i D_k,i/4)^2
covariance_lipschitz = _symbol("covariance_lipschitz", r"\Lambda", nonnegative=True)
# sum_ij abar_ij D_i^2 |k_ij - c_i|^2
tilted_key_energy = _symbol("tilted_key_energy", r"\bar\kappa^2", nonnegative=True)
# sum_ij abar_ij |v_ij|^2
tilted_value_energy = _symbol("tilted_value_energy", r"\bar\nu^2", nonnegative=True)
readout_diameter = _symbol("readout_diameter", r"D_y", nonnegative=True)  # max_i sup_u range_j <u, v_ij>
frozen_energy = _symbol("frozen_energy", r"\sigma_0^2", nonnegative=True)  # sum_i |a_i(0)|^2
frozen_mean = _symbol("frozen_mean", r"\bar S_0", nonnegative=True)  # E |sum_i eps_i a_i(0)|
jacobian_energy = _symbol("jacobian_energy", r"\sigma_J^2", nonnegative=True)  # sum_i |J_i|_F^2
third_cumulant_sum = _symbol("third_cumulant_sum", r"H_1", nonnegative=True)  # sum_i D_v,i D_k,i^2/(6 sqrt 3)
# root of the sum of their squares
third_cumulant_energy = _symbol("third_cumulant_energy", r"H_2", nonnegative=True)
# sum_i of the radius of the values' hull
hull_radius_sum = _symbol("hull_radius_sum", r"\rho_1", nonnegative=True)

value_diameter_energy = _symbol("value_diameter_energy", r"D_2^2", nonnegative=True)  # sum_i D_v,i^2
value_maximum = _symbol("value_maximum", r"V_\infty", nonnegative=True)  # max_ij |v_ij|_2
key_maximum = _symbol("key_maximum", r"K_\infty", nonnegative=True)  # max_ij |k_ij|_2

# Series in w at w = 0 (U9, U10): N_i = Z_i (a_i - a_i(0)) = sum_q N_iq, Z_i = 1 + sum_q>=2 Z_iq
# E max_w |S_0 + theta J w|
trust_region_mean = _symbol("trust_region_mean", r"\mathbb E\max_w|S_0+\theta Jw|", nonnegative=True)
tensor_sum = _symbol("tensor_sum", r"\mathcal T", nonnegative=True)  # sum_q B_w^q E|sum eps_i tensor_iq|_flat
# sum_q>Q B_w^q (sum_i beta_iq^2)^(1/2)
series_remainder = _symbol("series_remainder", r"\mathcal B_{>Q}", nonnegative=True)
high_order_width = _symbol("high_order_width", r"X_{>m}", nonnegative=True)  # sum_q>m B_w^q E|sum g_i N_iq|_flat
low_order_width = _symbol("low_order_width", r"X_{\le m}", nonnegative=True)  # the same for 1 <= q <= m
# sum_q>=2 B_w^q E|sum g_i kappa* D_i Z_iq|
normaliser_width = _symbol("normaliser_width", r"Y_Z", nonnegative=True)
normaliser_spread = _symbol("normaliser_spread", r"\rho", nonnegative=True)  # max_z |1/z - theta|, 1 <= z <= Z_max
mixing = _symbol("mixing", r"\theta", nonnegative=True)  # how much of the linear part is taken out
largest_normaliser = _symbol("largest_normaliser", r"Z_{\max}", positive=True)  # max_i,w Z_i(w) >= 1
series_order = _symbol("series_order", r"Q_1", integer=True, nonnegative=True)
series_radius = _symbol("series_radius", r"r", positive=True)
# sum_i (sum_q beta_iq r^q)^2
majorant_energy = _symbol("majorant_energy", r"\beta_2^2", nonnegative=True)
exponent = _symbol("exponent", r"x", nonnegative=True)  # |t_j| <= x

# Gaussian smoothing of the parameters (U11, U13)
smoothed_width = _symbol("smoothed_width", r"\mathcal S", nonnegative=True)  # bound on E sup |sum eps_i P_tau a_i|
# integral of the Laplacian's widths
laplacian_integral = _symbol("laplacian_integral", r"\mathcal L", nonnegative=True)
divergence = _symbol("divergence", r"\mathrm{KL}", nonnegative=True)  # sup_Q KL(Q | prior)
weak_variance = _symbol("weak_variance", r"\mathcal V", nonnegative=True)  # sup_Q int sum_i h_i^2 dQ
# sup_u,w sum_i E <u, a_i(w + tau g)>^2
weak_value_energy = _symbol("weak_value_energy", r"\mathcal V_w", nonnegative=True)
smoothing_scale = _symbol("smoothing_scale", r"\tau", positive=True)  # of w
readout_scale = _symbol("readout_scale", r"\sigma", positive=True)  # of u / B_u

# Depth: x <- x + V Att(x) with |V|_F <= nu and bilinear logits |W|_F <= B_w
value_norm = _symbol("value_norm", r"\nu", nonnegative=True)
token_norm = _symbol("token_norm", r"R_x", nonnegative=True)  # max_ij |x_ij|
token_diameter = _symbol("token_diameter", r"D_x", nonnegative=True)  # max_i diam{x_ij}_j
residual_mean = _symbol("residual_mean", r"\mathbb E|S_x|", nonnegative=True)  # E|sum eps_i x_i,last|
# sum_h nu_h E max_W |S^h(W)|
head_sum = _symbol("head_sum", r"\sum_h\nu_h\mathbb E\max_W|S^h|", nonnegative=True)
attention_mean = _symbol("attention_mean", r"\mathbb E\max_W|S|", nonnegative=True)  # one head on the input tokens
# E|sum eps_i (Pi Pi x_i)_last|
double_path_mean = _symbol("double_path_mean", r"\mathbb E|S_{\Pi\Pi}|", nonnegative=True)
# E|sum eps_i (derivative of that path in W_1)|_op
path_jacobian_mean = _symbol("path_jacobian_mean", r"\mathbb E|\tilde J|", nonnegative=True)
path_remainder = _symbol("path_remainder", r"\mathcal P_0", nonnegative=True)  # SF width of what the paths leave
# the same, linear part in W_1 taken out
linear_path_remainder = _symbol("linear_path_remainder", r"\mathcal P_1", nonnegative=True)
table_norm = _symbol("table_norm", r"B_P", nonnegative=True)  # |P|_F of a learned table, length x dim
query_maximum = _symbol("query_maximum", r"q_\infty", nonnegative=True)  # max_i |q_i|_2, table included
# root of sum_i (D_v,i D_k,i/4)^2, no |q_i|
plain_covariance_lipschitz = _symbol("plain_covariance_lipschitz", r"\Lambda_0", nonnegative=True)
bias_bound = _symbol("bias_bound", r"\beta", nonnegative=True)  # learned biases in [-beta, beta]
bias_count = _symbol("bias_count", r"K_b", integer=True, positive=True)
vc_dimension = _symbol("vc_dimension", r"d_{\mathrm{VC}}", integer=True, positive=True)

# Softmax: logits s, bias b, y_j and t_j two readings of the positions of one sample
logit_bound = _symbol("logit_bound", r"B", nonnegative=True)  # |s_j| <= B
bias_weight = _symbol("bias_weight", r"\pi_j", nonnegative=True)  # softmax(b)_j, the weight at zero logits
logit_oscillation = _symbol("logit_oscillation", r"\operatorname{osc}(s-s')", nonnegative=True)
logit_distance = _symbol("logit_distance", r"|s-s'|_\infty", nonnegative=True)
logit_diameter = _symbol("logit_diameter", r"D_t", nonnegative=True)  # range_j t_j, t_j = <dw, k_ij>

# Parameter sets and linear classes
parameter_norm = _symbol("parameter_norm", r"B_p", nonnegative=True)
parameter_count = _symbol("parameter_count", r"p", integer=True, positive=True)
rows = _symbol("rows", r"d_1", integer=True, positive=True)
columns = _symbol("columns", r"d_2", integer=True, positive=True)
rank = _symbol("rank", r"r", integer=True, positive=True)
# M >= sum_i grad f_i grad f_i^T
gradient_trace = _symbol("gradient_trace", r"\operatorname{tr}M", nonnegative=True)
gaussian_supremum = _symbol("gaussian_supremum", r"\mathbb E\sup Y", nonnegative=True)
input_norm = _symbol("input_norm", r"B_x", nonnegative=True)  # max_i |x_i|_2
feature_energy = _symbol("feature_energy", r"\sigma_x^2", nonnegative=True)  # sum_i |x_i|_2^2
column_norm = _symbol("column_norm", r"\max_k|X_k|_2", nonnegative=True)  # k-th coordinate over the sample
sign_sum_norm = _symbol("sign_sum_norm", r"\mathbb E|\sum\varepsilon_i x_i|_2", nonnegative=True)
sign_sum_maximum = _symbol("sign_sum_maximum", r"\mathbb E|\sum\varepsilon_i x_i|_\infty", nonnegative=True)

# Classical tools
set_size = _symbol("set_size", r"|A|", integer=True, positive=True)
set_radius = _symbol("set_radius", r"r_A", nonnegative=True)  # max over A of |a|_2
lipschitz = _symbol("lipschitz", r"L", nonnegative=True)
inner_complexity = _symbol("inner_complexity", r"\hat{\mathfrak R}(\mathcal T)", nonnegative=True)
rademacher_complexity = _symbol("rademacher_complexity", r"\hat{\mathfrak R}(\mathcal F)", nonnegative=True)
gaussian_complexity = _symbol("gaussian_complexity", r"\hat{\mathfrak G}(\mathcal F)", nonnegative=True)
function_energy = _symbol("function_energy", r"\sum M_i^2", nonnegative=True)  # M_i = sup |f(x_i)|
function_bound = _symbol("function_bound", r"M", positive=True)  # |f| <= M
deviation = _symbol("deviation", r"t", nonnegative=True)
empirical_risk = _symbol("empirical_risk", r"\hat{\mathbb E}g", nonnegative=True)
cover_scale = _symbol("cover_scale", r"\epsilon", positive=True)
chaining_cut = _symbol("chaining_cut", r"\delta_0", nonnegative=True)  # scale at which chaining stops
class_radius = _symbol("class_radius", r"r_{\mathcal F}", nonnegative=True)  # sup_f (mean_i f(x_i)^2)^(1/2)

# Attention as a map of token sequences (theory.attention)
value_operator_norm = _symbol("value_operator_norm", r"\|V\|", nonnegative=True)  # largest singular value of V
# C = max_j sum_i abar_ij: the most attention that one token can receive
column_mass = _symbol("column_mass", r"C", nonnegative=True)
gain_maximum = _symbol("gain_maximum", r"\max|g|", nonnegative=True)  # of the gains of RMSNorm
norm_epsilon = _symbol("norm_epsilon", r"\epsilon_0", positive=True)  # inside the root of RMSNorm
query_operator_norm = _symbol("query_operator_norm", r"\|W_Q\|", nonnegative=True)
# at least s(T) with s e^(s+1) = T - 1: the most E|y_i - y_j|^2 of L2 attention
attended_spread = _symbol("attended_spread", r"s", nonnegative=True)

# What encodings can express (theory.expressiveness)
target_spread = _symbol("target_spread", r"D_g", nonnegative=True)  # max_ij |g_i - g_j| on a constant sequence
margin = _symbol("margin", r"g", positive=True)  # least s_i,pi(i) - s_ij over j other than the target pi(i)
query_distance = _symbol("query_distance", r"|p_i-p_{i'}|", positive=True)
key_distance = _symbol("key_distance", r"|p_{\pi(i)}-p_{\pi(i')}|", positive=True)
closest_distance = _symbol("closest_distance", r"\delta", positive=True)  # least |p_i - p_j|, i != j
attention_deficit = _symbol("attention_deficit", r"\eta", positive=True)  # 1 - weight of the target
tokens_after_start = _symbol("tokens_after_start", r"t", integer=True, nonnegative=True)  # visible besides BOS
kernel_terms = _symbol("kernel_terms", r"k", integer=True, positive=True)  # exponentials in a memory kernel

# Length extrapolation (theory.extrapolation)
window = _symbol("window", r"w", integer=True, positive=True)  # keys at distances 0 .. w-1, the last w tokens
tail_ratio = _symbol("tail_ratio", r"\rho_w", nonnegative=True)  # T_w/H_w, sums of e^b(k) from w on and below w
tail_mass = _symbol("tail_mass", r"A_w", nonnegative=True)  # attention at distances >= w
tail_tolerance = _symbol("tail_tolerance", r"\epsilon", positive=True)
bias_oscillation = _symbol("bias_oscillation", r"\Delta", nonnegative=True)  # max_k b(k) - min_k b(k)
value_diameter = _symbol("value_diameter", r"D_v", nonnegative=True)  # of the values of one sample
kerple_rate = _symbol("kerple_rate", r"r_1", positive=True)
kerple_shape = _symbol("kerple_shape", r"r_2", positive=True)
locality_defect = _symbol("locality_defect", r"\delta", nonnegative=True)  # distance from a function of w tokens
unseen_variance = _symbol("unseen_variance", r"\mathbb E\operatorname{Var}(y\mid w)", nonnegative=True)
token_variance = _symbol("token_variance", r"v", nonnegative=True)  # of i.i.d. real tokens
bit_probability = _symbol("bit_probability", r"p", nonnegative=True)
vocabulary_size = _symbol("vocabulary_size", r"|\mathcal V|", integer=True, positive=True)
polynomial_degree = _symbol("polynomial_degree", r"k", integer=True, nonnegative=True)
argument = _symbol("argument", r"x", positive=True)  # of a polynomial; x = 1 is the last training position
frequency_base = _symbol("frequency_base", r"b", positive=True)  # angles b^(-2k/d)
distance = _symbol("distance", r"D", integer=True, nonnegative=True)  # i - j

# Positional information (theory.information)
position_count = _symbol("position_count", r"N", integer=True, positive=True)
position_information = _symbol("position_information", r"I_0", nonnegative=True)  # nats, before a map or a layer
conditional_information = _symbol("conditional_information", r"I(P;Z\mid G)", nonnegative=True)  # given a group
mean_total_variation = _symbol("mean_total_variation", r"\overline{\mathrm{TV}}", nonnegative=True)
decoder_score = _symbol("decoder_score", r"\mathbb E\ln q'(P\mid Z)", nonpositive=True)
uniform_share = _symbol("uniform_share", r"\epsilon", positive=True)  # weight of 1/N in the decoder q'
success_probability = _symbol("success_probability", r"a", nonnegative=True)  # of a decoder of the position
noise_scale = _symbol("noise_scale", r"\sigma_Z", positive=True)  # H + sigma Z, Z standard normal
code_distance = _symbol("code_distance", r"|p_1-p_2|", nonnegative=True)
code_power = _symbol("code_power", r"P_c", nonnegative=True)  # tr C = mean |p_i - mean p|^2
code_determinant = _symbol("code_determinant", r"\det(I+C/\sigma_Z^2)", positive=True)
variance_ratio = _symbol("variance_ratio", r"v_2/v_1", positive=True)
value_scale = _symbol("value_scale", r"s", positive=True)  # values are N(0, s^2 I_d)
alibi_slope = _symbol("alibi_slope", r"m", positive=True)  # bias -m (i - j)
seen_count = _symbol("seen_count", r"i", integer=True, positive=True)  # keys of a causal head, its own included
embedding_stress = _symbol("embedding_stress", r"\mathcal S(q)", nonnegative=True)  # of any other embedding
unexplained_share = _symbol("unexplained_share", r"\rho_{>d}", nonnegative=True)  # sum_k>d / sum_k of eigenvalues

# Asymptotics and rates (theory.asymptotics), encodings in complexity bounds (theory.rademacher_encodings)
encoding_scale = _symbol("encoding_scale", r"c_p", nonnegative=True)  # tokens |x| <= 1, encodings c_p p with |p| <= 1
mean_power = _symbol("mean_power", r"Q", nonnegative=True)  # sum_i |x_i + p_i|^2 / n
token_scale = _symbol("token_scale", r"c", positive=True)  # all tokens, encoding included, multiplied by it
first_bound = _symbol("first_bound", r"U(\mathcal F_1)", nonnegative=True)  # upper bounds of two complexities
second_bound = _symbol("second_bound", r"U(\mathcal F_2)", nonnegative=True)
half_range_sum = _symbol("half_range_sum", r"\rho_{1/2}", nonnegative=True)  # sup_u sum_i half the range of <u, P_i>
relaxed_complexity = _symbol("relaxed_complexity", r"\hat{\mathfrak R}_\square", nonnegative=True)  # hull relaxation
repetitions = _symbol("repetitions", r"m", integer=True, positive=True)  # copies of every sample

# Cost of an encoding (theory.cost)
heads = _symbol("heads", r"h", integer=True, positive=True)  # attention heads of one layer, a divisor of d

# Function approximation (theory.approximation)
channels = _symbol("channels", r"n", integer=True, positive=True)  # dimension of the space that approximates
degree = _symbol("degree", r"n", integer=True, nonnegative=True)  # of algebraic or trigonometric polynomials
coefficient_index = _symbol("coefficient_index", r"k", integer=True, positive=True)
interval_length = _symbol("interval_length", r"\ell", positive=True)
difference_norm = _symbol("difference_norm", r"|\Delta f|_2", nonnegative=True)  # of f on N positions
null_dim = _symbol("null_dim", r"r", integer=True, nonnegative=True)  # dim null(A) of the ellipsoid |A f| <= 1
# sigma_(n-r+1) of the pseudo-inverse of A
singular_value = _symbol("singular_value", r"\sigma_{n-r+1}(A^+)", nonnegative=True)
hoelder_exponent = _symbol("hoelder_exponent", r"\alpha", positive=True)
hoelder_constant = _symbol("hoelder_constant", r"L_\alpha", nonnegative=True)
smoothness_order = _symbol("smoothness_order", r"r", integer=True, positive=True)
variation_order = _symbol("variation_order", r"\nu", integer=True, nonnegative=True)
variation = _symbol("variation", r"V_\nu", nonnegative=True)  # total variation of f^(nu)
derivative_norm = _symbol("derivative_norm", r"|f^{(r)}|_2", nonnegative=True)
derivative_maximum = _symbol("derivative_maximum", r"|f^{(r)}|_\infty", nonnegative=True)
ellipse_radius = _symbol("ellipse_radius", r"\rho", positive=True)  # sum of the semi-axes, foci -1 and 1
strip_width = _symbol("strip_width", r"a", positive=True)  # analytic for |Im theta| < a
pole = _symbol("pole", r"a", positive=True)  # f = c/(a - x) or c/(a + x), a > 1
residue = _symbol("residue", r"|c|", nonnegative=True)
jump_size = _symbol("jump_size", r"J", nonnegative=True)
best_error = _symbol("best_error", r"E_n(f)", nonnegative=True)  # sup norm, polynomials of degree n
lebesgue_constant = _symbol("lebesgue_constant", r"\Lambda_n", nonnegative=True)  # norm of a projection in the sup norm
coefficient_tail = _symbol("coefficient_tail", r"\sum_{k>n}\frac{2a_k^2}{2k+1}", nonnegative=True)
markov_constant = _symbol("markov_constant", r"M_K", nonnegative=True)  # max |p'|_2/|p|_2 over degree <= K
vanishing_moments = _symbol("vanishing_moments", r"p", integer=True, positive=True)
wavelet_level = _symbol("wavelet_level", r"j", integer=True, nonnegative=True)
dual_pairing = _symbol("dual_pairing", r"|\sum_iy_if_i|", nonnegative=True)  # y orthogonal to the span
dual_norm = _symbol("dual_norm", r"\sum_i|y_i|", positive=True)
alternating_error = _symbol("alternating_error", r"e", nonnegative=True)  # least error at n + 1 alternating points
euclidean_error = _symbol("euclidean_error", r"\min_c|f-Pc|_2", nonnegative=True)
target_energy = _symbol("target_energy", r"|f|_2^2", nonnegative=True)
projected_energy = _symbol("projected_energy", r"|\Pi_Pf|_2^2", nonnegative=True)


def symbol(word: str) -> sp.Symbol:
    """The symbol registered under `word`; ValueError with the nearest word if there is none."""
    if word in SYMBOLS:
        return SYMBOLS[word]
    near = difflib.get_close_matches(word, SYMBOLS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "add one line to theory/notation.py"
    raise ValueError(f"unknown symbol {word!r}: {hint}")


def latex(expression: sp.Basic) -> str:
    """LaTeX of an expression with every registered word replaced by its letter in print, also for mathtext."""
    return portable(_Printer({"symbol_names": LETTERS}).doprint(expression))

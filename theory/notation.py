"""Every symbol once: the word used in code, its assumptions, and the letter it has in print.

The word is also the keyword parameter of `Bound.evaluate` and of the estimators, so that a measured quantity
reaches a bound by name. The letters exist only in the LaTeX map. A new symbol is one line:

    tail_mass = _symbol("tail_mass", r"A_w", nonnegative=True)

Sums run over the samples i = 1..n, maxima over the positions j = 1..T of one sample; D_v,i and D_k,i are the
diameters of the values and of the keys of sample i, M_i = B_u max_j |v_ij|, a_i(0) is the attention output
at zero logit parameter and J_i its derivative there. All quantities are dimensionless real numbers.
"""

import difflib

import sympy as sp

SYMBOLS: dict[str, sp.Symbol] = {}
LETTERS: dict[sp.Symbol, str] = {}


def _symbol(word: str, letter: str, **assumptions: bool) -> sp.Symbol:
    made = sp.Symbol(word, **assumptions)
    if word in SYMBOLS:
        raise ValueError(f"symbol {word!r} is defined twice: choose another word")
    SYMBOLS[word] = made
    LETTERS[made] = letter
    return made


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


def symbol(word: str) -> sp.Symbol:
    """The symbol registered under `word`; ValueError with the nearest word if there is none."""
    if word in SYMBOLS:
        return SYMBOLS[word]
    near = difflib.get_close_matches(word, SYMBOLS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "add one line to theory/notation.py"
    raise ValueError(f"unknown symbol {word!r}: {hint}")


def latex(expression: sp.Basic) -> str:
    """LaTeX of an expression with every registered word replaced by its letter in print."""
    return sp.latex(expression, symbol_names=LETTERS)

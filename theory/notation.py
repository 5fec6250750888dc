"""Every symbol once: the word used in code, its assumptions, and the letter it has in print.

The word is also the keyword parameter of `Bound.evaluate` and of the estimators, so that a measured quantity
reaches a bound by name. The letters exist only in the LaTeX map. A new symbol is one line:

    tail_mass = register("tail_mass", r"A_w", nonnegative=True)

Sums run over the samples i = 1..n, maxima over the positions j = 1..T of one sample; D_v,i and D_k,i are the
diameters of the values and of the keys of sample i, M_i = B_u max_j |v_ij|, a_i(0) is the attention output
at zero logit parameter and J_i its derivative there. All quantities are dimensionless real numbers.
"""

from theory.letters import LETTERS, SYMBOLS, latex, portable, register, symbol

__all__ = ["LETTERS", "SYMBOLS", "latex", "portable", "register", "symbol"]

# Sizes of the problem
sample_size = register("sample_size", r"n", integer=True, positive=True)
length = register("length", r"T", integer=True, positive=True)
dim = register("dim", r"d", integer=True, positive=True)
logit_dim = register("logit_dim", r"d_w", integer=True, positive=True)
draws = register("draws", r"K", integer=True, positive=True)
failure_probability = register("failure_probability", r"\delta", positive=True)

# Radii of the parameter sets: |u| <= B_u, |w| <= B_w
readout_norm = register("readout_norm", r"B_u", nonnegative=True)
logit_norm = register("logit_norm", r"B_w", nonnegative=True)

# Constants of the sample
value_energy = register("value_energy", r"\sigma_v^2", nonnegative=True)  # sum_i max_j |v_ij|^2
# max_a, l1 ball
value_coordinate_energy = register("value_coordinate_energy", r"\sigma_\infty^2", nonnegative=True)
value_bound_sum = register("value_bound_sum", r"V_1", nonnegative=True)  # sum_i max_j |v_ij| = sum_i M_i / B_u
# root of sum_i (D_v,i D_k,i/4)^2
covariance_lipschitz = register("covariance_lipschitz", r"\Lambda", nonnegative=True)
# sum_ij abar_ij D_i^2 |k_ij - c_i|^2
tilted_key_energy = register("tilted_key_energy", r"\bar\kappa^2", nonnegative=True)
# sum_ij abar_ij |v_ij|^2
tilted_value_energy = register("tilted_value_energy", r"\bar\nu^2", nonnegative=True)
readout_diameter = register("readout_diameter", r"D_y", nonnegative=True)  # max_i sup_u range_j <u, v_ij>
frozen_energy = register("frozen_energy", r"\sigma_0^2", nonnegative=True)  # sum_i |a_i(0)|^2
frozen_mean = register("frozen_mean", r"\bar S_0", nonnegative=True)  # E |sum_i eps_i a_i(0)|
jacobian_energy = register("jacobian_energy", r"\sigma_J^2", nonnegative=True)  # sum_i |J_i|_F^2
third_cumulant_sum = register("third_cumulant_sum", r"H_1", nonnegative=True)  # sum_i D_v,i D_k,i^2/(6 sqrt 3)
# root of the sum of their squares
third_cumulant_energy = register("third_cumulant_energy", r"H_2", nonnegative=True)
# sum_i of the radius of the values' hull
hull_radius_sum = register("hull_radius_sum", r"\rho_1", nonnegative=True)

value_diameter_energy = register("value_diameter_energy", r"D_2^2", nonnegative=True)  # sum_i D_v,i^2
value_maximum = register("value_maximum", r"V_\infty", nonnegative=True)  # max_ij |v_ij|_2
key_maximum = register("key_maximum", r"K_\infty", nonnegative=True)  # max_ij |k_ij|_2

# Series in w at w = 0 (U9, U10): N_i = Z_i (a_i - a_i(0)) = sum_q N_iq, Z_i = 1 + sum_q>=2 Z_iq
# E max_w |S_0 + theta J w|
trust_region_mean = register("trust_region_mean", r"\mathbb E\max_w|S_0+\theta Jw|", nonnegative=True)
tensor_sum = register("tensor_sum", r"\mathcal T", nonnegative=True)  # sum_q B_w^q E|sum eps_i tensor_iq|_flat
# sum_q>Q B_w^q (sum_i beta_iq^2)^(1/2)
series_remainder = register("series_remainder", r"\mathcal B_{>Q}", nonnegative=True)
high_order_width = register("high_order_width", r"X_{>m}", nonnegative=True)  # sum_q>m B_w^q E|sum g_i N_iq|_flat
low_order_width = register("low_order_width", r"X_{\le m}", nonnegative=True)  # the same for 1 <= q <= m
# sum_q>=2 B_w^q E|sum g_i kappa* D_i Z_iq|
normaliser_width = register("normaliser_width", r"Y_Z", nonnegative=True)
normaliser_spread = register("normaliser_spread", r"\rho", nonnegative=True)  # max_z |1/z - theta|, 1 <= z <= Z_max
mixing = register("mixing", r"\theta", nonnegative=True)  # how much of the linear part is taken out
largest_normaliser = register("largest_normaliser", r"Z_{\max}", positive=True)  # max_i,w Z_i(w) >= 1
series_order = register("series_order", r"Q_1", integer=True, nonnegative=True)
series_radius = register("series_radius", r"r", positive=True)
# sum_i (sum_q beta_iq r^q)^2
majorant_energy = register("majorant_energy", r"\beta_2^2", nonnegative=True)
exponent = register("exponent", r"x", nonnegative=True)  # |t_j| <= x

# Gaussian smoothing of the parameters (U11, U13)
smoothed_width = register("smoothed_width", r"\mathcal S", nonnegative=True)  # bound on E sup |sum eps_i P_tau a_i|
# integral of the Laplacian's widths
laplacian_integral = register("laplacian_integral", r"\mathcal L", nonnegative=True)
divergence = register("divergence", r"\mathrm{KL}", nonnegative=True)  # sup_Q KL(Q | prior)
weak_variance = register("weak_variance", r"\mathcal V", nonnegative=True)  # sup_Q int sum_i h_i^2 dQ
# sup_u,w sum_i E <u, a_i(w + tau g)>^2
weak_value_energy = register("weak_value_energy", r"\mathcal V_w", nonnegative=True)
smoothing_scale = register("smoothing_scale", r"\tau", positive=True)  # of w
readout_scale = register("readout_scale", r"\sigma", positive=True)  # of u / B_u

# Depth: x <- x + V Att(x) with |V|_F <= nu and bilinear logits |W|_F <= B_w
value_norm = register("value_norm", r"\nu", nonnegative=True)
token_norm = register("token_norm", r"R_x", nonnegative=True)  # max_ij |x_ij|
token_diameter = register("token_diameter", r"D_x", nonnegative=True)  # max_i diam{x_ij}_j
residual_mean = register("residual_mean", r"\mathbb E|S_x|", nonnegative=True)  # E|sum eps_i x_i,last|
# sum_h nu_h E max_W |S^h(W)|
head_sum = register("head_sum", r"\sum_h\nu_h\mathbb E\max_W|S^h|", nonnegative=True)
attention_mean = register("attention_mean", r"\mathbb E\max_W|S|", nonnegative=True)  # one head on the input tokens
# E|sum eps_i (Pi Pi x_i)_last|
double_path_mean = register("double_path_mean", r"\mathbb E|S_{\Pi\Pi}|", nonnegative=True)
# E|sum eps_i (derivative of that path in W_1)|_op
path_jacobian_mean = register("path_jacobian_mean", r"\mathbb E|\tilde J|", nonnegative=True)
path_remainder = register("path_remainder", r"\mathcal P_0", nonnegative=True)  # SF width of what the paths leave
# the same, linear part in W_1 taken out
linear_path_remainder = register("linear_path_remainder", r"\mathcal P_1", nonnegative=True)
table_norm = register("table_norm", r"B_P", nonnegative=True)  # |P|_F of a learned table, length x dim
query_maximum = register("query_maximum", r"q_\infty", nonnegative=True)  # max_i |q_i|_2, table included
# root of sum_i (D_v,i D_k,i/4)^2, no |q_i|
plain_covariance_lipschitz = register("plain_covariance_lipschitz", r"\Lambda_0", nonnegative=True)
bias_bound = register("bias_bound", r"\beta", nonnegative=True)  # learned biases in [-beta, beta]
bias_count = register("bias_count", r"K_b", integer=True, positive=True)
vc_dimension = register("vc_dimension", r"d_{\mathrm{VC}}", integer=True, positive=True)

# Softmax: logits s, bias b, y_j and t_j two readings of the positions of one sample
logit_bound = register("logit_bound", r"B", nonnegative=True)  # |s_j| <= B
bias_weight = register("bias_weight", r"\pi_j", nonnegative=True)  # softmax(b)_j, the weight at zero logits
logit_oscillation = register("logit_oscillation", r"\operatorname{osc}(s-s')", nonnegative=True)
logit_distance = register("logit_distance", r"|s-s'|_\infty", nonnegative=True)
logit_diameter = register("logit_diameter", r"D_t", nonnegative=True)  # range_j t_j, t_j = <dw, k_ij>

# Parameter sets and linear classes
parameter_norm = register("parameter_norm", r"B_p", nonnegative=True)
parameter_count = register("parameter_count", r"p", integer=True, positive=True)
rows = register("rows", r"d_1", integer=True, positive=True)
columns = register("columns", r"d_2", integer=True, positive=True)
rank = register("rank", r"r", integer=True, positive=True)
# M >= sum_i grad f_i grad f_i^T
gradient_trace = register("gradient_trace", r"\operatorname{tr}M", nonnegative=True)
gaussian_supremum = register("gaussian_supremum", r"\mathbb E\sup Y", nonnegative=True)
input_norm = register("input_norm", r"B_x", nonnegative=True)  # max_i |x_i|_2
feature_energy = register("feature_energy", r"\sigma_x^2", nonnegative=True)  # sum_i |x_i|_2^2
column_norm = register("column_norm", r"\max_k|X_k|_2", nonnegative=True)  # k-th coordinate over the sample
sign_sum_norm = register("sign_sum_norm", r"\mathbb E|\sum\varepsilon_i x_i|_2", nonnegative=True)
sign_sum_maximum = register("sign_sum_maximum", r"\mathbb E|\sum\varepsilon_i x_i|_\infty", nonnegative=True)

# Classical tools
set_size = register("set_size", r"|A|", integer=True, positive=True)
set_radius = register("set_radius", r"r_A", nonnegative=True)  # max over A of |a|_2
lipschitz = register("lipschitz", r"L", nonnegative=True)
inner_complexity = register("inner_complexity", r"\hat{\mathfrak R}(\mathcal T)", nonnegative=True)
rademacher_complexity = register("rademacher_complexity", r"\hat{\mathfrak R}(\mathcal F)", nonnegative=True)
gaussian_complexity = register("gaussian_complexity", r"\hat{\mathfrak G}(\mathcal F)", nonnegative=True)
function_energy = register("function_energy", r"\sum M_i^2", nonnegative=True)  # M_i = sup |f(x_i)|
function_bound = register("function_bound", r"M", positive=True)  # |f| <= M
deviation = register("deviation", r"t", nonnegative=True)
empirical_risk = register("empirical_risk", r"\hat{\mathbb E}g", nonnegative=True)
cover_scale = register("cover_scale", r"\epsilon", positive=True)
chaining_cut = register("chaining_cut", r"\delta_0", nonnegative=True)  # scale at which chaining stops
class_radius = register("class_radius", r"r_{\mathcal F}", nonnegative=True)  # sup_f (mean_i f(x_i)^2)^(1/2)

# Attention as a map of token sequences (theory.attention)
value_operator_norm = register("value_operator_norm", r"\|V\|", nonnegative=True)  # largest singular value of V
# C = max_j sum_i abar_ij: the most attention that one token can receive
column_mass = register("column_mass", r"C", nonnegative=True)
gain_maximum = register("gain_maximum", r"\max|g|", nonnegative=True)  # of the gains of RMSNorm
norm_epsilon = register("norm_epsilon", r"\epsilon_0", positive=True)  # inside the root of RMSNorm
query_operator_norm = register("query_operator_norm", r"\|W_Q\|", nonnegative=True)
# at least s(T) with s e^(s+1) = T - 1: the most E|y_i - y_j|^2 of L2 attention
attended_spread = register("attended_spread", r"s", nonnegative=True)

# What encodings can express (theory.expressiveness)
target_spread = register("target_spread", r"D_g", nonnegative=True)  # max_ij |g_i - g_j| on a constant sequence
margin = register("margin", r"g", positive=True)  # least s_i,pi(i) - s_ij over j other than the target pi(i)
query_distance = register("query_distance", r"|p_i-p_{i'}|", positive=True)
key_distance = register("key_distance", r"|p_{\pi(i)}-p_{\pi(i')}|", positive=True)
closest_distance = register("closest_distance", r"\delta", positive=True)  # least |p_i - p_j|, i != j
attention_deficit = register("attention_deficit", r"\eta", positive=True)  # 1 - weight of the target
tokens_after_start = register("tokens_after_start", r"t", integer=True, nonnegative=True)  # visible besides BOS
kernel_terms = register("kernel_terms", r"k", integer=True, positive=True)  # exponentials in a memory kernel

# Length extrapolation (theory.extrapolation)
window = register("window", r"w", integer=True, positive=True)  # keys at distances 0 .. w-1, the last w tokens
tail_ratio = register("tail_ratio", r"\rho_w", nonnegative=True)  # T_w/H_w, sums of e^b(k) from w on and below w
tail_mass = register("tail_mass", r"A_w", nonnegative=True)  # attention at distances >= w
tail_tolerance = register("tail_tolerance", r"\epsilon", positive=True)
bias_oscillation = register("bias_oscillation", r"\Delta", nonnegative=True)  # max_k b(k) - min_k b(k)
value_diameter = register("value_diameter", r"D_v", nonnegative=True)  # of the values of one sample
kerple_rate = register("kerple_rate", r"r_1", positive=True)
kerple_shape = register("kerple_shape", r"r_2", positive=True)
locality_defect = register("locality_defect", r"\delta", nonnegative=True)  # distance from a function of w tokens
unseen_variance = register("unseen_variance", r"\mathbb E\operatorname{Var}(y\mid w)", nonnegative=True)
token_variance = register("token_variance", r"v", nonnegative=True)  # of i.i.d. real tokens
bit_probability = register("bit_probability", r"p", nonnegative=True)
vocabulary_size = register("vocabulary_size", r"|\mathcal V|", integer=True, positive=True)
polynomial_degree = register("polynomial_degree", r"k", integer=True, nonnegative=True)
argument = register("argument", r"x", positive=True)  # of a polynomial; x = 1 is the last training position
frequency_base = register("frequency_base", r"b", positive=True)  # angles b^(-2k/d)
distance = register("distance", r"D", integer=True, nonnegative=True)  # i - j

# Positional information (theory.information)
position_count = register("position_count", r"N", integer=True, positive=True)
position_information = register("position_information", r"I_0", nonnegative=True)  # nats, before a map or a layer
conditional_information = register("conditional_information", r"I(P;Z\mid G)", nonnegative=True)  # given a group
mean_total_variation = register("mean_total_variation", r"\overline{\mathrm{TV}}", nonnegative=True)
decoder_score = register("decoder_score", r"\mathbb E\ln q'(P\mid Z)", nonpositive=True)
uniform_share = register("uniform_share", r"\epsilon", positive=True)  # weight of 1/N in the decoder q'
success_probability = register("success_probability", r"a", nonnegative=True)  # of a decoder of the position
noise_scale = register("noise_scale", r"\sigma_Z", positive=True)  # H + sigma Z, Z standard normal
code_distance = register("code_distance", r"|p_1-p_2|", nonnegative=True)
code_power = register("code_power", r"P_c", nonnegative=True)  # tr C = mean |p_i - mean p|^2
code_determinant = register("code_determinant", r"\det(I+C/\sigma_Z^2)", positive=True)
variance_ratio = register("variance_ratio", r"v_2/v_1", positive=True)
value_scale = register("value_scale", r"s", positive=True)  # values are N(0, s^2 I_d)
alibi_slope = register("alibi_slope", r"m", positive=True)  # bias -m (i - j)
seen_count = register("seen_count", r"i", integer=True, positive=True)  # keys of a causal head, its own included
embedding_stress = register("embedding_stress", r"\mathcal S(q)", nonnegative=True)  # of any other embedding
unexplained_share = register("unexplained_share", r"\rho_{>d}", nonnegative=True)  # sum_k>d / sum_k of eigenvalues

# Asymptotics and rates (theory.asymptotics), encodings in complexity bounds (theory.rademacher_encodings)
encoding_scale = register("encoding_scale", r"c_p", nonnegative=True)  # tokens |x| <= 1, encodings c_p p with |p| <= 1
mean_power = register("mean_power", r"Q", nonnegative=True)  # sum_i |x_i + p_i|^2 / n
token_scale = register("token_scale", r"c", positive=True)  # all tokens, encoding included, multiplied by it
first_bound = register("first_bound", r"U(\mathcal F_1)", nonnegative=True)  # upper bounds of two complexities
second_bound = register("second_bound", r"U(\mathcal F_2)", nonnegative=True)
half_range_sum = register("half_range_sum", r"\rho_{1/2}", nonnegative=True)  # sup_u sum_i half the range of <u, P_i>
relaxed_complexity = register("relaxed_complexity", r"\hat{\mathfrak R}_\square", nonnegative=True)  # hull relaxation
repetitions = register("repetitions", r"m", integer=True, positive=True)  # copies of every sample

# Cost of an encoding (theory.cost)
heads = register("heads", r"h", integer=True, positive=True)  # attention heads of one layer, a divisor of d

# Function approximation (theory.approximation)
channels = register("channels", r"n", integer=True, positive=True)  # dimension of the space that approximates
degree = register("degree", r"n", integer=True, nonnegative=True)  # of algebraic or trigonometric polynomials
coefficient_index = register("coefficient_index", r"k", integer=True, positive=True)
interval_length = register("interval_length", r"\ell", positive=True)
difference_norm = register("difference_norm", r"|\Delta f|_2", nonnegative=True)  # of f on N positions
null_dim = register("null_dim", r"r", integer=True, nonnegative=True)  # dim null(A) of the ellipsoid |A f| <= 1
# sigma_(n-r+1) of the pseudo-inverse of A
singular_value = register("singular_value", r"\sigma_{n-r+1}(A^+)", nonnegative=True)
hoelder_exponent = register("hoelder_exponent", r"\alpha", positive=True)
hoelder_constant = register("hoelder_constant", r"L_\alpha", nonnegative=True)
smoothness_order = register("smoothness_order", r"r", integer=True, positive=True)
variation_order = register("variation_order", r"\nu", integer=True, nonnegative=True)
variation = register("variation", r"V_\nu", nonnegative=True)  # total variation of f^(nu)
derivative_norm = register("derivative_norm", r"|f^{(r)}|_2", nonnegative=True)
derivative_maximum = register("derivative_maximum", r"|f^{(r)}|_\infty", nonnegative=True)
ellipse_radius = register("ellipse_radius", r"\rho", positive=True)  # sum of the semi-axes, foci -1 and 1
strip_width = register("strip_width", r"a", positive=True)  # analytic for |Im theta| < a
pole = register("pole", r"a", positive=True)  # f = c/(a - x) or c/(a + x), a > 1
residue = register("residue", r"|c|", nonnegative=True)
jump_size = register("jump_size", r"J", nonnegative=True)
best_error = register("best_error", r"E_n(f)", nonnegative=True)  # sup norm, polynomials of degree n
lebesgue_constant = register("lebesgue_constant", r"\Lambda_n", nonnegative=True)  # sup norm of a projection
coefficient_tail = register("coefficient_tail", r"\sum_{k>n}\frac{2a_k^2}{2k+1}", nonnegative=True)
markov_constant = register("markov_constant", r"M_K", nonnegative=True)  # max |p'|_2/|p|_2 over degree <= K
vanishing_moments = register("vanishing_moments", r"p", integer=True, positive=True)
wavelet_level = register("wavelet_level", r"j", integer=True, nonnegative=True)
dual_pairing = register("dual_pairing", r"|\sum_iy_if_i|", nonnegative=True)  # y orthogonal to the span
dual_norm = register("dual_norm", r"\sum_i|y_i|", positive=True)
alternating_error = register("alternating_error", r"e", nonnegative=True)  # least error at n + 1 alternating points
euclidean_error = register("euclidean_error", r"\min_c|f-Pc|_2", nonnegative=True)
target_energy = register("target_energy", r"|f|_2^2", nonnegative=True)
projected_energy = register("projected_energy", r"|\Pi_Pf|_2^2", nonnegative=True)

# Truncation through depth (theory.extrapolation_depth)
layers = register("layers", r"L", integer=True, positive=True)
layer_lipschitz = register("layer_lipschitz", r"\Phi", nonnegative=True)  # of phi, x <- phi(x + Attn(x))
mlp_lipschitz = register("mlp_lipschitz", r"\mu", nonnegative=True)  # |M2| |M1|
own_error = register("own_error", r"e(r)", nonnegative=True)  # at the query, between two runs
attended_error = register("attended_error", r"\mathrm{LP}_r(e)", nonnegative=True)  # largest mean over keys
heads_error = register("heads_error", r"S_e", nonnegative=True)  # sum over heads of |o_h - ot_h|
key_sensitivity = register("key_sensitivity", r"\kappa", nonnegative=True)  # max |d s_k/d z_k|
query_sensitivity = register("query_sensitivity", r"\upsilon", nonnegative=True)  # max |d s_k/d z_i|
first_scale = register("first_scale", r"\rho_1", positive=True)  # (|x|^2/d + eps)^(1/2) of one token
second_scale = register("second_scale", r"\rho_2", positive=True)
token_distance = register("token_distance", r"|x-x'|", nonnegative=True)

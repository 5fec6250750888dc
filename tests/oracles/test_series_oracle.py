"""Tests of series_oracle.py: every proof step against a direct computation, every bound against attained truths.

Each inequality has a falsified twin which the same check must catch.
"""

import itertools
import math

import numpy as np
import pytest
import series_oracle as so
import truth_oracle as to
from query_oracle import oracle_supremum, sign_classes

SQRT_HALF_PI = math.sqrt(math.pi / 2)


def taylor_tensors_at(case, w, degree, points=32, circle=0.15):
    """a_{i,degree}(w) by a contour integral of s -> a_i(s w): independent of every formula of the series."""
    s = circle * np.exp(2j * np.pi * np.arange(points) / points)
    scores = np.einsum("ntp,p->nt", case.keys, w)
    e = np.exp(s[:, None, None] * (scores - scores.mean(axis=1, keepdims=True)) + case.bias)
    a = np.einsum("snt,ntd->snd", e, case.values) / e.sum(axis=2)[:, :, None]
    return (np.einsum("s,snd->nd", s ** -float(degree), a) / points).real


def read(tensor, w):
    """<tensor, . (x) w^q> for a tensor (d, p, ..., p)."""
    while tensor.ndim > 1:
        tensor = tensor @ w
    return tensor


def ball_points(rng, count, dim, radius):
    w = rng.standard_normal((count, dim))
    return radius * rng.random((count, 1)) ** 0.3 * w / np.linalg.norm(w, axis=1, keepdims=True)


# ---------------------------------------------------------------- trust region, kappa*


@pytest.mark.parametrize(("d", "p", "radius"), [(1, 1, 1.0), (3, 2, 0.3), (2, 4, 2.0), (4, 4, 5.0)])
def test_trust_region_equals_forty_digit_stationary_point(d, p, radius):
    rng = np.random.default_rng([d, p])
    for _ in range(4):
        s, j = rng.standard_normal(d), rng.standard_normal((d, p))
        value = so.trust_region(s, j, radius)
        assert value == pytest.approx(to.trust_region_mpmath(s, j, radius), rel=1e-12)
        sampled = np.linalg.norm(s + ball_points(rng, 2000, p, radius) @ j.T, axis=1).max()
        assert sampled <= value
        assert np.linalg.norm(s) + 0.5 * np.linalg.norm(j, 2) * radius < value * 1.5


def test_trust_region_degenerate():
    s, j = np.array([0.0, 0.3]), np.diag([2.0, 1.0])
    hard = so.trust_region(s, j, 1.0)  # c is orthogonal to the top vector: w = (sqrt(1 - .01), .1)
    assert hard == pytest.approx(math.hypot(2 * math.sqrt(0.99), 0.4), rel=1e-12)
    assert hard == pytest.approx(to.trust_region_mpmath(s, j, 1.0), rel=1e-12)
    assert so.trust_region(s, j, 0.0) == pytest.approx(0.3)
    assert so.trust_region(s, 0 * j, 1.0) == pytest.approx(0.3)
    assert so.trust_region(0 * s, j, 3.0) == pytest.approx(6.0, rel=1e-12)


def test_kappa_constant_is_proved_and_sharp():
    assert to.kappa_ceiling(str(so.KAPPA))
    p = 0.192433
    assert so.KAPPA - 1e-5 < to.kappa_two_point(p, to.kappa_best_gap(p)) < so.KAPPA
    assert to.kappa_best_gap(p) == pytest.approx(2.118017, abs=1e-6)


def tilt_over_normaliser(pi, t):
    """TV(alpha, pi)/Z for t centred under pi."""
    e = pi * np.exp(t)
    return 0.5 * np.abs(e / e.sum() - pi).sum() / e.sum()


def test_kappa_lemma_on_many_laws_needs_centring():
    rng = np.random.default_rng(0)
    found = 0.0
    for _ in range(2000):
        pi = rng.dirichlet(np.full(rng.integers(2, 7), rng.choice([0.2, 1.0])))
        t = rng.standard_normal(len(pi)) * rng.choice([0.5, 1.5, 4.0])
        found = max(found, tilt_over_normaliser(pi, t - pi @ t))
    p, s = 0.192433, to.kappa_best_gap(0.192433)
    found = max(found, tilt_over_normaliser(np.array([p, 1 - p]), np.array([(1 - p) * s, -p * s])))
    assert 0.2947 < found < so.KAPPA
    assert tilt_over_normaliser(np.array([p, 1 - p]), np.array([(1 - p) * s, -p * s]) - 1) > 2 * so.KAPPA  # not centred


# ---------------------------------------------------------------- coefficients and tensors


@pytest.mark.parametrize("name", ["generic", "heavy_bias", "rare_pair", "common_mean"])
def test_tensors_are_the_taylor_coefficients(name):
    case = to.family(name, 1, n=3, T=4, d=2, p=3)
    head, rng = so.centre(case.values, case.keys, case.bias), np.random.default_rng(2)
    w, weight = rng.standard_normal(3), rng.standard_normal(3)
    w /= np.linalg.norm(w)
    builders = {1: lambda h, e: np.tensordot(e, h.slopes, axes=(0, 0)), 2: so.second_order, 3: so.third_order}
    for degree, build in builders.items():
        expected = weight @ taylor_tensors_at(case, w, degree)
        assert read(build(head, weight), w) == pytest.approx(expected, rel=1e-7, abs=1e-9)
    cubic = so.third_order(head._replace(slopes=0 * head.slopes), weight)  # twin: N_3 without - Z_2 a_1
    assert np.abs(read(cubic, w) - weight @ taylor_tensors_at(case, w, 3)).max() > 1e-3


def test_coefficients_are_frobenius_norms_and_dominate():
    case = to.family("generic", 5, n=2, T=4, d=2, p=2)
    head = so.centre(case.values, case.keys, case.bias)
    nu, zeta, beta = so.coefficients(case.values, case.keys, case.bias, 8)
    for i in range(2):
        pick = np.eye(2)[i]
        assert nu[i, 1] == pytest.approx(np.linalg.norm(head.slopes[i]), rel=1e-12)
        assert nu[i, 2] == pytest.approx(np.linalg.norm(so.second_order(head, pick)), rel=1e-12)
        assert zeta[i, 2] == pytest.approx(
            np.linalg.norm(np.einsum("t,tp,tq->pq", head.pi[i], head.z[i], head.z[i])) / 2
        )
        assert beta[i, 3] >= np.linalg.norm(so.third_order(head, pick)) * (1 - 1e-12)
    rare = to.family("rare_pair", 0, n=1, T=2, d=1, p=1)
    nu, _, beta = so.coefficients(rare.values, rare.keys, rare.bias, 8)
    exact = [abs(float(taylor_tensors_at(rare, np.ones(1), q)[0, 0])) for q in range(1, 6)]
    assert all(a <= b * (1 + 1e-6) for a, b in zip(exact, beta[0, 1:], strict=False))


def test_normaliser_recursion_is_needed():
    """N_3 = 0 and a_3 = -Z_2 a_1: beta = nu (no normaliser) misses the whole third order."""
    # E vt z^3 = 0 with E vt z > 0: values 8, -1 against keys 1, 2 and their mirror images
    keys = np.array([1.0, 2.0, -1.0, -2.0]).reshape(1, 4, 1)
    case = to.Case(keys, np.array([8.0, -1.0, -8.0, 1.0]).reshape(1, 4, 1), np.zeros(4))
    nu, _, beta = so.coefficients(case.values, case.keys, case.bias, 4)
    third = abs(float(taylor_tensors_at(case, np.ones(1), 3)[0, 0]))
    assert nu[0, 3] < 1e-12 < 0.1 < third <= beta[0, 3] * (1 + 1e-9)


def test_masked_tokens_and_shifts_change_nothing():
    case = to.family("generic", 7, n=3, T=4, d=2, p=2)
    far = np.full((3, 1, 2), 50.0)
    masked = to.Case(
        np.concatenate([case.keys, far], 1), np.concatenate([case.values, far], 1), np.append(case.bias, -np.inf)
    )
    signs, shift = sign_classes(3), np.array([3.0, -7.0])
    for bound in (
        lambda c: so.taylor_bombieri(c.values, c.keys, c.bias, signs, 0.2, 2),
        lambda c: so.division_free(c.values, c.keys, c.bias, signs, 1.0, 0.5, 2, "schatten4"),
    ):
        assert bound(masked) == pytest.approx(bound(case), rel=1e-12)
        assert bound(case._replace(keys=case.keys + shift, bias=case.bias + 9)) == pytest.approx(bound(case), rel=1e-9)


def test_flat_norms_dominate_and_deflation_uses_the_key_dimension():
    rng = np.random.default_rng(3)
    u, w = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (rng.standard_normal((4000, 6)),
                                                                  rng.standard_normal((4000, 2))))  # fmt: skip
    tensor = np.einsum("v,pq->vpq", u[0], np.eye(2)) + 0.01 * rng.standard_normal((6, 2, 2))
    attained = np.einsum("vpq,kv,kp,kq->k", tensor, u, w, w).max()
    attained = max(attained, np.linalg.norm(np.einsum("vpq,kp,kq->kv", tensor, w, w), axis=1).max())
    assert attained <= so.flat_norm(tensor) <= 1.1 * attained
    assert so.deflated_norm(tensor.reshape(6, 4), 2) < so.operator_norm(tensor.reshape(6, 4))
    wrong = np.linalg.norm(tensor.reshape(6, 4) @ np.eye(2).ravel()) / math.sqrt(2 * 6)  # sqrt(d) of the values
    assert wrong + 0.1 < attained
    cubic = rng.standard_normal((2, 3, 3, 3))
    ball = to.ball_grid(3, 1.0)
    assert max(np.linalg.norm(read(cubic, x)) for x in ball[-500:]) <= so.flat_norm(cubic)


# ---------------------------------------------------------------- steps of U10


def increments(case, radius, theta, m, pairs=4000):
    """|dh|, |dx_hi|, |dx_lo|, |dz| of sample 0 at random pairs of (u, w), with rho and kappa of U10."""
    head, rng = so.centre(case.values, case.keys, case.bias), np.random.default_rng(4)
    rows = []
    for _ in range(2):
        w = ball_points(rng, pairs, head.z.shape[2], radius)
        u = ball_points(rng, pairs, head.vt.shape[2], 1.0)
        t, y = w @ head.z[0].T, u @ head.vt[0].T
        x, z = (np.exp(t) * y) @ head.pi[0], np.exp(t) @ head.pi[0]
        low = sum((t**q * y) @ head.pi[0] / math.factorial(q) for q in range(1, m + 1))
        rows.append((x / z - theta * low, x - low, low, z))
    changes = [np.abs(a - b) for a, b in zip(*rows, strict=True)]
    z_max = float(head.pi[0] @ np.exp(radius * np.linalg.norm(head.z[0], axis=1)))
    return changes, max(1 - theta, theta - 1 / z_max), so.KAPPA * so.value_diameters(head)[0]


@pytest.mark.parametrize("m", [1, 2])
def test_increment_inequality_and_its_twins(m):
    caught = {"no normaliser": 0, "rho = 1 - theta": 0, "kappa/4": 0}
    for name, theta, radius in itertools.product(to.FAMILIES, (0.0, 0.6, 1.0), (0.5, 2.0)):
        case = to.family(name, 3, n=2, T=4, d=1, p=1)
        (h, high, low, z), rho, kappa = increments(case, radius, theta, m)
        slack = 1e-12 + 1e-9 * h
        assert np.all(h <= high + rho * low + kappa * z + slack), name
        caught["no normaliser"] += bool(np.any(h > high + rho * low + slack))
        caught["kappa/4"] += bool(np.any(h > high + rho * low + kappa * z / 4 + slack))
        caught["rho = 1 - theta"] += bool(np.any(h > high + (1 - theta) * low + kappa * z + slack))
    assert all(caught.values()), caught


def test_schatten_value_dominates_the_gaussian_operator_norm():
    case = to.family("generic", 11, n=5, T=3, d=2, p=3)
    head, rng = so.centre(case.values, case.keys, case.bias), np.random.default_rng(5)
    for split in ((0, 1), (0, 2), (1, 1)):
        right = np.ones((5, 3, 1))
        for _ in range(split[0]):
            right = np.einsum("nta,ntp->ntap", right, head.z).reshape(5, 3, -1)
        psi = head.z if split[1] == 1 else np.einsum("ntp,ntq->ntpq", head.z, head.z).reshape(5, 3, -1)
        phi = np.einsum("ntd,nta->ntda", head.vt, right).reshape(5, 3, -1)
        m = np.einsum("nt,nta,ntb->nab", head.pi, phi, psi)
        first = np.sum(np.einsum("nab,nac->bc", m, m) ** 2)
        second = np.sum(np.einsum("nab,ncb->ac", m, m) ** 2)
        crossing = np.einsum("iab,kac,idc,kdb->", m, m, m, m, optimize=True)
        assert abs(crossing) <= min(first, second)
        value = so.schatten(head.vt, head.z, head.pi, split)
        assert value == pytest.approx((first + second + min(first, second)) ** 0.25, rel=1e-10)
        norms = [np.linalg.norm(np.tensordot(g, m, axes=1), 2) for g in rng.standard_normal((1500, 5))]
        assert np.mean(norms) < value
        assert np.mean(norms) > 0.5 * value  # twin: half of it falls


# ---------------------------------------------------------------- bounds against attained truths


def upper_bounds(case, signs, radius, weights=None, kappa=so.KAPPA):
    """Every certificate by name."""
    args = (case.values, case.keys, case.bias)
    found = {f"U9 {q}": so.taylor_bombieri(*args, signs, radius, q, weights) for q in (1, 2, 3)}
    for theta, m, norms in ((0.0, 1, "frobenius"), (0.5, 1, "schatten4"), (0.6, 2, "schatten4"), (1.0, 2, "frobenius")):
        found[f"U10 {theta} {m} {norms}"] = so.division_free(*args, signs, radius, theta, m, norms, weights, kappa)
    return found | {"U1": so.trivial(*args), "U2": so.width(*args, radius)}


@pytest.mark.parametrize("name", to.FAMILIES)
def test_no_bound_is_below_the_truth(name):
    for seed, (n, T, d, p), radius in zip(range(6), [(1, 2, 1, 1), (2, 3, 2, 2), (3, 4, 1, 3), (4, 3, 2, 2),
                                                     (5, 3, 2, 1), (1, 4, 3, 2)], [0.3, 0.1, 0.5, 1, 2, 4],
                                          strict=True):  # fmt: skip
        case = to.family(name, seed, n, T, d, p)
        truth = to.expected_truth(case, radius, 16)
        bounds = upper_bounds(case, sign_classes(n), radius)
        low = {key: value / truth for key, value in bounds.items() if not value >= truth * (1 - 1e-9)}
        assert not low, (name, seed, low)


def test_grid_truth_agrees_with_the_query_oracle():
    case = to.family("generic", 21, n=3, T=4, d=2, p=2)
    refined = 3 * np.asarray(oracle_supremum(case.keys, case.values, case.bias, sign_classes(3), 1.5))
    mine = to.attained(case, sign_classes(3), 1.5)
    assert np.all(mine <= refined * (1 + 1e-9))
    assert mine == pytest.approx(refined, rel=2e-3)
    both = to.attained(case, to.all_signs(3), 1.5)  # g(-eps) = g(eps): the classes lose nothing
    assert np.mean(both) == pytest.approx(np.mean(mine), rel=1e-6)


def test_small_radius_is_tight_and_quarter_remainder_is_caught():
    """A rare raised token, n = 1: a_1, a_2, a_3 have one sign, so U9 is nearly equal and a cut remainder falls."""
    ones = np.array([[[1.0], [0.0]]])
    case, radius = to.Case(ones, ones, np.log([0.2, 0.8])), 0.5
    args, signs = (case.values, case.keys, case.bias), sign_classes(1)
    truth, head = to.expected_truth(case, radius, 64), so.centre(*args)
    rest = so.remainders(head, radius)
    linear = so._linear(head, signs, radius, 1.0, None)
    assert truth <= linear + rest[1] < 1.02 * truth
    assert linear + rest[1] / 4 < truth * (1 - 1e-4)  # remainder / 4
    assert linear < truth * (1 - 1e-4)  # linear part only
    assert so.taylor_bombieri(*args, signs, 50.0, 1) == math.inf
    assert so.plain_upper(*args, signs, radius)[0] >= truth


def test_gaussian_factor_is_needed_once_the_widths_are_exact():
    """n = 1, theta = 0: E|g| |J| B = sqrt(2/pi) |J| B, so without sqrt(pi/2) the bound is below sup |J w|."""
    case, radius = to.Case(np.array([[[1.0], [-1.0]]]), np.array([[[1.0], [-1.0]]]), np.zeros(2)), 0.01
    args, signs = (case.values, case.keys, case.bias), sign_classes(1)
    draws, truth = [[math.sqrt(2 / math.pi)]], to.expected_truth(case, radius)
    assert so.division_free(*args, signs, radius, 0.0, 1, "draws", gaussians=draws) >= truth
    x, y = so.widths(so.centre(*args), radius, "draws", gaussians=draws)
    assert so.contraction(so.centre(*args), radius, 0.0, 1, x, y) < 0.99 * truth
    assert so.contraction(so.centre(*args), radius, 0.0, 1, *so.widths(so.centre(*args), radius, "frobenius")) >= truth


def test_switchboard_catches_a_missing_normaliser():
    """Equal numerators and private normalisers: without Y (kappa = 0) U10 is below the truth by a factor 2."""
    case, radius = to.switchboard(64, 60.0, 0.9), 1.0
    signs, probability = to.switchboard_classes(64)
    truth = to.switchboard_truth(case, radius)
    args = (case.values, case.keys, case.bias, signs, radius)
    for theta in (0.0, 0.5, 1.0):
        assert so.division_free(*args, theta, 1, "frobenius", probability) >= truth
        assert so.division_free(*args, theta, 1, "frobenius", probability, kappa=0.0) < 0.7 * truth
    small = to.switchboard(4, 4.0, 0.9)
    assert to.switchboard_truth(small, 1.0) <= so.trivial(small.values, small.keys, small.bias)


def test_uncentred_keys_break_the_series():
    """The recursion starts at Z_2: with keys that are not centred by pi the same formula is below the truth."""
    ones = np.array([[[1.0], [0.0]]])
    case, radius = to.Case(ones, ones, np.log([0.2, 0.8])), 0.5
    head = so.centre(case.values, case.keys, case.bias)
    truth, linear = to.expected_truth(case, radius, 64), so._linear(head, sign_classes(1), radius, 1.0, None)
    assert linear + so.remainders(head, radius)[1] >= truth
    moved = head._replace(z=head.z - 0.3)  # E vt z^2 vanishes here, Z_1 does not
    assert linear + so.remainders(moved, radius)[1] < 0.99 * truth


@pytest.mark.parametrize("dim", [8, 16, 64])
def test_embedded_heads_keep_truth_and_bounds(dim):
    case = to.family("generic", 31, n=3, T=4, d=2, p=3)
    lifted = to.embedded(case, dim, seed=1)
    frame = np.linalg.qr(np.random.default_rng(1).standard_normal((dim, 3)))[0]
    w = ball_points(np.random.default_rng(2), 50, dim, 1.0)
    assert to.outputs(lifted, w) == pytest.approx(to.outputs(case, w @ frame), rel=1e-10)
    signs, truth = sign_classes(3), to.expected_truth(case, 0.3, 16)
    for norms in ("frobenius", "schatten4"):
        args = (0.3, 0.5, 1, norms)
        lifted_bound = so.division_free(lifted.values, lifted.keys, lifted.bias, signs, *args)
        assert lifted_bound == pytest.approx(
            so.division_free(case.values, case.keys, case.bias, signs, *args), rel=1e-9
        )
        assert lifted_bound >= truth
    if dim < 64:
        assert so.plain_upper(lifted.values, lifted.keys, lifted.bias, signs, 0.3)[0] >= truth


@pytest.mark.parametrize(("r", "e"), [(1, 3), (3, 1), (1, 2)])
def test_bilinear_keys_are_kronecker_products(r, e):
    factors, keys, case = to.bilinear(1, n=4, e=e, r=r)
    w = np.random.default_rng(3).standard_normal((r, e))
    logits = np.einsum("nr,re,nte->nt", factors, w, keys)
    assert np.einsum("ntp,p->nt", case.keys, w.ravel()) == pytest.approx(logits, rel=1e-12)
    bounds = upper_bounds(case, sign_classes(4), 0.7)
    assert min(bounds.values()) >= to.expected_truth(case, 0.7, 16)


def test_plain_upper_is_the_least_of_its_parts():
    case, signs = to.family("generic", 41, n=4, T=4, d=2, p=2), sign_classes(4)
    args = (case.values, case.keys, case.bias, signs)
    for radius in (0.1, 1.0):
        parts = [so.taylor_bombieri(*args, radius, q) for q in (1, 2, 3)]
        parts += [so.division_free(*args, radius, t, m, "schatten4") for t in so.THETAS for m in (1, 2)]
        value, name = so.plain_upper(*args, radius)
        assert value == pytest.approx(min(parts), rel=1e-12)
        assert name.startswith("U9") == (radius < 0.5)

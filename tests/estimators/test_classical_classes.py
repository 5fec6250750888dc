"""estimators/classical_classes.py against definitions written out, SciPy, and closed forms."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog
from scipy.special import softmax

from estimators import classical_classes as classes
from estimators import classical_objectives as objectives

reals = st.floats(-4, 4).filter(lambda x: x == 0 or abs(x) > 1e-3)


def signs(n):
    return list(itertools.product((-1, 1), repeat=n))


def mean_supremum(rows):
    """R_hat of a finite class by the definition."""
    n = len(rows[0])
    return math.fsum(
        max(math.fsum(e * x for e, x in zip(eps, row, strict=True)) for row in rows) for eps in signs(n)
    ) / (n * 2**n)


def near(found, truth, width=1e-11):
    assert found.lower <= truth + 1e-15 * abs(truth)
    assert found.upper >= truth - 1e-15 * abs(truth)
    assert found.width <= width


def test_massart_finds_size_radius_and_complexity():
    vectors = [[3.0, 4.0], [1.0, 0.0], [0.0, -2.0]]
    found = classes.massart(vectors=vectors)
    near(found.estimate, mean_supremum(vectors))
    assert (found.parameters["set_size"], found.parameters["sample_size"]) == (3, 2)
    assert found.parameters["set_radius"] == pytest.approx((5.0, 5.0))


@given(st.lists(reals, min_size=4, max_size=4), st.lists(reals, min_size=3, max_size=3), reals)
@settings(max_examples=60, deadline=None)
def test_bent_integrates_its_slopes(slopes, knots, t):
    """phi(t) = the integral of the slope from 0, piece by piece."""
    kinks = sorted(knots)
    marks = sorted({0.0, t, *(k for k in kinks if min(0.0, t) < k < max(0.0, t))})
    truth = sum(
        (b - a) * slopes[sum(k <= (a + b) / 2 for k in kinks)] for a, b in itertools.pairwise(marks)
    ) * math.copysign(1, t)
    found = classes.bent(np.array([[t]]), np.array(kinks), np.array([slopes]))
    assert found.item() == pytest.approx(truth, abs=1e-12)


def test_scalar_contraction_of_the_absolute_value():
    vectors = [[1.0, -2.0], [-3.0, 0.5], [0.0, 1.0]]
    found = classes.scalar_contraction(vectors=vectors, knots=[0.0], slopes=[[-1.0, 1.0], [-1.0, 1.0]])
    near(found.estimate, mean_supremum([[abs(x) for x in row] for row in vectors]))
    assert found.parameters["lipschitz"] == 1
    assert found.parameters["inner_complexity"] == pytest.approx((mean_supremum(vectors),) * 2)
    with pytest.raises(ValueError, match="one row per sample"):
        classes.scalar_contraction(vectors=vectors, knots=[0.0], slopes=[[1.0, 1.0]])
    with pytest.raises(ValueError, match="complexity 0"):
        classes.scalar_contraction(vectors=[[1.0, 2.0]], knots=[0.0], slopes=[[1.0, 1.0]] * 2)


def test_vector_contraction_by_the_definition():
    rng = np.random.default_rng(0)
    s, c, v = rng.normal(size=(4, 2, 3)), rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    found = classes.vector_contraction(vectors=s.tolist(), centres=c.tolist(), values=v.tolist(), gain=-0.7)
    image = [[-0.7 * math.dist(one[i], c[i]) + softmax(one[i]) @ v[i] for i in range(2)] for one in s]
    near(found.estimate, mean_supremum(image))
    inner = 3 * mean_supremum(s.reshape(4, 6).tolist())
    assert found.parameters["inner_complexity"] == pytest.approx((inner, inner))
    with pytest.raises(ValueError, match="shape"):
        classes.vector_contraction(vectors=s.tolist(), centres=[[0.0]], values=v.tolist(), gain=1.0)


@given(arrays(np.float64, (2, 4), elements=reals), st.sampled_from([-1.0, 0.0, 0.6]))
@settings(max_examples=60, deadline=None)
def test_lipschitz_constant_holds_and_is_attained_by_softmax(points, gain):
    """No pair of points has a larger quotient; two equal logits with values +-1 attain sqrt2/4 times the range."""
    v = np.array([1.0, -1.0, 0.3, 0.0])
    found = classes.vector_contraction(
        vectors=points[:, None].tolist(), centres=[[0.0] * 4], values=[v.tolist()], gain=gain
    )
    image = [gain * np.linalg.norm(s) + softmax(s) @ v for s in points]
    assert abs(image[0] - image[1]) <= found.parameters["lipschitz"][1] * math.dist(*points) + 1e-12
    step = 1e-5
    change = (softmax([step, -step]) @ [1.0, -1.0]) / (step * math.sqrt(2))
    assert change == pytest.approx(2 * classes.GRADIENT, rel=1e-6)


def test_attention_with_shared_signs_by_the_definition():
    rng = np.random.default_rng(1)
    k, w = rng.normal(size=(3, 4, 2)), rng.normal(size=(5, 2))
    b, v = rng.normal(size=(2, 3, 4))
    case = {"keys": k.tolist(), "weights": w.tolist(), "bias": b.tolist(), "values": v.tolist()}
    found = classes.attention_with_shared_signs(**case)
    near(found.estimate, mean_supremum([[softmax(k[i] @ u + b[i]) @ v[i] for i in range(3)] for u in w]))
    shared = sum(max(np.linalg.norm(np.array(eps) @ (k @ u)) for u in w) for eps in signs(3)) / (3 * 8)
    assert found.parameters["inner_complexity"] == pytest.approx((shared, shared))
    with pytest.raises(ValueError, match="keys are"):
        classes.attention_with_shared_signs(**case | {"bias": [[0.0]]})


def test_offset_contraction_of_two_points():
    found = classes.offset_contraction(vectors=[[-1.0], [1.0]], slope=0.5)
    near(found.estimate, 0.25)
    assert found.parameters["lipschitz"] == 0.5
    assert found.parameters["inner_complexity"][0] == 0
    assert found.parameters["inner_complexity"][1] < 1e-13


L2 = ("sign_sum_norm", "feature_energy", "class_radius")


@given(arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 3)), elements=reals).filter(np.any))
@settings(max_examples=40, deadline=None)
def test_linear_classes_by_the_definition(x):
    sums = np.array(signs(len(x))) @ x
    found = classes.linear_l2(features=x.tolist(), radius=-2.0, words=L2)
    near(found.estimate, 2 * math.fsum(np.linalg.norm(sums, axis=1)) / len(sums) / len(x), 1e-10)
    assert found.parameters["feature_energy"] == pytest.approx((float((x**2).sum()),) * 2)
    top = 2 * math.sqrt(max(np.linalg.eigvalsh(x.T @ x).max(), 0) / len(x))
    assert found.parameters["class_radius"] == pytest.approx((top, top), rel=1e-7, abs=1e-9)
    lone = classes.linear_l1(features=x.tolist(), radius=2.0, words=("column_norm", "sign_sum_maximum"))
    near(lone.estimate, 2 * math.fsum(np.abs(sums).max(axis=1)) / len(sums) / len(x), 1e-10)
    assert lone.parameters["column_norm"] == pytest.approx((np.linalg.norm(x, axis=0).max(),) * 2)


def test_linear_l1_is_a_linear_program():
    """sup <w, S> over |w|_1 <= B, w = w+ - w-, solved for every sign vector."""
    x = np.random.default_rng(2).normal(size=(3, 4))
    sums = np.array(signs(3)) @ x
    suprema = [-linprog(np.concatenate([-s, s]), A_ub=np.ones((1, 8)), b_ub=[1.5]).fun for s in sums]
    found = classes.linear_l1(features=x.tolist(), radius=1.5, words=("dim",))
    assert found.estimate.lower == pytest.approx(np.mean(suprema) / 3, rel=1e-9)
    assert found.parameters == {"dim": 4}


def test_class_of_zero_is_refused():
    for measure in (classes.linear_l2, classes.linear_l1):
        for x, radius in (([[0.0]], 1.0), ([[1.0]], 0.0)):
            with pytest.raises(ValueError, match="class is"):
                measure(features=x, radius=radius, words=())


def test_both_complexities_of_a_segment():
    pair = [[-1.0], [1.0]]
    found = classes.rademacher_and_gaussian(vectors=pair, words=("gaussian_complexity",))
    near(found.estimate, 1.0)
    assert found.parameters["gaussian_complexity"] == pytest.approx((math.sqrt(2 / math.pi),) * 2)
    found = classes.rademacher_and_gaussian(vectors=pair, words=("rademacher_complexity", "sample_size"))
    near(found.estimate, math.sqrt(2 / math.pi))
    assert found.parameters["rademacher_complexity"] == pytest.approx((1, 1))
    with pytest.raises(ValueError, match="one point"):
        classes.rademacher_and_gaussian(vectors=[[1.0], [1.0]], words=())


def middle(ends):
    return float(np.mean(ends))


def share(found, *words):
    """Quantity over the product of these parameters."""
    return found.estimate.lower / math.prod(middle(found.parameters[word]) for word in words)


POINTS = np.random.default_rng(3).normal(size=(2, 16))


def test_objectives_of_linear_classes_are_the_measured_shares():
    points, features = POINTS[:, :6], POINTS[1, :6].reshape(3, 2).tolist()
    found = classes.linear_l2(features=features, radius=1.0, words=("feature_energy",))
    truth = 3 * found.estimate.lower / middle(found.parameters["feature_energy"]) ** 0.5
    for side in (1, -1):
        assert objectives.linear_share(points, samples=3, side=side)[1] == pytest.approx(side * truth)
    found = classes.linear_l1(features=features, radius=1.0, words=("column_norm",))
    truth = 3 * share(found, "column_norm") / math.sqrt(2 * math.log(4))
    assert objectives.corner_share(points, samples=3)[1] == pytest.approx(truth)


def test_objectives_of_finite_classes_are_the_measured_shares():
    points, vectors = POINTS[:, :6], POINTS[1, :6].reshape(3, 2).tolist()
    found = classes.rademacher_and_gaussian(vectors=vectors, words=("gaussian_complexity",))
    for side in (1, -1):
        truth = side * share(found, "gaussian_complexity")
        assert objectives.gaussian_share(points, side=side)[1] == pytest.approx(truth)
    truth = 2 * share(classes.massart(vectors=vectors), "set_radius") / math.sqrt(2 * math.log(3))
    assert objectives.massart_share(points, size=3)[1] == pytest.approx(truth)


def test_objectives_of_contractions_are_the_measured_shares():
    vectors, centres = (part[1].tolist() for part in objectives.vector_parts(POINTS[:, :12], 2, 2))
    found = classes.vector_contraction(vectors=vectors, centres=centres, values=[[0.0] * 2] * 2, gain=1.0)
    measured = objectives.vector_share(POINTS[:, :12], size=2, samples=2)[1]
    assert measured == pytest.approx(share(found, "inner_complexity"))
    vectors, slopes = (part[1].tolist() for part in objectives.contraction_parts(POINTS[:, :12], 3, 2, 2))
    found = classes.scalar_contraction(vectors=vectors, slopes=slopes, knots=[-0.5, 0.5])
    measured = objectives.contraction_share(POINTS[:, :12], size=3, samples=2, knots=np.array([-0.5, 0.5]))[1]
    assert measured == pytest.approx(share(found, "lipschitz", "inner_complexity"))
    keys, bias, values = (part[1].tolist() for part in objectives.attention_parts(POINTS, 2, 2, 2))
    found = classes.attention_with_shared_signs(keys=keys, bias=bias, values=values, weights=signs(2))
    measured = objectives.shared_sign_share(POINTS, samples=2, length=2, dim=2)[1]
    assert measured == pytest.approx(share(found, "lipschitz", "inner_complexity"))

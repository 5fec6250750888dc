"""Best approximation in the largest error by one plain linear programme."""

import numpy as np
from scipy.optimize import linprog


def best_sup(values, basis):
    """Linear programme: the least max |f - P c|."""
    count, size = basis.shape
    rows = np.block([[basis, -np.ones((count, 1))], [-basis, -np.ones((count, 1))]])
    solved = linprog(np.r_[np.zeros(size), 1], A_ub=rows, b_ub=np.r_[values, -values], bounds=(None, None))
    return solved.fun

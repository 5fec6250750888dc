"""Dyadic cells of [0, 1): where a position lies for the wavelet encodings."""

from typing import Any

from theory.encodings.base import orthonormal_properties, power_of_two_above
from theory.encodings.exact import rational


def grid_size(train_length: int) -> int:
    """M: the least power of two that is at least train_length; the finest cells have width 1/M."""
    return power_of_two_above(train_length)


def cell(t: Any, train_length: int) -> int:
    """Index of the finest cell that holds (t + 1/2)/N, t an exact rational: floor((2t + 1) M / (2N)); t
    itself if N = M."""
    t = rational(t)
    return ((2 * t.p + t.q) * grid_size(train_length)) // (2 * train_length * t.q)


def level_and_shift(k: int) -> tuple[int, int]:
    """(j, m) with k = 2^j + m, 0 <= m < 2^j, for a wavelet channel k >= 1."""
    level = k.bit_length() - 1
    return level, k - (1 << level)


def wavelet_properties(dim: int, train_length: int, constant: bool) -> frozenset[str]:
    """What `dim` channels of an orthonormal basis of the M cells imply, read at the cells of the positions."""
    size = grid_size(train_length)
    columns = size - (not constant)
    if size == train_length:
        return orthonormal_properties(columns, dim, train_length, centred=not constant)
    if dim < columns:
        return frozenset()
    # Positions lie in distinct cells: the rows are rows of the complete basis, or of it less the constant.
    return frozenset({"toeplitz", "shift-equivariant", "constant-norm", "injective"})

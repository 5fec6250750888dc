"""Hurwitz zeta in the interval arithmetic of mpmath, which lacks it (Arb has its own)."""

from typing import Any

import mpmath

from theory.undecided import Undecided

BITS_PER_TERM = 3.0  # terms summed, and as many Bernoulli terms as half of them, grow with the precision


def hurwitz_zeta(exponent: Any, shift: Any = 1) -> Any:
    """zeta(s, a) = sum_{k>=0} (k + a)^(-s) for intervals s > 1, a > 0 (Euler and Maclaurin).

    sum_{k<n} (k+a)^(-s) + x^(1-s)/(s-1) + x^(-s)/2 + sum_{j<=J} B_2j/(2j)! s (s+1) .. (s+2j-2) x^(-s-2j+1), x = n + a.
    Every even derivative of x^(-s) is positive, so the remainder lies between 0 and the term of j = J + 1.
    """
    iv: Any = mpmath.iv
    s, a = iv.convert(exponent), iv.convert(shift)
    if not (s.a > 1 and a.a > 0):
        raise Undecided("a Hurwitz zeta function outside s > 1, a > 0")
    terms = int(iv.prec / BITS_PER_TERM) + 2

    def power(x: Any, exponent: Any) -> Any:
        return iv.exp(exponent * iv.log(x))

    x = a + terms
    total = sum((power(a + k, -s) for k in range(terms)), iv.mpf(0))
    total += power(x, 1 - s) / (s - 1) + power(x, -s) / 2
    rising, factorial = s * power(x, -s - 1), 2
    for j in range(1, terms // 2 + 1):
        numerator, denominator = mpmath.bernfrac(2 * j)
        term = rising * int(numerator) / (int(denominator) * factorial)
        if j == terms // 2:
            zero = iv.mpf(0)
            return total + iv.mpf([min(zero.a, term.a), max(zero.b, term.b)])
        total += term
        rising *= (s + (2 * j - 1)) * (s + 2 * j) / x**2
        factorial *= (2 * j + 1) * (2 * j + 2)
    return total

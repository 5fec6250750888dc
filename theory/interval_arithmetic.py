"""Two interval arithmetics behind one face: Arb balls, and the interval context of mpmath.

Arb (python-flint, the optional extra `certify`; Johansson, IEEE Transactions on Computers 66, 2017) is used
where it is installed; mpmath has fewer functions. Every operation returns an interval that contains all
results for all arguments in the given intervals.
"""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import mpmath
import sympy as sp

from theory.hurwitz import hurwitz_zeta
from theory.undecided import Undecided

flint: Any
try:
    import flint
except ImportError:  # the extra `certify` is optional
    flint = None


class AbstractArithmetic(ABC):
    """Interval type of one library. `functions` maps SymPy classes to functions of intervals."""

    functions: Mapping[Any, Callable[..., Any]]
    constants: Mapping[Any, Callable[[], Any]]
    remedy = "write it with supported functions, or add one line to theory/certified.py"

    @abstractmethod
    def precision(self, digits: int) -> contextlib.AbstractContextManager[Any]:
        """Context in which the arithmetic carries `digits` decimal digits."""

    @abstractmethod
    def interval(self, lower: Any, upper: Any) -> Any:
        """The interval from one end (an int, or an end of another interval) to another."""

    @abstractmethod
    def ends(self, x: Any) -> tuple[Any, Any]:
        """Both ends as intervals of width zero; Undecided if one is not finite."""

    @abstractmethod
    def dyadic(self, end: Any) -> tuple[int, int]:
        """Mantissa and binary exponent of an end, exactly."""

    def signs(self, x: Any) -> tuple[int, int]:
        """Signs of both ends."""
        low, high = (self.dyadic(end)[0] for end in self.ends(x))
        return (low > 0) - (low < 0), (high > 0) - (high < 0)

    def extreme(self, several: list[Any], choose: Callable[..., Any]) -> Any:
        """Interval of `min` or `max`, which increase in every argument."""

        def exact(end: Any) -> Fraction:
            mantissa, exponent = self.dyadic(end)
            return Fraction(mantissa) * Fraction(2) ** exponent

        lows, highs = zip(*(self.ends(x) for x in several), strict=True)
        return self.interval(choose(lows, key=exact), choose(highs, key=exact))

    def power(self, base: Any, exponent: Any, nonnegative: bool) -> Any:
        """base^exponent = exp(exponent ln base); by monotonicity in the base where that may be zero."""
        low, high = self.signs(base)
        if low > 0:
            return self.functions[sp.exp](exponent * self.functions[sp.log](base))
        if (low < 0 and not nonnegative) or self.signs(exponent)[0] <= 0:
            raise Undecided("a root of a number that may be negative, or a negative power of one that may be zero")
        zero = self.interval(0, 0)
        if high <= 0:
            return zero
        return self.interval(zero, self.ends(self.power(self.ends(base)[1], exponent, True))[1])


class ArbBalls(AbstractArithmetic):
    def __init__(self) -> None:
        arb = flint.arb
        same = "exp log sin cos tan cot sinh cosh tanh coth asin acos atan asinh acosh atanh gamma erf erfc"
        self.functions = {getattr(sp, word): getattr(arb, word) for word in same.split()} | {
            sp.Abs: abs,
            sp.loggamma: arb.lgamma,
            sp.factorial: lambda x: (x + 1).gamma(),
            sp.LambertW: lambda x: x.lambertw(),
            sp.zeta: lambda s, a=1: s.zeta(arb(a)),
            sp.legendre: lambda n, x: x.legendre_p(n),
        }
        self.constants = {sp.pi: arb.pi, sp.E: arb.const_e, sp.EulerGamma: arb.const_euler}

    def precision(self, digits: int) -> contextlib.AbstractContextManager[Any]:
        return flint.ctx.workdps(digits)

    def interval(self, lower: Any, upper: Any) -> Any:
        low, high = flint.arb(lower), flint.arb(upper)
        return low if low == high else low.union(high)

    def ends(self, x: Any) -> tuple[Any, Any]:
        if not x.is_finite():
            raise Undecided("a number that may be infinite or not real")
        return x.lower(), x.upper()

    def dyadic(self, end: Any) -> tuple[int, int]:
        mantissa, exponent = end.man_exp()
        return int(mantissa), int(exponent)


class MpmathIntervals(AbstractArithmetic):
    remedy = "install the extra `certify` (python-flint), which has more functions"

    def __init__(self) -> None:
        iv: Any = mpmath.iv
        self.functions = {
            sp.exp: iv.exp,
            sp.log: iv.log,
            sp.sin: iv.sin,
            sp.cos: iv.cos,
            sp.tan: iv.tan,
            sp.gamma: iv.gamma,
            sp.loggamma: iv.loggamma,
            sp.Abs: abs,
            sp.sinh: lambda x: (iv.exp(x) - iv.exp(-x)) / 2,
            sp.cosh: lambda x: (iv.exp(x) + iv.exp(-x)) / 2,
            sp.tanh: lambda x: 1 - 2 / (iv.exp(2 * x) + 1),
            sp.factorial: lambda x: iv.gamma(x + 1),
            sp.zeta: hurwitz_zeta,
        }
        self.constants = {sp.pi: lambda: +iv.pi, sp.E: lambda: iv.exp(1)}

    @contextlib.contextmanager
    def precision(self, digits: int) -> Iterator[None]:
        before = mpmath.iv.prec
        mpmath.iv.dps = digits
        try:
            yield
        finally:
            mpmath.iv.prec = before

    def interval(self, lower: Any, upper: Any) -> Any:
        iv: Any = mpmath.iv
        return iv.mpf([iv.mpf(lower).a, iv.mpf(upper).b])

    def ends(self, x: Any) -> tuple[Any, Any]:
        if any(mantissa == 0 and exponent != 0 for _, mantissa, exponent, _ in x._mpi_):  # infinity or NaN
            raise Undecided("a number that may be infinite or not real")
        return x.a, x.b

    def dyadic(self, end: Any) -> tuple[int, int]:
        sign, mantissa, exponent, _ = end._mpi_[0]
        return (-1) ** sign * int(mantissa), int(exponent)


ARITHMETICS: dict[str, Callable[[], AbstractArithmetic]] = {"arb": ArbBalls, "mpmath": MpmathIntervals}


def default_arithmetic() -> str:
    """Name of the best arithmetic that is installed."""
    return "mpmath" if flint is None else "arb"

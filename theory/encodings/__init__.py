"""Every positional encoding, once: closed forms in SymPy and the one dict of their names."""

from collections.abc import Callable

from theory.encodings.alibi import Alibi
from theory.encodings.base import Encoding
from theory.encodings.chebyshev import Chebyshev
from theory.encodings.cosine import Cosine
from theory.encodings.daubechies import Daubechies
from theory.encodings.fire import Fire
from theory.encodings.haar import Haar
from theory.encodings.information_optimal import InformationOptimal
from theory.encodings.kerple import KerpleLog, KerplePower
from theory.encodings.learned import Learned
from theory.encodings.legendre import Legendre
from theory.encodings.none import NoEncoding
from theory.encodings.random import Gaussian, RandomOrthogonal
from theory.encodings.relative import Relative
from theory.encodings.ricker import Ricker
from theory.encodings.rotary import Rotary
from theory.encodings.sandwich import Sandwich
from theory.encodings.sinusoidal import Sinusoidal
from theory.encodings.specification import build, specification
from theory.encodings.t5 import T5

__all__ = ["ENCODINGS", "Encoding", "parse", "specification"]

ENCODINGS: dict[str, Callable[..., Encoding]] = {
    "none": NoEncoding,
    "sinusoidal": Sinusoidal,
    "learned": Learned,
    "relative": Relative,
    "rotary": Rotary,
    "alibi": Alibi,
    "t5": T5,
    "kerple-log": KerpleLog,
    "kerple-power": KerplePower,
    "sandwich": Sandwich,
    "fire": Fire,
    "haar": Haar,
    "daubechies": Daubechies,
    "ricker": Ricker,
    "legendre": Legendre,
    "chebyshev": Chebyshev,
    "cosine": Cosine,
    "random-orthogonal": RandomOrthogonal,
    "gaussian": Gaussian,
    "information-optimal": InformationOptimal,
}


def parse(specification: str, *, dim: int, train_length: int, heads: int = 8) -> Encoding:
    """The encoding `NAME[:key=value,...]`, e.g. `alibi:slope=0.5`; keys are the fields of the encoding's
    class.

    `dim`, `train_length` and, for biases, `heads` apply unless given as keys. Decimals and fractions are
    exact. Unknown names or keys and unreadable values raise a ValueError that says what to use instead.
    """
    return build(ENCODINGS, specification, dim=dim, train_length=train_length, heads=heads)

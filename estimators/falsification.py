"""Search for the case that brings a statement nearest to a violation: (1 + 8) random search with restarts."""

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from estimators.check_text import margin, nearness
from estimators.claim import Case, Check, Claim
from estimators.perturbation import free_numbers, moved, with_numbers

CANDIDATES = 8  # per step of a climb
FIRST_STEP, LARGEST_STEP, LAST_STEP = 0.3, 3.0, 1e-7
GROWTH, SHRINKAGE = 1.6, 0.6
HARDEST = 6  # starts that climbs come back to


@dataclass
class Search:
    """The state of a search: what is left of its budget, and the hardest case so far."""

    measure: Callable[[Case], Check]
    evaluations_allowed: float
    deadline: float
    advance: Callable[..., None] = lambda steps=1, description=None: None
    best: Check | None = None
    evaluations: int = 0
    rejected: int = 0
    first_rejection: str = ""
    climbs: int = 0
    interrupted: bool = False

    @property
    def spent(self) -> bool:
        return self.evaluations >= self.evaluations_allowed or time.monotonic() >= self.deadline

    def __call__(self, case: Case) -> Check | None:
        """The check of one case; None if the case is not admissible."""
        self.evaluations += 1
        try:
            found = self.measure(case)
        except (ValueError, ArithmeticError) as error:
            self.rejected += 1
            self.first_rejection = self.first_rejection or str(error)
            self.advance()
            return None
        if self.best is None or hardness(found) < hardness(self.best):
            self.best = found
        self.advance(1, description=nearness(self.best))
        return found


def hardness(one: Check) -> tuple[bool, float]:
    """Smaller is harder for the statement: violated first, then by `estimators.ledger.margin`."""
    return one.verdict != "violated", margin(one)


def explore(search: Search, claim: Claim, name: str, seed: int) -> None:
    """Climbs from the hardest own cases of the claim and from fresh ones by turns, until the budget is spent.

    A claim without free entries is tried on fresh cases only. Depends on the seed and the number of evaluations alone.
    Ctrl-C ends it.
    """
    rng = np.random.default_rng([seed, 1, *name.encode()])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            own = [found for case in claim.cases(rng, False) if not search.spent and (found := search(case))]
            hardest = sorted(own, key=hardness)[:HARDEST]
            fresh = _fresh(claim, rng)
            while not search.spent:
                if not claim.free:
                    search(next(fresh))
                    continue
                turn = search.climbs % (HARDEST + 1)
                start = hardest[turn] if turn < len(hardest) else search(next(fresh))
                if start is not None:
                    hardest = sorted([*hardest, climb(search, claim, start, rng)], key=hardness)[:HARDEST]
                search.climbs += 1
    except KeyboardInterrupt:
        search.interrupted = True


def _fresh(claim: Claim, rng: np.random.Generator) -> Iterator[Case]:
    while True:
        yield from claim.cases(rng, False)


def climb(search: Search, claim: Claim, start: Check, rng: np.random.Generator) -> Check:
    """(1 + 8) random search: a better candidate replaces the case and the step grows, else it shrinks."""
    now, step = start, FIRST_STEP
    while step > LAST_STEP and not search.spent:
        numbers = free_numbers(now.case, claim.free)
        better = now
        for _ in range(CANDIDATES):
            if search.spent:
                break
            found = search(with_numbers(now.case, claim.free, moved(rng, numbers, step)))
            if found is not None and hardness(found) <= hardness(better):
                better = found
        step = min(step * GROWTH, LARGEST_STEP) if hardness(better) < hardness(now) else step * SHRINKAGE
        now = better
    return now

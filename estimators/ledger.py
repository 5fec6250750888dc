"""The ledger: every claim on its cases, what each came to, and what that means for the exit status."""

import difflib
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from estimators.check_text import margin, settled
from estimators.claim import Check, Claim, checks, form, overall
from estimators.command_line import progress
from theory.bound import Proof

ATTAINED = 1e-6  # a tight bound must be met this closely, relative
_SEVERITY = {"violated": 0, "undecided": 1, "holds": 2}


@dataclass(frozen=True)
class Outcome:
    """What one claim, or its falsified twin (factor != 1), came to. form: tight / upper / lower, or wrong for a
    statement kept because it is. error: one line, if a measurement raised."""

    claim: str
    true: bool
    tight: bool
    form: str
    checks: tuple[Check, ...]
    seconds: float
    error: str = ""
    factor: str = "1"

    @property
    def verdict(self) -> str:
        """holds / violated / undecided over all cases (`settled`); error if one raised and none was violated."""
        found = overall(map(settled, self.checks)) if self.checks else "error"
        return "error" if self.error and found != "violated" else found

    @property
    def standing(self) -> str:
        """The verdict for a true statement; refuted / not refuted / error for one that is kept because it is wrong."""
        if self.true or self.verdict == "error":
            return self.verdict
        return "refuted" if self.verdict == "violated" else "not refuted"

    @property
    def worst(self) -> Check | None:
        """The case that comes nearest to a violation, a violated one first."""
        return min(self.checks, key=lambda one: (_SEVERITY[settled(one)], margin(one)), default=None)

    @property
    def encodings(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(check.encoding for check in self.checks if check.encoding))

    @property
    def attained(self) -> bool:
        """Whether some case comes within 1e-6 of the bound."""
        return any(margin(check) <= 1 + ATTAINED for check in self.checks)

    @property
    def broken(self) -> bool:
        """A statement marked proved (derived here, or cited from a source that was looked up) came out violated."""
        recalled = any(check.proof == Proof.RECALLED.value for check in self.checks)
        return self.true and self.verdict == "violated" and not recalled

    def _repr_html_(self) -> str:
        from estimators.ledger_rows import html_ledger  # which imports this module

        return html_ledger((self,))


@dataclass(frozen=True)
class Ledger:
    """All outcomes in the order of the claims. `missing`: claims that an interruption left unchecked."""

    outcomes: tuple[Outcome, ...]
    missing: tuple[str, ...]
    seconds: float

    @property
    def interrupted(self) -> bool:
        return bool(self.missing)

    def _repr_html_(self) -> str:
        from estimators.ledger_rows import html_ledger  # which imports this module

        return html_ledger(self.outcomes)


def named(claims: Mapping[str, Claim], names: Iterable[str]) -> dict[str, Claim]:
    """The claims of these names, in the order of the ledger; ValueError with the nearest name for an unknown one."""
    wanted = list(names)
    for name in wanted:
        if name not in claims:
            near = difflib.get_close_matches(name, claims, 1)
            raise ValueError(f"no claim {name!r}: {f'did you mean {near[0]}?' if near else '--list shows all names'}")
    return {name: claim for name, claim in claims.items() if name in wanted}


def check_claim(
    name: str, claim: Claim, *, seed: int = 0, thorough: bool = False, factor: object = 1, until_violated: bool = False
) -> Outcome:
    """All cases of one claim, or those up to the first violated one. An exception ends it and becomes its `error`."""
    started, found, error, said = time.perf_counter(), [], "", "wrong"
    try:
        if claim.true:
            said = form(claim)
        for check in checks(name, claim, seed=seed, thorough=thorough, factor=factor):
            found.append(check)
            if until_violated and check.verdict == "violated":
                break
        if not found:
            raise ValueError("no case was checked: a claim needs at least one")
    except Exception as wrong:  # whatever one claim meets must not lose the others; it is shown, and the status is 3
        if sys.flags.dev_mode:
            raise
        error = " ".join(f"{type(wrong).__name__}: {wrong}".split())
    return Outcome(
        claim=name,
        true=claim.true,
        tight=claim.tight,
        form=said,
        checks=tuple(found),
        seconds=time.perf_counter() - started,
        error=error,
        factor=str(factor),
    )


def check_twin(name: str, claim: Claim, *, seed: int = 0, thorough: bool = False) -> Outcome:
    """The falsified twin of a true statement, or a wrong statement itself, up to its first violated case."""
    factor = claim.twin if claim.true else 1
    return check_claim(name, claim, seed=seed, thorough=thorough, factor=factor, until_violated=True)


def check_all(claims: Mapping[str, Claim], *, seed: int = 0, thorough: bool = False, twins: bool = False) -> Ledger:
    """Every claim, or every twin. Ctrl-C ends it with the claims that are finished; one that raises ends only
    itself."""
    started, outcomes = time.perf_counter(), []
    one_check = check_twin if twins else check_claim
    with progress("claims", len(claims)) as advance:
        try:
            for name, claim in claims.items():
                advance(0, description=name)
                outcomes.append(one_check(name, claim, seed=seed, thorough=thorough))
                advance()
        except KeyboardInterrupt:
            pass
    return Ledger(tuple(outcomes), tuple(claims)[len(outcomes) :], time.perf_counter() - started)


def exit_status(ledger: Ledger, twins: bool = False) -> int:
    """1 if a proved statement is violated, or with `twins` a twin that was measured is not; else 130 if interrupted,
    else 3 if a measurement raised, else 0."""
    if twins:
        failed = any(one.verdict not in ("violated", "error") for one in ledger.outcomes)
    else:
        failed = any(one.broken for one in ledger.outcomes)
    raised = any(one.error for one in ledger.outcomes)
    return 1 if failed else 130 if ledger.interrupted else 3 if raised else 0

"""The source paper's claims K1-K5 and its digest's D1-D4 (arXiv 2506.06398v1, paraphrased), and what decides each.

Its theorem texts, formulas and tables were not available, so no formula is attributed to it: a verdict rests on
statements of this project about the same subject, named in `checks`.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

SUPPORTED, REFUTED = "supported", "refuted"
CORRECTED, OPEN = "supported with a correction", "not decidable here"
STANDS = ("holds", "refuted")  # standing of a true statement, and of one that is kept because it is wrong

Decide = Callable[[Mapping[str, str]], str]


@dataclass(frozen=True)
class Source:
    """`decide` maps {check: its standing in the ledger} to one of the four verdicts; `because`: a sentence for each
    verdict that it can give."""

    id: str
    statement: str
    checks: tuple[str, ...]
    decide: Decide
    because: Mapping[str, str]


@dataclass(frozen=True)
class SourceVerdict:
    id: str
    statement: str
    verdict: str
    checks: tuple[str, ...]
    because: str


def if_all_stand(then: str, otherwise: str = OPEN) -> Decide:
    """`then` if every check stands (holds, or is refuted as it must be), `otherwise` if a true one is violated, else
    not decidable."""

    def decide(standings: Mapping[str, str]) -> str:
        if all(standing in STANDS for standing in standings.values()):
            return then
        return otherwise if "violated" in standings.values() else OPEN

    return decide


def undecided(standings: Mapping[str, str]) -> str:
    """Not decidable by the checks of this ledger, whatever they say."""
    return OPEN


def judge_source(source: Source, standings: Mapping[str, str]) -> SourceVerdict:
    """The verdict on one claim of the source; not decidable, and why, if a check is missing or does not stand."""
    known = {name: standings[name] for name in source.checks if name in standings}
    missing = [name for name in source.checks if name not in known]
    verdict = OPEN if missing else source.decide(known)
    if missing:
        because = f"Not checked in this run: {', '.join(missing)}."
    elif verdict == OPEN and (open_ := [name for name, standing in known.items() if standing not in STANDS]):
        because = "A check that it rests on does not stand: " + ", ".join(f"{name} ({known[name]})" for name in open_)
        because += "."
    else:
        because = source.because[verdict]
    return SourceVerdict(source.id, source.statement, verdict, source.checks, because)


def judge_sources(
    sources: Iterable[Source], standings: Mapping[str, str], only: Iterable[str] | None = None
) -> list[SourceVerdict]:
    """All sources; with `only`, those that rest on one of these checks."""
    wanted = None if only is None else set(only)
    return [judge_source(one, standings) for one in sources if wanted is None or wanted & set(one.checks)]


def check_sources(sources: Iterable[Source], claims: Iterable[str]) -> None:
    """ValueError unless ids are unique and every check is the name of a claim."""
    known, seen = list(claims), set()
    for source in sources:
        if source.id in seen:
            raise ValueError(f"source {source.id} is there twice: join them")
        seen.add(source.id)
        for name in source.checks:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]}?" if near else "add the claim, or take the name out"
                raise ValueError(f"{source.id} rests on {name!r}, which is no claim: {hint}")


SOURCES: tuple[Source, ...] = ()

"""What trained networks say about the source's claims: findings with a verdict, from the evidence file.

All intervals are Student's t over seeds, paired where two encodings are compared, simultaneous within a finding, at
95 % in all. They assume normal seed means: a finding is evidence, not a proof, and its sentence carries the numbers.
"""

import functools
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from estimators.seed_statistics import Difference, paired_differences
from estimators.tasks import TASKS
from estimators.trained_evidence import Evidence, packaged

KEPT, LEARNED, FLOOR = 0.05, 0.99, 0.01
STEP_FLOOR = 25 / math.sqrt(12)  # steps are rounded up to the checks, 25 apart
EQUAL_STEPS = 50.0
ORTHOGONAL = ("legendre:form=orthonormal", "haar", "daubechies", "cosine")
CONTROL = "random-orthogonal:beyond=clip"
LOOK_UPS = ("permutation", "reversal")
MODES = ("sliding", "non-overlapping")


@dataclass(frozen=True)
class Finding:
    """name, what was asked of the networks, holds / violated / undecided, and the numbers in a sentence."""

    name: str
    asked: str
    verdict: str
    because: str


Table = dict[tuple[str, str, str, int], Evidence]


def table(rows: Iterable[Evidence]) -> Table:
    """(task, measure, encoding, length) -> the row over all positions."""
    return {(one.task, one.measure, one.encoding, one.length): one for one in rows if one.position_range == "all"}


def findings(rows: Sequence[Evidence] | None = None) -> list[Finding]:
    """All findings that the rows (those of the package by default) have something to say about."""
    known = table(packaged() if rows is None else rows)
    every = (_local_kept, _global_ceiling, _faster, _no_family, _no_gain_beyond, _text_alibi, _text_orthogonal)
    return [found for make in every if (found := make(known)) is not None]


@functools.cache
def packaged_findings() -> tuple[Finding, ...]:
    """Those of the package's evidence."""
    return tuple(findings())


def _lengths(known: Table, task: str, encoding: str, measure: str = "score") -> tuple[Evidence, Evidence] | None:
    """The rows at the training length and at the longest test length."""
    mine = sorted((row for key, row in known.items() if key[:3] == (task, measure, encoding)), key=lambda r: r.length)
    start = [row for row in mine if row.length == row.train_length]
    return (start[0], mine[-1]) if start and mine[-1].length > start[0].length else None


def _verdict(found: Sequence[Difference], least: float = -math.inf, most: float = math.inf) -> str:
    """Whether every difference lies in [least, most]."""
    if any(one.estimate.lower > most or one.estimate.upper < least for one in found):
        return "violated"
    inside = all(one.estimate.lower >= least and one.estimate.upper <= most for one in found)
    return "holds" if inside else "undecided"


def _mean(row: Evidence) -> float:
    return statistics.fmean(row.values)


def _local_kept(known: Table) -> Finding | None:
    pairs, said = [], []
    for task in TASKS:
        if TASKS[task].reach is None:
            continue
        for encoding in ("alibi", "alibi:slope=1"):
            ends = _lengths(known, task, encoding)
            if ends is not None and _mean(ends[0]) >= LEARNED:
                pairs.append((ends[0].values, ends[1].values))
                said.append(f"{encoding} on {task} {_mean(ends[0]):.3f} to {_mean(ends[1]):.3f}")
    if not pairs:
        return None
    verdict = _verdict(paired_differences(pairs, floor=FLOOR), most=KEPT)
    asked = "a local task that ALiBi learned is kept within .05 at the longest test length"
    return Finding("trained-local-kept", asked, verdict, "; ".join(said))


def _global_ceiling(known: Table) -> Finding | None:
    pairs, said = [], []
    for encoding in ("alibi", "alibi:slope=1"):
        ends = _lengths(known, "reversal", encoding)
        if ends is None or ends[1].horizon is None or ends[1].horizon >= ends[1].length:
            continue
        ceiling = TASKS["reversal"].ceiling(ends[1].length, math.ceil(ends[1].horizon))
        if ceiling is not None:
            pairs.append((ends[1].values, [ceiling] * len(ends[1].values)))
            window = f"in a window of {ends[1].horizon:.0f} of {ends[1].length}"
            said.append(f"{encoding} {_mean(ends[1]):.3f} of at most {ceiling:.3f} {window}")
    if not pairs:
        return None
    verdict = _verdict(paired_differences(pairs, floor=FLOOR), most=0.0)
    asked = "reversal at the longest length stays below the ceiling of the window predicted from bias and logits"
    return Finding("trained-global-ceiling", asked, verdict, "; ".join(said))


def _steps(row: Evidence) -> list[float]:
    """Steps to the threshold; seeds that did not reach it count with all steps, which can only understate them."""
    return [float(row.steps if step is None else step) for step in row.steps_to_threshold]


def _faster(known: Table) -> Finding | None:
    pairs, said = [], []
    for task in LOOK_UPS:
        mine = {code: _lengths(known, task, code) for code in (*ORTHOGONAL, CONTROL, "sinusoidal")}
        slow = mine.pop("sinusoidal")
        if slow is None:
            continue
        if task == LOOK_UPS[0]:
            pairs += [(_steps(ends[0]), _steps(slow[0])) for ends in mine.values() if ends is not None]
        fast = [statistics.fmean(_steps(ends[0])) for ends in mine.values() if ends is not None]
        if fast:
            reached = sum(step is not None for step in slow[0].steps_to_threshold)
            late = f"{statistics.fmean(_steps(slow[0])):.0f} ({reached} of {len(slow[0].values)} seeds)"
            said.append(f"{task}: orthogonal codes after {min(fast):.0f} to {max(fast):.0f} steps, sinusoidal {late}")
    if not pairs:
        return None
    verdict = _verdict(paired_differences(pairs, floor=STEP_FLOOR), most=0.0)
    asked = "orthogonal codes, the random one too, learn a fixed permutation in fewer steps than sinusoidal codes"
    return Finding("trained-orthogonal-faster", asked, verdict, "; ".join(said))


def _no_family(known: Table) -> Finding | None:
    pairs, said = [], []
    for task in LOOK_UPS:
        control = _lengths(known, task, CONTROL)
        if control is None:
            continue
        for code in ORTHOGONAL:
            ends = _lengths(known, task, code)
            if ends is not None:
                pairs.append((_steps(ends[0]), _steps(control[0])))
        said.append(f"{task}: random orthogonal code after {statistics.fmean(_steps(control[0])):.0f} steps")
    if not pairs:
        return None
    found = paired_differences(pairs, floor=STEP_FLOOR)
    widest = max(abs(end) for one in found for end in (one.estimate.lower, one.estimate.upper))
    asked = "Legendre (orthonormal), Haar, Daubechies and cosine codes learn look-ups within 50 steps of the random one"
    because = "; ".join(said) + f"; the others differ by at most {widest:.0f} steps"
    return Finding("trained-no-family", asked, _verdict(found, -EQUAL_STEPS, EQUAL_STEPS), because)


def _no_gain_beyond(known: Table) -> Finding | None:
    """Some orthogonal code gains at least .05 over sinusoidal at the longest length on most tasks?"""
    pairs, names = [], []
    for task in dict.fromkeys(key[0] for key in known if key[0] in TASKS):
        base = _lengths(known, task, "sinusoidal")
        for code in ("legendre", *ORTHOGONAL):
            ends = _lengths(known, task, code)
            if ends is not None and base is not None:
                pairs.append((ends[1].values, base[1].values))
                names.append(f"{code} on {task}")
    if not pairs:
        return None
    found = paired_differences(pairs, floor=FLOOR)
    better = [name for name, one in zip(names, found, strict=True) if one.estimate.lower > 0]
    worse = [name for name, one in zip(names, found, strict=True) if one.estimate.upper < 0]
    kept = [name for name, one in zip(names, found, strict=True) if one.estimate.lower > KEPT]
    verdict = "holds" if len(kept) == len(pairs) else "violated" if worse or len(kept) < len(pairs) / 2 else "undecided"
    because = f"{len(better)} of {len(pairs)} comparisons better, {len(worse)} worse, the others undecided"
    because += f"; better: {', '.join(better[:4])}" if better else ""
    because += f"; worse: {', '.join(worse[:4])}" if worse else ""
    asked = "beyond the training length orthogonal codes score at least .05 above sinusoidal on every task"
    return Finding("trained-orthogonal-beyond", asked, verdict, because)


def _text_gap(known: Table, first: str, second: str) -> tuple[list[Difference], str] | None:
    pairs, said = [], []
    for mode in MODES:
        a, b = _lengths(known, "text", first, mode), _lengths(known, "text", second, mode)
        if a is not None and b is not None:
            pairs.append((a[1].values, b[1].values))
            said.append(f"{mode}, {a[1].length} bytes: {_mean(a[1]):.3f} against {_mean(b[1]):.3f} bits per byte")
    return (paired_differences(pairs, floor=1e-3), "; ".join(said)) if pairs else None


def _text_alibi(known: Table) -> Finding | None:
    gap = _text_gap(known, "alibi", "sinusoidal")
    if gap is None:
        return None
    asked = "on real text beyond the training length ALiBi needs fewer bits per byte than sinusoidal codes"
    return Finding("trained-text-alibi", asked, _verdict(gap[0], most=0.0), gap[1])


def _text_orthogonal(known: Table) -> Finding | None:
    found, said = [], []
    for code in ("legendre", "haar"):
        gap = _text_gap(known, code, "sinusoidal")
        if gap is not None:
            found += gap[0]
            said.append(f"{code}: {gap[1]}")
    if not found:
        return None
    asked = "on real text beyond the training length Legendre and Haar codes need fewer bits than sinusoidal codes"
    return Finding("trained-text-orthogonal", asked, _verdict(found, most=0.0), "; ".join(said))

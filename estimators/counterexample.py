"""A violated case as a small JSON file, and its replay: the same case measured again, here and now."""

import hashlib
import inspect
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from estimators.claim import Check, Claim, check
from estimators.ledger import Outcome, named
from estimators.results import versions, write_json

FORMAT, FORMAT_VERSION = "positional-encoding-bounds counterexample", 1
SAME = 1e-9  # relative: how closely the numbers of a replay must agree to be called the same
_FIELDS = {"claim": str, "factor": str, "case": dict, "found": dict, "versions": dict, "digest": str}
_NUMBERS = ("bound", "lower", "upper", "slack")


@dataclass(frozen=True)
class Replay:
    """`found`: relation, bound, lower, upper, slack and verdict as they were saved; `check`: the same, computed now."""

    claim: str
    factor: str
    true: bool
    found: dict[str, Any]
    check: Check
    made_with: dict[str, str]

    @property
    def reproduced(self) -> bool:
        return self.check.verdict == "violated"

    @property
    def same_numbers(self) -> bool:
        return all(_close(self.found.get(word), getattr(self.check, word)) for word in _NUMBERS)

    @property
    def status(self) -> int:
        """0 if the violation is found again, 1 if that breaks a true statement, 3 if it is not found again."""
        return (1 if self.true and self.factor == "1" else 0) if self.reproduced else 3


def document(one: Check, factor: str = "1") -> dict[str, Any]:
    """What a file holds. ValueError if the case is more than finite numbers, texts, lists and objects of them."""
    try:
        case = json.loads(json.dumps(one.case, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"a case of {one.claim} cannot be saved ({error}): make it of finite numbers, texts and lists"
        ) from None
    found = {word: _finite(getattr(one, word)) for word in (*_NUMBERS, "confidence")}
    found |= {"relation": one.relation, "verdict": one.verdict, "method": one.method, "encoding": one.encoding}
    made = {"format": FORMAT, "format_version": FORMAT_VERSION, "claim": one.claim, "factor": factor}
    made |= {"case": case, "found": found, "versions": versions()}
    return made | {"digest": _digest(made)}


def save(folder: Path, one: Check, factor: str = "1") -> Path:
    """Writes one file into `folder` and returns its path; the same case has the same name."""
    made = document(one, factor)
    key = _digest({"case": made["case"], "factor": factor})[:10]
    path = folder / f"{one.claim}{'' if factor == '1' else '-twin'}-{key}.json"
    write_json(path, made)
    return path


def save_all(folder: Path, outcomes: Iterable[Outcome]) -> tuple[list[Path], list[str]]:
    """Every violated case of a ledger; paths, and one line for each case that could not be saved."""
    paths, failed = [], []
    for outcome in outcomes:
        for one in outcome.checks:
            if one.verdict == "violated":
                try:
                    paths.append(save(folder, one, outcome.factor))
                except ValueError as error:
                    failed.append(str(error))
    return paths, list(dict.fromkeys(failed))


def replay(path: Path, claims: Mapping[str, Claim]) -> Replay:
    """The case of a file, measured again. ValueError of one line for a file that is not one, was changed, or is for
    another version or claim."""
    saved = load(path)
    name, case = saved["claim"], saved["case"]
    claim = named(claims, [name])[name]
    signature = inspect.signature(claim.measure)
    try:
        signature.bind(**case)
    except TypeError as error:
        raise ValueError(f"{path}: the case does not fit {name} ({error}): {_written(saved)}, check it out") from None
    try:
        found = check(name, claim, case, Fraction(saved["factor"]))
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise ValueError(f"{path}: its case cannot be measured ({error}): {_written(saved)}") from error
    return Replay(name, saved["factor"], claim.true, saved["found"], found, saved["versions"])


def load(path: Path) -> dict[str, Any]:
    """A file that `save` wrote, with its digest checked."""
    advice = "give a file written with --counterexamples"
    try:
        saved = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text: {advice}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON ({error}): {advice}") from None
    if not isinstance(saved, dict) or saved.get("format") != FORMAT:
        raise ValueError(f"{path} is not a counterexample: {advice}")
    version = saved.get("format_version")
    if version != FORMAT_VERSION or isinstance(version, bool):
        raise ValueError(
            f"{path} has format version {version!r}, this program reads {FORMAT_VERSION}: {_written(saved)}, replay it "
            "with that version or save it again"
        )
    for word, kind in _FIELDS.items():
        if not isinstance(saved.get(word), kind):
            raise ValueError(f"{path} has no {word!r} that is {kind.__name__}: {advice}")
    if saved["digest"] != _digest({key: value for key, value in saved.items() if key != "digest"}):
        raise ValueError(f"{path} was changed after it was saved: restore it, or save the case again")
    try:
        Fraction(saved["factor"])
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{path}: factor {saved['factor']!r} is no fraction: {advice}") from None
    return saved


def _written(saved: dict[str, Any]) -> str:
    made = saved.get("versions")
    version = made.get("positional-encoding-bounds") if isinstance(made, dict) else None
    return f"it was written by version {version or 'unknown'}"


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no JSON number")


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None


def _close(saved: Any, now: float) -> bool:
    if saved is None or not abs(now) < float("inf"):
        return saved is None and not abs(now) < float("inf")
    return isinstance(saved, int | float) and abs(saved - now) <= SAME * max(abs(saved), abs(now))


def _digest(document: dict[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()

"""The JSON document of `python -m estimators.rademacher`: numbers unrounded, an infinite upper end as null."""

from estimators.bracket import Bracket
from estimators.rademacher_blocks import Block
from estimators.results import versions


def as_document(blocks: list[Block], parameters: dict, confidence: float) -> dict:
    """`results` and `differences` of all blocks, `blocks` with their samples, parameters, versions and seed."""
    return {
        "results": [row for block in blocks for row in _rows(block)],
        "differences": [
            {
                "encoding": one.label,
                "hypotheses": block.kind,
                "reference": one.reference,
                "lower": found.lower,
                "upper": found.upper,
                "confidence": found.confidence,
                "method": found.method,
            }
            for block in blocks
            for one, found in block.differences(confidence)
        ],
        "blocks": [
            {
                "hypotheses": block.kind,
                "title": block.title,
                "notes": block.notes,
                "sample": {"source": block.sample.source, **block.sample.details},
                **dict(zip(("samples", "length", "dim"), block.sample.tokens.shape, strict=True)),
                "signs": len(block.signs),
                "enumerated": block.enumerated,
                "failed_restarts": block.failed_restarts,
            }
            for block in blocks
        ],
        "parameters": parameters,
        "versions": versions(),
        "seed": parameters["seed"],
    }


def _rows(block: Block) -> list[dict]:
    specifications = {one.label: one.specification for one in block.entries}
    return [_row(block, label, specifications[label], one) for label, one in block.shown.items()]


def _row(block: Block, label: str, specification: str, one: Bracket) -> dict:
    return {
        "encoding": label,
        "specification": specification,
        "hypotheses": block.kind,
        "lower": one.estimate.lower,
        "upper": one.estimate.upper,
        "confidence": one.estimate.confidence,
        "method": one.estimate.method,
        "certificate": one.certificate,
        "optimisation_gap": one.optimisation_gap,
        "sampling_halfwidth": one.sampling_halfwidth,
        "signs": len(one.suprema.lower),
        "finished": one.suprema.finished,
        "certificates": one.certificates,
        "bounds": {name: judged.value for name, judged in one.bounds.items()},
        "slacks": {name: judged.slack for name, judged in one.bounds.items()},
        "verdicts": {name: judged.verdict for name, judged in one.bounds.items()},
    }

"""ROUGE-1, ROUGE-2 and ROUGE-L of summaries, by the library rouge-score, with intervals over documents."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from estimators.document_means import bounded, document_means

NAMES = ("rouge1", "rouge2", "rougeL")
ADVICE = "ROUGE needs the package rouge-score: pip install 'positional-encoding-bounds[summaries]', or decoded=0"


def rouge_scores(
    summaries: Sequence[bytes],
    references: Sequence[bytes],
    document: Int[np.ndarray, " pairs"],
    confidence: float = 0.95,
) -> dict[str, dict[str, Any]]:
    """Mean F-measures over documents, each of its pairs' means: name -> mean, lower, upper, confidence, method, pairs.

    Words are runs of a-z and 0-9 after lower-casing, not stemmed; bytes that are not UTF-8 become other characters, so
    they end a word. A pair where one side has no word scores 0; `without_words` counts such references. The interval
    is `estimators.estimate.best` on [0, 1].

    Raises:
        ValueError: the package rouge-score is not installed, no pairs, or lists of other lengths.
    """
    try:
        from rouge_score.rouge_scorer import RougeScorer  # an extra: not every user has it
    except ImportError:
        raise ValueError(ADVICE) from None
    if not summaries or len(summaries) != len(references) or len(references) != len(document):
        raise ValueError(f"need equally many summaries, references and documents, at least one, got {len(summaries)}, "
                         f"{len(references)} and {len(document)}: give one of each per pair")  # fmt: skip
    scorer = RougeScorer(list(NAMES), use_stemmer=False)
    said, wanted = ([text.decode(errors="replace") for text in texts] for texts in (summaries, references))
    scores = [scorer.score(reference, summary) for summary, reference in zip(said, wanted, strict=True)]
    empty = sum(scorer.score(reference, reference)["rouge1"].fmeasure == 0 for reference in wanted)
    _, owner = np.unique(document, return_inverse=True)
    found = {}
    for name in NAMES:
        values = document_means(
            np.array([float(score[name].fmeasure) for score in scores]), owner, int(owner.max()) + 1
        )
        interval = bounded(values, maximum=1.0, confidence=confidence)
        ends = {"lower": interval.lower, "upper": min(interval.upper, 1.0), "confidence": confidence}
        counts = {"method": interval.method, "pairs": len(scores), "documents": len(values), "without_words": empty}
        found[name] = {"mean": float(values.mean())} | ends | counts
    return found

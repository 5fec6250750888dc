"""The source paper's claims K1-K5 and its digest's D1-D4 (arXiv 2506.06398v1, paraphrased), and what decides each.

Its theorem texts, formulas and tables were not available, so no formula is attributed to it: a verdict rests on
statements of this project about the same subject, named in `checks`.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from estimators.trained_findings import Finding, packaged_findings

SUPPORTED, REFUTED = "supported", "refuted"
CORRECTED, OPEN = "supported with a correction", "not decidable here"
TRAINED = "trained-"  # findings about trained networks: beside the checks, never in their place
STANDS = ("holds", "refuted")  # standing of a true statement, and of one that is kept because it is wrong

Decide = Callable[[Mapping[str, str]], str]


@dataclass(frozen=True)
class Source:
    """`decide` maps {check: its standing in the ledger} to one of the four verdicts; `because`: a sentence for each
    verdict that it can give. `evidence`: findings about trained networks that stand beside the checks."""

    id: str
    statement: str
    checks: tuple[str, ...]
    decide: Decide
    because: Mapping[str, str]
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceVerdict:
    id: str
    statement: str
    verdict: str
    checks: tuple[str, ...]
    because: str
    evidence: tuple[Finding, ...] = ()


def if_all_stand(then: str, otherwise: str = OPEN) -> Decide:
    """`then` if every check stands (holds, or is refuted as it must be), `otherwise` if a true one is violated, else
    not decidable."""

    def decide(standings: Mapping[str, str]) -> str:
        proved = [standing for name, standing in standings.items() if not name.startswith(TRAINED)]
        if all(standing in STANDS for standing in proved):
            return then
        return otherwise if "violated" in proved else OPEN

    return decide


def undecided(standings: Mapping[str, str]) -> str:
    """Not decidable by the checks of this ledger, whatever they say."""
    return OPEN


def if_trained(then: str, *needed: tuple[str, str]) -> Decide:
    """`then` if every check stands and every (finding, verdict) of trained networks came out so, else not decidable."""

    def decide(standings: Mapping[str, str]) -> str:
        found = all(standings.get(name) == verdict for name, verdict in needed)
        return if_all_stand(then)(standings) if found else OPEN

    return decide


def judge_source(
    source: Source, standings: Mapping[str, str], trained: Sequence[Finding] | None = None
) -> SourceVerdict:
    """The verdict on one claim of the source; not decidable, and why, if a check is missing or does not stand.

    trained: findings about trained networks, those of the package's evidence by default.
    """
    found = {one.name: one for one in (packaged_findings() if trained is None else trained)}
    evidence = tuple(found[name] for name in source.evidence if name in found)
    known = {name: standings[name] for name in source.checks if name in standings}
    missing = [name for name in source.checks if name not in known]
    verdict = OPEN if missing else source.decide(known | {one.name: one.verdict for one in evidence})
    if missing:
        because = f"Not checked in this run: {', '.join(missing)}."
    elif verdict == OPEN and (open_ := [name for name, standing in known.items() if standing not in STANDS]):
        because = "A check that it rests on does not stand: " + ", ".join(f"{name} ({known[name]})" for name in open_)
        because += "."
    else:
        because = source.because[verdict]
    told = "".join(f" Trained networks: {one.asked}: {one.verdict} ({one.because})." for one in evidence)
    return SourceVerdict(source.id, source.statement, verdict, source.checks, because + told, evidence)


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


SOURCES: tuple[Source, ...] = (
    Source(
        "K1",
        "Which sequence-to-sequence functions a Transformer approximates depends on its encoding; absolute, relative "
        "and bias-based encodings differ in it.",
        (
            *("permutation-equivariance", "equal-rows", "equal-rows-with-code", "equal-rows-after-start"),
            *("constant-sequence-error", "lookup-operator-norm", "lookup-shift-norm", "lookup-orthogonal-never-larger"),
        ),
        if_all_stand(CORRECTED),
        {
            CORRECTED: "They differ, but not as a ranking of approximation power: encodings that act on logits alone "
            "map equal tokens to equal outputs at any depth until a start token or an additive code breaks the tie, "
            "and which code looks up with less weight depends on positions and channels."
        },
    ),
    Source(
        "K2",
        "Rademacher complexity and covering numbers give generalisation bounds that make the role of the encoding "
        "explicit.",
        (
            *("complexity-u2-width", "complexity-u3-contraction", "complexity-covering", "complexity-after-edelman"),
            *("complexity-bias-free-covering", "complexity-norm-bounds-ignore-rotations"),
            *("complexity-rotations-change-nothing", "complexity-order-of-u3", "complexity-order-of-norms"),
        ),
        if_all_stand(CORRECTED),
        {
            CORRECTED: "The bounds hold, but explicit is not informative: covering bounds do not change with biases, "
            "and norm bounds not with rotations, that change the complexity, and the order of U3 and of norm bounds "
            "can be the reverse of the order of the complexities."
        },
    ),
    Source(
        "K3",
        "The bias of ALiBi explains its extrapolation, bias-based encodings fit one framework, and other encodings "
        "have limits.",
        (
            *("alibi-tail-mass-any-length", "alibi-truncation", "alibi-horizon", "kerple-log-tail-sum", "tail-mass"),
            *("flat-tail-mass", "flat-window", "kerple-log-divergence", "dispersion", "local-transfer"),
            *("nonlocal-floor", "alibi-reversal-length", "alibi-reverses-any-length", "legendre-growth-lower"),
            *("depth-step", "depth-closed-form", "receptive-field", "depth-without-growth"),
        ),
        if_all_stand(CORRECTED),
        {
            CORRECTED: "True of targets that look back a bounded distance: a bias whose exponentials are summable "
            "bounds the attention beyond a window at every length, others disperse; for targets that look back "
            "farther the same bound is a floor on the error."
        },
        ("trained-local-kept", "trained-global-ceiling"),
    ),
    Source(
        "K4a",
        "Encodings from orthogonal functions (wavelets, Legendre polynomials) generalise and extrapolate better than "
        "sinusoidal ones.",
        (
            *("legendre-growth-lower", "legendre-stays-in-range", "distinct-codes", "haar-truncated-injective"),
            *("legendre-grid-orthogonal", "lookup-orthogonal-never-larger", "complexity-legendre-mean-power"),
        ),
        if_trained(
            CORRECTED,
            ("trained-orthogonal-faster", "holds"),
            ("trained-no-family", "holds"),
            ("trained-orthogonal-beyond", "violated"),
        ),
        {
            CORRECTED: "In range small networks learn to look up positions in fewer steps with orthogonal codes than "
            "with sinusoidal ones, and as fast with a random orthogonal code: a flat spectrum, not a family of "
            "functions. It does not extend to unseen lengths: there Legendre codes grow exponentially and compact "
            "wavelets repeat.",
            OPEN: "The trained networks do not decide. What is checked speaks against a general rule: beyond the "
            "training length Legendre codes grow exponentially and compact wavelets repeat, sampled Legendre "
            "polynomials are not orthogonal, and orthonormal codes can need larger weights.",
        },
        ("trained-orthogonal-faster", "trained-no-family", "trained-orthogonal-beyond"),
    ),
    Source(
        "K4b",
        "An encoding that maximises the mutual information of positions is optimal.",
        (
            *("information-ceiling", "code-second-moment-cap", "encoding-second-moment-cap"),
            *("encoding-flat-spectrum-cap", "encoding-flat-spectrum-value", "mds-minimises-stress"),
        ),
        if_all_stand(CORRECTED),
        {
            CORRECTED: "As worded every injective code is optimal, with ln N nats; at a fixed power and noise the "
            "Gaussian bound on the information has its optimum at a flat spectrum, which is a property of the code's "
            "covariance and not of one family."
        },
    ),
    Source(
        "K5",
        "Light experiments on synthetic sequence-to-sequence tasks rank orthogonal encodings above sinusoidal ones.",
        ("copy-floor", "prefix-sum-floor", "prefix-parity-accuracy", "reversal-accuracy"),
        if_trained(CORRECTED, ("trained-orthogonal-faster", "holds"), ("trained-orthogonal-beyond", "violated")),
        {
            CORRECTED: "Reproduced as a ranking of how fast fixed-length look-ups are learned, at equal power and with "
            "rates chosen for each; it is no ranking of accuracy once learned, nor of scores on longer sequences.",
            OPEN: "The trained networks do not decide; floors and ceilings that such scores must respect are checked.",
        },
        ("trained-orthogonal-faster", "trained-orthogonal-beyond"),
    ),
    Source(
        "D1",
        "ALiBi and orthogonal encodings gain in extrapolation and generalisation on long summaries and in language "
        "models.",
        ("alibi-truncation", "nonlocal-floor"),
        if_trained(CORRECTED, ("trained-text-alibi", "holds"), ("trained-text-orthogonal", "violated")),
        {
            CORRECTED: "True of ALiBi on bytes of real text beyond the training length, in both evaluation modes; not "
            "of every orthogonal code there. Small networks only.",
            OPEN: "The trained networks on text do not decide; what ALiBi cannot lose and cannot win by its window "
            "alone is checked.",
        },
        ("trained-text-alibi", "trained-text-orthogonal"),
    ),
    Source(
        "D2",
        "Positional information carried from layer to layer can be quantified and guides design.",
        (
            *(
                "information-floor",
                "information-decoder-lower",
                "information-group-upper",
                "information-data-processing",
            ),
            *("information-never-rises-with-depth", "information-never-falls-with-depth"),
            *("information-group-difference", "information-never-rises-in-a-network"),
            "information-never-falls-in-a-network",
            *("token-wise-maps-cannot-raise-information", "latent-pairwise-lower", "latent-pairwise-upper"),
        ),
        if_all_stand(CORRECTED),
        {
            CORRECTED: "It can be bracketed from both sides at a stated noise, but it is no quantity that layers only "
            "lose: attention and even token-wise maps can raise it, so a number needs its noise and its site."
        },
    ),
    Source(
        "D3",
        "Orthogonal encodings add little cost and fit into existing implementations.",
        ("cost-additive-share", "cost-bias-share", "cost-rotary-share", "cost-relative-share"),
        if_all_stand(SUPPORTED),
        {
            SUPPORTED: "Any additive table, orthogonal or not, costs at most 1/(8 d + 4 T) of one attention layer, "
            "once; only relative vectors cost up to half a layer."
        },
    ),
    Source(
        "D4",
        "The choice of an encoding for one's own data and lengths can be automated.",
        (),
        undecided,
        {OPEN: "Future work in the source, and no statement that a number could refute; nothing is checked."},
    ),
)

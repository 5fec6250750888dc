"""Command: how much of the position survives each layer, between two ends that hold with a stated probability."""

import sys
import time
from pathlib import Path

from estimators.command_line import console, progress, run
from estimators.information_bracket import LEAST, check_noise
from estimators.information_figure import draw
from estimators.information_flow import Row
from estimators.information_report import as_document, show
from estimators.information_run import (
    Task,
    check_points,
    cost_note,
    measured,
    measured_array,
    random_members,
    trained_members,
)
from estimators.information_sites import Inputs, Law, check_sites
from estimators.network_member import Model
from estimators.results import check_outputs, versions, write_json
from estimators.samples import array_sample

ENCODINGS = ["none", "sinusoidal", "learned", "rotary", "alibi", "t5", "legendre", "information-optimal"]
LIMITS = {"length": (2, 4096), "layers": (1, 64), "dim": (1, 1024), "heads": (1, 64), "sequences": (LEAST, 10**7)}
BYTES = 256


def information(
    *,
    encoding: list[str] | None = None,
    layers: int = 4,
    heads: int = 4,
    dim: int = 64,
    length: int = 64,
    noise: list[float] = [0.1, 0.3, 1.0],  # noqa: B006  (read only, shown in --help)
    site: list[str] = ["residual"],  # noqa: B006
    inputs: Law = "symbols",
    symbols: int | None = None,
    sequences: int = 4096,
    causal: bool = True,
    checkpoint: Path | None = None,
    activations: Path | None = None,
    text: Path | None = None,
    points: list[str] = ["ross", "gao"],  # noqa: B006
    tolerance: float = 0.5,
    confidence: float = 0.95,
    seed: int = 0,
    json: Path | None = None,
    figure: Path | None = None,
) -> int:
    """Show how much position information each layer of a Transformer holds, as intervals with a stated confidence.

    P is uniform on the positions, H what a site of the network holds at that position, and the quantity is
    I(P; H + sigma Z) in nats, Z standard normal, sigma relative to the root-mean-square of the site: without noise it
    would be ln N or ill-posed. Lower ends are decoders on sequences they have not seen, upper ends exact mixtures over
    groups of sequences; where the law of the inputs can be listed, posteriors are exact. All intervals hold together
    with the given confidence. The network is random, trained (a checkpoint), or your own activations.

    Args:
        encoding (NAME[:key=value,...]): eight of them if not given, all of a checkpoint
        layers (L): of the random network
        heads (H): of the random network; divides dim
        dim (d): channels of the random network
        length (N): positions
        noise (X): standard deviations, relative to the root-mean-square of each site
        site (NAME): residual, after-attention, attention, mlp or heads, several for the change at each sublayer
        inputs: law of the contents. symbols: independent and uniform; fixed: one known sequence; gaussian: independent
            vectors instead of embedded symbols; text: windows of the standard library's sources, or of --text
        symbols (V): 2 if not given, those of the network for a checkpoint, 256 for text; all sequences are listed if
            there are at most 4096
        sequences (S): drawn inputs; more narrow the intervals
        causal: mask of the random network
        checkpoint (DIR): trained networks, as `python -m estimators.extrapolation --checkpoint DIR` saves them
        activations (H.npy): your own, of shape (sequences, positions, channels); sequences must be independent
        text (PATH): a file or folder of text; implies --inputs text
        points (NAME): point estimates beside the intervals: ross, gao, ksg, infonce, or none
        tolerance (NATS): wider intervals are called inconclusive
        confidence: of all intervals together
        seed: of the network, its inputs, and every draw
        json (PATH): write everything as JSON, `-` for standard output
        figure (PATH): draw the heat map and the curves (.png, .pdf or .svg)

    Examples:
        python -m estimators.information
        python -m estimators.information --encoding none alibi --symbols 2 --length 8 --site after-attention residual
        python -m estimators.information --inputs fixed --noise 0.03 0.1 0.3 1 3 --figure flow.png
        python -m estimators.information --activations H.npy --noise 0.3 --json -
    """
    parameters = {name: value for name, value in locals().items() if value is not None}
    started = time.perf_counter()
    for word, (least, most) in LIMITS.items():
        if not least <= parameters[word] <= most:
            nearest = min(max(parameters[word], least), most)
            raise ValueError(
                f"{word} must be between {least} and {most}, got {parameters[word]}: use --{word} {nearest}"
            )
    check_noise(noise)
    check_sites(site)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, got {confidence}: use --confidence 0.95")
    if not tolerance > 0:
        raise ValueError(f"tolerance must be positive, got {tolerance}: use --tolerance 0.5")
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}: use --seed 0")
    if symbols is not None and symbols < 1:
        raise ValueError(f"symbols must be at least 1, got {symbols}: use --symbols 2")
    if checkpoint is not None and activations is not None:
        raise ValueError("--checkpoint and --activations are two sources: give one of them")
    if activations is not None and (encoding is not None or text is not None):
        raise ValueError("--activations needs neither --encoding nor --text: leave them out")
    if text is not None and inputs not in ("symbols", "text"):
        raise ValueError(f"--text and --inputs {inputs} are two laws: give one of them")
    check_outputs(json, figure)
    law: Law = "text" if text is not None else inputs
    known = BYTES if law == "text" else symbols or 2
    levels, sites = tuple(dict.fromkeys(noise)), tuple(dict.fromkeys(site))
    source = Inputs(law, length, known, seed, text)
    task = Task(source, sites, levels, sequences, confidence, check_points(points), seed)
    rows: list[Row] = []
    interrupted = False
    total = 1
    if activations is not None:
        held = array_sample(activations).tokens
        parameters["length"] = length = held.shape[1]
        note = "the sequences of the array are taken as independent"
        rows = measured_array(held, str(activations), task)
    else:
        if checkpoint is not None:
            members = trained_members(checkpoint, encoding, length)
            if symbols is None and law in ("symbols", "fixed"):
                known = min(member.network.embedding.shape[0] for _, member in members)
                task = Task(Inputs(law, length, known, seed), sites, levels, sequences, confidence, task.points, seed)
        else:
            model = Model(symbols=known, outputs=1, dim=dim, layers=layers, heads=heads, mlp_width=dim, causal=causal)
            members = random_members(list(dict.fromkeys(encoding or ENCODINGS)), model, length, seed)
        parameters |= {"encoding": [name for name, _ in members], "symbols": known, "inputs": law}
        note = cost_note(task.inputs)
        total = sum(1 + member.network.queries.shape[0] * len(sites) for _, member in members)
        with progress("information", total) as advance:
            try:
                for several in measured(members, task):
                    rows += several
                    advance(1, description=several[0].encoding)
            except KeyboardInterrupt:
                interrupted = True
        if not rows:
            raise KeyboardInterrupt
    if json is not None:
        document = as_document(rows, tolerance, parameters) | {"note": note, "interrupted": interrupted}
        write_json(json, document | {"versions": versions(), "seconds": time.perf_counter() - started})
    if figure is not None:
        draw(rows, length, tolerance, figure)
    if json is None or str(json) != "-":
        show(rows, length, tolerance, confidence)
        console().print(note[0].upper() + note[1:] + ".")
    if interrupted:
        console(error=True).print(f"interrupted: {total - len(rows) // len(levels)} of {total} sites are missing")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(run(information))

"""Checkpoints of an ensemble: one file for each member, complete or untouched, and one for the configuration."""

import dataclasses
import hashlib
import io
import json
import os
import secrets
import zipfile
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from estimators.network_member import Member, Model
from estimators.network_weights import Weights
from estimators.results import write_text
from estimators.training_job import Check, Job, Settings, member_of
from estimators.training_program import State
from theory.encodings import parse, specification

FORMAT = 1


class Checkpoints:
    """A folder of members; ValueError if it holds those of other settings or cannot be written."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = Path(folder), dataclasses.asdict(settings)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"cannot make the checkpoint folder {folder}: {error.strerror}: use another") from error
        about = self.folder / "settings.json"
        if not about.exists():
            write_text(about, json.dumps({"format": FORMAT, "settings": self.settings}, indent=2) + "\n")
        found = _read_settings(about)
        if found != self.settings:
            keys = [key for key in self.settings if found.get(key) != self.settings[key]]
            differ = [f"{key} {found.get(key)} there, {self.settings[key]} now" for key in keys]
            other = "; ".join(differ)
            raise ValueError(f"{folder} holds members of another configuration ({other}): use another folder")

    def place(self, job: Job) -> Path:
        """The file of a job: its name says task, encoding and seed, its digest everything that defines the job."""
        digest = hashlib.sha256(json.dumps(describe(job), sort_keys=True).encode()).hexdigest()[:16]
        return self.folder / f"{job.lessons.name}-{job.encoding.name}-{job.seed}-{digest}.npz"

    def save(self, job: Job, state: State, checks: list[Check], finished: bool) -> None:
        """Writes beside and renames, so that an interruption leaves the file before it."""
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(state)]
        about = {"format": FORMAT, "job": describe(job), "checks": checks, "finished": finished}
        buffer = io.BytesIO()
        named: dict[str, Any] = {f"leaf{k}": leaf for k, leaf in enumerate(leaves)}
        np.savez(buffer, about=np.array(json.dumps(about)), **named)
        place = self.place(job)
        beside = place.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            beside.write_bytes(buffer.getvalue())
            os.replace(beside, place)
        except OSError as error:
            raise ValueError(f"cannot write {place}: {error.strerror}: free space, or use another folder") from error
        finally:
            beside.unlink(missing_ok=True)

    def load(self, job: Job, fresh: State) -> tuple[State, list[Check], bool]:
        """(state, checks, finished) of a job: as saved, or at the start if it never was."""
        place = self.place(job)
        if not place.exists():
            return fresh, [], False
        about, leaves = _read(place)
        if about["job"] != describe(job):
            raise ValueError(f"{place} is of another job: use another folder")
        wanted, form = jax.tree.flatten(fresh)
        shapes = [leaf.shape for leaf in wanted]
        if [leaf.shape for leaf in leaves] != shapes:
            raise ValueError(f"{place} holds arrays of other shapes: delete it to train this member anew")
        state = jax.tree.unflatten(form, [jnp.asarray(leaf) for leaf in leaves])
        return state, [Check(*check) for check in about["checks"]], bool(about["finished"])


def describe(job: Job) -> dict[str, Any]:
    """Everything that defines a job, as JSON."""
    return {
        "task": job.lessons.name,
        "model": dataclasses.asdict(job.lessons.model),
        "outputs": job.lessons.outputs,
        "kind": job.lessons.kind,
        "threshold": job.lessons.threshold,
        "encoding": specification(job.encoding),
        "train_length": job.encoding.train_length,
        "seed": job.seed,
        "rate": job.rate,
        "limit": job.limit,
    }


def load_members(folder: Path, *, pilots: bool = False) -> list[tuple[str, Member]]:
    """(task, member) of every finished member in a checkpoint folder, in the order of file names.

    ValueError if there is none, or for a damaged file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"no checkpoint folder {folder}: give the folder that --checkpoint wrote")
    _read_settings(folder / "settings.json")
    found = []
    for place in sorted(folder.glob("*.npz")):
        about, leaves = _read(place)
        if about["finished"] and (pilots or about["job"]["limit"] is None):
            found.append((about["job"]["task"], _member(about["job"], leaves)))
    if not found:
        raise ValueError(f"{folder} holds no finished member: run the command with --checkpoint to its end first")
    return found


def _member(about: dict[str, Any], leaves: list[np.ndarray]) -> Member:
    model = Model(**about["model"])
    encoding = parse(about["encoding"], dim=model.dim, train_length=about["train_length"], heads=model.heads)
    weights = Weights(*leaves[: len(Weights._fields)])
    return member_of(model, encoding, about["seed"], weights, int(leaves[-1]))


def _read_settings(about: Path) -> dict[str, Any]:
    try:
        document = json.loads(about.read_text(encoding="utf-8"))
        form, settings = document["format"], document["settings"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{about} is missing or damaged: use another checkpoint folder") from error
    if form != FORMAT:
        raise ValueError(f"{about} is of format {form}, this version reads {FORMAT}: use another checkpoint folder")
    return settings


def _read(place: Path) -> tuple[dict[str, Any], list[np.ndarray]]:
    try:
        with np.load(place, allow_pickle=False) as archive:
            about = json.loads(str(archive["about"]))
            leaves = [archive[f"leaf{k}"] for k in range(len(archive.files) - 1)]
        if about["format"] != FORMAT or not {"job", "checks", "finished"} <= set(about):
            raise ValueError(f"{place} is of another format")
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise ValueError(f"{place} is truncated or damaged: delete it to train this member anew") from error
    return about, leaves

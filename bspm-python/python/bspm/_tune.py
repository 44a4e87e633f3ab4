"""The search for the best filter: its trials, progress bar and checkpoint."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any, Callable, Optional, TextIO, Union

import numpy as np

from . import _bspm
from ._data import Interactions
from ._tables import Trial, Trials
from ._warnings import warn

Path = Union[str, os.PathLike[str]]


def search(
    interactions: Interactions,
    tags: Optional[dict[str, Any]],
    options: dict[str, Any],
    threads: int,
    progress: Any,
    callback: Optional[Callable[[Trial], Any]],
    checkpoint: Optional[Path],
    trial_of: Callable[[str], Trial],
) -> Trials:
    """Runs the trials of a search, and returns them, best first. Ctrl-C ends it and keeps the trials.

    ``trial_of`` parses a trial.
    """
    found = _bspm.Search(interactions.csr, interactions.times, options, tags=tags, threads=threads)
    journal = None if checkpoint is None else Journal(checkpoint, _key(interactions, tags, options))
    bar = Bar(progress, options["trials"])
    is_interrupted = False
    try:
        if journal is not None:
            found.resume(journal.trials)
            for line in journal.trials:
                bar.add(trial_of(line))
        while (text := found.advance(bar.of_stages)) is not None:
            trial = trial_of(text)
            if journal is not None:
                journal.add(text)
            bar.add(trial)
            if callback is not None:
                callback(trial)
    except KeyboardInterrupt:
        if bar.best is None:
            raise
        is_interrupted = True
    finally:
        bar.close()
        if journal is not None:
            journal.close()
    trials = Trials(trial_of(text) for text in found.leaderboard())
    trials.is_interrupted = is_interrupted
    if is_interrupted:
        warn(f"the search was interrupted after {len(trials)} trials")
    return trials


class Bar:
    """One progress bar over the trials, with the best value. tqdm shows the time that is left."""

    def __init__(self, progress: Any, trials: int) -> None:
        self.best: Optional[Trial] = None
        self.of_stages: Optional[Callable[[str, int, int], None]] = None
        self._bar: Any = None
        if progress is True:
            try:
                from tqdm.auto import tqdm
            except ImportError:
                return
            progress = tqdm
        if isinstance(progress, type):
            self._bar = progress(total=trials, desc="trials")
        elif progress is not None and progress is not False:
            self.of_stages = progress

    def add(self, trial: Trial) -> None:
        """Adds a trial."""
        is_complete = trial["outcome"] == "complete"
        if is_complete and (self.best is None or trial["value"] > self.best["value"]):
            self.best = trial
        if self._bar is None:
            return
        self._bar.update(1)
        if self.best is not None and hasattr(self._bar, "set_postfix_str"):
            self._bar.set_postfix_str(f"best: {self.best.filter} {self.best['value']:.4f}")

    def close(self) -> None:
        """Closes the bar."""
        if self._bar is not None:
            self._bar.close()


def _key(interactions: Interactions, tags: Optional[dict[str, Any]], options: dict[str, Any]) -> str:
    """Returns a hash of the data and of the options that change the trials."""
    found = hashlib.blake2b(digest_size=16)
    parts: list[Any] = [interactions.times]
    for rows in (interactions.csr, {} if tags is None else tags["csr"]):
        parts += [rows.get(name) for name in ("indptr", "indices", "data")]
    for part in parts:
        array = np.zeros(0) if part is None else np.ascontiguousarray(part, dtype=np.float64)
        found.update(f"{part is None} {array.shape}".encode())
        found.update(array.tobytes())
    kept = {name: value for name, value in options.items() if name not in ("trials", "seconds")}
    found.update(json.dumps([kept, None if tags is None else tags["weight"]], sort_keys=True).encode())
    return found.hexdigest()


class Journal:
    """A file with one trial per line, after a line that identifies the search."""

    def __init__(self, path: Path, key: str) -> None:
        header = json.dumps({"bspm_tune": key}) + "\n"
        text = ""
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                text = file.read()
        # An incomplete last line is removed.
        whole = text[: text.rfind("\n") + 1]
        is_begun = not whole and header.startswith(text)
        if not is_begun and not whole.startswith(header):
            raise ValueError(
                f"checkpoint: expected trials of a search with the same data and options, "
                f"found others in {os.fspath(path)!r}; hint: use another file"
            )
        self.trials = whole.splitlines()[1:]
        self._file: TextIO = open(path, "a", encoding="utf-8")
        self._file.truncate(len(whole.encode()))
        if not whole:
            self._write(header)

    def add(self, trial: str) -> None:
        """Adds a trial, and waits until it is on disk."""
        self._write(trial + "\n")

    def _write(self, text: str) -> None:
        self._file.write(text)
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

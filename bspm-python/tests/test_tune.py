"""The search for the best filter: callback, checkpoint, Ctrl-C."""

import json
import os
import signal

import pytest

import bspm

PAIRS = [(user, (user // 8 + step * step) % 30) for user in range(80) for step in range(7)]
OPTIONS = {"trials": 6, "k": 5, "filters": ["rp3beta", "item-knn", "popularity"]}


def test_the_best_trial_fits_a_model():
    seen = []
    trials = bspm.tune(PAIRS, callback=seen.append, **OPTIONS)
    assert len(seen) == len(trials) == 6
    assert sorted(trial["value"] for trial in seen) == sorted(trial["value"] for trial in trials)
    assert trials.best is trials[0] and trials.best.filter in OPTIONS["filters"]
    assert trials.best.fit(PAIRS).config == trials.best["config"]
    assert not trials.is_interrupted
    with pytest.raises(ValueError, match="best: expected a trial"):
        bspm.Trials().best


def test_a_bar_counts_trials_and_shows_the_best_one():
    bars = []

    class Bar:
        def __init__(self, total, desc):
            self.total, self.desc, self.n, self.text, self.is_closed = total, desc, 0, "", False
            bars.append(self)

        def update(self, count):
            self.n += count

        def set_postfix_str(self, text):
            self.text = text

        def close(self):
            self.is_closed = True

    trials = bspm.tune(PAIRS, progress=Bar, **OPTIONS)
    (bar,) = bars
    assert (bar.n, bar.total, bar.desc, bar.is_closed) == (6, 6, "trials", True)
    assert bar.text == f"best: {trials.best.filter} {trials.best['value']:.4f}"


def test_ctrl_c_keeps_the_trials():
    def interrupt(trial):
        if len(seen) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        seen.append(trial)

    seen = []
    # A shell that starts the tests in the background makes them ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.warns(UserWarning, match="interrupted after [23] trials"):
            trials = bspm.tune(PAIRS, callback=interrupt, **OPTIONS)
    finally:
        signal.signal(signal.SIGINT, before)
    assert trials.is_interrupted and len(trials) in (2, 3)
    assert trials.best.fit(PAIRS).shape == (80, 30)


def test_an_error_of_the_callback_is_raised():
    def fail(trial):
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        bspm.tune(PAIRS, callback=fail, **OPTIONS)


def test_a_checkpoint_continues_the_search(tmp_path):
    path = tmp_path / "trials.jsonl"
    whole = bspm.tune(PAIRS, **OPTIONS)
    first = bspm.tune(PAIRS, checkpoint=path, **{**OPTIONS, "trials": 3})
    lines = path.read_text().splitlines()
    assert len(first) == 3 and len(lines) == 4
    # The last line is incomplete, as after a power failure.
    path.write_text("\n".join(lines)[:-9])
    seen = []
    again = bspm.tune(PAIRS, checkpoint=path, callback=seen.append, **OPTIONS)
    assert len(seen) == 4
    assert [it["config"] for it in again] == [it["config"] for it in whole]
    assert [it["value"] for it in again] == [it["value"] for it in whole]
    stored = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    assert [it["config"] for it in stored[:2]] == [json.loads(line)["config"] for line in lines[1:3]]
    for data, options in [(PAIRS[:-1], {}), (PAIRS, {"k": 6}), (PAIRS, {"seed": 1})]:
        with pytest.raises(ValueError, match="checkpoint: expected trials of a search with the same data"):
            bspm.tune(data, checkpoint=path, **{**OPTIONS, **options})
    assert len(path.read_text().splitlines()) == 7

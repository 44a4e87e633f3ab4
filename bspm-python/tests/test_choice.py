"""The filter that is chosen for the data if none is named."""

import numpy as np
import pandas as pd
import pytest

import bspm

PAIRS = [
    (f"u{user}", f"i{(user * 7 + step * step) % 12 if step % 3 == 0 else 12 + user % 10 * 9 + (user // 10 * 5 + step * step) % 9}")
    for user in range(300)
    for step in range(9)
]


def test_fit_chooses_the_best_of_what_it_tries():
    model = bspm.Model.fit(PAIRS)
    assert len(model.leaderboard) >= 9
    values = [trial["value"] for trial in model.leaderboard if trial["outcome"] == "complete"]
    assert values == sorted(values, reverse=True)
    assert model.config in [trial["config"] for trial in model.leaderboard]
    again = bspm.Model.fit(PAIRS, "auto", num_threads=2)
    assert again.config == model.config
    assert [trial["config"] for trial in again.leaderboard] == [trial["config"] for trial in model.leaderboard]


def test_data_without_a_held_out_part_have_a_warning():
    with pytest.warns(UserWarning, match="filters were not compared"):
        assert len(bspm.Model.fit([(user, user) for user in range(50)]).leaderboard) == 0


def test_a_model_file_keeps_what_was_tried(tmp_path):
    model = bspm.Model.fit(PAIRS)
    model.save(tmp_path / "shop.bspm")
    opened = bspm.Model.open(tmp_path / "shop.bspm")
    tried = [(trial["config"], trial["value"]) for trial in opened.leaderboard]
    assert tried == [(trial["config"], trial["value"]) for trial in model.leaderboard]


def test_settings_a_preset_or_a_filter_turn_the_choice_off():
    for model in [
        bspm.Model.fit(PAIRS, factor_dim=3),
        bspm.Model.fit(PAIRS, preset="gowalla", factor_dim=3),
        bspm.Model.fit(PAIRS, "bspm"),
    ]:
        assert list(model.config) == ["bspm"]
        assert model.leaderboard == []
    with pytest.raises(ValueError, match="no effect with filter='auto'"):
        bspm.Model.fit(PAIRS, "auto", factor_dim=3)
    with pytest.raises(ValueError, match="no filter beside it"):
        bspm.Model.fit(PAIRS, "bspm", config={"popularity": {}})


def test_data_with_nothing_to_hold_out_have_a_model():
    model = bspm.Model.fit([("ann", "tea"), ("bob", "tea"), ("cid", "milk")])
    assert list(model.config) == ["bspm"]
    assert model.leaderboard == []


def test_weights_are_chosen_unless_an_option_sets_them():
    triples = [(user, item, 10.0 ** (place * 5 % 7)) for place, (user, item) in enumerate(PAIRS)]
    model = bspm.Model.fit(triples)
    compared = model.weightings.to_dict()
    assert compared["weight_scale"][0] != "linear"
    assert set(compared["weight_scale"]) >= {"linear", "log"}
    assert compared["ndcg"][0] == max(compared["ndcg"])
    named = bspm.Model.fit(triples, weight_scale="linear")
    assert named.weightings.to_dict()["ndcg"] == []
    read = bspm.Model.fit(bspm.Interactions.of(triples))
    assert read.weightings.to_dict() == compared and read.config == model.config
    as_they_are = bspm.Model.fit(bspm.Interactions.of(triples, weight_scale="linear"))
    assert as_they_are.weightings.to_dict()["ndcg"] == []
    assert as_they_are.config == named.config
    assert bspm.Model.fit(triples, "gf-cf").weightings.to_dict()["ndcg"] == []


def _plays(pairs=PAIRS):
    users, items = zip(*pairs)
    counts = [10.0 ** (place * 5 % 7) for place in range(len(pairs))]
    return pd.DataFrame({"user": users, "item": items, "plays": counts})


def test_a_split_is_fitted_with_the_weights_that_its_rows_would_get():
    train, test = bspm.split(_plays(), weight="plays")
    rows = train.to_scipy().tocoo()
    again = pd.DataFrame({"user": rows.row, "item": rows.col, "plays": rows.data})
    chosen = bspm.Model.fit(again, weight="plays").weightings["weight_scale"]
    assert bspm.Model.fit(train).weightings["weight_scale"] == chosen and chosen[0] != "linear"
    raw = bspm.split(_plays(), weight="plays", weight_scale="linear")[0]
    assert bspm.Model.fit(raw).weightings.to_dict()["ndcg"] == []
    assert (raw.weight_scale, train.weight_scale, test.weight_scale) == ("linear", None, None)


@pytest.mark.parametrize("form", ["frame", "interactions"])
def test_the_best_trial_fits_the_weights_of_its_search(form):
    frame = _plays()
    data = frame if form == "frame" else bspm.Interactions.of(frame, weight="plays")
    columns = {"weight": "plays"} if form == "frame" else {}
    trials = bspm.tune(data, trials=2, minutes=5.0, filters=["gf-cf"], **columns)
    assert trials.weightings["weight_scale"][0] != "linear"
    model = trials.best.fit(data)
    tuned = bspm.Model.tune(data, trials=2, minutes=5.0, filters=["gf-cf"], **columns)
    assert model.interactions == tuned.interactions
    assert tuned.weightings.to_dict() == trials.weightings.to_dict()
    raw = trials.best.fit(frame, weight="plays", weight_scale="linear")
    assert raw.interactions == bspm.Interactions.of(frame, weight="plays")


def test_trials_of_a_fit_and_of_a_search_know_the_columns_and_the_weights(tmp_path):
    frame = _plays().rename(columns={"item": "song"})
    titles = {"number": range(102), "song": [f"i{it}" for it in range(102)], "title": [f"Song {it}" for it in range(102)]}
    model = bspm.Model.fit(frame, weight="plays", item="song")
    fitted = model.leaderboard.best.fit(frame, items=titles)
    assert fitted.interactions == model.interactions and fitted.titles(["i7"]) == ["Song 7"]
    trials = bspm.tune(frame, weight="plays", item="song", trials=1, filters=["gf-cf"])
    of_trial = trials.best.fit(frame, items=titles, tags={"song": ["i7", "i8"], "tag": ["a", "a"]})
    assert of_trial.titles(["i7"]) == ["Song 7"]
    model.save(tmp_path / "m.bspm")
    opened = bspm.Model.open(tmp_path / "m.bspm").leaderboard.best
    assert opened.fit(frame, weight="plays", item="song").interactions == model.interactions


def test_tune_of_a_subclass_returns_it_with_the_titles():
    class Shop(bspm.Model):
        pass

    frame = _plays().rename(columns={"item": "song"})
    titles = {"number": ["a", "b"], "song": ["i7", "i8"], "title": ["Song 7", "Song 8"]}
    data = bspm.Interactions.of(frame, weight="plays", item="song")
    with pytest.warns(UserWarning, match="items: 100 of 102"):
        model = Shop.tune(data, trials=1, filters=["gf-cf"], items=titles)
    assert type(model) is Shop and model.titles(["i8"]) == ["Song 8"]


def test_added_weights_have_the_scale_of_the_model(tmp_path):
    frame = _plays()
    for options in ({}, {"weight_scale": "log"}):
        model = bspm.Model.fit(frame, "gf-cf" if options else None, weight="plays", **options)
        scale = model.interactions.weight_scale
        assert scale != "linear"
        # The same rows again change nothing.
        assert model.with_interactions(frame.head(50), weight="plays").interactions == model.interactions
        model.save(tmp_path / "m.bspm")
        opened = bspm.Model.open(tmp_path / "m.bspm")
        later = opened.with_interactions(frame, weight="plays")
        assert later.interactions == model.interactions and later.interactions.weight_scale == scale
        with pytest.raises(ValueError, match=f"weight_scale: expected {scale}, .*, found linear"):
            model.with_interactions(frame, weight="plays", weight_scale="linear")
    added = opened.with_interactions([("new", "i7", 3.0), ("new", "i8", 15.0)]).interactions.to_pandas()
    assert added[added.user == "new"].weight.tolist() == [2.0, 4.0]
    # A model without weights takes the scale of those that are added.
    log = bspm.Interactions.of([("new", "i7", 3.0)], weight_scale="log")
    plain = bspm.Model.fit([("a", "i7"), ("a", "i8")], "gf-cf").with_interactions(log)
    assert plain.interactions.weight_scale == "log" and plain.interactions.to_scipy()[1, 0] == 2.0


def test_added_weights_decay_as_those_of_the_model(tmp_path):
    events = [(f"u{place % 40}", f"i{place * place % 23}", 1.0 + place % 5, 10.0 * place) for place in range(400)]
    frame = pd.DataFrame(events, columns=["user", "item", "n", "at"]).drop_duplicates(["user", "item"])
    columns = {"weight": "n", "time": "at"}
    for options in ({"half_life": 900}, {"half_life": 900, "weight_scale": "log"}):
        whole = bspm.Model.fit(frame, "gf-cf", **columns, **options)
        assert whole.interactions.half_life == 900 and whole.interactions.reference_time == frame["at"].max()
        model = bspm.Model.fit(frame[:100], "gf-cf", **columns, **options)
        model.save(tmp_path / "m.bspm")
        later = bspm.Model.open(tmp_path / "m.bspm").with_interactions(frame[100:], **columns).interactions
        expected, found = (it.to_pandas().sort_values(["user", "item"]) for it in (whole.interactions, later))
        assert np.allclose(found["weight"], expected["weight"], rtol=1e-6) and len(set(found["weight"])) > 5
        assert later.reference_time == frame["at"].max()
        part = bspm.Interactions.of(frame[100:], **columns, **options)
        again = model.with_interactions(part).interactions.to_scipy()
        assert np.allclose(again.data, later.to_scipy().data, rtol=1e-6)
        with pytest.raises(ValueError, match="half_life: expected 900, the half-life .*, found 450"):
            model.with_interactions(bspm.Interactions.of(frame, **columns, **{**options, "half_life": 450}))
        # Interactions of a model are not weighted again.
        copied = bspm.Model.fit(model.interactions, "gf-cf")
        assert copied.interactions.to_pandas().equals(model.interactions.to_pandas())
        assert copied.interactions.half_life == 900


def test_a_half_life_is_chosen_where_tastes_drift():
    events = [
        (user, (user + time // 8) % 12 * 15 + (user * 24 + time) * 2654435761 % 2**32 * 15 // 2**32, time)
        for user in range(300)
        for time in range(24)
    ]
    frame = {"user": [it[0] for it in events], "item": [it[1] for it in events], "at": [it[2] for it in events]}
    model = bspm.Model.fit(frame, time="at")
    chosen = model.weightings.to_dict()["half_life"][0]
    assert chosen is not None and model.interactions.half_life == chosen
    assert model.leaderboard.best.fit(frame, time="at").interactions == model.interactions

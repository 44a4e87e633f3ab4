"""Results as tables: pandas, polars, Arrow, notebooks."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import bspm


@pytest.fixture(scope="module")
def model(pairs):
    users, items = pairs
    data = {"user": [f"u{it}" for it in users], "item": [f"i{it}" for it in items]}
    titles = {f"i{it}": f"Item <{it}>" for it in range(40)}
    return bspm.Model.fit(data, "gf-cf", factor_dim=6, items=titles)


@pytest.fixture(scope="module")
def plain(pairs):
    users, items = pairs
    return bspm.Model.fit({"user": users, "item": items}, "gf-cf", factor_dim=6)


def test_a_list_is_a_table(model):
    found = model.recommend("u0", k=5)
    frame = found.to_pandas()
    assert list(frame.columns) == ["rank", "item", "title", "score"]
    assert frame["item"].tolist() == found.items and frame["rank"].tolist() == [1, 2, 3, 4, 5]
    assert found.to_polars().to_pandas()["item"].tolist() == found.items
    assert found.to_arrow().column_names == list(frame.columns)
    assert pl.DataFrame(found)["item"].to_list() == found.items
    assert pa.table(found).num_rows == 5
    assert found[:2] == bspm.Recommendations(found.items[:2], found.scores[:2])
    assert found[:2].titles == found.titles[:2]
    text = found._repr_html_()
    assert "Item &lt;" in text and "<Item" not in text


def test_lists_of_users_are_a_table(model, plain):
    table = model.recommend_frame(["u3", "u1"], k=4)
    frame = table.to_pandas()
    assert frame["user"].tolist() == ["u3"] * 4 + ["u1"] * 4
    assert frame["item"].tolist() == model.recommend("u3", k=4).items + model.recommend("u1", k=4).items
    assert frame["title"].iloc[0] == model.titles([frame["item"].iloc[0]])[0]
    assert len(table[2:6]) == 4 and table[0]["rank"] == 1
    assert table["rank"].tolist() == [1, 2, 3, 4] * 2
    with pytest.raises(KeyError, match="expected one of the columns user, rank"):
        table["colour"]
    whole = plain.recommend_frame(k=40)
    assert whole.columns == ["user", "rank", "item", "score"]
    assert len(whole) < 60 * 40 and whole["item"].min() >= 0
    counts = whole.to_pandas().groupby("user").size()
    assert counts[0] == len(plain.recommend(0, k=40))
    few = plain.recommend_frame([], k=3)
    assert len(few) == 0


def test_trials_and_explanations_are_tables(model, pairs):
    users, items = pairs
    trials = bspm.tune({"user": users, "item": items}, trials=4, filters=["rp3beta", "popularity"])
    frame = trials.to_pandas()
    assert frame["value"].is_monotonic_decreasing and set(frame["filter"]) <= {"rp3beta", "popularity", "mix"}
    assert "ndcg" in frame and len(trials) == len(frame)
    why = model.explain("u0", model.recommend("u0").items[0])
    assert why.to_pandas()["contribution"].tolist() == [value for _, value in why.contributions]
    assert list(why.to_dict()) == ["item", "title", "contribution"]
    assert isinstance(bspm.Trials().to_pandas(), pd.DataFrame)


def test_interactions_compare_and_convert(pairs):
    users, items = pairs
    one = bspm.Interactions.from_pairs(users, items)
    same = bspm.Interactions.from_pairs(users, items)
    other = bspm.Interactions.from_pairs(users, items, weights=np.full(len(users), 2.0))
    assert one == same and one != other and one != 3
    count = len(np.unique(items))
    assert repr(one) == f"<bspm.Interactions: {len(users)} of 60 users x {count} items>"
    assert repr(other).endswith(", with weights>")
    matrix = other.to_scipy()
    assert matrix.shape == (60, count) and matrix.sum() == 2.0 * len(users)
    assert bspm.Interactions.from_matrix(one.to_scipy()).to_scipy().nnz == len(one)


def test_several_users_are_for_recommend_many(plain):
    with pytest.raises(TypeError, match="recommend_many"):
        plain.recommend([1, 2])


def test_interactions_are_a_frame():
    log = pd.DataFrame({"user": ["b", "a", "b"], "item": [3, 1, 1], "plays": [2.0, 1.0, 4.0], "at": [5, 6, 7]})
    plain = bspm.Interactions.from_frame(log).to_pandas()
    assert plain.to_dict("list") == {"user": ["b", "b", "a"], "item": [3, 1, 1]}
    read = bspm.Interactions.from_frame(log, weight="plays", time="at")
    frame = read.to_pandas()
    assert frame["weight"].tolist() == [2.0, 4.0, 1.0] and frame["time"].tolist() == [5.0, 7.0, 6.0]
    assert bspm.Interactions.from_frame(frame, weight="weight", time="time") == read
    frame["weight"] *= 2
    assert read.to_pandas()["weight"].tolist() == [2.0, 4.0, 1.0]


def test_an_item_is_in_a_list(plain):
    found = plain.recommend(0, k=3)
    assert found.items[0] in found and -5 not in found and [item for item, _ in found] == found.items


def test_properties_of_a_model_have_documentation():
    for name in ("leaderboard", "weightings"):
        assert getattr(bspm.Model, name).__doc__


def test_dicts_of_results_are_json(model, plain, pairs):
    for of in (model, plain):
        user, item = of.users[0], of.items[0]
        results = [of.recommend(user), of.recommend_frame(k=2), of.explain(user, item), of.leaderboard, of.weightings]
        for result in results:
            assert json.loads(json.dumps(result.to_dict())) == result.to_dict()
            assert list(result.to_pandas()) == list(result.to_dict())
        json.dumps(of.similar_users(user))
    assert plain.recommend(0).to_pandas()["score"].dtype == np.float32


def test_trials_have_a_short_text(pairs):
    users, items = pairs
    trials = bspm.tune({"user": users, "item": items}, trials=3, filters=["rp3beta", "popularity"])
    assert repr(trials) == f"<bspm.Trials: 3 trials, best: {trials.best.filter} {trials.best['value']:.4f}>"
    assert repr(bspm.Trials()) == "<bspm.Trials: 0 trials>"


def test_scores_are_those_of_all_items_by_default(plain):
    np.testing.assert_array_equal(plain.score(3), plain.score(3, plain.items))
    assert plain.score(3, []).shape == (0,)

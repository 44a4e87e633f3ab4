"""Thirty tasks of a data scientist's first hour, each in at most three lines."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

import bspm

USERS = [f"u{user}" for user in range(120) for _ in range(9)]
ITEMS = [f"i{(user // 2 + step * step) % 60}" for user in range(120) for step in range(9)]
FRAME = pd.DataFrame({"user": USERS, "item": ITEMS, "plays": np.arange(1080) % 5 + 1, "at": np.arange(1080) * 3600.0})
TITLES = pd.DataFrame({"item": [f"i{it}" for it in range(60)], "title": [f"Item {it}" for it in range(60)]})
TITLES["price"] = np.arange(60) % 10
TITLES["brand"] = [f"b{it % 4}" for it in range(60)]


@pytest.fixture(scope="module")
def model():
    return bspm.Model.fit(FRAME, "gf-cf", factor_dim=8, items=TITLES)


def test_01_fit_a_frame_without_choosing_anything():
    model = bspm.Model.fit(FRAME[["user", "item"]])
    assert model.shape == (120, 60) and model.leaderboard


def test_02_fit_polars_arrow_and_a_dict():
    for table in (pl.from_pandas(FRAME), pa.Table.from_pandas(FRAME), {"user": USERS, "item": ITEMS}):
        assert bspm.Model.fit(table, "gf-cf", factor_dim=8).shape == (120, 60)


def test_03_fit_a_matrix_of_scipy():
    matrix = scipy.sparse.random(50, 30, 0.2, "csr", random_state=0)
    assert bspm.Model.fit(matrix, "gf-cf", factor_dim=4).shape == (50, 30)


def test_04_fit_other_column_names():
    frame = FRAME.rename(columns={"user": "customer", "item": "product"})
    assert bspm.Model.fit(frame, "rp3beta", user="customer", item="product").shape == (120, 60)


def test_05_fit_a_csv_file(tmp_path):
    FRAME.to_csv(tmp_path / "plays.csv", index=False)
    assert bspm.Model.fit(tmp_path / "plays.csv", "rp3beta").shape == (120, 60)


def test_06_fit_a_file_in_another_encoding(tmp_path):
    (tmp_path / "a.csv").write_bytes("user;item\nann;Käse\nbob;Käse\nann;Brot\n".encode("latin1"))
    data = bspm.Interactions.from_file(tmp_path / "a.csv", delimiter=";", encoding="latin1")
    assert "Käse" in list(data.items)


def test_07_use_counts_as_weights():
    model = bspm.Model.fit(FRAME, "gf-cf", weight="plays", weight_scale="log", factor_dim=8)
    assert model.interactions.csr["data"] is not None


def test_08_let_old_interactions_count_less():
    model = bspm.Model.fit(FRAME, "gf-cf", time="at", half_life="7d", factor_dim=8)
    assert model.interactions.csr["data"].min() < 0.5


def test_09_recommend_to_a_user(model):
    found = model.recommend("u3", k=5)
    assert len(found.items) == 5


def test_10_recommend_to_a_history(model):
    assert "i1" not in model.recommend(history=["i1", "i4"], k=5).items


def test_11_recommend_to_a_weighted_history(model):
    assert len(model.recommend(history={"i1": 2.0, "i4": -0.5}, k=5).items) == 5


def test_12_lists_of_all_users_as_a_frame(model):
    frame = model.recommend_frame(k=5).to_pandas()
    assert list(frame.columns) == ["user", "rank", "item", "title", "score"] and len(frame) == 600


def test_13_lists_of_some_users_as_polars(model):
    assert model.recommend_frame(["u1", "u2"], k=3).to_polars().height == 6


def test_14_never_recommend_some_items(model):
    best = model.recommend("u3", k=1).items[0]
    assert best not in model.recommend("u3", k=5, deny=[best]).items


def test_15_recommend_only_cheap_items(model):
    found = model.recommend("u3", k=5, where="price < 5")
    assert all(int(item[1:]) % 10 < 5 for item in found.items)


def test_16_at_most_two_of_a_brand(model):
    found = model.recommend("u3", k=8, at_most={"brand": 2})
    assert max(np.unique([int(it[1:]) % 4 for it in found.items], return_counts=True)[1]) <= 2


def test_17_more_diverse_lists(model):
    assert model.recommend("u3", k=5, diversity=0.5).items != model.recommend("u3", k=5).items


def test_18_also_recommend_seen_items(model):
    assert len(model.recommend("u3", k=60, keep_seen=True).items) > len(model.recommend("u3", k=60).items)


def test_19_similar_items(model):
    assert "i5" not in model.similar_items("i5", k=3).items


def test_20_similar_users(model):
    assert len(model.similar_users("u3", k=3)) == 3


def test_21_explain_a_recommendation(model):
    explanation = model.explain("u3", model.recommend("u3", k=1).items[0])
    assert len(explanation.to_pandas()) > 0


def test_22_scores_of_given_items(model):
    assert len(model.score("u3", ["i1", "i2"])) == 2


def test_23_split_by_time_and_evaluate():
    train, test = bspm.split(FRAME, time="at", ratio=0.2)
    assert 0 < bspm.Model.fit(train, "rp3beta").evaluate(test, k=10)["ndcg"] <= 1


def test_24_confidence_intervals_and_diversity():
    train, test = bspm.split(FRAME)
    found = bspm.Model.fit(train, "rp3beta").evaluate(test, k=10, detailed=True)
    assert found["ndcg_interval"][0] <= found["ndcg"] and found["coverage"] > 0


def test_25_compare_filters():
    found = pd.DataFrame(bspm.compare(["rp3beta", ("gf-cf", {"factor_dim": 8}), "popularity"], FRAME, k=10))
    assert list(found["ndcg"]) == sorted(found["ndcg"], reverse=True)


def test_26_search_for_the_best_filter():
    trials = bspm.tune(FRAME, trials=4)
    assert trials.best.fit(FRAME).config == trials.best["config"]


def test_27_the_leaderboard_as_a_frame():
    assert len(bspm.tune(FRAME, trials=4).to_pandas()) == 4


def test_28_save_and_open_a_model(model, tmp_path):
    model.save(tmp_path / "shop.bspm")
    assert bspm.Model.open(tmp_path / "shop.bspm").recommend("u3", k=5) == model.recommend("u3", k=5)


def test_29_add_new_interactions(model):
    newer = model.with_interactions([("new user", "i1"), ("new user", "i4")])
    assert len(newer.recommend("new user", k=3).items) == 3


def test_30_vectors_for_a_vector_database(model):
    items, users = model.low_pass_vectors()
    assert items.shape == (60, 8) and users.shape == (120, 8)

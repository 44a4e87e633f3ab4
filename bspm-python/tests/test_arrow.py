"""Arrow tables by the PyCapsule interface, without PyArrow."""

import subprocess
import sys

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import bspm


@pytest.fixture(scope="module")
def frame(pairs):
    users, items = pairs
    return pl.DataFrame({"user": [f"user {it}" for it in users], "item": items})


@pytest.fixture(scope="module")
def model(frame):
    return bspm.Model.fit(frame, "gf-cf", factor_dim=6)


def test_no_pyarrow_is_needed():
    script = """
import sys
sys.modules["pyarrow"] = None
import polars, bspm
frame = polars.DataFrame({"user": ["ann", "bob"], "item": [1, 1]})
assert hasattr(frame, "__arrow_c_stream__")
assert bspm.Model.fit(frame, "rp3beta").shape == (2, 1)
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_tables_of_every_engine_give_the_same_interactions(frame, pairs, tmp_path):
    users, items = pairs
    expected = bspm.Interactions.from_pairs([f"user {it}" for it in users], items)
    frame.write_csv(tmp_path / "pairs.csv")
    relation = duckdb.read_csv(str(tmp_path / "pairs.csv"))
    numbers = frame.with_columns(pl.col("user").cast(pl.Categorical), pl.col("item").cast(pl.Int16))
    for table in [frame, relation, numbers, frame.lazy().collect()]:
        found = bspm.Interactions.of(table)
        assert list(found.users) == list(expected.users)
        assert list(found.items) == list(expected.items)
        np.testing.assert_array_equal(found.csr["indptr"], expected.csr["indptr"])


@pytest.mark.parametrize("user, item", [("user_id", "item_id"), ("userId", "movieId"), ("Customer ID", "ISBN")])
def test_columns_with_usual_names_need_no_arguments(user, item):
    columns = {"at": [7, 8], user: ["ann", "bob"], item: [1, 2]}
    for table in [columns, pd.DataFrame(columns), pl.DataFrame(columns), pl.DataFrame(columns).to_arrow()]:
        found = bspm.Interactions.of(table)
        assert (list(found.users), list(found.items)) == (["ann", "bob"], [1, 2])
        lists = bspm.evaluate(table, table, k=1)
        assert lists["recall"] == 1.0
    both = pl.DataFrame({**columns, "user": ["zoe", "max"]})
    assert list(bspm.Interactions.of(both).users) == ["zoe", "max"]
    with pytest.raises(KeyError, match="item"):
        bspm.Interactions.of(pl.DataFrame({user: ["ann"], "track_id": [1], "artist_id": [2]}))


def test_weights_and_times_are_read():
    table = pl.DataFrame(
        {
            "user": [1, 1, 2],
            "item": ["tea", "milk", "tea"],
            "plays": [3, 1, 2],
            "at": ["2026-01-01T00:00:01", "2026-01-01T00:00:02", "2026-01-01T00:00:00"],
        }
    ).with_columns(pl.col("at").str.to_datetime())
    found = bspm.Interactions.from_frame(table, weight="plays", time="at")
    assert found.csr["data"].tolist() == [3.0, 1.0, 2.0]
    assert (found.times - found.times.min()).tolist() == [1.0, 2.0, 0.0]
    assert found.times.min() == 1767225600.0


def test_lists_are_those_of_the_model_bit_for_bit(model):
    users = pl.DataFrame({"request": range(60), "user": model.users})
    found = pl.DataFrame(model.recommend_arrow(users, 5))
    items, scores = model.recommend_many(k=5)
    assert found.columns == ["request", "user", "items", "scores"]
    assert found["items"].to_list() == items.tolist()
    assert np.array_equal(np.array(found["scores"].to_list(), dtype=np.float32), scores)
    one = pl.DataFrame(model.recommend_arrow(users[7:8], 5))
    assert one["scores"].to_list() == found["scores"].to_list()[7:8]

    long = pl.DataFrame(model.recommend_arrow(users, 5, long=True))
    assert long["item"].to_list() == items.ravel().tolist()
    assert long["rank"].to_list() == [1, 2, 3, 4, 5] * 60


def test_rows_have_their_own_histories_and_lists(model):
    best = model.recommend("user 3", 3).items
    items = model.items.tolist()
    table = pl.DataFrame(
        {
            "user": ["user 3", "nobody", "user 3"],
            "history": [None, items[:2], None],
            "weights": [None, [2.0, -1.0], None],
            "deny": [[best[0]], None, None],
            "allow": [None, None, best[1:]],
        }
    )
    found = pl.DataFrame(model.recommend_arrow(table, 3))["items"].to_list()
    assert found[0][:2] == best[1:]
    expected = model.recommend(history={items[0]: 2.0, items[1]: -1.0}, k=3)
    assert found[1] == expected.items
    assert found[2] == best[1:]


def test_duckdb_takes_the_lists(model):
    users = pl.DataFrame({"user": model.users})
    lists = model.recommend_arrow(users, 3, long=True)
    assert len(lists) == 180
    assert duckdb.sql("select max(rank) from lists").fetchall() == [(3,)]


def test_what_is_wrong_is_an_exception_that_names_it(model, frame):
    for table, error, text in [
        ({"user": ["user 1"]}, TypeError, "PyCapsule"),
        (pl.DataFrame({"user": [True]}), ValueError, 'column "user": expected ids'),
        (pl.DataFrame({"user": [1.5]}), ValueError, 'row 0: expected a user of the model, found 1.5'),
        (pl.DataFrame({"user": ["user 1", "zoe"]}), ValueError, 'row 1: expected a user of the model, found zoe'),
        (pl.DataFrame({"user": ["user 1", None]}), ValueError, "row 1: expected a user or a history, found null"),
        (pl.DataFrame({"history": [1, 2]}), ValueError, 'column "history": expected lists'),
        (pl.DataFrame({"history": [["much"]]}), ValueError, "expected items of the model, found much"),
    ]:
        with pytest.raises(error, match=text):
            model.recommend_arrow(table, 3)
    unknown = pl.DataFrame({"user": ["user 1", "zoe"]})
    found = pl.DataFrame(model.recommend_arrow(unknown, 3, skip_unknown=True))
    assert found["items"].list.len().to_list() == [3, 0]
    assert len(model.recommend_arrow(unknown[:0], 3)) == 0
    with pytest.raises(KeyError, match=r"there are .user., .item."):
        bspm.Interactions.from_frame(frame, item="title")
    halves = frame.with_columns(half=pl.lit(0.5))
    with pytest.raises(ValueError, match=r'column "half", row 0: expected a user id .*found 0.5'):
        bspm.Interactions.from_frame(halves, user="half")

"""Columns, matrices, and buffers: what a new user passes, and what is not changed behind their back."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import bspm

I = bspm.Interactions


def test_names_of_columns_may_be_numbers():
    frame = pd.DataFrame({0: ["q", "r"], 1: ["x", "y"], "user": ["a", "b"], "item": ["x", "y"], 2: [3, 4]})
    assert I.from_frame(frame, user=0).users == ["q", "r"]
    assert I.from_frame(frame, 0, 1, 2).to_scipy().data.tolist() == [3, 4]
    assert bspm.Model.fit(frame, "popularity", user=np.int64(0), item=1).users == ["q", "r"]
    titles = bspm.Model.fit([("a", "x")], "popularity", items=frame, item_id=1, title=0).titles(["x"])
    assert titles == ["q"]
    for name in ("", ("A", "user"), True):
        with pytest.raises((TypeError, ValueError), match="user: expected the name of a column, found"):
            I.from_frame(frame, user=name)


@pytest.mark.parametrize("table", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_users_and_items_have_columns_of_their_own(table, tmp_path):
    with pytest.raises(ValueError, match="item.*: expected a column other than the user column, found .?b"):
        I.from_frame(table({"a": ["x", "y"], "b": ["u", "v"]}), user="b", item="b")


@pytest.mark.parametrize("kind, limit", [(np.float16, 2**11), (np.float32, 2**24), (np.float64, 2**53)])
@pytest.mark.parametrize("table", [pd.DataFrame, pa.table])
def test_floats_that_represent_several_whole_numbers_are_no_ids(kind, limit, table):
    below = I.from_frame(table({"user": np.array([limit - 1, 3], kind), "item": [1, 2]}))
    assert below.users.tolist() == [limit - 1, 3]
    with pytest.raises((TypeError, ValueError), match="user"):
        I.from_frame(table({"user": np.array([3, limit], kind), "item": [1, 2]}))


@pytest.mark.parametrize("ratio", [0, 0.0, 1, -0.5, float("nan")])
def test_a_share_is_above_0_and_below_1(ratio):
    pairs = [(user, item) for user in range(9) for item in range(user + 2)]
    for run in (bspm.split, bspm.tune, bspm.Model.tune):
        with pytest.raises(ValueError, match="ratio: expected a number above 0 and below 1, found"):
            run(pairs, ratio=ratio)

"""Columns, matrices, and buffers: what a new user passes, and what is not changed behind their back."""

import collections
import decimal
import io
import sys
import uuid
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse

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
    with pytest.raises((TypeError, ValueError), match="user.*: expected .*found"):
        I.from_frame(table({"user": np.array([3, limit], kind), "item": [1, 2]}))


@pytest.mark.parametrize("ratio", [0, 0.0, 1, -0.5, float("nan")])
def test_a_share_is_above_0_and_below_1(ratio):
    pairs = [(user, item) for user in range(9) for item in range(user + 2)]
    for run in (bspm.split, bspm.tune, bspm.Model.tune):
        with pytest.raises(ValueError, match="ratio: expected a number above 0 and below 1, found"):
            run(pairs, ratio=ratio)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("form", ["coo", "csc", "csr", "dok", "lil", "bsr"])
@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.float32, np.bool_])
def test_matrices_of_every_form_and_type_are_the_same(form, kind):
    dense = np.array([[1, 0, 1], [0, 1, 0]], kind)
    matrix = scipy.sparse.coo_matrix(dense).asformat(form)
    assert I.from_matrix(matrix) == I.from_matrix(scipy.sparse.csr_matrix(dense.astype(np.float64)))


def test_repeated_entries_are_added_in_double_precision():
    places = np.zeros(260, np.int64)
    many = scipy.sparse.coo_matrix((np.ones(260, np.uint8), (places, places)), shape=(1, 1))
    assert I.from_matrix(many).to_scipy().data.tolist() == [260]
    two = scipy.sparse.csr_matrix((np.array([100, 100], np.int8), [0, 0], [0, 2]), shape=(1, 1))
    for matrix in (two, two.tocoo(), two.tocsc(copy=True)):
        assert I.from_matrix(matrix).to_scipy().data.tolist() == [200], matrix.format


def test_interactions_have_their_own_buffers():
    matrix, ids = scipy.sparse.csr_matrix(np.eye(3, dtype=np.float32) * 2), np.arange(3)
    read = I.from_matrix(matrix, users=ids)
    matrix.data[:], matrix.indices[:], ids[:] = -5, 0, 7
    found = read.to_scipy()
    found.data[:], found.indices[:], found.indptr[:] = 9, 0, 0
    assert (read.to_scipy().toarray() == np.eye(3) * 2).all() and read.users.tolist() == [0, 1, 2]


def test_what_is_no_matrix_of_distinct_users_and_items_is_refused():
    matrix = scipy.sparse.csr_matrix(np.eye(3, dtype=np.float32))
    for ids in (["a", "a", "b"], [1, 2, 1]):
        with pytest.raises(ValueError, match="items: expected distinct ids, found 2 among 3"):
            I.from_matrix(matrix, items=ids)
    matrix.indices[0] = -1
    with pytest.raises(ValueError, match="items: expected numbers from 0 to below 3, found -1"):
        I.from_matrix(matrix)
    if hasattr(scipy.sparse, "coo_array"):
        with pytest.raises(ValueError, match="matrix: expected two dimensions, users x items, found the shape"):
            I.from_matrix(scipy.sparse.coo_array(np.ones(3)))


@pytest.mark.parametrize("package", ["pyarrow", "polars"])
def test_parquet_files_are_read_with_pyarrow_or_polars(package, tmp_path, monkeypatch):
    log = pa.table({"user": [1, 1, 2], "item": ["a", "b", "a"], "at": [1000, 2000, 3000]})
    expected = I.from_frame(log)
    for part, rows in enumerate((log[:2], log[2:])):
        (tmp_path / "log" / f"day={part}").mkdir(parents=True)
        pq.write_table(rows, tmp_path / "log" / f"day={part}" / "part.parquet")
    pq.write_table(log, tmp_path / "whole.parquet")
    pq.write_table(log, tmp_path / "whole")
    if package == "polars":
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert I.from_file(tmp_path / "whole.parquet") == expected == I.from_file(str(tmp_path / "*.parquet"))
    assert I.from_file(tmp_path / "whole", format="parquet") == expected
    assert I.from_file(tmp_path / "log") == expected
    assert bspm.Model.fit(tmp_path / "whole.parquet", "popularity").interactions == expected
    assert I.from_file(tmp_path / "log", item="day").items.tolist() == [0, 1]
    assert I.from_file(tmp_path / "whole.parquet", time="at", time_unit="ms").times.tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match="delimiter: expected a format that uses it"):
        I.from_file(tmp_path / "whole.parquet", delimiter=";")
    with pytest.raises(ValueError, match=r"""time_unit="ms" \(arguments of bspm.Interactions.from_file\)"""):
        seconds = [1_700_000_000_000, 1_700_000_100_000, 1_700_000_200_000]
        pq.write_table(log.set_column(2, "at", pa.array(seconds)), tmp_path / "ms.parquet")
        I.from_file(tmp_path / "ms.parquet", time="at", half_life="1d")
    with pytest.raises(FileNotFoundError):
        I.from_file(tmp_path / "absent.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ValueError, match="whole.parquet: expected PyArrow or polars, which read Parquet files"):
        I.from_file(tmp_path / "whole.parquet")


def test_arrays_generators_and_lazy_frames_are_data():
    pairs = [(1, 5), (1, 6), (2, 5)]
    expected = I.of(pairs)
    assert I.of(np.array(pairs)) == expected == I.of(pair for pair in pairs)
    assert I.from_pairs((user for user, _ in pairs), (item for _, item in pairs)) == expected
    assert I.of(np.array([("a", "x"), ("b", "y")])).users == ["a", "b"]
    weighted = I.of(np.array([(user, item, 0.5) for user, item in pairs]))
    assert weighted == I.of([(*pair, 0.5) for pair in pairs]) and weighted.users.tolist() == [1, 2]
    lazy = pl.LazyFrame(pairs, schema=["user", "item"], orient="row")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bspm.Model.fit(lazy, "popularity", items=lazy.head(2), title="user").interactions == expected
        assert I.from_frame(lazy) == expected


@pytest.mark.parametrize("make", [pd.DataFrame, dict])
def test_ids_of_other_types_are_those_of_arrow(make):
    ids = [uuid.uuid4(), uuid.uuid4()]
    for values, expected in [
        ([decimal.Decimal("7"), decimal.Decimal("8.0")], [7, 8]),
        ([b"a", b"caf\xc3\xa9"], ["a", "café"]),
        (np.array([b"a", b"b"]), ["a", "b"]),
        (ids, [str(it) for it in ids]),
    ]:
        assert list(I.from_frame(make({"user": values, "item": [1, 2]})).users) == expected
    days = pd.to_datetime(["2020-01-01", "2020-01-02"])
    for values in ([decimal.Decimal("7.5"), decimal.Decimal(8)], [True, False], days):
        with pytest.raises(TypeError, match="user: expected ids that are"):
            I.from_frame(make({"user": values, "item": [1, 2]}))


@pytest.mark.parametrize(
    "data, text",
    [
        (None, "data: expected a table, .* found NoneType"),
        (5, "found int"),
        ([{"user": 1, "item": 2}], r"found {'user': 1, 'item': 2} in it; hint: pandas.DataFrame\(data\) is a table"),
        (collections.Counter([("a", "b")]), r"found Counter; hint: \[\(user, item, weight\) for"),
        (io.StringIO("user,item"), "found StringIO; hint: pass the path of the file"),
        (np.zeros((3, 4)), r"expected an array with 2 or 3 columns, found the shape \(3, 4\)"),
        (pd.Series([1, 2]), "found 1 in it"),
    ],
)
def test_other_data_are_refused_with_a_hint(data, text):
    with pytest.raises((TypeError, ValueError), match=text):
        I.of(data)


def test_whole_numbers_of_a_file_match_texts_of_another_file(tmp_path):
    rows = {"train.csv": "a1,7\n12,7\n12,8\n", "test.csv": "12,9\n12,7\n", "tags.csv": "7,red\n8,red\n"}
    for name, lines in rows.items():
        header = "item,tag\n" if name == "tags.csv" else "user,item\n"
        (tmp_path / name).write_text(header + lines.replace("7", "7x" if name == "train.csv" else "7"))
    model = bspm.Model.fit(tmp_path / "train.csv", "popularity", tags=tmp_path / "tags.csv")
    assert (model.users, model.items.tolist()) == (["a1", "12"], ["7x", "8", "7"])
    with pytest.warns(UserWarning):
        found = model.evaluate(tmp_path / "test.csv", 1)
    expected = model.evaluate([("12", "9"), ("12", "7")], 1)
    assert found == expected and found["users"] == 1
    later = model.with_interactions(tmp_path / "test.csv")
    assert later.users == ["a1", "12"] and "9" in later.items.tolist()
    with pytest.raises(TypeError, match="users: expected ids that are text"):
        model.evaluate([(12, 9)], 1)

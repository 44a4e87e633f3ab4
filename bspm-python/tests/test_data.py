"""The same log gives the same model from every kind of input, and every option for reading has an effect."""

import ast
import datetime
import itertools
import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

import bspm

duckdb = pytest.importorskip("duckdb")
hypothesis = pytest.importorskip("hypothesis")
pa = pytest.importorskip("pyarrow")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

COLUMNS = ("user", "item", "plays", "stars", "at")
OPTIONS = [
    {},
    {"time": "at"},
    {"duplicates": "sum"},
    {"duplicates": "sum", "weight_scale": "log", "time": "at"},
    {"duplicates": "count"},
    {"weight": "plays"},
    {"weight": "plays", "weight_scale": "linear"},
    {"weight": "plays", "weight_scale": "log"},
    {"weight": "plays", "weight_scale": "threshold:2"},
    {"weight": "plays", "duplicates": "max", "time": "at"},
    {"weight": "plays", "duplicates": "last", "time": "at"},
    {"weight": "plays", "duplicates": "last"},
    {"time": "at", "half_life": 3.5},
    {"weight": "plays", "time": "at", "half_life": "2h", "weight_scale": "log"},
    {"rating": "stars", "rating_threshold": 3},
    {"rating": "stars", "rating_threshold": 2.5, "weight": "plays", "time": "at", "half_life": 9},
    {"weight": "stars"},
]


def content(data, filter="popularity", **options):
    return bspm.Model.fit(data, filter, **options)._core.to_bytes()


def doors(log, folder):
    """The log in everything that is read, with its rows in their order."""
    frame = pl.DataFrame(log)
    frame.write_csv(folder / "log.csv")
    frame.write_csv(folder / "log.tsv", separator="\t")
    yield "CSV", folder / "log.csv"
    yield "TSV", str(folder / "log.tsv")
    yield "dict of lists", log
    yield "dict of arrays", {name: np.array(values) for name, values in log.items()}
    yield "pandas", pd.DataFrame(log)
    yield "pandas, nullable", pd.DataFrame(log).convert_dtypes()
    of_arrow = {name: pd.ArrowDtype(pa.large_string()) for name in ("user", "item") if isinstance(log[name][0], str)}
    yield "pandas, texts of Arrow", pd.DataFrame(log).astype(of_arrow)
    # Equal texts that are not the same object.
    copies = {name: [bytes(it, "utf-8").decode() for it in log[name]] for name in of_arrow}
    objects = {name: np.array(values, dtype=object) for name, values in copies.items()}
    yield "dict of arrays of objects", log | objects
    yield "polars", frame
    yield "pyarrow", pa.table(log)
    yield "pyarrow, a reader", pa.table(log).to_reader(max_chunksize=3)
    yield "DuckDB", duckdb.sql("select * from frame")


def outcome(data, options):
    try:
        return content(data, **options)
    except ValueError as error:
        assert "at least one interaction" in str(error), error
        return "no interactions"


events = st.tuples(
    st.integers(0, 3),
    st.integers(0, 3),
    # Many are 1, so that all of them may be.
    st.sampled_from([1.0, 1.0, 1.0, 2.0, 0.5, 0.0]),
    st.sampled_from([1.0, 2.0, 3.0, 4.5]),
    st.integers(-3, 3),
)


@given(log=st.lists(events, min_size=1, max_size=12), has_texts=st.booleans())
@settings(max_examples=30, deadline=None)
def test_the_same_log_is_the_same_model(tmp_path_factory, log, has_texts):
    folder = tmp_path_factory.mktemp("log")
    columns = dict(zip(COLUMNS, map(list, zip(*log))))
    if has_texts:
        columns["user"] = [f"user {it}" for it in columns["user"]]
    for options in OPTIONS:
        found = {name: outcome(data, options) for name, data in doors(columns, folder)}
        if not {"time", "rating"} & set(options):
            found["triples or pairs"] = outcome(pairs_of(columns, options), options_of_pairs(options))
        assert len(set(found.values())) == 1, (options, [it for it in found if found[it] != found["CSV"]])


def pairs_of(columns, options):
    names = ["user", "item"] + ([options["weight"]] if "weight" in options else [])
    return list(zip(*(columns[name] for name in names)))


def options_of_pairs(options):
    return {name: value for name, value in options.items() if name != "weight"}


LOG = {
    "user": ["ann", "ann", "ann", "bob", "bob"],
    "item": ["tea", "tea", "milk", "tea", "rice"],
    "plays": [1.0, 1.0, 3.0, 1.0, 0.0],
    "stars": [5, 1, 4, 2, 3],
    "at": [10.0, 30.0, 20.0, 0.0, 5.0],
}


def weights(**options):
    """Each pair of the log and its weight."""
    found = bspm.Interactions.of(LOG, **options)
    data = found.csr["data"]
    users = np.repeat(np.arange(len(found.users)), np.diff(found.csr["indptr"]))
    keys = [(found.users[user], found.items[item]) for user, item in zip(users, found.csr["indices"])]
    return dict(zip(keys, np.ones(len(keys)) if data is None else data.tolist()))


TEA, MILK, RICE = ("ann", "tea"), ("ann", "milk"), ("bob", "rice")


@pytest.mark.parametrize(
    "options, tea, milk",
    [
        ({}, 1, 1),
        ({"duplicates": "sum"}, 2, 1),
        ({"duplicates": "count"}, 2, 1),
        ({"duplicates": "sum", "weight_scale": "log"}, np.log2(3), 1),
        ({"weight": "plays"}, 2, 3),
        ({"weight": "plays", "weight_scale": "log"}, np.log2(3), 2),
        ({"weight": "plays", "weight_scale": "threshold:3"}, None, 1),
        ({"weight": "plays", "duplicates": "max"}, 1, 3),
        ({"weight": "stars", "duplicates": "last", "time": "at"}, 1, 4),
        ({"weight": "plays", "time": "at", "half_life": 10, "duplicates": "max"}, 1, 1.5),
        ({"rating": "stars", "rating_threshold": 4}, 1, 1),
    ],
)
def test_every_option_counts(options, tea, milk):
    found = weights(**options)
    assert found.get(TEA) == (tea if tea is None else pytest.approx(tea))
    assert found[MILK] == pytest.approx(milk)


def test_a_weight_of_nothing_and_a_low_rating_leave_no_pair():
    assert RICE not in weights(weight="plays") and RICE in weights()
    found = bspm.Interactions.of(LOG, rating="stars", rating_threshold=4)
    assert found.users == ["ann"] and found.items == ["tea", "milk"]
    triples = list(zip(LOG["user"], LOG["item"], LOG["stars"]))
    assert bspm.Interactions.of(triples, rating_threshold=4).users == ["ann"]


@pytest.mark.parametrize(
    "options, text",
    [
        ({"half_life": 3}, "half_life: .*times beside it; time= names their column, found 3"),
        ({"rating_threshold": 3}, "rating_threshold: .*rating= names their column"),
        ({"rating": "stars"}, "rating: expected rating_threshold= beside it, or weight="),
        ({"weight_scale": "log"}, "weight_scale: .*weight= names their column"),
        ({"duplicates": "max"}, "duplicates: .*'sum' or 'count' without weights"),
        ({"weight": "plays", "weight_scale": "square"}, "weight_scale: .*'log' or 'threshold:NUMBER'"),
        ({"weight": "plays", "duplicates": "first"}, "duplicates: .*sum, max"),
        ({"time": "at", "half_life": 0}, "half_life: expected a number above 0"),
        ({"time": "at", "half_life": "90 days"}, "half_life: .*'90d'"),
        ({"time": "at", "half_life": float("nan")}, "half_life: expected a number above 0"),
    ],
)
def test_an_option_without_an_effect_is_refused(options, text, tmp_path):
    for name, data in doors(LOG, tmp_path):
        with pytest.raises(ValueError, match=text):
            bspm.Model.fit(data, "popularity", **options)
        with pytest.raises(ValueError, match=text):
            bspm.tune(data, trials=1, **options)


def test_an_option_that_does_not_fit_the_data_is_refused(tmp_path):
    matrix = scipy.sparse.csr_matrix(np.eye(3, dtype=np.float32))
    read = bspm.Interactions.of(LOG)
    for data, options, text in [
        (matrix, {"weight": "plays"}, "weight: expected only rating_threshold, .* beside a matrix"),
        (matrix, {"half_life": 3}, "half_life"),
        ([(1, 2)], {"time": "at"}, "time: expected only .* beside pairs"),
        ([(1, 2)], {"user": "who"}, "user: expected only .* beside pairs"),
        (read, {"weight": "plays"}, "weight: .* Interactions, which have been read"),
    ]:
        with pytest.raises(ValueError, match=text):
            bspm.Model.fit(data, "popularity", **options)
    (tmp_path / "train.txt").write_text("0 1 2\n1 2\n")
    (tmp_path / "ratings.dat").write_text("1::2::5::30\n1::3::1::40\n2::2::5::50\n")
    scipy.sparse.save_npz(tmp_path / "matrix.npz", matrix)
    for file, options, text in [
        ("train.txt", {"weight": "plays"}, "weight: expected a format that uses it .*csv.* found lightgcn"),
        ("train.txt", {"duplicates": "max"}, "duplicates"),
        ("train.txt", {"half_life": 3}, "half_life"),
        ("matrix.npz", {"time": "at"}, "time: expected a format that uses it .* found npz"),
    ]:
        with pytest.raises(ValueError, match=text):
            bspm.Model.fit(tmp_path / file, "popularity", **options)
    found = bspm.Interactions.of(tmp_path / "ratings.dat", rating_threshold=4, half_life=10)
    assert found.times.tolist() == [30.0, 50.0] and found.csr["data"].tolist() == [0.25, 1.0]
    found = bspm.Interactions.of(tmp_path / "ratings.dat", weight="rating")
    assert found.csr["data"].tolist() == [5.0, 1.0, 5.0]


def test_entries_of_a_matrix_that_are_repeated_are_added_up_also_where_all_are_one():
    matrix = scipy.sparse.csr_matrix((2, 3), dtype=np.float32)
    matrix.indptr, matrix.indices = np.array([0, 2, 3]), np.array([1, 1, 2])
    matrix.data = np.ones(3, np.float32)
    expected = content(scipy.sparse.csr_matrix(matrix.toarray()))
    assert content(matrix) == expected
    assert content(matrix, duplicates="sum") == expected
    assert content(matrix, duplicates="max") == content(scipy.sparse.csr_matrix(matrix.toarray() > 0))
    logs = bspm.Interactions.of(matrix, weight_scale="log")
    assert logs.csr["data"] == pytest.approx([np.log2(3), 1]) and logs.shape == (2, 3)
    rated = bspm.Interactions.of(scipy.sparse.csr_matrix([[4.0, 1.0], [0.0, 5.0]]), rating_threshold=4)
    assert rated.csr["indices"].tolist() == [0, 1] and rated.csr["data"] is None


def test_texts_that_stand_for_a_missing_id_are_refused_everywhere(tmp_path):
    for text in ("nan", "None", "NULL", ""):
        table = {"user": ["ann", text, "bob"], "item": ["tea", "tea", "milk"]}
        for name, data in [*doors(table, tmp_path), ("pairs", list(zip(*table.values())))]:
            with pytest.raises(ValueError, match="expected .*id"):
                bspm.Model.fit(data, "popularity")
        with pytest.raises(ValueError, match=f"user, row 1: expected an id in every row, found '{text}'"):
            bspm.Model.fit(table, "popularity")


# ------------------------------------------------------------------ times


@given(st.lists(st.integers(-(10**14), 4 * 10**15), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_the_same_dates_are_the_same_times(tmp_path_factory, microseconds):
    folder = tmp_path_factory.mktemp("dates")
    start = datetime.datetime(1970, 1, 1)
    dates = [start + datetime.timedelta(microseconds=it) for it in microseconds]
    log = {"user": list(range(len(dates))), "item": [1] * len(dates), "at": dates}
    frame = pl.DataFrame(log)
    frame.with_columns(pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")).write_csv(folder / "log.csv")
    aware = {**log, "at": [it.replace(tzinfo=datetime.timezone.utc) for it in dates]}
    found = [content(log, time="at"), content(folder / "log.csv", time="at")]
    for data in (aware, pd.DataFrame(log), pd.DataFrame(aware), frame, pl.DataFrame(aware)):
        found.append(content(data, time="at"))
    found.append(content(pa.table(log), time="at"))
    found.append(content(duckdb.sql("select * from frame"), time="at"))
    assert len(set(found)) == 1, [it == found[0] for it in found]


def test_times_are_kept_in_the_model_and_its_file(tmp_path):
    model = bspm.Model.fit(LOG, "popularity", time="at", weight="plays")
    assert model.interactions.times.tolist() == [30.0, 20.0, 0.0]
    assert model.interactions.csr["data"].tolist() == [2.0, 3.0, 1.0]
    model.save(tmp_path / "model.bspm")
    opened = bspm.Model.open(tmp_path / "model.bspm")
    assert opened.interactions.times.tolist() == [30.0, 20.0, 0.0]
    assert opened.refit().interactions.times.tolist() == [30.0, 20.0, 0.0]
    assert opened.refit().interactions.csr["data"].tolist() == [2.0, 3.0, 1.0]
    assert opened.forget(items=["milk"]).interactions.times.tolist() == [30.0, 0.0]
    assert bspm.Model.fit(LOG, "popularity").interactions.times is None
    again = bspm.Model.fit(model.interactions, "popularity")
    assert again._core.to_bytes() == model._core.to_bytes()


def test_interactions_that_join_leave_weights_and_times_as_they_are():
    model = bspm.Model.fit(LOG, "popularity", time="at", weight="plays")
    joined = model.with_interactions([("cid", "tea"), ("ann", "rice")]).interactions
    assert joined.users == ["ann", "bob", "cid"] and joined.items == ["tea", "milk", "rice"]
    assert joined.csr["data"].tolist() == [2.0, 3.0, 1.0, 1.0, 1.0]
    # Pairs without a time join at the latest.
    assert joined.times.tolist() == [30.0, 20.0, 30.0, 0.0, 30.0]
    more = {"user": ["cid", "ann"], "item": ["tea", "tea"], "plays": [4.0, 1.0], "at": [40.0, 35.0]}
    joined = model.with_interactions(more, weight="plays", time="at").interactions
    assert joined.csr["data"].tolist() == [2.0, 3.0, 1.0, 4.0]
    assert joined.times.tolist() == [35.0, 20.0, 0.0, 40.0]
    with pytest.raises(ValueError, match="time: expected a model that was fitted with time="):
        bspm.Model.fit(LOG, "popularity").with_interactions(more, time="at")
    again = model.with_interactions([("cid", "tea")]).refit().interactions
    assert again.csr["data"].tolist() == [2.0, 3.0, 1.0, 1.0] and again.times[0] == 30.0


ZONE = datetime.timezone(datetime.timedelta(hours=2))
DATES = [datetime.datetime(2026, 1, 1, 12, 0, 0, 250_000), datetime.datetime(1969, 12, 31)]
SECONDS = [1767268800.25, -86400.0]


@pytest.mark.parametrize(
    "times, expected",
    [
        (pd.Series(DATES), SECONDS),
        (pd.Series(DATES).astype("datetime64[us]"), SECONDS),
        (pd.Series(DATES).dt.tz_localize("UTC"), SECONDS),
        (pd.Series(DATES).dt.tz_localize(ZONE), [it - 7200 for it in SECONDS]),
        (pd.DatetimeIndex(DATES, tz="Europe/Berlin"), [it - 3600 for it in SECONDS]),
        (pd.Series([it.replace(tzinfo=ZONE) for it in DATES], dtype=object), [it - 7200 for it in SECONDS]),
        (np.array(DATES, dtype="datetime64[ns]"), SECONDS),
        (np.array(DATES, dtype="datetime64[D]"), [1767225600.0, -86400.0]),
        (DATES, SECONDS),
        ([it.replace(tzinfo=ZONE) for it in DATES], [it - 7200 for it in SECONDS]),
        ([it.date() for it in DATES], [1767225600.0, -86400.0]),
        (pd.Series([5, 7], dtype="Int64"), [5.0, 7.0]),
        (pl.Series(DATES), SECONDS),
        (["2026-01-01T12:00:00.25Z", "1969-12-31"], SECONDS),
        (pd.Series(["2026-01-01T14:00:00.25+02:00", "1969-12-31"]), SECONDS),
    ],
)
def test_times_of_every_kind_are_seconds_since_1970(times, expected):
    frame = {"user": ["ann", "bob"], "item": ["tea", "tea"], "at": times}
    assert bspm.Interactions.of(frame, time="at").times.tolist() == expected
    if isinstance(times, pd.Series):
        assert bspm.Interactions.of(pd.DataFrame(frame), time="at").times.tolist() == expected


@pytest.mark.parametrize(
    "times, text",
    [
        (pd.to_datetime(pd.Series(["2026-01-01", None])), "at, row 1: expected a time, found NaT"),
        (pd.to_datetime(pd.Series(["2026-01-01", None]), utc=True), "at, row 1: .*NaT"),
        (np.array(["2026-01-01", "NaT"], dtype="datetime64[s]"), "at, row 1: .*NaT"),
        (np.array([1.0, np.nan]), "row 1: expected a finite number, found NaN"),
        (pd.Series([1, None], dtype="Int64"), "row 1: expected .*found (<NA>|NaN)"),
        (["2026-01-01", "soon"], "at, row 1: expected a number, or a date as '2026-01-31' .* found 'soon'"),
        ([DATES[0], None], "at, row 1: expected a time, found (None|NaT)"),
    ],
)
def test_a_missing_time_is_refused_with_its_row(times, text):
    for data in ({"user": [1, 2], "item": [1, 2], "at": times},):
        with pytest.raises(ValueError, match=text):
            bspm.Model.fit(data, "popularity", time="at")
        with pytest.raises(ValueError, match=text):
            bspm.Model.fit(pd.DataFrame(data), "popularity", time="at")


@pytest.mark.parametrize(
    "column, values, text",
    [
        ("plays", [1.0, -1.0], 'column "plays", row 1: expected a finite number, 0 or above, found -1'),
        ("plays", [1.0, np.inf], 'column "plays", row 1: .*found inf'),
        ("plays", pd.Series([1, None], dtype="Int64"), "row 1: expected .*found (<NA>|NaN)"),
        ("item", pd.Series([1, None], dtype="Int64"), "item, row 1: expected an id in every row, found (<NA>|nan)"),
        ("item", ["tea", None], "item, row 1: expected an id in every row, found None"),
    ],
)
def test_a_wrong_value_is_refused_with_its_column_and_row(column, values, text):
    frame = {"user": [1, 2], "item": [1, 2], "plays": [1.0, 1.0], column: values}
    for data in (frame, pd.DataFrame(frame)):
        with pytest.raises(ValueError, match=text):
            bspm.Model.fit(data, "popularity", weight="plays")


def test_whole_numbers_of_any_type_are_the_same_ids():
    expected = content({"user": [1, 2], "item": [3, 4]})
    for dtype in (np.int8, np.uint16, np.uint64, np.float32, np.float64, object):
        columns = {"user": np.array([1, 2], dtype), "item": np.array([3, 4], dtype)}
        assert content(columns) == expected, dtype
        assert content(pd.DataFrame(columns)) == expected, dtype
    with pytest.raises(TypeError, match="user: expected ids that are str or int, found float64"):
        content({"user": [1.5, 2.0], "item": [3, 4]})


EMPTY = {"user": [], "item": []}


@pytest.mark.parametrize(
    "data",
    [
        EMPTY,
        [],
        pd.DataFrame(EMPTY),
        pl.DataFrame(EMPTY, schema={"user": pl.String, "item": pl.Int64}),
        scipy.sparse.csr_matrix((3, 4), dtype=np.float32),
        scipy.sparse.csr_matrix((0, 0), dtype=np.float32),
    ],
)
def test_data_without_interactions_are_refused(data):
    with pytest.raises(ValueError, match="expected at least one interaction, found none"):
        bspm.Model.fit(data, "popularity")


def test_options_are_those_of_every_function_that_reads():
    options = {"user": "who", "item": "what", "weight": "plays", "weight_scale": "log", "time": "at"}
    options |= {"half_life": "1h", "duplicates": "sum", "rating": "stars", "rating_threshold": 2}
    log = {"who": LOG["user"], "what": LOG["item"], **{it: LOG[it] for it in ("plays", "at", "stars")}}
    many = {name: list(itertools.chain(*[values] * 3)) for name, values in log.items()}
    many["what"] = [f"{item} {place // 5}" for place, item in enumerate(many["what"])]
    model = bspm.Model.fit(many, "popularity", **options)
    tuned = bspm.Model.tune(many, trials=2, k=2, **options)
    assert tuned.users == model.users
    assert tuned.interactions.csr["data"].tolist() == model.interactions.csr["data"].tolist()
    others = {**many, "who": [{"ann": "bob", "bob": "ann"}[it] for it in many["who"]]}
    assert model.evaluate(others, k=2, **options)["users"] >= 1
    assert bspm.compare(["popularity"], many, k=2, **options)[0]["users"] >= 1


def test_a_half_life_fits_the_times() -> None:
    seconds = [1_767_225_600 + 86_400 * day for day in range(6)]
    log = {"user": list("aabbcc"), "item": list("xyxzyz"), "at": seconds}
    bspm.Interactions.of(log, time="at", half_life="2d")
    with pytest.raises(ValueError, match="time: expected times in seconds"):
        milliseconds = {**log, "at": [1000 * time for time in seconds]}
        bspm.Interactions.of(milliseconds, time="at", half_life="2d")
    with pytest.warns(UserWarning, match="older than 14 half-lives"):
        bspm.Interactions.of(log, time="at", half_life=2)
    with pytest.warns(UserWarning, match="almost no effect"):
        bspm.Interactions.of(log, time="at", half_life="90y")


def test_mixed_ids_and_true_as_a_weight_are_refused() -> None:
    with pytest.raises(TypeError, match="all str or all int"):
        bspm.Interactions.of({"user": [1, "1"], "item": ["x", "y"]})
    with pytest.raises(TypeError, match="expected number"):
        log = {"user": ["a", "b"], "item": ["x", "y"], "liked": [True, False]}
        bspm.Interactions.of(log, weight="liked")


def test_files_are_read_with_the_options_of_the_tool(tmp_path):
    expected = bspm.Interactions.from_pairs(["ann", "ann", "bob"], ["tée", "milk", "tée"], [1.5, 1.0, 2.0])
    text = "# sales\nann;tée;1,5\nann;milk;1\nbob;tée;2\n"
    (tmp_path / "sales.csv").write_bytes(text.encode("latin1"))
    options = {
        "columns": ["user", "item", "n"],
        "delimiter": ";",
        "comment": "#",
        "encoding": "latin1",
        "decimal_comma": True,
        "weight": "n",
    }
    assert bspm.Interactions.from_file(tmp_path / "sales.csv", **options) == expected
    (tmp_path / "sales.dat").write_bytes(text.encode("latin1"))
    assert bspm.Interactions.from_file(tmp_path / "sales.dat", format="csv", **options) == expected

    (tmp_path / "days").mkdir()
    for day in (1, 2):
        (tmp_path / "days" / f"{day}.csv").write_text(f"user,item,at\nann,{day},0{day}/01/2026\nbob,,03/01/2026\n")
    for path in (tmp_path / "days", str(tmp_path / "days" / "*.csv"), [tmp_path / "days" / f"{it}.csv" for it in (1, 2)]):
        with pytest.warns(UserWarning, match="2 "):
            days = bspm.Interactions.from_file(path, time="at", time_format="%d/%m/%Y", skip_invalid=True)
        assert days.items.tolist() == [1, 2]
        assert days.times[1] - days.times[0] == 86400.0


@pytest.mark.parametrize(
    "options, error",
    [
        ({"delimiter": ";;"}, "delimiter"),
        ({"delimiter": "é"}, "delimiter: expected one ASCII character"),
        ({"quoting": "sometimes"}, "quoting"),
        ({"time_unit": "weeks"}, "time_unit"),
        ({"format": "xml"}, "format"),
        ({"format": "recbole", "columns": ["user", "item"]}, "columns: expected a format that uses it"),
        ({"format": "lightgcn", "null_values": ["x"]}, "null_values: expected a format that uses it"),
    ],
)
def test_options_of_files_that_are_wrong_are_errors(tmp_path, options, error):
    (tmp_path / "sales.csv").write_text("user,item\nann,tea\n")
    with pytest.raises((ValueError, TypeError), match=error):
        bspm.Interactions.from_file(tmp_path / "sales.csv", **options)


@pytest.mark.parametrize(
    "name, text",
    [
        ("a.csv", "user;item\nann;tea\nbob;milk\n"),
        ("a.csv", "user\titem\nann\ttea\nbob\tmilk\n"),
        ("a.csv", "ann,1\nbob,2\n"),
        ("u.data", "196\t242\t3\t881250949\n186\t302\t3\t891717742\n"),
        ("a.dat", "196,242,3,881250949\n186,302,3,891717742\n"),
        ("a.txt", "1 2 3 881250949\n1 3 4 881250950\n2 2 3 881250949\n"),
        ("a.csv", "# sales\nuser;item\nann;tea\nann;milk\n"),
        ("a.csv", "user,item\nann,tea,3\nbob,milk\n"),
    ],
)
def test_the_arguments_of_a_hint_read_the_file(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match="; hint: ") as refused:
        bspm.Model.fit(tmp_path / name)
    hint = str(refused.value).partition("; hint: ")[2].partition(" to read a table")[0]
    arguments = dict(re.findall(r"(\w+)=(\[.*?\]|\".*?\"|True)", hint))
    assert arguments, hint
    options = {option: ast.literal_eval(value) for option, value in arguments.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = bspm.Interactions.from_file(tmp_path / name, **options)
    assert len(read) > 0


@pytest.mark.parametrize("form", [pd.DataFrame, lambda columns: pa.table(pd.DataFrame(columns)), dict])
def test_tables_have_the_warnings_of_files(form):
    rows = np.arange(200)
    table = {"user": [f"u{row % 30}" for row in rows], "item": [f"i{row % 19}" for row in rows]}
    days = 1577836800 + rows * 86400
    for name, values, expected in [
        ("t", np.where(rows % 2, days, days * 1000), "the units of the times differ|times look like|milliseconds"),
        ("t", 20200101 + rows % 28, "look like dates, such as 20200101"),
        ("t", np.where(rows == 7, 0, days), "1 of 200 times are far from the others"),
        ("item", [["007", "7", " 7"][row % 3] for row in rows], "item ids"),
    ]:
        columns = {**table, name: values}
        with pytest.warns(UserWarning, match=expected):
            bspm.Interactions.of(form(columns), time="t" if name == "t" else None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bspm.Interactions.of(form({**table, "t": days}), time="t")


def test_a_half_life_in_another_unit_names_the_unit(tmp_path):
    (tmp_path / "a.csv").write_text("user,item,at\nann,tea,1700000000000\nbob,milk,1700086400000\n")
    with pytest.raises(ValueError, match='hint: set the unit of the times with time_unit="ms" .arguments of'):
        bspm.Interactions.from_file(tmp_path / "a.csv", time="at", half_life="3d")
    with pytest.raises(ValueError, match="hint: the times look like milliseconds since 1970; convert them"):
        bspm.Interactions.of(pd.read_csv(tmp_path / "a.csv"), time="at", half_life="3d")


@pytest.mark.parametrize("form", [object, pd.ArrowDtype(pa.string())])
def test_the_row_of_a_missing_id_is_counted_in_all_rows(form):
    texts = pd.Series(["a", "b", "a", "b", None, "a"], dtype=form)
    with pytest.raises(ValueError, match="user, row 4: expected an id in every row"):
        bspm.Interactions.from_frame(pd.DataFrame({"user": texts, "item": range(6)}))
    named = pd.Series(["a", "b", "a", "nan", "b", "nan"], dtype=form)
    with pytest.raises(ValueError, match="user, row 3: expected an id in every row, found 'nan'"):
        bspm.Interactions.from_frame(pd.DataFrame({"user": named, "item": range(6)}))


@pytest.mark.parametrize("scale", [1, 10**12])
def test_ids_are_in_the_order_of_their_first_kept_row(scale):
    users, items = np.array([5, -7, 5, 2, -7, 9]) * scale, np.array([3, 3, 1, 1, 0, 8]) * scale
    interactions = bspm.Interactions.from_pairs(users, items)
    assert interactions.users.tolist() == [5 * scale, -7 * scale, 2 * scale, 9 * scale]
    assert interactions.items.tolist() == [3 * scale, scale, 0, 8 * scale]
    assert interactions.csr["indptr"].tolist() == [0, 2, 4, 5, 6]
    assert interactions.csr["indices"].tolist() == [0, 1, 0, 2, 1, 3]
    kept = bspm.Interactions.from_pairs(users, items, ratings=[1, 5, 5, 5, 5, 1], rating_threshold=4)
    assert kept.users.tolist() == [-7 * scale, 5 * scale, 2 * scale]
    assert kept.items.tolist() == [3 * scale, scale, 0]
    with pytest.raises(ValueError, match="rating_threshold"):
        bspm.Interactions.from_pairs(users, items, ratings=[1.0] * 6, rating_threshold=float("nan"))

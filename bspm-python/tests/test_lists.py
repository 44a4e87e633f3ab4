"""Splits, the metrics of lists by any system, and filters side by side."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

import bspm

METRICS = ("recall", "precision", "ndcg", "hit_rate", "mrr", "map")


@pytest.fixture(scope="module")
def log(pairs):
    users, items = pairs
    random = np.random.default_rng(5)
    return {
        "user": [f"user {it}" for it in users],
        "item": [f"item {it}" for it in items],
        "at": random.permutation(len(users)).astype(float),
    }


@pytest.fixture(scope="module")
def parts(log):
    return bspm.split(log, seed=1)


@pytest.fixture(scope="module")
def model(parts):
    return bspm.Model.fit(parts[0], "gf-cf", factor_dim=6)


def rows(interactions):
    users = np.repeat(np.arange(len(interactions.users)), np.diff(interactions.csr["indptr"]))
    return {
        (interactions.users[user], interactions.items[item])
        for user, item in zip(users, interactions.csr["indices"])
    }


# ------------------------------------------------------------------ splits


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ratio": 0.5, "seed": 3},
        {"time": "at"},
        {"time": "at", "last_out": True},
        {"time": "at", "from_time": 300},
        {"time": "at", "random": True, "ratio": 0.4, "seed": 2},
        {"time": "at", "half_life": 50},
    ],
)
def test_a_split_divides_the_interactions(log, options):
    train, test = bspm.split(log, **options)
    assert rows(train) | rows(test) == set(zip(log["user"], log["item"]))
    assert not rows(train) & rows(test)
    assert train.users == test.users and train.items == test.items
    assert (train.times is None) == ("time" not in options)
    again = bspm.split(log, **options)
    assert rows(again[1]) == rows(test)
    assert bspm.Model.fit(train, "popularity").evaluate(test)["users"] == len(set(u for u, _ in rows(test)))


def test_the_parts_are_those_of_the_way_chosen(log):
    frame = pd.DataFrame(log)
    _, test = bspm.split(frame, time="at", last_out=True)
    latest = frame.loc[frame.groupby("user")["at"].idxmax()]
    assert rows(test) == set(zip(latest["user"], latest["item"]))
    train, test = bspm.split(frame, time="at", from_time=300)
    assert rows(test) == set(zip(frame[frame["at"] >= 300]["user"], frame[frame["at"] >= 300]["item"]))
    assert train.times.max() < 300 <= test.times.min()
    sizes = frame.groupby("user").size()
    _, test = bspm.split(frame)
    assert len(rows(test)) == sum(max(1, round(0.2 * size)) for size in sizes)
    assert rows(bspm.split(frame, seed=1)[1]) != rows(bspm.split(frame, seed=2)[1])
    dates = frame.assign(at=pd.to_datetime("2026-01-01") + pd.to_timedelta(frame["at"], unit="h"))
    day = datetime.datetime(2026, 1, 5)
    expected = set(zip(*(dates[dates["at"] >= day][it] for it in ("user", "item"))))
    for time in (day, pd.Timestamp(day), "2026-01-05", day.timestamp() if day.tzinfo else 1767571200):
        assert rows(bspm.split(dates, time="at", from_time=time)[1]) == expected


@pytest.mark.parametrize(
    "options, text",
    [
        ({"last_out": True}, "time: expected a data set with times"),
        ({"from_time": 3}, "time: expected a data set with times"),
        ({"time": "at", "seed": 3}, "seed: expected no seed, .*random=True chooses at random, found 3"),
        ({"time": "at", "last_out": True, "ratio": 0.5}, "ratio: expected no ratio beside last_out="),
        ({"time": "at", "last_out": True, "from_time": 3}, "split: expected one of last_out=, from_time="),
        ({"time": "at", "from_time": 1e9}, "time: expected a time after 0 and up to"),
        ({"time": "at", "from_time": "soon"}, "from_time: expected a number, or a date .* found 'soon'"),
        ({"ratio": 1.0}, "ratio: expected a number above 0 and below 1, found 1"),
        ({"half_life": 3}, "half_life: expected times beside it"),
    ],
)
def test_a_split_that_cannot_be_is_refused(log, options, text):
    with pytest.raises(ValueError, match=text):
        bspm.split(log, **options)


@pytest.mark.parametrize("options", [{}, {"random": True}])
def test_a_split_without_a_test_part_is_refused(options):
    once = {"user": ["a", "b", "c"], "item": ["x", "x", "y"]}
    text = "split: expected a split that leaves interactions in the test part"
    with pytest.raises(ValueError, match=text):
        bspm.split(once, **options)


# ------------------------------------------------------------------ lists by any system


def lists_of(model, k=10):
    items, scores = model.recommend_many(k=k)
    users = np.repeat(np.array(model.users, dtype=object), k)
    is_there = np.array([item is not None for item in items.ravel()])
    table = {
        "user": users[is_there],
        "item": items.ravel()[is_there],
        "rank": np.tile(np.arange(1, k + 1), len(items))[is_there],
        "score": scores.ravel()[is_there],
    }
    return {name: values.tolist() for name, values in table.items()}


def kinds(table):
    yield table
    yield {name: np.array(values) for name, values in table.items()}
    yield pd.DataFrame(table)
    yield pl.DataFrame(table)
    yield pl.DataFrame(table).with_columns(pl.col("user").cast(pl.Categorical))
    pa = pytest.importorskip("pyarrow")
    yield pa.table(table)
    yield pa.table(table).to_reader(max_chunksize=7)
    duckdb = pytest.importorskip("duckdb")
    frame = pl.DataFrame(table)  # noqa: F841
    yield duckdb.sql("select * from frame")


def test_the_lists_of_a_model_have_the_metrics_of_the_model(model, parts):
    train, test = parts
    expected = model.evaluate(test, k=[5, 10], detailed=True)
    for table in kinds(lists_of(model)):
        found = bspm.evaluate(table, test, k=[5, 10], train=train, detailed=True)
        for k in (5, 10):
            assert found[k] == expected[k]
        assert found["users"] == expected["users"]
        np.testing.assert_array_equal(found["ndcg_by_user"], expected["ndcg_by_user"])
    users = pl.DataFrame({"user": model.users})
    found = bspm.evaluate(model.recommend_arrow(users, 10, long=True), test, k=10)
    assert {it: found[it] for it in METRICS} == {it: expected[10][it] for it in METRICS}


def test_lists_are_ordered_by_rank_or_score_or_their_rows(model, parts):
    _, test = parts
    table = pd.DataFrame(lists_of(model))
    expected = bspm.evaluate(table, test, k=3)
    order = np.random.default_rng(1).permutation(len(table))
    for frame, options in [
        (table.iloc[order], {}),
        (table.iloc[order], {"rank": "rank"}),
        (table.iloc[order], {"score": "score"}),
        (table.iloc[order].drop(columns="rank"), {}),
        (table.iloc[order].rename(columns={"rank": "place", "score": "s"}), {"rank": "place"}),
        (table.drop(columns=["rank", "score"]), {}),
        (table.rename(columns={"user": "who", "item": "what"}), {"user": "who", "item": "what"}),
    ]:
        assert bspm.evaluate(frame, test, k=3, **options) == expected
        assert bspm.evaluate(pl.DataFrame(frame), test, k=3, **options) == expected
    assert bspm.evaluate(table.iloc[order].drop(columns=["rank", "score"]), test, k=3) != expected


def test_what_is_unknown_is_counted(tmp_path):
    test = [("ann", "tea"), ("ann", "milk"), ("bob", "rice"), ("cid", "jam")]
    lists = {"user": ["ann", "ann", "bob", "zoe"], "item": ["tea", "cake", "rice", "soup"]}
    found = bspm.evaluate(lists, test, k=2)
    assert found["users"] == 3 and found["users_without_list"] == 1 and found["unknown_users"] == 1
    assert found["unknown_items"] == 2
    assert found["recall"] == pytest.approx((0.5 + 1 + 0) / 3)
    assert found["precision"] == pytest.approx((0.5 + 0.5 + 0) / 3)
    assert found["mrr"] == pytest.approx(2 / 3)
    known = bspm.evaluate(lists, test, k=2, train=[("ann", "cake"), ("bob", "tea")], detailed=True)
    assert known["unknown_items"] == 1 and known["recall"] == found["recall"]
    # The items are cake and tea, and of the lists rice and soup.
    assert known["coverage"] == 3 / 4
    low, high = known["recall_interval"]
    assert low <= known["recall"] <= high
    assert "coverage" not in bspm.evaluate(lists, test, k=2, detailed=True)
    frame = pd.DataFrame(test, columns=["who", "what"])
    named = {"who": lists["user"], "what": lists["item"]}
    frame.to_csv(tmp_path / "test.csv", index=False)
    assert bspm.evaluate(named, tmp_path / "test.csv", k=2, user="who", item="what") == found
    assert bspm.evaluate(named, frame, k=2, user="who", item="what") == found


@pytest.mark.parametrize(
    "lists, test, error, text",
    [
        ({"user": ["ann"], "item": ["tea"]}, [], ValueError, "at least one interaction"),
        ({"user": ["bob"], "item": ["tea"]}, [("ann", "tea")], ValueError, "lists: expected a list for at least one user"),
        ({"user": [], "item": []}, [("ann", "tea")], ValueError, "lists: expected a list for at least one user"),
        ({"user": ["ann"] * 2, "item": ["tea"] * 2}, [("ann", "tea")], ValueError, 'lists: .* "tea" twice in the list'),
        ({"user": ["ann"], "item": [1]}, [("ann", "tea")], TypeError, "lists: items: expected ids that are text"),
        ({"user": ["ann"], "thing": [1]}, [("ann", 1)], KeyError, "no column 'item'; there are 'user', 'thing'; item="),
        ({"user": ["ann"], "item": ["tea", "rice"]}, [("ann", "tea")], ValueError, "item: expected 1 values"),
        (
            {"user": ["ann"], "item": ["tea"], "score": [float("nan")]},
            [("ann", "tea")],
            ValueError,
            "score, row 0: expected a number, found NaN",
        ),
        ([("ann", "tea")], [("ann", "tea")], TypeError, "lists: expected a table with the columns user, item"),
    ],
)
def test_lists_without_a_mean_are_refused(lists, test, error, text):
    with pytest.raises(error, match=text):
        bspm.evaluate(lists, test)


def test_a_mean_over_no_users_is_refused(model):
    with pytest.raises(ValueError, match="nothing to evaluate: .*1 of 1 users are unknown to the model"):
        model.evaluate([("nobody", "item 1")], skip_unknown=True)
    lists = {"user": ["ann"], "item": ["tea"], "rank": [1], "score": [1.0]}
    with pytest.raises(ValueError, match="rank: expected rank= or score=, and not both"):
        bspm.evaluate(lists, [("ann", "tea")], rank="rank", score="score")
    with pytest.raises(ValueError, match="k: expected a whole number, at least 1"):
        bspm.evaluate(lists, [("ann", "tea")], k=0)


# ------------------------------------------------------------------ filters side by side


def test_filters_are_compared_on_the_same_split(log):
    gf_cf = {"factor_dim": 6, "alpha": 0.3}
    config = bspm.Model.fit(log, "rp3beta").config
    board = bspm.compare(["popularity", ("gf-cf", gf_cf), config], log, k=5, seed=1, metric="recall")
    assert [it["recall"] for it in board] == sorted((it["recall"] for it in board), reverse=True)
    assert {it["name"] for it in board} == {"popularity", "gf-cf", "rp3beta"}
    assert board[-1]["name"] == "popularity" and board[0]["recall"] > board[-1]["recall"]
    train, test = bspm.split(log, seed=1)
    for entry in board:
        model = bspm.Model.fit(train, config=entry["config"])
        assert {it: entry[it] for it in METRICS} == {
            it: value for it, value in model.evaluate(test, k=5).items() if it in METRICS
        }
        assert entry["users"] == 60 and entry["fit_seconds"] >= 0 and entry["evaluate_seconds"] >= 0
    again = bspm.compare([("gf-cf", gf_cf)], train, test=test, k=5)[0]
    assert again["ndcg"] == next(it for it in board if it["name"] == "gf-cf")["ndcg"]
    assert "coverage" in bspm.compare(["popularity"], log, k=5, detailed=True)[0]


@pytest.mark.parametrize(
    "filters, options, error, text",
    [
        ([], {}, ValueError, "filters: expected at least one filter, found none"),
        (["slim"], {}, ValueError, "filter: expected bspm, gf-cf"),
        ([3], {}, TypeError, "filters: expected names, pairs of a name and a dict of settings, .* found 3"),
        (["popularity"], {"metric": "auc"}, ValueError, "metric: expected one of recall, .* found 'auc'"),
        (["popularity"], {"test": [("user 1", "item 1")], "seed": 1}, ValueError, "seed: expected no way to split"),
    ],
)
def test_a_comparison_that_cannot_be_is_refused(log, filters, options, error, text):
    with pytest.raises(error, match=text):
        bspm.compare(filters, log, **options)


@pytest.mark.parametrize("kind", [str, int])
def test_unknown_ids_are_skipped_on_request(kind):
    ids = {"ann": 1, "bob": 2, "eve": 3, "nobody": 9, "tea": 1, "milk": 2, "rice": 3, "jam": 4, "gone": 9}
    of = (lambda name: ids[name]) if kind is int else (lambda name: name)
    pairs = [("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "rice"), ("eve", "rice"), ("eve", "jam")]
    model = bspm.Model.fit([(of(user), of(item)) for user, item in pairs], "gf-cf", factor_dim=2)
    tea, milk, gone, ann, nobody = (of(it) for it in ("tea", "milk", "gone", "ann", "nobody"))
    recommend = model.recommend
    assert recommend(history=[tea, gone], skip_unknown=True) == recommend(history=[tea])
    weighted = {gone: 3.0, tea: 2.0, milk: -1.0}
    assert recommend(history=weighted, skip_unknown=True) == recommend(history={tea: 2.0, milk: -1.0})
    rules = {"deny": [gone, of("rice")], "allow": [of("rice"), of("jam"), gone]}
    known = {"deny": [of("rice")], "allow": [of("rice"), of("jam")]}
    assert recommend(ann, skip_unknown=True, **rules) == recommend(ann, **known)
    for fallback in (None, "popularity"):
        options = {"k": 3, "fallback": fallback}
        expected = recommend(history=[], **options)
        assert recommend(nobody, skip_unknown=True, **options) == expected
        frame = model.recommend_frame([nobody, ann, nobody], skip_unknown=True, **options).to_pandas()
        lists = [frame[frame["user"] == user]["item"].tolist() for user in (nobody, ann)]
        assert lists == [expected.items * 2, recommend(ann, **options).items]
    for call in (
        lambda: recommend(nobody),
        lambda: recommend(ann, deny=[gone]),
        lambda: recommend(history=[gone]),
        lambda: model.recommend_many([nobody]),
    ):
        with pytest.raises(KeyError, match="(user|item) .* is unknown"):
            call()


def test_values_of_users_have_their_rows():
    model = bspm.Model.fit([("a", 1), ("a", 2), ("b", 2), ("b", 3), ("c", 1), ("c", 3)], "popularity")
    test = bspm.Interactions.of([("c", 2), ("b", 1)])
    found = model.evaluate(test, detailed=True)
    assert [model.users[row] for row in found["rows"]] == test.users
    lists = bspm.evaluate({"user": ["b", "c"], "item": [2, 2]}, test, detailed=True)
    by_user = {test.users[row]: recall for row, recall in zip(lists["rows"], lists["recall_by_user"])}
    assert by_user == {"b": 0.0, "c": 1.0} and len(found["ndcg_by_user"]) == 2
    for function in (bspm.Model.evaluate, bspm.evaluate):
        assert "``rows``" in function.__doc__ and "``ndcg_by_user``" in function.__doc__

"""bspm.Model: own ids, every kind of data, files, threads, and errors that say why."""

import concurrent.futures
import copy
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

import bspm

FILTERS = [name for name in bspm.filters() if name != "mix"]


def names(users, items):
    return [f"user {user}" for user in users], [f"item {item}" for item in items]


def fit(matrix, filter="gf-cf", **settings):
    if filter in ("gf-cf", "cheby-cf", "svd-ae", "sgfcf", "family"):
        settings = {"factor_dim": 6, **settings}
    return bspm.Model.fit(matrix, filter, **settings)


@pytest.fixture(scope="module")
def model(pairs):
    users, items = names(*pairs)
    frame = pd.DataFrame({"user": users, "item": items})
    return fit(frame)


@pytest.mark.parametrize("filter", FILTERS)
def test_every_filter_recommends_explains_scores_and_is_saved(filter, matrix, tmp_path):
    model = fit(matrix, filter)
    items, scores = model.recommend_many(k=5)
    assert items.shape == scores.shape == (60, 5)
    own = model.recommend(3, 5)
    assert own.items == items[3].tolist()
    np.testing.assert_allclose(own.scores, scores[3], rtol=1e-5, atol=1e-7)
    assert not set(own.items) & set(matrix[3].indices.tolist())

    explained = model.explain(3, own.items[0])
    total = explained.base + sum(score for _, score in explained.contributions)
    assert total == pytest.approx(explained.score, rel=1e-4, abs=1e-6)
    np.testing.assert_allclose(model.score(3, own.items), own.scores, rtol=1e-5, atol=1e-7)

    path = tmp_path / "model.bspm"
    model.save(path)
    opened = bspm.Model.open(path)
    assert opened.config == model.config
    np.testing.assert_array_equal(opened.recommend_many(k=5)[0], items)
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied.recommend_many(k=5)[0], items)
    assert copy.deepcopy(model).recommend(3, 5).items == own.items


def test_all_kinds_of_data_give_the_same_model(pairs, matrix):
    users, items = pairs
    table = {"user": users, "item": items}
    frames = [
        table,
        pd.DataFrame(table),
        pl.DataFrame(table),
        list(zip(users.tolist(), items.tolist())),
        bspm.Interactions.from_pairs(users, items),
    ]
    expected = fit(matrix).recommend_many(k=4)
    for data in frames:
        model = fit(data)
        found = model.recommend_many(range(60), k=4)
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-4, err_msg=str(type(data)))


def test_ids_are_those_of_the_caller(model, pairs):
    assert model.users[:2] == ["user 0", "user 1"]
    assert set(model.items) == set(names(*pairs)[1])
    found = model.recommend("user 5", 3)
    assert len(found) == 3 and all(item.startswith("item ") for item, _ in found)
    assert found[0] == (found.items[0], pytest.approx(float(found.scores[0])))
    for call in [
        lambda: model.recommend("nobody"),
        lambda: model.recommend_many(["user 1", "nobody"]),
        lambda: model.explain("user 1", "nothing"),
        lambda: model.similar_items("nothing"),
        lambda: model.recommend("user 1", deny=["nothing"]),
    ]:
        with pytest.raises(KeyError, match="unknown"):
            call()
    with pytest.raises(TypeError, match="as the model's"):
        model.recommend(5)


def test_lists_obey_their_options(model):
    found = model.recommend("user 1", 40)
    first = found.items[0]
    assert first not in model.recommend("user 1", 40, deny=[first]).items
    assert model.recommend("user 1", 5, allow=found.items[1:3]).items == found.items[1:3]
    least = float(found.scores[2])
    assert len(model.recommend("user 1", 40, minimum_score=least)) == 3
    assert len(model.recommend("user 1", 100, keep_seen=True)) == len(model.items)
    items, scores = model.recommend_many(["user 1"], k=40)
    assert items[0, -1] is None and scores[0, -1] == np.finfo(np.float32).min


def test_a_history_stands_for_a_user(model, pairs):
    users, items = pairs
    own = [f"item {item}" for item in items[users == 7]]
    expected = model.recommend("user 7", 5)
    assert model.recommend(history=own[::-1], k=5).items == expected.items
    weighted = model.recommend(history={own[0]: 1.0, own[1]: -2.0}, k=40)
    plain = model.recommend(history=own[:2], k=40)
    assert weighted.items != plain.items
    explained = model.explain(item=expected.items[0], history=own)
    assert explained.score == pytest.approx(float(expected.scores[0]), rel=1e-5)
    with pytest.raises(ValueError, match="not both"):
        model.recommend("user 7", history=own)


def test_metrics_of_a_test_set(model):
    test = pd.DataFrame({"user": ["user 0", "user 1"], "item": ["item 38", "never seen"]})
    found = model.evaluate(test, k=40)
    assert found["users"] == 2 and 0.0 <= found["recall"] <= 0.5
    detailed = model.evaluate(test, k=[5, 40], detailed=True)
    assert detailed[40]["recall"] == found["recall"]
    low, high = detailed[40]["recall_interval"]
    assert low <= found["recall"] <= high and detailed[5]["coverage"] > 0
    assert detailed["ndcg_by_user"].shape == (2,)
    stranger = pd.DataFrame({"user": ["nobody", "user 1"], "item": ["item 1", "item 2"]})
    with pytest.raises(KeyError, match="nobody"):
        model.evaluate(stranger)
    assert model.evaluate(stranger, skip_unknown=True)["users"] == 1


def test_tune_finds_something_better_than_popularity(pairs, tmp_path):
    users, items = pairs
    frame = pd.DataFrame({"user": users, "item": items, "at": np.arange(len(users)) * 60.0})
    model = bspm.Model.tune(frame, trials=60, k=5, time="at")
    assert len(model.leaderboard) == 60
    values = {trial["outcome"]: [] for trial in model.leaderboard}
    best = model.leaderboard[0]
    popularity = [it for it in model.leaderboard if "popularity" in it["config"]]
    assert best["value"] > popularity[0]["value"]
    assert model.config == best["config"] and values
    again = bspm.Model.tune(frame, trials=60, k=5, time="at")
    assert [it["config"] for it in again.leaderboard] == [it["config"] for it in model.leaderboard]


def test_files_are_read_as_the_tool_reads_them(pairs, matrix, tmp_path):
    users, items = pairs
    frame = pd.DataFrame({"user": users, "item": [f"item {it}" for it in items], "plays": 2.0})
    frame.to_csv(tmp_path / "plays.csv", index=False)
    model = fit(tmp_path / "plays.csv", weight="plays")
    assert model.users[:3].tolist() == [0, 1, 2] and model.items[0].startswith("item ")
    lines = [f"{user} " + " ".join(map(str, matrix[user].indices)) for user in range(60)]
    (tmp_path / "train.txt").write_text("\n".join(lines))
    found = bspm.Interactions.from_file(tmp_path / "train.txt")
    assert found.users.tolist() == list(range(60))
    expected = fit(matrix).recommend_many(k=4)[1]
    np.testing.assert_allclose(fit(found).recommend_many(k=4)[1], expected, rtol=1e-4)
    (tmp_path / "bad.csv").write_text("user,item\n1,2\n3\n")
    with pytest.raises(ValueError, match="bad.csv.*3"):
        bspm.Interactions.from_file(tmp_path / "bad.csv")
    with pytest.raises(ValueError, match="name that ends in"):
        bspm.Interactions.from_file(tmp_path / "what.xml")
    with pytest.raises(FileNotFoundError):
        bspm.Model.fit(tmp_path / "none.csv")


def test_weights_count(pairs):
    users, items = pairs
    weights = 1.0 + (items % 3)
    weighted = fit({"user": users, "item": items, "plays": weights}, weight="plays")
    ones = fit({"user": users, "item": items, "plays": np.ones(len(items))}, weight="plays")
    plain = fit({"user": users, "item": items})
    np.testing.assert_array_equal(ones.recommend_many(k=5)[1], plain.recommend_many(k=5)[1])
    assert (weighted.recommend_many(k=5)[1] != plain.recommend_many(k=5)[1]).any()


def test_a_file_of_numbers_opens_in_the_tool_and_one_of_the_tool_here(model, matrix, tmp_path):
    path = tmp_path / "numbers.bspm"
    fit(matrix).save(path)
    assert bspm.Model.open(path).recommend(3, 2).items == fit(matrix).recommend(3, 2).items
    path = tmp_path / "texts.bspm"
    model.save(path)
    assert bspm.Model.open(path).recommend("user 3", 2).items == model.recommend("user 3", 2).items


def test_threads_give_what_one_gives(model):
    users = model.users
    expected = [model.recommend(user, 10).items for user in users]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert list(pool.map(lambda user: model.recommend(user, 10).items, users)) == expected
    one = bspm.Model.fit([("a", "x"), ("b", "x"), ("b", "y")], "rp3beta", num_threads=1)
    assert one.recommend("a").items == ["y"]


def test_the_interpreter_is_free_while_a_model_works():
    random = np.random.default_rng(1)
    shape = (4000, 3000)
    matrix = scipy.sparse.random(*shape, 0.01, "csr", np.float32, random)
    matrix.data[:] = 1
    ticks = []
    done = threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    model = bspm.Model.fit(matrix, "gf-cf", factor_dim=64)
    model.recommend_many(k=10)
    done.set()
    thread.join()
    assert len(ticks) > 20


def test_progress_is_told_and_an_exception_in_it_ends_the_work(matrix):
    told = []
    fit(matrix, progress=lambda *arguments: told.append(arguments))
    assert all(len(it) == 3 for it in told)

    def fail(*_):
        raise RuntimeError("enough")

    random = np.random.default_rng(2)
    large = scipy.sparse.random(6000, 5000, 0.01, "csr", np.float32, random)
    large.data[:] = 1
    with pytest.raises(RuntimeError, match="enough"):
        bspm.Model.fit(large, "gf-cf", factor_dim=256, progress=fail)


def test_control_c_ends_a_fit():
    script = """
import numpy as np, scipy.sparse, bspm, sys
matrix = scipy.sparse.random(20000, 20000, 0.005, "csr", np.float32, np.random.default_rng(2))
matrix.data[:] = 1
print("begins", flush=True)
try:
    bspm.Model.fit(matrix, "gf-cf", factor_dim=1000)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begins\n"
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    assert process.wait(60) == 0


@pytest.mark.parametrize(
    "data, error, text",
    [
        ({"user": [1, 2], "item": [1]}, ValueError, "items: expected 2"),
        ({"user": [1.5, 2.0], "item": [1, 2]}, TypeError, "str or int"),
        ({"user": ["a", None], "item": [1, 2]}, ValueError, "an id in every row"),
        ({"user": ["a", 1], "item": [1, 2]}, TypeError, "all str or all int"),
        ({"user": [1, 2]}, KeyError, "no column 'item'"),
        ([(1, 2, 3, 4)], TypeError, "pairs of user and item"),
        ([(1, 2, -1.0)], ValueError, "weight"),
        ([(1, 2, float("nan"))], ValueError, "finite"),
        (7, TypeError, "found int"),
    ],
)
def test_bad_data_is_an_exception_that_says_why(data, error, text):
    with pytest.raises(error, match=text):
        bspm.Model.fit(data, "popularity")


def bad_matrices():  # of matrices and what their error says
    good = scipy.sparse.csr_matrix(np.eye(4, dtype=np.float32))

    def changed(**parts):
        matrix = good.copy()
        for name, value in parts.items():
            setattr(matrix, name, value)
        return matrix

    yield changed(data=np.array([1, np.nan, 1, 1], np.float32)), "finite"
    yield changed(data=np.array([1, -1, 1, 1], np.float32)), "0 or above"
    yield changed(data=np.array([1, np.inf, 1, 1])), "finite"
    yield changed(indices=np.array([0, 1, 2, -1], np.int32)), "found -1"
    yield changed(indices=np.array([0, 1, 2, 4], np.int32)), "found 4"
    yield changed(indptr=np.array([0, 3, 2, 3, 4], np.int32)), "ascending"
    yield changed(indptr=np.array([0, 1, 2, 3, 3], np.int32)), "ascending"
    yield changed(indptr=np.array([1, 1, 2, 3, 4], np.int32)), "ascending"
    yield changed(data=np.array(["a"] * 4)), "numbers"


@pytest.mark.parametrize("matrix, text", list(bad_matrices()))
def test_a_bad_matrix_is_an_exception_that_says_why(matrix, text):
    with pytest.raises((ValueError, TypeError), match=text):
        bspm.Model.fit(matrix, "popularity")


def test_entries_in_any_order_and_more_than_once_are_added_up():
    unsorted = scipy.sparse.csr_matrix((3, 4), dtype=np.float32)
    unsorted.indptr = np.array([0, 3, 3, 4])
    unsorted.indices = np.array([3, 0, 3, 1])
    unsorted.data = np.array([1.0, 2.0, 4.0, 1.0])
    summed = unsorted.copy()
    summed.sum_duplicates()
    expected = bspm.Model.fit(summed, "link-prop").recommend_many(k=4, keep_seen=True)
    found = bspm.Model.fit(unsorted, "link-prop").recommend_many(k=4, keep_seen=True)
    np.testing.assert_array_equal(found[0], expected[0])


@pytest.mark.parametrize(
    "settings, text",
    [
        ({"filter": "slim"}, "filter: expected bspm, gf-cf"),
        ({"filter": "ease-r", "lamda": 3}, "setting: expected lambda"),
        ({"filter": "ease-r", "lambda": -3}, "lambda"),
        ({"filter": "gf-cf", "factor_dim": "many"}, "factor_dim"),
        ({"preset": "netflix"}, "preset"),
        ({"config": "{}"}, "configuration"),
        ({"config": {"gf-cf": {"factor_dim": 1}}}, "alpha"),
    ],
)
def test_a_bad_setting_is_named(settings, text):
    with pytest.raises(ValueError, match=text):
        bspm.Model.fit([(1, 2)], **settings)


def test_files_that_are_no_models(tmp_path):
    with pytest.raises(FileNotFoundError):
        bspm.Model.open(tmp_path / "none.bspm")
    (tmp_path / "noise.bspm").write_bytes(os.urandom(2000))
    with pytest.raises(ValueError, match="noise.bspm"):
        bspm.Model.open(tmp_path / "noise.bspm")
    with pytest.raises(OSError):
        fit([(1, 2), (1, 3)], "popularity").save(tmp_path / "no folder" / "model.bspm")


def test_short_lists_are_filled_as_is_asked():
    model = bspm.Model.fit(
        [("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "rice"), ("eve", "stamps")],
        "item-knn",
    )
    assert len(model.recommend("eve")) == 0
    filled = model.recommend("eve", 2, fallback="popularity")
    assert filled.items == ["milk", "tea"]
    assert np.isnan(filled.scores).all()
    assert len(model.recommend("eve", 10, fallback="unscored")) == 3
    items, scores = model.recommend_many(["ann", "eve"], 2, fallback="popularity")
    assert items[0][0] == "rice" and np.isnan(scores[1]).all() and not np.isnan(scores[0][0])
    with pytest.raises(ValueError, match="fallback: expected none, popularity, unscored"):
        model.recommend("eve", fallback="random")


def test_users_alike_scores_of_histories_and_vectors(matrix):
    model = bspm.Model.fit(matrix, factor_dim=6, beta=0.3)
    alike = model.similar_users(3, 5)
    degrees = np.asarray(matrix.sum(axis=1)).ravel(), np.asarray(matrix.sum(axis=0)).ravel()
    rows = matrix.toarray() / np.sqrt(np.maximum(degrees[0], 1))[:, None]
    similarity = (rows / np.maximum(degrees[1], 1)) @ rows.T
    similarity[3, 3] = -1
    best = np.argsort(-similarity[3], kind="stable")[:5]
    assert np.allclose([score for _, score in alike], similarity[3][best], atol=1e-6)

    history = [model.items[column] for column in matrix[3].indices]
    some = model.items[:4]
    assert np.allclose(model.score(3, some), model.score(history=history, items=some))

    items, users = model.low_pass_vectors()
    assert items.shape == (matrix.shape[1], 6) and users.shape == (matrix.shape[0], 6)
    # Twice the weight of the low-pass part adds it once more.
    more = bspm.Model.fit(matrix, factor_dim=6, beta=0.6, sharpen_time=None)
    less = bspm.Model.fit(matrix, factor_dim=6, beta=0.3, sharpen_time=None)
    added = more.score(3, model.items) - less.score(3, model.items)
    assert np.allclose(added, 0.3 * items @ users[3], atol=1e-4)
    with pytest.raises(ValueError, match="filter: expected bspm, gf-cf or cheby-cf"):
        bspm.Model.fit(matrix, "item-knn").low_pass_vectors()


def test_users_and_items_join_and_leave():
    pairs = [("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "rice"), ("eve", "tea")]
    model = bspm.Model.fit(pairs, "gf-cf", factor_dim=2)
    joined = model.with_interactions([("cid", "tea"), ("eve", "milk")])
    assert joined.recommend("cid", 3) == model.recommend(history=["tea"], k=3)
    assert joined.recommend("eve", 3) == model.recommend(history=["tea", "milk"], k=3)
    assert model.shape == (3, 3) and joined.shape == (4, 3)

    frame = {"who": ["cid", "ann", "cid"], "what": ["jam", "jam", "tea"]}
    new = model.with_interactions(frame, user="who", item="what")
    assert new.shape == (4, 4) and "jam" in new.recommend("eve", 4).items
    assert new.similar_items("jam", 1).items == ["tea"]

    left = new.forget(["bob"], ["jam"])
    exact = bspm.Model.fit(
        [("ann", "tea"), ("ann", "milk"), ("eve", "tea"), ("cid", "tea")], "gf-cf", factor_dim=2
    )
    for user in ("ann", "cid"):
        assert left.recommend(user, 3).items == exact.recommend(user, 3).items
    with pytest.raises(KeyError, match="bob"):
        left.recommend("bob")
    again = new.refit()
    assert again.shape == (4, 4) and again.config == model.config

    with pytest.raises(KeyError, match="zoe"):
        model.forget(["zoe"])
    with pytest.raises(TypeError, match="text"):
        model.with_interactions([(1, "tea")])
    weighted = model.with_interactions([("ann", "rice", 2.0)]).interactions
    assert sorted(weighted.csr["data"].tolist()) == [1.0] * 5 + [2.0]


def test_a_model_cannot_be_changed_by_what_it_returns(model):
    with pytest.raises(ValueError, match="read-only"):
        model.items[0] = "zzz"


def test_trials_and_weightings_stay_with_a_model():
    rows = [(f"u{user}", f"i{(user * step) % 11}", float(step), 1e9 + 86_400 * step) for user in range(20) for step in range(1, 6)]
    data = pd.DataFrame(rows, columns=["user", "item", "plays", "at"])
    model = bspm.Model.fit(data, weight="plays", time="at")
    assert len(model.weightings) > 1 and len(model.leaderboard) > 1
    assert len(model.leaderboard[:2].to_pandas()) == 2
    others = [copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for other in [*others, model.with_items({"i1": "one"})]:
        assert len(other.weightings) == len(model.weightings)
        assert other.leaderboard == model.leaderboard
    others[0].leaderboard.clear()
    assert len(model.leaderboard) > 1

    class Own(bspm.Model):
        pass

    own = Own.fit(data, "gf-cf", weight="plays")
    for other in (own.refit(), own.with_items({"i1": "one"}), copy.copy(own)):
        assert isinstance(other, Own)
    # The data have times, the model has none.
    with pytest.raises(ValueError, match="a model without times"):
        own.with_interactions(bspm.Interactions.from_frame(data, weight="plays", time="at"))


def test_a_search_fits_with_its_seed(pairs):
    data = bspm.Interactions.from_pairs(*pairs)
    tuned = bspm.Model.tune(data, trials=1, filters=["gf-cf"], seed=5)
    fitted = bspm.Model.fit(data, config=tuned.config, seed=5)
    assert (tuned.singular_values == fitted.singular_values).all()
    assert (tuned.recommend_many(k=5)[1] == fitted.recommend_many(k=5)[1]).all()


@pytest.mark.parametrize(
    "rows, columns, values",
    [
        ([0, 0, 1], [0, 1, 1], [1.0, 0.0, 2.0]),
        ([0, 0, 1, 1], [1, 0, 1, 1], [1.0, 2.0, 3.0, 4.0]),
        ([0, 1, 1], [0, 1, 0], [1e-300, 1.0, 2.0]),
    ],
)
def test_a_matrix_and_a_table_with_the_same_entries_are_equal(rows, columns, values):
    # With their duplicates, as COO entries in CSR form.
    indptr = np.searchsorted(rows, [0, 1, 2])
    matrix = scipy.sparse.csr_matrix((values, columns, indptr), shape=(2, 2))
    frame = pd.DataFrame({"user": rows, "item": columns, "plays": values})
    of_matrix = bspm.Interactions.from_matrix(matrix)
    of_frame = bspm.Interactions.from_frame(frame, weight="plays")
    assert len(of_matrix) == len(of_frame)
    assert (of_matrix.csr["data"] is None) == (of_frame.csr["data"] is None)
    for value in (-1.0, 0.0):
        matrix.data[:] = value
        with pytest.raises(ValueError):
            bspm.Interactions.from_matrix(matrix)

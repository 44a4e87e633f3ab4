"""Arguments that are easily mistaken: names of columns and settings, one text for a list, threads."""

import multiprocessing
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

import bspm

PAIRS = [("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "rice"), ("eve", "tea")]


@pytest.fixture(scope="module")
def model():
    return bspm.Model.fit(PAIRS, "gf-cf", factor_dim=2)


@pytest.mark.parametrize("table", [pd.DataFrame, pl.DataFrame, dict])
def test_a_missing_column_is_named_with_those_that_there_are(table):
    data = table({"who": ["ann", "bob"], "what": [1, 2]})
    text = r"no column .user.; there are .who., .what.; user= names another"
    with pytest.raises(KeyError, match=text):
        bspm.Model.fit(data, "popularity")
    text = r"no column .item.; there are .who., .what.; item= names another"
    with pytest.raises(KeyError, match=text):
        bspm.Model.fit(data, "popularity", user="who")
    with pytest.raises(KeyError, match="no column .plays.; .*weight= names another"):
        bspm.Model.fit(data, "popularity", user="who", item="what", weight="plays")
    assert bspm.Model.fit(data, "popularity", user="who", item="what").shape == (2, 2)


@pytest.mark.parametrize(
    "call, what",
    [
        (lambda model: model.recommend_many("ann"), "users"),
        (lambda model: model.recommend("ann", deny="tea"), "deny"),
        (lambda model: model.recommend("ann", allow="tea"), "allow"),
        (lambda model: model.recommend(history="tea"), "history"),
        (lambda model: model.score("ann", "tea"), "items"),
        (lambda model: model.score(history="tea", items=["tea"]), "history"),
        (lambda model: model.explain(item="tea", history="milk"), "history"),
        (lambda model: model.forget("bob"), "users"),
        (lambda model: model.forget(items="tea"), "items"),
        (lambda model: bspm.Interactions.from_pairs("ann", ["tea"]), "users"),
        (lambda model: bspm.Model.fit({"user": "ann", "item": ["tea"]}), "user"),
    ],
)
def test_one_text_is_not_cut_into_letters(model, call, what):
    with pytest.raises(TypeError, match=rf"{what}: expected a list of ids, found the text '.*'; put it in a list"):
        call(model)


def test_settings_may_be_called_as_an_argument_or_a_keyword_of_python():
    fit = bspm.Model.fit
    expected = fit(PAIRS, "ease-r", **{"lambda": 3.0})
    assert expected.config["ease-r"]["lambda"] == 3.0
    assert fit(PAIRS, "ease-r", lambda_=3.0).config == expected.config
    assert fit(PAIRS, "ease-r", settings={"lambda": 3.0}).config == expected.config
    filters = bspm.filters()["turbo-cf"]
    assert "filter" in filters
    found = [fit(PAIRS, "turbo-cf", settings={"filter": value}) for value in ("linear", "second-order")]
    assert found[0].config != found[1].config
    mixed = fit(PAIRS, "turbo-cf", alpha=0.7, settings={"filter": "linear"})
    assert mixed.config["turbo-cf"]["alpha"] == 0.7
    with pytest.raises(ValueError, match="lambda: expected one value, found 3.0 and 4.0"):
        fit(PAIRS, "ease-r", lambda_=4.0, settings={"lambda": 3.0})
    with pytest.raises(ValueError, match="no settings, no preset and no filter beside it"):
        fit(PAIRS, config=expected.config, settings={"lambda": 3.0})


def test_too_many_threads_are_refused():
    for threads in (10**6, 2**63):
        with pytest.raises(ValueError, match=f"num_threads: expected 0 .* found {threads}"):
            bspm.Model.fit(PAIRS, "popularity", num_threads=threads)
    with pytest.raises(ValueError, match="num_threads: expected 0 .* found -1"):
        bspm.Model.fit(PAIRS, "popularity", num_threads=-1)


def work_after_a_fork(model, pairs, test, queue):
    items, scores = model.recommend_many(k=3)
    metrics = model.evaluate(test, k=3)
    again = bspm.Model.fit(pairs, "gf-cf", factor_dim=2)
    queue.put((items.tolist(), scores.tolist(), metrics["ndcg"], again.recommend_many(k=3)[0].tolist()))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.parametrize("threads", [0, 2])
def test_a_forked_process_fits_ranks_and_evaluates(threads):
    random = np.random.default_rng(3)
    pairs = [(int(user), int(item)) for user, item in random.integers(0, 200, (4000, 2))]
    test = [(user, int(random.integers(0, 200))) for user, _ in pairs[:500]]
    model = bspm.Model.fit(pairs, "gf-cf", factor_dim=2, num_threads=threads)
    expected = model.recommend_many(k=3)
    ndcg = model.evaluate(test, k=3)["ndcg"]
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=work_after_a_fork, args=(model, pairs, test, queue))
    child.start()
    # Only a child that hangs takes so long.
    child.join(60)
    is_done = not child.is_alive()
    if not is_done:
        child.kill()
        child.join()
    assert is_done and child.exitcode == 0, "the forked process hangs or has failed"
    items, scores, found, again = queue.get()
    assert items == expected[0].tolist() == again
    np.testing.assert_array_equal(np.array(scores, np.float32), expected[1])
    assert found == ndcg


@pytest.mark.parametrize(
    "arguments, hint",
    [
        ({"factordim": 3}, "factor_dim"),
        ({"weights": "n"}, "weight"),
        ({"filter": "gf-cf", "num_thread": 2}, "num_threads"),
        ({"filter": "ease_r"}, "ease-r"),
        ({"filter": "itemknn"}, "item-knn"),
    ],
)
def test_a_wrong_name_suggests_the_most_similar_one(arguments, hint):
    with pytest.raises(ValueError, match=f"did you mean {hint}\\?"):
        bspm.Model.fit([("ann", "tea"), ("bob", "tea")], **arguments)
    with pytest.raises(ValueError) as error:
        bspm.Model.fit([("ann", "tea"), ("bob", "tea")], colour=3)
    assert "did you mean" not in str(error.value)


def test_filters_describe_their_settings():
    for name, settings in bspm.filters().items():
        for setting, described in settings.items():
            where = f"{name}.{setting}"
            assert described["type"] in ("float", "int", "str"), where
            assert described["description"], where
            kinds = {"float": (float,), "int": (int,), "str": (str,)}[described["type"]]
            assert described["default"] is None or isinstance(described["default"], kinds), where
            if described["default"] is not None and "range" in described:
                low, high = described["range"]
                assert low <= described["default"] <= high, where
            if described["type"] == "str" and "choices" in described:
                assert described["default"] in described["choices"], where
    gf_cf = bspm.filters()["gf-cf"]
    assert gf_cf["alpha"]["type"] == "float" and gf_cf["alpha"]["default"] == 0.3
    assert gf_cf["factor_dim"] == {**gf_cf["factor_dim"], "type": "int", "default": 256, "search": ("factors",)}


@pytest.mark.parametrize("k, kind", [(-1, ValueError), (0, ValueError), (True, TypeError), ("5", TypeError), (2.9, TypeError)])
def test_numbers_are_whole_and_in_their_range(model, k, kind):
    for call in (
        lambda: model.recommend("ann", k=k),
        lambda: model.recommend_many(k=k),
        lambda: model.similar_items("tea", k=k),
        lambda: model.similar_users("ann", k=k),
        lambda: model.neighbours(k),
        lambda: model.evaluate(PAIRS, k=k),
        lambda: model.evaluate(PAIRS, k=[1, k]),
        lambda: bspm.compare(["gf-cf"], PAIRS, test=PAIRS, k=k),
    ):
        with pytest.raises(kind, match=r"(k|keep): expected a whole number"):
            call()
    if kind is TypeError or k < 0:
        with pytest.raises(kind, match="seed: expected a whole number"):
            bspm.Model.fit(PAIRS, "gf-cf", seed=k)


def test_a_comparison_checks_its_arguments_before_a_fit(monkeypatch):
    def fit(*_, **__):
        raise AssertionError("a filter was fitted")

    monkeypatch.setattr(bspm.Model, "fit", fit)
    with pytest.raises(ValueError, match="metric: expected one of .*ndcg"):
        bspm.compare(["gf-cf"], PAIRS, test=PAIRS, metric="NDCG")
    with pytest.raises(ValueError, match="nope"):
        bspm.compare(["gf-cf", "nope"], PAIRS, test=PAIRS)
    with pytest.raises(ValueError, match="alfa"):
        bspm.compare([("gf-cf", {"alfa": 1})], PAIRS, test=PAIRS)
    with pytest.raises(TypeError, match="trails"):
        bspm.Model.tune(PAIRS, trails=5)


def test_errors_of_tags_name_their_arguments():
    table = pd.DataFrame({"item": ["tea"], "category": ["hot"]})
    with pytest.raises(KeyError, match="no column 'tag'; .*; tag= names another"):
        bspm.Model.fit(PAIRS, "gf-cf", tags=table)
    with pytest.raises(KeyError, match="no column 'item'; .*; tag_item= names another"):
        bspm.Model.fit(PAIRS, "gf-cf", tags=table.rename(columns={"item": "x"}), tag="category")
    with pytest.raises(TypeError, match="tags: expected a list of tags for item 'tea', found 'hot'"):
        bspm.Model.fit(PAIRS, "gf-cf", tags={"tea": "hot"})
    with pytest.raises(ValueError, match="tag: expected a table of tags"):
        bspm.Model.fit(PAIRS, "gf-cf", tags={"tea": ["hot"]}, tag="category")


def test_users_are_any_iterable_and_an_item_may_be_minus_1(model):
    assert list(model.recommend_frame({"ann"}, 1)["user"]) == ["ann"]
    numbers = bspm.Model.fit({"user": [1, 1, 2], "item": [5, -1, 5]}, "gf-cf", factor_dim=1)
    items = numbers.recommend_many([2, 1], 2)[0].tolist()
    lowest = np.iinfo(np.int64).min
    assert items == [[-1, lowest], [lowest, lowest]]


def test_ids_beyond_the_precision_of_their_type_are_refused():
    users = np.array([16_777_217, 16_777_219], np.float32)
    with pytest.raises(TypeError, match="float32"):
        bspm.Interactions.from_frame({"user": users, "item": np.array([1, 2])})


@pytest.mark.parametrize(
    "filter, settings, text",
    [
        ("item-knn", {"alpha": 0.5}, "alpha: expected similarity = tversky, because it has no effect otherwise, found 0.5"),
        ("gf-cf", {"alpha": 0, "factor_dim": 3}, "factor_dim: expected alpha above 0"),
        ("family", {"power": 2}, "power: expected response = power or plateau"),
        ("bspm", {"factor_dim": None, "merge": "late"}, "merge: expected an ideal low-pass filter"),
    ],
)
def test_a_setting_without_effect_is_refused(filter, settings, text):
    with pytest.raises(ValueError, match=text):
        bspm.Model.fit([("a", "x"), ("b", "x")], filter, settings=settings)

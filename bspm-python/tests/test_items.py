"""Item tables from every kind of input: lists and explanations have their titles."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest

import bspm

pa = pytest.importorskip("pyarrow")

PAIRS = [("ann", "t1"), ("ann", "m1"), ("bob", "m1"), ("bob", "r1"), ("cid", "t1"), ("cid", "r1")]
COLUMNS = {
    "sku": ["m1", "t1", "r1", "new"],
    "Title": ["Milk", "Green tea", None, "Jam"],
    "price": [1.25, 4.5, None, 2.0],
    "organic": [True, False, None, True],
    "brand": ["A", None, "7", "x"],
}


def doors(folder):
    frame = pl.DataFrame(COLUMNS)
    frame.write_csv(folder / "items.csv")
    frame.write_ndjson(folder / "items.jsonl")
    yield "CSV", folder / "items.csv"
    yield "JSON lines", str(folder / "items.jsonl")
    yield "dict", COLUMNS
    yield "polars", frame
    yield "pandas", pd.DataFrame(COLUMNS)
    yield "pandas, nullable", pd.DataFrame(COLUMNS).convert_dtypes()
    yield "pyarrow", pa.table(COLUMNS)


def fitted(**options):
    return bspm.Model.fit(PAIRS, "popularity", **options)


def test_every_source_gives_the_same_table(tmp_path):
    expected = {"item": ["t1", "m1", "r1", "new"]}
    order = [1, 0, 2, 3]
    for name in list(COLUMNS)[1:]:
        expected[name] = [COLUMNS[name][place] for place in order]
    for name, items in doors(tmp_path):
        model = fitted(items=items)
        assert model.item_table == expected, name
        assert model.titles(["r1", "m1"]) == [None, "Milk"]


def test_titles_stand_in_lists_and_explanations_and_stay_with_the_model(tmp_path):
    model = fitted(items=COLUMNS, title="Title", item_id="sku")
    found = model.recommend("ann", 3)
    assert (found.items, found.titles) == (["r1"], [None])
    found = model.recommend(history=["r1"], k=2)
    assert found.titles == model.titles(found.items)
    assert set(found.titles) == {"Milk", "Green tea"}
    assert model.similar_items("t1", 1).titles is not None
    told = bspm.Model.fit(PAIRS, "gf-cf", factor_dim=2, items=COLUMNS).explain("ann", "t1")
    assert told.title == "Green tea"
    assert told.titles == [{"t1": "Green tea", "m1": "Milk"}[item] for item, _ in told.contributions]
    arrow = pl.DataFrame(model.recommend_arrow(pl.DataFrame({"history": [["r1"]]}), 2))
    assert set(arrow["titles"][0]) == {"Milk", "Green tea"}
    long = pl.DataFrame(model.recommend_arrow(pl.DataFrame({"history": [["r1"]]}), 2, long=True))
    assert long.columns == ["rank", "item", "score", "title"]

    model.save(tmp_path / "shop.bspm")
    later = model.with_interactions([("ann", "new")])
    for kept in (bspm.Model.open(tmp_path / "shop.bspm"), pickle.loads(pickle.dumps(model)), model.refit()):
        assert kept.item_table == model.item_table
    assert later.titles(["new", "t1"]) == ["Jam", "Green tea"]
    assert "t1" not in list(later.forget(items=["t1"]).item_table["item"])


def test_a_dict_has_titles_and_another_table_takes_their_place():
    model = fitted()
    assert (model.item_table, model.titles(["t1"])) == (None, [None])
    assert model.recommend("ann").titles is None and model.explain("ann", "t1").titles is None
    titles = {"t1": "Tea", "m1": "Milk", "r1": None}
    titled = model.with_items(titles)
    assert titled.titles(["t1", "r1"]) == ["Tea", None]
    assert titled.recommend("ann") == model.recommend("ann")
    assert titled.with_items({**titles, "t1": "Green tea"}).titles(["t1"]) == ["Green tea"]
    assert fitted(items=titles).item_table == titled.item_table


def test_ids_are_those_of_the_model_as_text_or_numbers():
    numbers = [(1, 10), (1, 20), (2, 20)]
    frames = [
        pd.DataFrame({"item": [10, 20], "name": ["A", "B"]}),
        pd.DataFrame({"item": np.array([10.0, 20.0]), "name": ["A", "B"]}),
        pl.DataFrame({"item": ["10", "20"], "name": ["A", "B"]}),
        {"item": np.array([10, 20], np.int32), "name": ["A", "B"]},
        {10: "A", 20: "B"},
    ]
    for frame in frames:
        model = bspm.Model.fit(numbers, "popularity", items=frame)
        assert model.titles([20, 10]) == ["B", "A"]
        texts = bspm.Model.fit([(1, "10"), (2, "20")], "popularity", items=frame)
        assert texts.titles(["20"]) == ["B"]
    with pytest.raises(TypeError, match="expected ids that are whole numbers, as the model's, found .x."):
        bspm.Model.fit(numbers, "popularity", items={"x": "A"})


def test_the_column_of_ids_is_that_of_the_items_by_default():
    frame = pd.DataFrame({"user": ["a", "b"], "sku": ["t1", "m1"]})
    items = {"title": ["Tea", "Milk"], "sku": ["t1", "m1"]}
    assert bspm.Model.fit(frame, "popularity", item="sku", items=items).titles(["t1"]) == ["Tea"]
    with pytest.raises(ValueError, match="title: expected a column other than the id column"):
        fitted(items={"title": ["Tea", "Milk"], "code": ["t1", "m1"]})


@pytest.mark.parametrize(
    "options, error, text",
    [
        ({"items": COLUMNS, "title": "name"}, ValueError, 'a column "name", found sku, Title, price'),
        ({"items": COLUMNS, "item_id": "id"}, ValueError, 'a column "id", found sku'),
        ({"items": {"item": ["a", "a"], "title": ["A", "B"]}}, ValueError, "row 1: expected an item that does not"),
        ({"items": {"item": ["a", None], "title": ["A", "B"]}}, ValueError, "row 1: expected an item id"),
        ({"items": {"item": [0.5], "title": ["A"]}}, ValueError, "row 0: expected an item id that is text"),
        ({"items": {"item": ["a", "b"], "title": ["A"]}}, ValueError, "expected columns of 2 values, found 1"),
        ({"items": {"item": "a", "title": ["A"]}}, TypeError, "expected values for each item in 'item'"),
        ({"items": 7}, TypeError, "items: expected a table, a file"),
        ({"items": {"t1": "Tea"}, "title": "name"}, ValueError, "title: expected no column beside a dict"),
        ({"items": {}}, ValueError, "at least one item"),
        ({"title": "name"}, ValueError, "title: expected items= beside it"),
        ({"item_id": "sku"}, ValueError, "item_id: expected items= beside it"),
        ({"items": "nowhere.csv"}, FileNotFoundError, "nowhere.csv"),
    ],
)
def test_what_is_wrong_is_said(options, error, text):
    with pytest.raises(error, match=text):
        fitted(**options)


def test_items_without_a_row_are_counted():
    with pytest.warns(UserWarning, match="2 of 3 items with interactions have no row, and 1 rows are of items"):
        model = fitted(items={"t1": "Tea", "new": "Jam"})
    assert model.titles(["t1", "m1"]) == ["Tea", None]


def test_tune_takes_a_table_too():
    options = {"trials": 1, "minutes": 0.1, "filters": ["popularity"], "ratio": 0.5}
    titles = {"t1": "Tea", "m1": "Milk", "r1": "Rice"}
    model = bspm.Model.tune(PAIRS, items=titles, **options)
    assert model.titles(["m1"]) == ["Milk"] and len(model.leaderboard) == 1
    with pytest.raises(ValueError, match='a column "name"'):
        bspm.Model.tune(PAIRS, items={"item": ["t1"], "label": ["Tea"]}, title="name", **options)
    with pytest.warns(UserWarning, match="no column has the titles"):
        assert bspm.Model.fit(PAIRS, "popularity", items={"item": ["t1"], "price": [2.0]}).titles(["t1"]) == [None]


def test_a_condition_leaves_out_the_items_that_do_not_satisfy_it():
    model = fitted(items=COLUMNS)
    history = {"history": ["r1"], "k": 5}
    assert model.recommend(**history, where="price < 2").items == ["m1"]
    assert model.recommend(**history, where="not organic or price > 10").items == ["t1"]
    assert model.recommend(**history, where="brand is null").items == ["t1"]
    items, _ = model.recommend_many(["bob"], 3, where="price > 4")
    assert items.tolist() == [["t1", None, None]]
    lists = pl.DataFrame(model.recommend_arrow(pl.DataFrame({"user": ["bob"]}), 3, where="price > 4"))
    assert lists["items"].to_list() == [["t1"]]
    with pytest.raises(ValueError, match="expected one of the columns Title, price, organic, brand"):
        model.recommend("ann", where="colour = 'red'")
    with pytest.raises(ValueError, match="where: expected a condition such as"):
        model.recommend("ann", where="price <")
    with pytest.raises(ValueError, match="with an item table"):
        fitted().recommend("ann", where="price < 2")

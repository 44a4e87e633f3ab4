"""A neighbour table gives the lists of its filter, and a join and a group-by give its own."""

import pathlib

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import bspm

GUIDE = pathlib.Path(__file__).parents[2] / "src" / "guide" / "batches.md"

QUERY = """
WITH history AS (SELECT item FROM seen WHERE user_id = {user}),
     total AS (SELECT SUM(share) AS share FROM items JOIN history USING (item)),
     sums AS (SELECT neighbour AS item, SUM(CAST(value AS DOUBLE)) AS value
              FROM entries JOIN history USING (item) GROUP BY neighbour)
SELECT items.item, COALESCE(sums.value, 0) + total.share * items.common AS score
FROM items CROSS JOIN total LEFT JOIN sums USING (item)
WHERE items.item NOT IN (SELECT item FROM history)
ORDER BY score DESC LIMIT 5
"""


@pytest.fixture(scope="module")
def model(pairs):
    return bspm.Model.fit(bspm.Interactions.from_pairs(*pairs), "gf-cf", factor_dim=6)


def test_a_whole_table_is_the_filter(model, tmp_path):
    table = model.neighbours(1000)
    expected = model.recommend_many(k=10)
    found = table.recommend_many(k=10)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-3, atol=1e-6)
    assert table.config["neighbours"]["filter"] == model.config
    explained = table.explain(3, found[0][3][0])
    total = sum(part for _, part in explained.contributions)
    assert total == pytest.approx(explained.score, rel=1e-4)
    table.save(tmp_path / "table.bspm")
    opened = bspm.Model.open(tmp_path / "table.bspm")
    np.testing.assert_array_equal(opened.recommend_many(k=10)[1], found[1])
    np.testing.assert_array_equal(opened.recommend(3, 10).scores, found[1][3])


def test_a_short_table_keeps_most_of_the_lists(model):
    expected, found = model.recommend_many(k=5)[0], model.neighbours(12).recommend_many(k=5)[0]
    same = [len(set(one) & set(other)) for one, other in zip(expected, found)]
    assert np.mean(same) > 4
    for bad in (model.neighbours(5), bspm.Model.fit([(1, 2)], "popularity")):
        with pytest.raises(ValueError, match="filter"):
            bad.neighbours(5)
    with pytest.raises(ValueError, match="neighbour table"):
        model.neighbour_tables()


def test_sql_makes_the_same_lists(model, pairs):
    duckdb = pytest.importorskip("duckdb")
    table = model.neighbours(12)
    entries, items = (pd.DataFrame(it) for it in table.neighbour_tables())
    seen = pd.DataFrame({"user_id": pairs[0], "item": pairs[1]})
    base = duckdb.connect()
    for name, frame in (("entries", entries), ("items", items), ("seen", seen)):
        base.register(name, frame)
    for user in range(0, 60, 7):
        rows = base.execute(QUERY.format(user=user)).fetchall()
        expected = table.recommend(user, 5)
        np.testing.assert_allclose([it[1] for it in rows], expected.scores, rtol=1e-4)
        assert [it[0] for it in rows] == expected.items


def weighted_table(pairs):
    weights = 0.5 + np.random.default_rng(3).random(len(pairs[0])) * 3
    rows = np.stack([*pairs, weights], axis=1).tolist()
    triples = [(int(user), int(item), weight) for user, item, weight in rows]
    return bspm.Model.fit(triples, "gf-cf", factor_dim=6).neighbours(12)


@pytest.fixture(scope="module", params=["plain", "weighted"])
def table(request, model, pairs):
    return model.neighbours(12) if request.param == "plain" else weighted_table(pairs)


def bound(table, query):
    """The documented bound on the difference of a sparse product and the score, for each item."""
    entries, items = table.neighbour_tables()
    count = len(table.items)
    place = {item: column for column, item in enumerate(table.items)}
    rows = [place[item] for item in entries["item"]], [place[item] for item in entries["neighbour"]]
    kept = np.zeros((count, count))
    kept[rows] = np.abs(entries["value"])
    parts = kept + np.abs(np.outer(items["share"].astype(float), items["common"]))
    weights = np.abs(query.toarray()[0, :count].astype(float))
    return 1.001 * (np.count_nonzero(weights) + 1) * 2.0**-22 * (weights @ parts)


def test_sparse_products_are_the_scores(table):
    vectors = table.sparse_vectors()
    count = len(table.items)
    assert vectors.shape == (count, count + 1) and vectors.dtype == np.float32
    assert scipy.sparse.issparse(vectors) and vectors.nnz <= count * 13
    for history in (None, [3, 9, 20], {3: 2.5, 11: -1.0, 20: 0.125}):
        chosen = {"user": 7} if history is None else {"history": history}
        query = table.sparse_query(**chosen)
        assert query.shape == (1, count + 1)
        found = (query @ vectors.T).toarray()[0]
        expected = table.score(items=table.items.tolist(), **chosen)
        assert np.abs(expected).max() > 0
        assert (np.abs(found.astype(float) - expected) <= bound(table, query)).all()
    with pytest.raises(KeyError, match="99"):
        table.sparse_query(history=[99])
    with pytest.raises(ValueError, match="expected a user or a history"):
        table.sparse_query()


def test_only_a_neighbour_table_has_sparse_vectors(model):
    for call in (model.sparse_vectors, lambda: model.sparse_query(3)):
        with pytest.raises(ValueError, match="expected neighbours .*found gf-cf"):
            call()


def test_qdrant_makes_the_same_lists(table):
    qdrant = pytest.importorskip("qdrant_client")
    models = qdrant.models

    def vector(row):
        return models.SparseVector(indices=row.indices.tolist(), values=row.data.tolist())

    database = qdrant.QdrantClient(":memory:")
    database.create_collection(
        "items", vectors_config={}, sparse_vectors_config={"table": models.SparseVectorParams()}
    )
    points = [
        models.PointStruct(id=place, vector={"table": vector(row)}, payload={"is_odd": bool(item % 2)})
        for place, (item, row) in enumerate(zip(table.items.tolist(), table.sparse_vectors()))
    ]
    database.upsert("items", points)
    odd = [item for item in table.items.tolist() if item % 2]
    for user in range(0, 60, 7):
        query = table.sparse_query(user)
        seen = query.indices[query.indices < len(table.items)].tolist()
        found = database.query_points(
            "items",
            query=vector(query),
            using="table",
            query_filter=models.Filter(
                must=[models.FieldCondition(key="is_odd", match=models.MatchValue(value=True))],
                must_not=[models.HasIdCondition(has_id=seen)],
            ),
            limit=5,
        ).points
        expected = table.recommend(user, 5, allow=odd)
        assert [table.items[point.id] for point in found] == expected.items
        differences = np.abs(np.array([point.score for point in found]) - expected.scores)
        assert (differences <= bound(table, query)[[point.id for point in found]]).all()


def test_the_example_of_the_guide_runs(tmp_path, monkeypatch, capsys):
    pytest.importorskip("qdrant_client")
    section = GUIDE.read_text().split("# Sparse vectors for a database")[1]
    code = section.split("```python")[1].split("```")[0]
    pairs = [("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "rice"), ("cid", "jam")]
    model = bspm.Model.fit(pairs, "gf-cf", factor_dim=2)
    model.save(tmp_path / "shop.bspm")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, GUIDE, "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    best = model.neighbours(200).recommend(history=["tea", "milk"])
    assert best.items == ["rice"]
    assert lines[0].split()[0] == "rice"
    assert float(lines[0].split()[1]) == pytest.approx(best.scores[0], rel=1e-6)
    assert not {"tea", "milk"} & {line.split()[0] for line in lines}

"""A neighbour table gives the lists of its filter, and a join and a group-by give its own."""

import numpy as np
import pandas as pd
import pytest

import bspm

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

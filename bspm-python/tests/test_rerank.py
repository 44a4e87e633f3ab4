"""Re-ranking of lists: boosts, limits, penalties and diversity."""

import numpy as np
import pytest

import bspm


@pytest.fixture(scope="module")
def model():
    random = np.random.default_rng(3)
    pairs = [(u, int(i)) for u in range(50) for i in random.choice(40, 8, replace=False)]
    pairs += [(u, u % 3) for u in range(50)]
    items = {
        "item": list(range(40)),
        "title": [f"item {i}" for i in range(40)],
        "brand": ["abc"[i % 3] for i in range(40)],
        "price": [float(i) for i in range(40)],
    }
    return bspm.Model.fit(pairs, "rp3beta", items=items)


def test_a_boost_changes_the_order(model):
    plain = model.recommend(0, k=40)
    boosted = model.recommend(0, k=40, boost={"price >= 30": 1000.0})
    first = [i for i in plain.items if i >= 30] + [i for i in plain.items if i < 30]
    assert boosted.items == first
    factors = np.array([1000.0 if i >= 30 else 1.0 for i in boosted.items])
    scores = dict(zip(plain.items, plain.scores))
    expected = np.array([scores[i] for i in boosted.items]) * factors
    np.testing.assert_allclose(boosted.scores, expected, rtol=1e-5)


def test_a_limit_holds_in_every_list(model):
    items, _ = model.recommend_many(k=6, at_most={"brand": 2})
    for row in items:
        brands = [i % 3 for i in row]
        assert len(row) == 6 and all(brands.count(it) == 2 for it in range(3))


@pytest.mark.parametrize("method", ["mmr", "dpp"])
def test_diverse_lists_have_lower_cosines(model, method):
    csr = model.interactions.csr
    dense = np.zeros((50, 40))
    rows = np.repeat(np.arange(50), np.diff(csr["indptr"]))
    dense[rows, csr["indices"]] = 1.0
    column = {item: place for place, item in enumerate(list(model.items))}
    unit = dense / np.maximum(np.linalg.norm(dense, axis=0), 1e-9)
    cosines = unit.T @ unit

    def similarity(**options):
        lists, _ = model.recommend_many(k=5, **options)
        places = [[column[i] for i in row] for row in lists]
        return np.mean([cosines[np.ix_(row, row)].sum() - len(row) for row in places])

    assert similarity(diversity=0.8, diversity_method=method) < similarity()


def test_a_penalty_lowers_popularity(model):
    users = np.bincount(model.interactions.csr["indices"], minlength=40)
    column = {item: place for place, item in enumerate(list(model.items))}

    def popularity(**options):
        lists, _ = model.recommend_many(k=5, **options)
        return np.mean([users[column[i]] for row in lists for i in row])

    assert popularity(popularity_penalty=1.0) < popularity()


@pytest.mark.parametrize(
    "options, text",
    [
        ({"boost": {"colour = 'red'": 2.0}}, "one of"),
        ({"boost": {"price < 3": 0.0}}, "boost: "),
        ({"at_most": {"colour": 2}}, "at_most: expected one of"),
        ({"at_most": {"brand": 0}}, "at_most: "),
        ({"diversity": 2.0}, "diversity: "),
        ({"diversity": 0.5, "diversity_method": "best"}, "diversity_method: expected mmr, dpp"),
        ({"diversity_method": "mmr"}, "no effect without diversity"),
        ({"popularity_penalty": -1.0}, "popularity_penalty: "),
    ],
)
def test_rules_that_cannot_be_are_refused(model, options, text):
    with pytest.raises(ValueError, match=text):
        model.recommend(0, **options)

"""The item-item recommenders compute what the package implicit computes."""

import io

import numpy as np
import pytest
import scipy.sparse

from bspm.implicit import nearest_neighbours as ours

theirs = pytest.importorskip("implicit.nearest_neighbours")

KINDS = ["ItemItemRecommender", "CosineRecommender", "TFIDFRecommender", "BM25Recommender"]
WEIGHTS = ["gamma", "counts", "ones"]


def weighted(weights, seed=0, users=150, items=120):
    """A matrix with popular and rare items, and with an empty row and column."""
    random = np.random.default_rng(seed)
    popularity = 1 / np.arange(1, items) ** 0.7
    rows, columns = [], []
    for user in range(users - 1):
        count = random.integers(3, 25)
        chosen = random.choice(items - 1, count, replace=False, p=popularity / popularity.sum())
        rows += [user] * count
        columns += chosen.tolist()
    values = {
        "gamma": random.gamma(1.0, 2.0, len(rows)) + 0.1,
        "counts": random.integers(1, 8, len(rows)).astype(float),
        "ones": np.ones(len(rows)),
    }[weights]
    return scipy.sparse.csr_matrix((values, (rows, columns)), shape=(users, items))


def both(kind, matrix, **parameters):
    models = [getattr(module, kind)(**parameters) for module in (theirs, ours)]
    for model in models:
        model.fit(matrix, show_progress=False)
    return models


def assert_same_lists(expected, found):
    """The scores are equal, and so are the items, except those with the lowest score of a list."""
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-5)
    for expected_ids, ids, scores in zip(expected[0], found[0], found[1]):
        is_above = scores > scores[-1] * (1 + 1e-5)
        assert set(ids[is_above]) == set(expected_ids[is_above])


@pytest.mark.parametrize("weights", WEIGHTS)
def test_functions_are_equal(weights):
    matrix = weighted(weights)
    for form in (matrix.T, matrix.T.tocoo(), matrix.T.tocsr(), matrix.T.toarray()):
        for name, arguments in (
            ("tfidf_weight", ()),
            ("bm25_weight", ()),
            ("bm25_weight", (1.2, 0.75)),
            ("normalize", ()),
        ):
            expected = getattr(theirs, name)(form, *arguments)
            found = getattr(ours, name)(form, *arguments)
            assert found.format == expected.format == "coo"
            np.testing.assert_allclose(found.toarray(), expected.toarray(), rtol=1e-12)
    for count in (1, 7, 500):
        expected = theirs.all_pairs_knn(matrix, count, show_progress=False).tocsr()
        found = ours.all_pairs_knn(matrix, count, show_progress=False)
        assert found.format == "coo"
        np.testing.assert_array_equal(found.tocsr().indices, expected.indices)
        np.testing.assert_allclose(found.toarray(), expected.toarray(), rtol=1e-12)
    with pytest.raises(ValueError, match="K: expected at least 1"):
        ours.all_pairs_knn(matrix, 0)


def test_functions_leave_their_argument_unchanged():
    matrix = weighted("counts").tocoo()
    before = matrix.data.copy()
    for function in (ours.tfidf_weight, ours.bm25_weight, ours.normalize):
        function(matrix)
        np.testing.assert_array_equal(matrix.data, before)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("neighbours", [5, 20, 1000])
def test_similarities_and_lists_are_equal(kind, weights, neighbours):
    matrix = weighted(weights, seed=neighbours)
    expected, found = both(kind, matrix, K=neighbours)
    np.testing.assert_allclose(
        np.sort(found.similarity.toarray(), axis=1),
        np.sort(expected.similarity.toarray(), axis=1),
        rtol=1e-9,
        atol=1e-12,
    )
    users = np.arange(matrix.shape[0])
    for liked in (True, False):
        options = {"N": 10, "filter_already_liked_items": liked}
        lists = [model.recommend(users, matrix, **options) for model in (expected, found)]
        # implicit pads short lists with liked items and the score 0.
        is_missing = lists[1][0] < 0
        assert is_missing.mean() < 0.5 and (lists[0][1][is_missing] <= 0).all()
        for ids, scores in lists:
            ids[is_missing], scores[is_missing] = -1, 0
        assert_same_lists(*lists)
    items = np.arange(matrix.shape[1] - 1)
    lists = [model.similar_items(items, N=5) for model in (expected, found)]
    assert_same_lists(*lists)


@pytest.mark.parametrize("neighbours", [5, 20])
def test_equal_scores_have_the_order_of_implicit(neighbours):
    """Inner products of counts are exact, so that many are equal."""
    for weights in ("counts", "ones"):
        matrix = weighted(weights, seed=3)
        expected, found = both("ItemItemRecommender", matrix, K=neighbours)
        np.testing.assert_array_equal(found.similarity.indices, expected.similarity.indices)
        for user in range(matrix.shape[0] - 1):
            lists = [
                model.recommend(user, matrix[user], N=10, filter_already_liked_items=False)
                for model in (expected, found)
            ]
            np.testing.assert_array_equal(lists[0][0], lists[1][0])


def test_blocks_do_not_change_the_result(monkeypatch):
    matrix = weighted("counts", seed=5)
    whole = ours.all_pairs_knn(matrix, 7, show_progress=False).tocsr()
    _, model = both("BM25Recommender", matrix)
    lists = model.recommend(np.arange(150), matrix)
    monkeypatch.setattr(ours, "_BLOCK", 50)
    parts = ours.all_pairs_knn(matrix, 7, num_threads=2, show_progress=False).tocsr()
    np.testing.assert_array_equal(whole.indices, parts.indices)
    np.testing.assert_array_equal(whole.data, parts.data)
    np.testing.assert_array_equal(model.recommend(np.arange(150), matrix)[0], lists[0])


def test_lists_of_chosen_items_are_equal():
    matrix = weighted("gamma", seed=9)
    expected, found = both("BM25Recommender", matrix, K=10, K1=2.0, B=0.3)
    chosen = np.array([3, 80, 5, 117, 20])
    for user in range(20):
        lists = [model.recommend(user, matrix[user], items=chosen) for model in (expected, found)]
        liked = matrix[user].indices
        kept = [ids[~np.isin(ids, liked)] for ids, _ in lists]
        assert kept[0].tolist() == kept[1].tolist()
        short = [
            model.recommend(user, matrix[user], N=3, filter_items=[0, 1, 2])[0][:3]
            for model in (expected, found)
        ]
        assert short[0].tolist() == short[1].tolist()
    batch = found.recommend([0, 1], matrix[[0, 1]], items=chosen, N=10)
    assert batch[0].shape == (2, 10) and (batch[0][:, 5:] == -1).all()
    assert found.recommend("a new user", matrix[0])[0].tolist() == found.recommend(0, matrix[0])[0].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_files_are_those_of_implicit(kind, tmp_path):
    matrix = weighted("gamma")
    expected, found = both(kind, matrix, K=6)
    found.save(str(tmp_path / "ours"))
    expected.save(str(tmp_path / "theirs"))
    their_copy = getattr(theirs, kind).load(str(tmp_path / "ours.npz"))
    our_copy = getattr(ours, kind).load(tmp_path / "theirs")
    assert our_copy.K == their_copy.K == 6
    lists = [model.recommend(0, matrix[0])[0] for model in (found, their_copy, our_copy)]
    assert lists[0].tolist() == lists[1].tolist() == lists[2].tolist()
    with pytest.raises(NotImplementedError, match="similar_users"):
        our_copy.similar_users(0)


@pytest.mark.parametrize("kind", KINDS)
def test_models_without_a_fit_are_saved(kind, tmp_path):
    getattr(ours, kind)(K=9).save(tmp_path / "new")
    for loaded in (
        getattr(ours, kind).load(tmp_path / "new"),
        getattr(theirs, kind).load(str(tmp_path / "new")),
    ):
        assert loaded.K == 9 and loaded.similarity is None
    file = io.BytesIO()
    ours.BM25Recommender(K1=3.0, B=0.1).save(file)
    file.seek(0)
    loaded = ours.BM25Recommender.load(file)
    assert (loaded.K1, loaded.B) == (3.0, 0.1)


def test_weights_are_checked():
    for value in (-1.0, np.nan, np.inf):
        matrix = weighted("gamma")
        matrix.data[5] = value
        with pytest.raises(ValueError, match="user_items: expected finite numbers, 0 or above"):
            ours.CosineRecommender().fit(matrix, show_progress=False)

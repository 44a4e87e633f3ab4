"""bspm.implicit behaves as the package implicit 0.7 does."""

import copy
import io
import pathlib
import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse

import bspm.implicit as implicit

LOWEST = -np.finfo(np.float32).max
LEARNING = [it for it in implicit.ALL if it is not implicit.Popularity]
# As many vectors as the boards have beyond a cluster of equal singular values.
SMALL = {"GFCF": 2, "ChebyCF": 2, "SVDAE": 2, "SGFCF": 2, "Family": 2}


def make(kind):
    settings = {"factor_dim": SMALL[kind.__name__]} if kind.__name__ in SMALL else {}
    if is_item_item_class(kind):
        settings["K"] = 50
    return kind(**settings)


def is_item_item(model):
    return isinstance(model, implicit.ItemItemRecommender)


def is_item_item_class(kind):
    return issubclass(kind, implicit.ItemItemRecommender)


def wide(model, found, n):
    """The list of one user with n places. Those of item-item models can be shorter, as in implicit."""
    ids, scores = found
    if is_item_item(model):
        missing = (0, n - len(ids))
        ids = np.pad(ids, missing, constant_values=-1)
        scores = np.pad(scores, missing, constant_values=LOWEST)
    return ids, scores


def checker_board(size):
    """Even users like even items and odd ones odd items; the diagonal is held out."""
    board = np.zeros((size, size), np.float64)
    for user in range(size):
        board[user, user % 2 :: 2] = 1.0
    return scipy.sparse.csr_matrix(board - np.eye(size))


@pytest.fixture(scope="module")
def board():
    return checker_board(50)


@pytest.fixture(scope="module", params=LEARNING, ids=lambda kind: kind.__name__)
def fitted(request, board):
    model = make(request.param)
    model.fit(board, show_progress=False)
    return model


def test_a_scalar_gives_one_dimension_and_an_array_two(fitted, board):
    ids, scores = wide(fitted, fitted.recommend(0, board[0], N=5), 5)
    assert ids.shape == scores.shape == (5,)
    assert ids.dtype == np.int32 and scores.dtype == np.float32
    for users in ([0, 3], np.arange(50), [7]):
        ids, scores = fitted.recommend(users, board[users], N=5)
        assert ids.shape == scores.shape == (len(users), 5)
    ids, scores = fitted.similar_items(0, N=5)
    assert ids.shape == scores.shape == (5,)
    assert fitted.similar_items([0, 1], N=5)[0].shape == (2, 5)


def test_the_held_out_item_comes_first(fitted, board):
    ids, scores = fitted.recommend(np.arange(50), board, N=1)
    assert ids[:, 0].tolist() == list(range(50))
    for user in range(50):
        alone = fitted.recommend(user, board[user], N=1)
        assert alone[0][0] == user


def test_one_user_gets_the_ids_and_scores_of_a_batch_with_ties(fitted, board):
    batch_ids, batch_scores = fitted.recommend(np.arange(50), board, N=40)
    again_ids, again_scores = fitted.recommend(
        np.arange(50), board, N=40, recalculate_user=True
    )
    np.testing.assert_array_equal(batch_ids, again_ids)
    for user in range(50):
        for recalculate in (False, True):
            found = fitted.recommend(user, board[user], N=40, recalculate_user=recalculate)
            ids, scores = wide(fitted, found, 40)
            np.testing.assert_array_equal(ids, batch_ids[user])
            np.testing.assert_allclose(scores, batch_scores[user], rtol=1e-6)
    for user in (0, 13):
        ids = fitted.recommend([user, user, 3], board[[user, user, 3]], N=40)[0]
        np.testing.assert_array_equal(ids[0], batch_ids[user])


def test_lists_are_always_n_wide(fitted, board):
    ids, scores = wide(fitted, fitted.recommend(0, board[0], N=10_000), 10_000)
    assert ids.shape == (10_000,)
    assert (ids[-24:] == -1).all() and (scores[-24:] == LOWEST).all()
    present = ids[ids >= 0]
    assert len(present) == len(set(present)) and not set(present) & set(board[0].indices)


def test_filter_items_stay_out(fitted, board):
    hidden = np.arange(10)
    ids, _ = fitted.recommend(0, board[0], N=1, filter_items=[0])
    assert 0 not in ids
    ids, _ = fitted.recommend(np.arange(50), board, N=5, filter_items=hidden)
    assert not np.isin(ids, hidden).any()
    ids, _ = fitted.similar_items(0, N=5, filter_items=hidden)
    assert not np.isin(ids, hidden).any()


def test_liked_items_enter_where_they_may(fitted, board):
    ids, _ = fitted.recommend(0, board[0], N=25, filter_already_liked_items=False)
    assert set(board[0].indices) & set(ids)
    # The filter uses the given matrix, not the fitted one.
    other = scipy.sparse.csr_matrix(([1.0, 1.0], ([0, 0], [0, 2])), shape=(1, 50))
    ids, _ = fitted.recommend(0, other, N=50)
    assert not {0, 2} & set(ids) and 4 in ids


def test_items_ranks_all_of_them_liked_ones_last(fitted, board):
    chosen = np.arange(0, 30, 3)
    ids, scores = fitted.recommend(0, board[0], items=chosen)
    assert set(ids) == set(chosen) and len(ids) == len(chosen)
    liked = np.isin(ids, board[0].indices)
    assert (scores[liked] == LOWEST).all() and (np.diff(liked.astype(int)) >= 0).all()
    ids, _ = fitted.recommend([0, 1], board[[0, 1]], items=chosen.tolist())
    assert ids.shape == (2, 10) and set(ids[1]) == set(chosen)
    ids, _ = fitted.similar_items(0, N=50, items=[4, 2])
    assert set(ids) >= {2, 4}
    for bad in ([-1], [50], [3, 10_000]):
        with pytest.raises(IndexError):
            fitted.recommend(0, board[0], items=bad)
    with pytest.raises(ValueError):
        fitted.recommend(0, board[0], items=[1], filter_items=[2])


def test_similar_items_begin_with_the_item_itself(fitted):
    for item in range(50):
        ids, scores = fitted.similar_items(item, N=10)
        assert ids[0] == item and len(ids) == 10
        assert (ids % 2 == item % 2).all()
        assert (np.diff(scores) <= 0).all()
    with pytest.raises(IndexError):
        fitted.similar_items(50)


def test_similar_users_begin_with_the_user_and_are_alike(fitted):
    for user in (0, 1, 33):
        ids, scores = fitted.similar_users(user, N=10)
        assert ids[0] == user and (ids % 2 == user % 2).all() and (np.diff(scores) <= 0).all()
    ids, _ = fitted.similar_users([0, 1], N=10, filter_users=[2, 3])
    assert ids.shape == (2, 10) and not np.isin(ids, [2, 3]).any()
    assert set(fitted.similar_users(0, N=50, users=[4, 6])[0]) == {4, 6, -1}


def test_recalculate_user_takes_the_row_that_is_given(fitted, board):
    odd = board[[1]]
    ids, _ = fitted.recommend(0, odd, N=1, recalculate_user=True)
    assert ids[0] == 1
    empty = scipy.sparse.csr_matrix((1, 50))
    ids, scores = wide(fitted, fitted.recommend(0, empty, N=5, recalculate_user=True), 5)
    assert ids.shape == (5,) and np.isfinite(scores).all()


def test_a_row_and_a_column_of_nothing(fitted, board):
    dense = board.toarray()
    dense[42] = 0
    dense[:, 42] = 0
    model = copy.deepcopy(fitted)
    model.fit(scipy.sparse.csr_matrix(dense), show_progress=False)
    for item in range(40):
        assert 42 not in model.similar_items(item, N=10)[0]
    ids, scores = wide(model, model.recommend(42, scipy.sparse.csr_matrix(dense)[42], N=3), 3)
    assert ids.shape == (3,) and not np.isnan(scores).any()


def test_bad_users_and_matrices_are_refused(fitted, board):
    for user in (-1, 50, [0, 50]):
        rows = board[[0, 0]] if isinstance(user, list) else board[0]
        if is_item_item(fitted):  # The row has the history, as in implicit.
            assert fitted.recommend(user, rows, N=1)[0].ravel()[0] == 0
            continue
        with pytest.raises(IndexError):
            fitted.recommend(user, rows)
    for rows in (None, board[0].tocsc(), board[0].tocoo(), board[0].toarray()):
        with pytest.raises(ValueError, match="CSR"):
            fitted.recommend(0, rows)
    with pytest.raises(ValueError, match="1 row for every user"):
        fitted.recommend([0, 1, 2], board)
    with pytest.raises(ValueError):
        fitted.recommend(0, board[0], N=0)


def test_fit_takes_every_format_and_type(fitted, board):
    expected = fitted.recommend(np.arange(50), board, N=5)[0]
    for kind in (np.float32, np.float64, np.int32, np.int64, bool):
        model = copy.deepcopy(fitted)
        model.fit(board.astype(kind), show_progress=False)
        np.testing.assert_array_equal(model.recommend(np.arange(50), board, N=5)[0], expected)
    for form in (board.tocsc(), board.tocoo()):
        model = copy.deepcopy(fitted)
        with pytest.warns(Warning, match="Converting to CSR"):
            model.fit(form, show_progress=False)
        np.testing.assert_array_equal(model.recommend(np.arange(50), board, N=5)[0], expected)
    with pytest.raises(ValueError, match="CSR"):
        copy.deepcopy(fitted).fit(board.toarray())
    long = board.copy()
    long.indptr, long.indices = long.indptr.astype(np.int64), long.indices.astype(np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        copy.deepcopy(fitted).fit(long, show_progress=False)


def test_models_are_saved_loaded_pickled_and_copied(fitted, board, tmp_path):
    expected = fitted.recommend(np.arange(50), board, N=5)
    file = io.BytesIO()
    fitted.save(file)
    file.seek(0)
    loaded = [type(fitted).load(file), pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)]
    for path in (str(tmp_path / "a.npz"), tmp_path / "b", pathlib.Path(tmp_path) / "c.npz"):
        fitted.save(path)
        loaded.append(type(fitted).load(path))
    with open(tmp_path / "d", "wb") as out:
        fitted.save(out)
    with open(tmp_path / "d", "rb") as source:
        loaded.append(type(fitted).load(source))
    for model in loaded:
        found = model.recommend(np.arange(50), board, N=5)
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
    with pytest.raises(ValueError):
        fitted.save(source)


@pytest.mark.parametrize("kind", implicit.ALL, ids=lambda kind: kind.__name__)
def test_models_that_are_not_fitted(kind, board):
    model = make(kind)
    copied = pickle.loads(pickle.dumps(model))
    assert repr(copied) == repr(model) == repr(copy.deepcopy(model))
    for call in (lambda: model.recommend(0, board[0]), lambda: model.similar_items(0)):
        with pytest.raises(ValueError, match="not fitted"):
            call()
    with pytest.raises(TypeError if is_item_item(model) else ValueError, match="setting|factors_dim"):
        kind(factors_dim=3)
    told = []
    model.fit(board, show_progress=False, callback=lambda *it: told.append(it))
    assert len(told) == 1 and told[0][0] == 0 and told[0][2] == 1.0


@pytest.mark.parametrize("kind", LEARNING, ids=lambda kind: kind.__name__)
def test_matrices_smaller_than_the_number_of_factors(kind):
    """With the settings that each class has by itself."""
    for matrix in (checker_board(5), scipy.sparse.csr_matrix(np.ones((3, 4)))):
        model = kind()
        model.fit(matrix, show_progress=False)
        ids, scores = wide(model, model.recommend(0, matrix[0], N=5), 5)
        assert ids.shape == (5,) and not np.isnan(scores).any()


def test_item_item_models_have_a_similarity(board):
    model = implicit.CosineRecommender(K=7)
    assert model.similarity is None and model.K == 7
    model.fit(board, show_progress=False)
    assert model.similarity.shape == (50, 50)
    assert (np.diff(model.similarity.indptr) == 7).all()
    expected = model.similar_items(0, N=8)[0]
    assert expected[0] == 0 and len(expected) == 7
    assert set(model.similarity[0].indices) == set(expected)


@pytest.mark.parametrize("kind", implicit.ALL, ids=lambda kind: kind.__name__)
def test_parameters_are_read_and_set(kind):
    model = make(kind)
    parameters = model.get_params()
    assert kind(**parameters).get_params() == parameters == model.get_params(deep=False)
    assert parameters["num_threads"] == 0
    assert model.set_params(num_threads=2) is model and model.num_threads == 2
    assert model.get_params() == {**parameters, "num_threads": 2}
    with pytest.raises(ValueError, match="setting|parameter"):
        model.set_params(num_threads=3, factors_dim=3)
    assert model.num_threads == 2
    clone = pytest.importorskip("sklearn.base").clone
    copied = clone(model)
    assert type(copied) is kind and copied is not model
    assert copied.get_params() == model.get_params()


def test_parameters_have_an_effect_at_the_next_fit(board):
    clone = pytest.importorskip("sklearn.base").clone
    model = implicit.BM25Recommender(K=5, K1=1.5, B=0.2)
    assert model.get_params() == {"K": 5, "K1": 1.5, "B": 0.2, "num_threads": 0}
    model.fit(board, show_progress=False)
    assert clone(model).similarity is None and clone(model).get_params() == model.get_params()
    model.set_params(K=3, B=0.0)
    assert np.diff(model.similarity.indptr).max() == 5
    model.fit(board, show_progress=False)
    assert np.diff(model.similarity.indptr).max() == 3
    filter = implicit.GFCF(factor_dim=2, alpha=0.1)
    filter.set_params(alpha=0.3)
    assert filter.get_params() == {"num_threads": 0, "preset": None, "factor_dim": 2, "alpha": 0.3}
    filter.fit(board, show_progress=False)
    assert filter.recommend(0, board[0], N=1)[0][0] == 0
    with pytest.raises(ValueError):
        filter.set_params(preset="no-such")
    ease = implicit.EASER(lambda_=3.0).set_params(**{"lambda": 4.0})
    assert ease.settings == {"lambda": 4.0}


@pytest.mark.parametrize("kind", implicit.ALL, ids=lambda kind: kind.__name__)
def test_models_without_a_fit_are_saved(kind, board, tmp_path):
    model = make(kind).set_params(num_threads=2)
    file = io.BytesIO()
    model.save(file)
    file.seek(0)
    model.save(tmp_path / "a.npz")
    for loaded in (kind.load(file), kind.load(tmp_path / "a.npz"), kind.load(str(tmp_path / "a"))):
        assert type(loaded) is kind and loaded.get_params() == model.get_params()
        with pytest.raises(ValueError, match="not fitted"):
            loaded.similar_items(0)
        loaded.fit(board, show_progress=False)


@pytest.mark.parametrize("kind", [it for it in LEARNING if not is_item_item_class(it)], ids=lambda kind: kind.__name__)
def test_a_loaded_model_has_its_settings_and_its_class(kind, board, tmp_path):
    model = make(kind)
    model.fit(board, show_progress=False)
    model.save(tmp_path / "model.npz")
    loaded = kind.load(tmp_path / "model.npz")
    before = loaded._core.config
    loaded.fit(board, show_progress=False)
    assert loaded._core.config == before
    other = implicit.Popularity
    with pytest.raises(ValueError, match=f"expected a model of the filter popularity, found {kind.filter}"):
        other.load(tmp_path / "model.npz")


def test_filters_and_lengths_are_checked(fitted, board):
    with pytest.raises(ValueError, match="filter_items: expected whole numbers"):
        fitted.recommend(0, board[0], filter_items=[2.9])
    with pytest.raises((IndexError, ValueError), match="filter_users"):
        fitted.similar_users(0, filter_users=[-1])
    for call in (fitted.similar_users, fitted.similar_items):
        with pytest.raises(ValueError, match="N: expected at least 1"):
            call(0, N=-1)
    ids, _ = fitted.recommend(0, board[0], items=[2, 2, 4])
    assert sorted(ids.tolist()) == [2, 4]

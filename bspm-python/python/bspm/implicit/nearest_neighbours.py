"""The item-item recommenders of implicit, and its functions for weights and neighbours.

The module has the names of ``implicit.nearest_neighbours``. Lists are equal to those of implicit, also for equal
scores, except in cases that the methods describe. SciPy computes the products, in float64.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Iterator, Optional

import numpy as np
import numpy.typing as npt
import scipy.sparse

from .._model import progress_of, threads_of
from .recommender_base import (
    _NO_SCORE,
    IdsAndScores,
    RecommenderBase,
    _check_csr,
    _check_length,
    _check_rows,
    _distinct,
    _is_scalar,
)

# The maximum number of multiplications of a block of rows, which bounds the memory of a product.
_BLOCK = 1 << 23

_Places = npt.NDArray[np.int64]


# ---------------------------------------------------------------------- functions


def tfidf_weight(X: Any) -> Any:
    """Returns the tf-idf weights of a matrix items x users, in COO.

    An entry is the square root of the value times ``ln(items) - ln(1 + entries of the column)``.
    """
    matrix = _coo(X)
    return _with_data(matrix, np.sqrt(matrix.data) * _idf(matrix))


def bm25_weight(X: Any, K1: float = 100, B: float = 0.8) -> Any:
    """Returns the BM25 weights of a matrix items x users, in COO.

    ``K1`` bounds the weight of large values. ``B``, from 0 to 1, is the strength of the normalisation by the
    sum of a row. The factor of a column is the one of :func:`tfidf_weight`.
    """
    matrix = _coo(X)
    sums = np.bincount(matrix.row, matrix.data, minlength=matrix.shape[0])
    mean = sums.mean() if len(sums) else 0.0
    lengths = (1.0 - B) + B * (sums / mean if mean else sums)
    values = matrix.data
    saturated = values * (K1 + 1.0) / (K1 * lengths[matrix.row] + values)
    return _with_data(matrix, saturated * _idf(matrix))


def normalize(X: Any) -> Any:
    """Returns a matrix whose rows have the Euclidean norm 1, in COO. Rows of zeros stay zero."""
    matrix = _coo(X)
    norms = np.sqrt(np.bincount(matrix.row, matrix.data**2, minlength=matrix.shape[0]))
    norms[norms == 0] = 1.0
    return _with_data(matrix, matrix.data / norms[matrix.row])


def all_pairs_knn(
    users: Any, K: int = 100, num_threads: int = 0, show_progress: bool = True
) -> Any:
    """Returns the ``K`` columns with the largest inner products for each column, in COO.

    ``users`` is a sparse matrix users x items, and the result is items x items. An item is one of its own
    ``K`` items if its inner product with itself is large enough. The cost is the sum of the squared row
    lengths. ``num_threads``: 0 means all cores.

    Raises ValueError if ``K`` is below 1.
    """
    if K < 1:
        raise ValueError(f"K: expected at least 1, found {K}")
    right = scipy.sparse.csr_matrix(users, dtype=np.float64)
    left = right.T.tocsr()
    tell = progress_of(show_progress)

    def nearest(begin: int, end: int) -> list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
        found = []
        for ids, scores in _rows(left[begin:end] @ right):
            best = _best(ids, scores, K)
            found.append((ids[best], scores[best]))
        return found

    parts = []
    with ThreadPoolExecutor(threads_of(num_threads) or os.cpu_count() or 1) as pool:
        ranges = list(_blocks(left, right))
        for (_, end), part in zip(ranges, pool.map(lambda it: nearest(*it), ranges)):
            parts += part
            if tell is not None:
                tell("similarity", end, left.shape[0])
    columns = [ids for ids, _ in parts] or [np.empty(0, np.int32)]
    values = [scores for _, scores in parts] or [np.empty(0)]
    rows = np.repeat(np.arange(len(parts), dtype=np.int32), [len(ids) for ids, _ in parts])
    entries = (np.concatenate(values), (rows, np.concatenate(columns)))
    return scipy.sparse.coo_matrix(entries, shape=(left.shape[0], left.shape[0]))


def _coo(X: Any) -> Any:
    matrix = scipy.sparse.coo_matrix(X)
    return matrix if matrix.dtype == np.float64 else matrix.astype(np.float64)


def _with_data(matrix: Any, data: npt.NDArray[np.float64]) -> Any:
    return scipy.sparse.coo_matrix((data, (matrix.row, matrix.col)), shape=matrix.shape)


def _idf(matrix: Any) -> npt.NDArray[np.float64]:
    """Returns the factor of the column of each entry."""
    counts = np.bincount(matrix.col, minlength=matrix.shape[1])
    factors: npt.NDArray[np.float64] = (np.log(max(matrix.shape[0], 1)) - np.log1p(counts))[matrix.col]
    return factors


def _blocks(left: Any, right: Any) -> Iterator[tuple[int, int]]:
    """Returns ranges of rows of ``left`` with about ``_BLOCK`` multiplications in the product."""
    lengths = np.diff(right.indptr).astype(np.int64)
    costs = np.concatenate([[0], np.cumsum(lengths[left.indices])])[left.indptr]
    begin, count = 0, left.shape[0]
    while begin < count:
        end = int(np.searchsorted(costs, costs[begin] + _BLOCK, side="right")) - 1
        end = min(max(end, begin + 1), count)
        yield begin, end
        begin = end


def _rows(matrix: Any) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Returns the columns and values of each row, in the order in which the matrix has them."""
    for begin, end in zip(matrix.indptr[:-1], matrix.indptr[1:]):
        yield matrix.indices[begin:end], matrix.data[begin:end]


def _best(ids: npt.NDArray[Any], scores: npt.NDArray[Any], k: int) -> _Places:
    """Returns the places of the ``k`` highest scores, best first. Of equal scores, the higher id is first.

    implicit keeps the best ``k`` entries in a heap, in the order of the product. If equal scores are at the
    end of the list, the heap keeps the first ones that it receives, and removes those with the lowest ids
    when higher scores follow. The order of SciPy's product is the same, and this function has the same result.
    """
    if len(scores) <= k:
        kept = np.arange(len(scores))
    else:
        lowest = np.partition(scores, len(scores) - k)[len(scores) - k]
        candidates = np.flatnonzero(scores >= lowest)
        kept = candidates
        if len(candidates) > k:
            first, rest = candidates[:k], candidates[k:]
            ties = first[scores[first] == lowest]
            removed = int((scores[rest] > lowest).sum())
            ties = ties[np.argsort(ids[ties])][removed:]
            kept = np.concatenate([candidates[scores[candidates] > lowest], ties])
    order: _Places = kept[np.lexsort((-ids[kept], -scores[kept]))]
    return order


# ---------------------------------------------------------------------- recommenders


class ItemItemRecommender(RecommenderBase):
    """The ``K`` items with the largest inner products for each item.

    Parameters
    ----------
    K : int
        The number of neighbours of each item. An item can be one of its own neighbours, as in implicit.
    num_threads : int
        The number of threads of the fit. Default: 0, all cores.

    ``similarity`` has the inner products, items x items in CSR, or None before the fit.
    """

    def __init__(self, K: int = 20, num_threads: int = 0) -> None:
        self.K = K
        self.num_threads = num_threads
        self.similarity: Any = None
        self._fitted_items: Any = None

    def _weighted(self, user_items: Any) -> Any:
        """Returns the matrix users x items whose inner products are the similarities."""
        return user_items

    def fit(
        self,
        user_items: Any,
        show_progress: bool = True,
        callback: Optional[Callable[..., Any]] = None,
    ) -> None:
        """Computes the similarity of the items of a matrix users x items. Its values are weights, 0 or above.

        ``callback`` is called once, with 0, the time of the fit in seconds, and 1.0. Raises ValueError if
        ``user_items`` is not a sparse matrix, or if a value is negative or not finite.
        """
        user_items = _check_csr(user_items, "user_items")
        start = time.time()
        values = np.asarray(user_items.data, dtype=np.float64)
        is_wrong = ~(np.isfinite(values) & (values >= 0))
        if is_wrong.any():
            found = values[is_wrong][0]
            raise ValueError(f"user_items: expected finite numbers, 0 or above, found {found:g}")
        matrix = scipy.sparse.csr_matrix(
            (values, user_items.indices, user_items.indptr), shape=user_items.shape
        )
        pairs = all_pairs_knn(self._weighted(matrix), self.K, self.num_threads, show_progress)
        self.similarity = pairs.tocsr()
        self._fitted_items = matrix.copy()
        if callback is not None:
            callback(0, time.time() - start, 1.0)

    def recommend(
        self,
        userid: Any,
        user_items: Any,
        N: int = 10,
        filter_already_liked_items: bool = True,
        filter_items: Any = None,
        recalculate_user: bool = False,
        items: Any = None,
    ) -> IdsAndScores:
        """Returns the best items for the rows of ``user_items``, which has a row for each user.

        As in implicit, the lists depend only on these rows, so that ``userid`` can be any number and
        ``recalculate_user`` has no effect. The list of one user has only the items with a score, and at most
        N. With ``items``, it has all of these items. For an array of users, the result has N columns, and
        missing entries are -1 with the lowest float32. With ``filter_already_liked_items`` (default), the
        items of the row are never in the list. implicit adds them with the score 0 if the list is short.

        Raises IndexError for items that are not in the model, and ValueError for a matrix that is not CSR or
        has a different number of rows.
        """
        count = self._shape()[1]
        is_scalar = _is_scalar(userid)
        _check_rows(user_items, 1 if is_scalar else len(userid), count)
        choose = self._chooser(filter_items, items)
        _check_length(N)
        rows = scipy.sparse.csr_matrix(
            (user_items.data.astype(np.float64), user_items.indices, user_items.indptr),
            shape=(user_items.shape[0], count),
        )
        lists = []
        for begin, end in _blocks(rows, self.similarity):
            block = rows[begin:end]
            for (liked, _), (ids, scores) in zip(_rows(block), _rows(block @ self.similarity)):
                if filter_already_liked_items:
                    is_new = ~np.isin(ids, liked)
                    ids, scores = ids[is_new], scores[is_new]
                lists.append(choose(ids, scores, N, liked))
        return lists[0] if is_scalar else _padded(lists, N)

    def similar_items(
        self,
        itemid: Any,
        N: int = 10,
        recalculate_item: bool = False,
        item_users: Any = None,
        filter_items: Any = None,
        items: Any = None,
    ) -> IdsAndScores:
        """Returns the neighbours of an item, or of an array of items.

        The list of one item has at most ``K`` items and at most N. The item itself is in the list if it is one
        of its own neighbours, and before other items with the same score. For an array of items, the result
        has N columns, and missing entries are -1 with the lowest float32.

        Raises IndexError for items that are not in the model.
        """
        count = self._shape()[1]
        if recalculate_item:
            raise NotImplementedError("recalculate_item isn't implemented")
        _check_length(N)
        choose = self._chooser(filter_items, items)
        is_scalar = _is_scalar(itemid)
        lists = []
        for item in self._ids(itemid, count, "itemid"):
            ids, scores = next(_rows(self.similarity[[item]]))
            ids, scores = choose(ids, scores, count)
            order = np.lexsort((ids != item, -scores))[:N]
            lists.append((ids[order], scores[order]))
        return lists[0] if is_scalar else _padded(lists, N)

    def similar_users(
        self, userid: Any, N: int = 10, filter_users: Any = None, users: Any = None
    ) -> IdsAndScores:
        """Returns the users with the most similar histories, as the other filters do.

        implicit does not have this method for item-item recommenders. Raises NotImplementedError for a model
        that implicit saved, because its file does not have the fitted matrix.
        """
        self._shape()
        if self._fitted_items is None:
            raise NotImplementedError("similar_users needs the fitted matrix, which this file lacks")
        return super().similar_users(userid, N, filter_users, users)

    def _chooser(self, filter_items: Any, items: Any) -> Callable[..., IdsAndScores]:
        """Returns a function that makes a list of scored items.

        If the list has all of ``items``, those without a score follow, and those in ``last`` are at the end.
        """
        if filter_items is not None and items is not None:
            raise ValueError("Can't specify both filter_items and items")
        hidden = None if filter_items is None else self._known(filter_items)
        only = None if items is None else _distinct(self._items(items, "items"))

        def choose(ids: Any, scores: Any, N: int, last: Any = ()) -> IdsAndScores:
            if only is not None:
                is_kept = np.isin(ids, only)
                ids, scores = ids[is_kept], scores[is_kept]
            elif hidden is not None:
                is_kept = np.isin(ids, hidden, invert=True)
                ids, scores = ids[is_kept], scores[is_kept]
            best = _best(ids, scores, N if only is None else len(scores))
            ids, scores = ids[best].astype(np.int32), scores[best].astype(np.float32)
            if only is not None:
                missing = only[np.isin(only, ids, invert=True)].astype(np.int32)
                missing = missing[np.argsort(np.isin(missing, last), kind="stable")]
                ids = np.concatenate([ids, missing])
                lowest = np.full(len(missing), _NO_SCORE, dtype=np.float32)
                scores = np.concatenate([scores, lowest])
            return ids, scores

        return choose

    # ------------------------------------------------------------------ parts

    def _shape(self) -> tuple[int, int]:
        if self.similarity is None:
            raise ValueError("this model is not fitted")
        users = 0 if self._fitted_items is None else self._fitted_items.shape[0]
        return users, self.similarity.shape[0]

    def _user_items(self) -> Any:
        return self._fitted_items

    # ------------------------------------------------------------------ files

    def save(self, fileobj_or_path: Any) -> None:
        """Saves to a path or to an open binary file, in the format of implicit, also before the fit.

        As ``numpy.savez`` does, adds ``.npz`` to a path without it. implicit can load the file.
        """
        arrays = {name: np.asarray(value) for name, value in self.get_params().items()}
        for prefix, matrix in (("", self.similarity), ("user_items_", self._fitted_items)):
            if matrix is not None:
                arrays[prefix + "shape"] = np.asarray(matrix.shape)
                for part in ("data", "indptr", "indices"):
                    arrays[prefix + part] = getattr(matrix, part)
        np.savez(fileobj_or_path, **arrays)

    @classmethod
    def load(cls, fileobj_or_path: Any) -> "ItemItemRecommender":
        """Loads a model that :meth:`save` wrote, or implicit, from a path or an open binary file.

        A file of implicit does not have the fitted matrix, which ``similar_users`` needs.
        """
        source = fileobj_or_path
        if not hasattr(source, "read"):
            source = os.fspath(source)
            if not os.path.exists(source) and os.path.exists(source + ".npz"):
                source += ".npz"
        model = cls()

        def matrix(prefix: str) -> Any:
            if prefix + "data" not in arrays:
                return None
            parts = tuple(arrays[prefix + part] for part in ("data", "indices", "indptr"))
            return scipy.sparse.csr_matrix(parts, shape=tuple(arrays[prefix + "shape"]))

        with np.load(source, allow_pickle=False) as arrays:
            model.set_params(
                **{name: arrays[name].item() for name in model.get_params() if name in arrays}
            )
            model.similarity = matrix("")
            model._fitted_items = matrix("user_items_")
        return model

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__.copy()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        parameters = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({parameters})"


def _padded(lists: list[IdsAndScores], N: int) -> IdsAndScores:
    """Returns lists as arrays with N columns."""
    all_ids = np.full((len(lists), N), -1, dtype=np.int32)
    all_scores = np.full((len(lists), N), _NO_SCORE, dtype=np.float32)
    for place, (ids, scores) in enumerate(lists):
        all_ids[place, : len(ids)] = ids[:N]
        all_scores[place, : len(scores)] = scores[:N]
    return all_ids, all_scores


class CosineRecommender(ItemItemRecommender):
    """Neighbours by the cosine similarity of their users."""

    def _weighted(self, user_items: Any) -> Any:
        return normalize(user_items.T).T


class TFIDFRecommender(ItemItemRecommender):
    """Neighbours by the cosine similarity of their tf-idf weights."""

    def _weighted(self, user_items: Any) -> Any:
        return normalize(tfidf_weight(user_items.T)).T


class BM25Recommender(ItemItemRecommender):
    """Neighbours by the inner product of their BM25 weights.

    Parameters
    ----------
    K, num_threads : int
        As in :class:`ItemItemRecommender`.
    K1, B : float
        As in :func:`bm25_weight`.
    """

    def __init__(
        self, K: int = 20, K1: float = 1.2, B: float = 0.75, num_threads: int = 0
    ) -> None:
        super().__init__(K, num_threads)
        self.K1 = K1
        self.B = B

    def _weighted(self, user_items: Any) -> Any:
        return bm25_weight(user_items.T, self.K1, self.B).T

"""The class that all filters with the interface of implicit share."""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from typing import Any, Callable, ClassVar, Optional

import numpy as np
import numpy.typing as npt
import scipy.sparse

from .. import _bspm
from .._data import csr_of
from .._model import configuration, fit_matrix, progress_of
from .._parameters import Parameters

_NO_SCORE = -np.finfo(np.float32).max

IdsAndScores = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]


class ParameterWarning(UserWarning):
    """An argument was converted."""


def _warn(text: str) -> None:
    """Warns with the warning class of implicit if that package is imported."""
    theirs = getattr(sys.modules.get("implicit.utils"), "ParameterWarning", ParameterWarning)
    warnings.warn(text, theirs, stacklevel=4)


def _is_scalar(ids: Any) -> bool:
    return bool(np.isscalar(ids)) or getattr(ids, "ndim", 1) == 0


def _check_rows(user_items: Any, users: int, items: int) -> None:
    """Raises ValueError unless a CSR matrix has a row for each user, and no more than these items."""
    if not scipy.sparse.issparse(user_items) or user_items.format != "csr":
        raise ValueError("user_items needs to be a CSR sparse matrix")
    if user_items.shape[0] != users:
        raise ValueError("user_items must contain 1 row for every user in userids")
    if user_items.shape[1] > items:
        raise ValueError(f"user_items: expected {items} items, found {user_items.shape[1]}")


def _check_length(N: int) -> None:
    if N < 1:
        raise ValueError(f"N: expected at least 1, found {N}")


def _check_csr(matrix: Any, what: str) -> Any:
    if not scipy.sparse.issparse(matrix):
        raise ValueError(f"{what} needs to be a CSR sparse matrix, found {type(matrix).__name__}")
    if matrix.format == "csr":
        return matrix
    start = time.time()
    converted = matrix.tocsr()
    seconds = time.time() - start
    _warn(
        f"{what}: expected CSR input, and was passed {type(matrix).__name__} instead."
        f" Converting to CSR took {seconds} seconds"
    )
    return converted


class RecommenderBase(Parameters):
    """A filter with the interface of implicit.

    Parameters
    ----------
    num_threads : int
        The number of threads. Default: 0, all cores.
    preset : str, optional
        Published settings to start from: gowalla, yelp2018 or amazon-book.
    **settings
        Settings of the filter. ``bspm.filters()`` lists them.
    """

    filter: ClassVar[str] = "bspm"

    def __init__(
        self, num_threads: int = 0, preset: Optional[str] = None, **settings: Any
    ) -> None:
        self._check_settings(preset, settings)
        self.num_threads = num_threads
        self.preset = preset
        self.settings = settings
        self._core: Optional[_bspm.Core] = None

    def _check_settings(self, preset: Optional[str], settings: dict[str, Any]) -> None:
        configuration(self.filter, (1, 1), preset, settings)

    # ------------------------------------------------------------------ fitting

    def fit(
        self,
        user_items: Any,
        show_progress: bool = True,
        callback: Optional[Callable[..., Any]] = None,
    ) -> None:
        """Fits the filter to a matrix users x items. Its values are weights, 0 or above.

        ``callback`` is called once, with 0, the time of the fit in seconds, and 1.0. Raises ValueError if
        ``user_items`` is not a sparse matrix, or if a value is negative or not finite.
        """
        user_items = _check_csr(user_items, "user_items")
        start = time.time()
        self._core = fit_matrix(
            user_items,
            self.filter,
            self.preset,
            self.settings,
            self.num_threads,
            progress_of(show_progress),
        )
        if callback is not None:
            callback(0, time.time() - start, 1.0)

    def _fitted(self) -> _bspm.Core:
        if self._core is None:
            raise ValueError("this model is not fitted")
        return self._core

    # ------------------------------------------------------------------ lists

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
        """Returns the best items of a user, or of an array of users.

        ``user_items`` has a row for each user. With ``filter_already_liked_items`` (default), the items of the
        row are not in the list. With ``recalculate_user``, the lists are computed from these rows, otherwise
        from the fitted rows. For a scalar, the result has arrays of N elements, and for an array of users,
        arrays of users x N. Missing entries are -1 with the lowest float32. With ``items``, the list has all
        of these items and no others.

        Raises IndexError for users and items that are not in the model, and ValueError for a matrix that is
        not CSR or has a different number of rows.
        """
        core = self._fitted()
        is_scalar = _is_scalar(userid)
        users = self._ids(userid, core.shape[0], "userid")
        if filter_already_liked_items or recalculate_user:
            _check_rows(user_items, len(users), core.shape[1])
        if filter_items is not None and items is not None:
            raise ValueError("Can't specify both filter_items and items")
        if recalculate_user:
            rank = _rank_rows(core, csr_of(user_items, core.shape[1]))
        else:
            rank = _rank_users(core, users)
        liked = user_items if filter_already_liked_items else None
        is_own = liked is not None and (
            recalculate_user or core.has_rows(users, csr_of(liked, core.shape[1]))
        )
        found = self._lists(rank, len(users), N, liked, is_own, filter_items, items)
        return (found[0][0], found[1][0]) if is_scalar else found

    def similar_items(
        self,
        itemid: Any,
        N: int = 10,
        recalculate_item: bool = False,
        item_users: Any = None,
        filter_items: Any = None,
        items: Any = None,
    ) -> IdsAndScores:
        """Returns the items that are recommended for a history with only this item.

        The item itself is first.
        """
        core = self._fitted()
        if recalculate_item:
            raise NotImplementedError("recalculate_item isn't implemented")
        if filter_items is not None and items is not None:
            raise ValueError("Can't specify both filter_items and items")
        is_scalar = _is_scalar(itemid)
        queries = self._ids(itemid, core.shape[1], "itemid")
        rows = scipy.sparse.csr_matrix(
            (np.ones(len(queries), np.float32), queries, np.arange(len(queries) + 1)),
            shape=(len(queries), core.shape[1]),
        )
        rank = _rank_rows(core, csr_of(rows))
        others = self._lists(rank, len(queries), N, rows, True, filter_items, items)
        ids, scores = others[0].copy(), others[1].copy()
        own = self._items(filter_items, "filter_items") if items is None else None
        only = None if items is None else self._items(items, "items")
        for place, query in enumerate(queries):
            if own is not None and query in own or only is not None and query not in only:
                continue
            kept = ids[place] != query
            width = ids.shape[1]
            best = max(scores[place][0], np.float32(1.0)) if width else np.float32(1.0)
            ids[place] = np.concatenate([[query], ids[place][kept]])[:width]
            scores[place] = np.concatenate([[best], scores[place][kept]])[:width]
        if is_scalar:
            return ids[0], scores[0]
        return ids, scores

    def similar_users(
        self, userid: Any, N: int = 10, filter_users: Any = None, users: Any = None
    ) -> IdsAndScores:
        """Returns the users with the most similar histories, by cosine. The user itself is first.

        The weight of an item is one over the square root of its popularity.
        """
        user_count = self._shape()[0]
        _check_length(N)
        if filter_users is not None and users is not None:
            raise ValueError("Can't specify both filter_users and users")
        is_scalar = _is_scalar(userid)
        queries = self._ids(userid, user_count, "userid")
        vectors = self._user_vectors()
        found = np.asarray((vectors[queries] @ vectors.T).todense(), dtype=np.float32)
        if filter_users is not None:
            found[:, self._ids(filter_users, user_count, "filter_users")] = _NO_SCORE
        if users is not None:
            only = np.ones(user_count, dtype=bool)
            only[self._ids(users, user_count, "users")] = False
            found[:, only] = _NO_SCORE
        own = np.arange(len(queries)), queries
        found[own] = np.where(found[own] == _NO_SCORE, _NO_SCORE, np.float32(2.0))
        width = min(N, user_count)
        order = np.argsort(-found, axis=1, kind="stable")[:, :width]
        scores = np.minimum(np.take_along_axis(found, order, axis=1), np.float32(1.0))
        ids = np.where(scores == _NO_SCORE, -1, order).astype(np.int32)
        return (ids[0], scores[0]) if is_scalar else (ids, scores)

    # ------------------------------------------------------------------ parts

    def _shape(self) -> tuple[int, int]:
        """Returns the number of users and of items. Raises ValueError if the model is not fitted."""
        return self._fitted().shape

    def _user_items(self) -> Any:
        """Returns the fitted matrix users x items in CSR."""
        core = self._fitted()
        indptr, indices, data = core.matrix()
        return scipy.sparse.csr_matrix((data, indices, indptr), shape=core.shape)

    def _ids(self, ids: Any, count: int, what: str) -> npt.NDArray[np.int64]:
        array = np.atleast_1d(np.asarray(ids))
        if array.size == 0:
            return np.empty(0, dtype=np.int64)
        if array.dtype.kind not in "iu" or array.ndim != 1:
            raise ValueError(f"{what}: expected whole numbers, found {array.dtype}")
        if array.min() < 0 or array.max() >= count:
            raise IndexError(f"Some of {what} are not in the model: expected 0 to {count - 1}")
        return np.ascontiguousarray(array, dtype=np.int64)

    def _items(self, items: Any, what: str) -> npt.NDArray[np.int64]:
        if items is None:
            return np.empty(0, dtype=np.int64)
        array = np.atleast_1d(np.asarray(items))
        count = self._shape()[1]
        if array.size and (array.min() < 0 or array.max() >= count):
            raise IndexError("Some of selected itemids are not in the model")
        return self._ids(array, count, what)

    def _user_vectors(self) -> Any:
        matrix = self._user_items()
        degrees = np.maximum(np.asarray(matrix.sum(axis=0)).ravel(), 1e-12)
        matrix = matrix @ scipy.sparse.diags(degrees**-0.5)
        norms = np.sqrt(np.maximum(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel(), 1e-12))
        return scipy.sparse.csr_matrix(scipy.sparse.diags(1.0 / norms) @ matrix)

    def _lists(
        self,
        rank: Callable[..., IdsAndScores],
        count: int,
        N: int,
        liked: Any,
        is_own: bool,
        filter_items: Any,
        items: Any,
    ) -> IdsAndScores:
        """Returns the lists without the items of ``liked``, or the list of all ``items``.

        ``is_own`` says that the lists are computed from ``liked``.
        """
        core = self._fitted()
        _check_length(N)
        only = None
        if items is not None:
            only = _distinct(self._items(items, "items"))
            N = len(only)
            if N == 0:
                empty = np.empty((count, 0))
                return empty.astype(np.int32), empty.astype(np.float32)
        if count == 0:
            return np.empty((0, N), np.int32), np.empty((0, N), np.float32)
        most = 0 if liked is None or is_own else int(np.diff(liked.indptr).max(initial=0))
        ids, scores = rank(
            N + most,
            keep_seen=not is_own,
            deny=None if filter_items is None else self._known(filter_items),
            allow=only,
        )
        if liked is not None and not is_own:
            ids, scores = _without(liked, ids, scores)
        if ids.shape[1] < N:
            missing = ((0, 0), (0, N - ids.shape[1]))
            ids = np.pad(ids, missing, constant_values=-1)
            scores = np.pad(scores, missing, constant_values=_NO_SCORE)
        ids, scores = np.ascontiguousarray(ids[:, :N]), np.ascontiguousarray(scores[:, :N])
        if only is not None:
            for place in range(count):
                gone = np.setdiff1d(only, ids[place])
                if len(gone):
                    ids[place, N - len(gone) :] = gone
                    scores[place, N - len(gone) :] = _NO_SCORE
        return ids, scores

    def _known(self, filter_items: Any) -> npt.NDArray[np.int64]:
        array = np.atleast_1d(np.asarray(filter_items))
        if array.size and array.dtype.kind not in "iu":
            raise ValueError(f"filter_items: expected whole numbers, found {array.dtype}")
        known: npt.NDArray[np.int64] = array.astype(np.int64)
        return known[(known >= 0) & (known < self._shape()[1])]

    # ------------------------------------------------------------------ files

    def save(self, fileobj_or_path: Any) -> None:
        """Saves to a path or to an open binary file. The name can have any extension, also ``.npz``.

        A model that is not fitted is saved with its parameters only.
        """
        has_file = hasattr(fileobj_or_path, "write")
        if self._core is not None and not has_file:
            self._core.save(os.fspath(fileobj_or_path))
            return
        content = _unfitted_bytes(self) if self._core is None else self._core.to_bytes()
        if has_file:
            fileobj_or_path.write(content)
        else:
            with open(fileobj_or_path, "wb") as file:
                file.write(content)

    @classmethod
    def load(cls, fileobj_or_path: Any) -> "RecommenderBase":
        """Loads a model that :meth:`save` wrote, from a path or an open binary file.

        Its settings are those of the fitted filter. Raises ValueError for a file of another filter.
        """
        if hasattr(fileobj_or_path, "read"):
            content = fileobj_or_path.read()
            if content.startswith(_UNFITTED):
                return cls(**_unfitted_parameters(content))
            return cls._of_core(_bspm.Core.from_bytes(content, (True, True)))
        path = os.fspath(fileobj_or_path)
        if not os.path.exists(path) and os.path.exists(path + ".npz"):
            path += ".npz"
        with open(path, "rb") as file:
            if file.read(len(_UNFITTED)) == _UNFITTED:
                file.seek(0)
                return cls(**_unfitted_parameters(file.read()))
        return cls._of_core(_bspm.Core.open(path))

    @classmethod
    def _of_core(cls, core: _bspm.Core) -> "RecommenderBase":
        found = next(iter(json.loads(core.config)))
        if found != cls.filter:
            raise ValueError(f"expected a model of the filter {cls.filter}, found {found}")
        model = cls(**core.settings)
        model._core = core
        return model

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        core = state.pop("_core")
        state["model"] = None if core is None else core.to_bytes()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        content = state.pop("model")
        self.__dict__.update(state)
        self._core = None
        if content is not None:
            threads = self.num_threads
            self._core = _bspm.Core.from_bytes(content, (True, True), threads=threads)

    def __repr__(self) -> str:
        settings = "".join(f", {name}={value!r}" for name, value in self.settings.items())
        return f"{type(self).__name__}(num_threads={self.num_threads}{settings})"


# The first bytes of a file with the parameters of a model that is not fitted.
_UNFITTED = b"bspm parameters\n"


def _unfitted_bytes(model: RecommenderBase) -> bytes:
    def plain(value: Any) -> Any:
        return value.item() if isinstance(value, np.generic) else str(value)

    return _UNFITTED + json.dumps(model.get_params(), default=plain).encode()


def _unfitted_parameters(content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content[len(_UNFITTED) :])
    return found


# A single user is ranked twice in one tile, so that its scores have the same bits as in a batch.


def _rank_users(core: _bspm.Core, users: npt.NDArray[np.int64]) -> Callable[..., IdsAndScores]:
    asked = np.repeat(users, 2) if len(users) == 1 else users

    def rank(k: int, **options: Any) -> IdsAndScores:
        ids, scores = core.rank(asked, k, fallback="unscored", **options)
        return ids[: len(users)], scores[: len(users)]

    return rank


def _rank_rows(core: _bspm.Core, rows: dict[str, Any]) -> Callable[..., IdsAndScores]:
    count, data, length = len(rows["indptr"]) - 1, rows["data"], len(rows["indices"])
    asked = rows
    if count == 1:
        asked = {
            **rows,
            "indptr": np.array([0, length, 2 * length], dtype=np.int64),
            "indices": np.concatenate([rows["indices"]] * 2),
            "data": None if data is None else np.concatenate([data] * 2),
        }

    def rank(k: int, **options: Any) -> IdsAndScores:
        ids, scores = core.rank_histories(asked, k, fallback="unscored", **options)
        return ids[:count], scores[:count]

    return rank


def _distinct(ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Returns the ids in their order, each once."""
    return ids[np.sort(np.unique(ids, return_index=True)[1])]


def _without(liked: Any, ids: npt.NDArray[np.int32], scores: npt.NDArray[np.float32]) -> IdsAndScores:
    """Returns the lists without the items of these rows. The following items move up."""
    width = int(liked.shape[1]) + 1
    rows = np.repeat(np.arange(len(ids), dtype=np.int64), np.diff(liked.indptr))
    keys = np.unique(rows * width + liked.indices)
    places = np.arange(len(ids), dtype=np.int64)[:, None] * width + ids
    is_gone = (np.isin(places, keys, assume_unique=False)) | (ids < 0)
    order = np.argsort(is_gone, axis=1, kind="stable")
    ids = np.where(is_gone, np.int32(-1), ids)
    scores = np.where(is_gone, np.float32(_NO_SCORE), scores)
    return np.take_along_axis(ids, order, axis=1), np.take_along_axis(scores, order, axis=1)

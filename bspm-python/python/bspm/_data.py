"""Interactions of whatever kind, as compressed sparse rows with ids."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import Any, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt
import scipy.sparse

from . import _bspm

Ids = Union["npt.NDArray[np.int64]", "list[str]"]
Csr = dict[str, Any]


def ids_of(values: Any, what: str) -> Ids:
    """Ids as the native part takes them: int64, or a list of str.

    Raises TypeError for ids of other kinds, and ValueError for missing ones.
    """
    if isinstance(values, np.ndarray) and values.dtype == np.int64 and values.ndim == 1:
        return np.ascontiguousarray(values)
    if isinstance(values, (str, bytes)):
        raise TypeError(f"{what}: expected a sequence of ids, found {values!r}")
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{what}: expected one dimension, found {array.ndim}")
    if array.size == 0:
        return []
    if array.dtype.kind in "iu":
        if array.dtype == np.uint64 and array.max() > np.iinfo(np.int64).max:
            raise ValueError(f"{what}: expected ids below 2^63, found {array.max()}")
        return np.ascontiguousarray(array, dtype=np.int64)
    if array.dtype.kind == "U":
        return [str(value) for value in array]
    if array.dtype.kind == "O":
        found = list(array)
        if all(isinstance(value, str) for value in found):
            return found
        if all(isinstance(value, (int, np.integer)) and not isinstance(value, bool) for value in found):
            return np.array(found, dtype=np.int64)
        for value in found:
            if value is None or value != value:
                raise ValueError(f"{what}: expected an id in every row, found {value!r}")
        kinds = sorted({type(value).__name__ for value in found})
        raise TypeError(f"{what}: expected ids that are all str or all int, found {', '.join(kinds)}")
    if array.dtype.kind == "f":
        raise TypeError(f"{what}: expected ids that are str or int, found {array.dtype} (a missing id?)")
    raise TypeError(f"{what}: expected ids that are str or int, found {array.dtype}")


def factorize(ids: Ids) -> tuple[Ids, npt.NDArray[np.int64]]:
    """The distinct ids in the order of their first use, and the place of each."""
    array = ids if isinstance(ids, np.ndarray) else np.array(ids, dtype=object)
    if len(array) == 0:
        return ids, np.empty(0, dtype=np.int64)
    if isinstance(ids, np.ndarray):
        distinct, first, places = np.unique(array, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        return distinct[order], rank[places.ravel()]
    known: dict[str, int] = {}
    found = np.fromiter((known.setdefault(it, len(known)) for it in ids), np.int64, len(ids))
    return list(known), found


def numbers_of(ids: list[str]) -> Ids:
    """The ids as int64 where all are whole numbers written in one way only."""
    try:
        numbers = np.array([int(text) for text in ids], dtype=np.int64)
    except (ValueError, OverflowError):
        return ids
    return numbers if all(str(int(text)) == text for text in ids) else ids


def weights_of(values: Any, count: int, what: str = "weight") -> Optional[npt.NDArray[np.float32]]:
    """Weights as float32; None where all are 1.

    Raises ValueError for a negative number or one that is not finite.
    """
    if values is None:
        return None
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{what}: expected numbers, found {array.dtype}")
    if array.shape != (count,):
        raise ValueError(f"{what}: expected {count} values, found shape {array.shape}")
    with np.errstate(over="ignore"):
        weights = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(weights).all():
        raise ValueError(f"{what}: expected finite numbers, found {weights[~np.isfinite(weights)][0]}")
    return None if (weights == 1).all() else weights


def csr_of(matrix: Any, columns: Optional[int] = None) -> Csr:
    """A SciPy matrix in compressed sparse rows, as the native part borrows it."""
    count = matrix.shape[1] if columns is None else columns
    indptr, indices = matrix.indptr, matrix.indices
    if indptr.dtype not in (np.int32, np.int64):
        indptr = indptr.astype(np.int64)
    if indices.dtype not in (np.int32, np.int64):
        indices = indices.astype(np.int64)
    return {
        "indptr": indptr,
        "indices": indices,
        "data": weights_of(matrix.data, len(matrix.data), "data"),
        "columns": int(count),
    }


@dataclass(frozen=True)
class Interactions:
    """Users x items, with their ids.

    Make one by :meth:`from_frame`, :meth:`from_pairs` or :meth:`from_matrix`; ``Model.fit``
    takes what they take too.
    """

    users: Ids
    """The id of each row."""
    items: Ids
    """The id of each column."""
    csr: Csr
    times: Optional[npt.NDArray[np.float64]] = None
    """The time of each entry of the rows, where there are times."""

    @property
    def shape(self) -> tuple[int, int]:
        """Users and items."""
        return len(self.users), len(self.items)

    @classmethod
    def from_pairs(
        cls, users: Any, items: Any, weights: Any = None, times: Any = None
    ) -> "Interactions":
        """From a user and an item for each interaction, in any order.

        Ids are all ``str`` or all ``int``. Weights (0 or above) of a pair that occurs more
        than once are added up; without weights it counts once.
        """
        user_ids, rows = factorize(ids_of(users, "users"))
        item_ids, columns = factorize(ids_of(items, "items"))
        if len(rows) != len(columns):
            raise ValueError(f"items: expected {len(rows)} of them, as users, found {len(columns)}")
        order = np.argsort(rows, kind="stable")
        counts = np.bincount(rows, minlength=len(user_ids)) if len(rows) else np.zeros(0, np.int64)
        weight = weights_of(weights, len(rows))
        stamps = None
        if times is not None:
            stamps = seconds_of(times)
            if stamps.shape != (len(rows),):
                raise ValueError(f"times: expected {len(rows)} of them, found shape {stamps.shape}")
            stamps = np.ascontiguousarray(stamps[order])
        csr: Csr = {
            "indptr": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            "indices": np.ascontiguousarray(columns[order]),
            "data": None if weight is None else np.ascontiguousarray(weight[order]),
            "columns": len(item_ids),
        }
        return cls(user_ids, item_ids, csr, stamps)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        user: str = "user",
        item: str = "item",
        weight: Optional[str] = None,
        time: Optional[str] = None,
    ) -> "Interactions":
        """From the columns of a table: of pandas, polars, PyArrow, DuckDB, or a dict of arrays.

        Any object with the Arrow PyCapsule interface is a table, and is read without a copy in
        Python. Weights of a pair that occurs more than once are added up; of its times the
        latest stays.

        Raises KeyError for a column that there is not.
        """
        if is_arrow(frame):
            columns = {"user": user, "item": item, "weight": weight, "time": time}
            return cls._from_arrow(frame, columns)

        def column(name: str) -> Any:
            try:
                values = frame[name]
            except Exception as error:
                names = list(getattr(frame, "columns", None) or getattr(frame, "column_names", []) or frame)
                raise KeyError(f"no column {name!r}; there are {names}") from error
            return values.to_numpy() if hasattr(values, "to_numpy") else values

        return cls.from_pairs(
            column(user),
            column(item),
            None if weight is None else column(weight),
            None if time is None else column(time),
        )

    @classmethod
    def _from_arrow(cls, table: Any, columns: dict[str, Optional[str]]) -> "Interactions":
        named = {**columns, "rating": None, "rating_threshold": None}
        indptr, indices, weights, times, users, items = _bspm.read_arrow(table, named)
        return cls._of_arrays((indptr, indices, weights, times), users, items)

    @classmethod
    def _of_arrays(cls, arrays: Sequence[Any], users: Ids, items: Ids) -> "Interactions":
        """From row ends, columns, weights and times, as the native part gives them."""
        indptr, indices, weights, times = arrays
        csr: Csr = {"indptr": indptr, "indices": indices, "data": weights, "columns": len(items)}
        return cls(users, items, csr, times)

    @classmethod
    def from_matrix(cls, matrix: Any, users: Any = None, items: Any = None) -> "Interactions":
        """From a SciPy sparse matrix, users x items, whose values are weights.

        Rows and columns are the ids unless told. CSR is borrowed, other formats are converted.
        """
        matrix = as_csr(matrix)
        user_ids = ids_of(np.arange(matrix.shape[0]) if users is None else users, "users")
        item_ids = ids_of(np.arange(matrix.shape[1]) if items is None else items, "items")
        for what, ids, expected in (("users", user_ids, matrix.shape[0]), ("items", item_ids, matrix.shape[1])):
            if len(ids) != expected:
                raise ValueError(f"{what}: expected {expected} ids, found {len(ids)}")
        return cls(user_ids, item_ids, csr_of(matrix))

    @classmethod
    def from_file(
        cls,
        path: Union[str, os.PathLike[str]],
        *,
        user: Optional[str] = None,
        item: Optional[str] = None,
        weight: Optional[str] = None,
        time: Optional[str] = None,
        rating: Optional[str] = None,
        rating_threshold: Optional[float] = None,
    ) -> "Interactions":
        """From a file whose name tells its format, as the tool reads it.

        CSV, TSV, RecBole, MovieLens, LightGCN's text, SciPy's npz; the columns are those of
        a table. Ids that are all whole numbers become int.

        Raises FileNotFoundError, and ValueError with the file, the line and what was expected.
        """
        columns = {
            "user": user,
            "item": item,
            "weight": weight,
            "time": time,
            "rating": rating,
            "rating_threshold": rating_threshold,
        }
        indptr, indices, weights, times, users, items = _bspm.read_file(os.fspath(path), columns)
        return cls._of_arrays(
            (indptr, indices, weights, times), numbers_of(users), numbers_of(items)
        )

    @classmethod
    def of(cls, data: Any, **columns: Any) -> "Interactions":
        """From any of these: Interactions, a file, a SciPy matrix, a table, or pairs of ids."""
        columns = {name: value for name, value in columns.items() if value is not None}
        if isinstance(data, cls):
            return data
        if isinstance(data, (str, os.PathLike)):
            return cls.from_file(data, **columns)
        if scipy.sparse.issparse(data):
            return cls.from_matrix(data)
        if isinstance(data, dict) or hasattr(data, "columns") or is_arrow(data):
            return cls.from_frame(data, **columns)
        pairs: Sequence[Any] = data if isinstance(data, (list, tuple)) else list(data)
        if not all(isinstance(pair, (tuple, list)) and len(pair) in (2, 3) for pair in pairs):
            raise TypeError("data: expected a table, a sparse matrix or pairs of user and item")
        sizes = {len(pair) for pair in pairs}
        if len(sizes) > 1:
            raise ValueError("data: expected pairs, or triples with a weight, not both")
        weights = [pair[2] for pair in pairs] if sizes == {3} else None
        return cls.from_pairs([pair[0] for pair in pairs], [pair[1] for pair in pairs], weights)


def is_arrow(table: Any) -> bool:
    """Whether a table is to be read by the Arrow PyCapsule interface.

    The tables of pandas have it too, but need PyArrow for it.
    """
    is_pandas = type(table).__module__.partition(".")[0] == "pandas"
    return hasattr(table, "__arrow_c_stream__") and not is_pandas


def as_csr(matrix: Any) -> Any:
    """The matrix in compressed sparse rows, with a warning where it had to be converted."""
    if not scipy.sparse.issparse(matrix):
        raise TypeError(f"expected a sparse matrix of SciPy, found {type(matrix).__name__}")
    if matrix.format == "csr":
        return matrix
    warnings.warn(f"expected a CSR matrix; the {matrix.format} matrix is converted", stacklevel=3)
    return matrix.tocsr()


def seconds_of(values: Any) -> npt.NDArray[np.float64]:
    """Times as numbers: those of NumPy, pandas and polars as seconds since 1970."""
    array = np.asarray(values)
    if array.dtype.kind == "M":
        return array.astype("datetime64[ms]").astype(np.float64) / 1000.0
    if array.dtype.kind not in "iuf":
        raise TypeError(f"times: expected numbers or dates, found {array.dtype}")
    times = array.astype(np.float64)
    if not np.isfinite(times).all():
        raise ValueError("times: expected finite numbers")
    return times
